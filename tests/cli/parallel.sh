# Several guests at once: whole lines, each guest's in its order, each machine in
# its colour; the status is 0 when all end so, else the first that does not.
. "$TOP/tests/cli/lib.sh"
need_engine
guests=(hello counter multiplication fibonacci)
colours=(35 32 33 34) # magenta, green, yellow, blue

# the lines of one guest, in the order of the output: all of $EXPECTED/$1.out
lines_of() { grep -Fx -f "$EXPECTED/$1.out" "$WORK/out" | cmp -s - "$EXPECTED/$1.out"; }

run "${guests[@]}"
expect_status 0
expect_quiet
for g in "${guests[@]}"; do lines_of "$g" || fail "$ran: the lines of $g are not whole or not in order"; done
[[ $(wc -l <"$WORK/out") == $(cd "$EXPECTED" && cat hello.out counter.out multiplication.out fibonacci.out | wc -l) ]] ||
    fail "$ran: too many lines, or too few"
grep -q $'\033' "$WORK/out" && fail "$ran: colours where there is no terminal"

run --color=always "${guests[@]}"
expect_status 0
# one that stood still within a line (a loaded host) has it in pieces
for i in 0 1 2 3; do sed -i "s/\x1b\[0m\x1b\[${colours[i]}m//g" "$WORK/out"; done
for i in 0 1 2 3; do
    sed -n "s/^\x1b\[${colours[i]}m\(.*\)\x1b\[0m\$/\1/p" "$WORK/out" | cmp -s - "$EXPECTED/${guests[i]}.out" ||
        fail "$ran: colour ${colours[i]} is not that of all lines of ${guests[i]}"
done
grep -Evq $'^\033\\[3[2345]m.*\033\\[0m$' "$WORK/out" && fail "$ran: a line without a colour"

run --color=never "${guests[@]}"
grep -q $'\033' "$WORK/out" && fail "$ran: colours"

# as many as there can be
sixteen=(hello hello hello hello hello hello hello hello hello hello hello hello hello hello hello hello)
run "${sixteen[@]}"
expect_status 0
[[ $(grep -cx 'Hello, KVM!' "$WORK/out") == 16 && $(wc -l <"$WORK/out") == 16 ]] ||
    fail "$ran: not 16 whole lines"
run_bare "${sixteen[@]}" hello
expect_status 2
expect_err '16'

# by port 0xF4: v becomes (v << 1) | 1; cli and hlt for 0
printf '\xb0\x03\xe6\xf4' >"$WORK/seven"
printf '\xb0\x04\xe6\xf4' >"$WORK/nine"
run hello "$WORK/seven"
expect_status 7
expect_out 'Hello, KVM!\n'
run "$WORK/seven" "$WORK/nine"
expect_status 7
run "$WORK/nine" "$WORK/seven"
expect_status 9
finish
