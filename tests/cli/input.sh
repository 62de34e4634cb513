# Standard input is the first machine's: by hypercall, to its end.
. "$TOP/tests/cli/lib.sh"
need_engine

hctest_answers() { # hctest_answers INPUT ANSWER
    printf "$1" >"$WORK/in"
    stdin=$WORK/in
    run hctest
    stdin=/dev/null
    expect_status 0
    grep -Fqx "GETCHAR: $2" "$WORK/out" || fail "$ran with '$1': $(grep GETCHAR "$WORK/out")"
}
hctest_answers '' 'end of input'
hctest_answers 'k' 'k code 107'
hctest_answers 'kl\n' 'k code 107'
hctest_answers '\n' 'code 10'
hctest_answers '\001' 'code 1'
hctest_answers '\200' 'code 128'

# input that comes while the guest waits for it: the guest asks first
mkfifo "$WORK/typed" "$WORK/printed"
"$MINIKVM" ${CPU:+--cpu=$CPU} hctest <"$WORK/typed" >"$WORK/printed" 2>"$WORK/err" &
pid=$!
servers+=("$pid")
exec {keys}>"$WORK/typed" {text}<"$WORK/printed"
while IFS= read -r line <&$text && [[ $line != PUTNUM* ]]; do :; done
printf 'Q\n' >&$keys
IFS= read -r line <&$text
[[ $line == 'GETCHAR: Q code 81' ]] || fail "hctest, typed to: $line"
exec {keys}>&-
cat <&$text >/dev/null
wait "$pid" || fail "hctest, typed to: status $?"

# a closed stdin is an empty one; the time limit is for what hangs
timeout 30 "$MINIKVM" ${CPU:+--cpu=$CPU} hctest <&- >"$WORK/out" 2>"$WORK/err"
status=$? ran='minikvm hctest <&-'
expect_status 0
expect_out_file "$EXPECTED/hctest.out"

# keys that were there before the guest had interrupts: the chips are made when they
# are first programmed, and the line that the keyboard holds is theirs from then on
printf 'aq' >"$WORK/in"
ran='minikvm keys' status=0
timeout 30 "$MINIKVM" ${CPU:+--cpu=$CPU} "$BUILD/tests/guests/keys.elf" <"$WORK/in" \
    >"$WORK/out" 2>"$WORK/err" || status=$?
expect_status 0
[[ $(tr '\n' ' ' <"$WORK/out") == '30 158 16 144 ' ]] || fail "$ran: $(cat "$WORK/out")"

# a PIC that nobody has programmed raises nothing
printf 'x' >"$WORK/in"
stdin=$WORK/in
run "$BUILD/tests/guests/unprogrammed.elf"
expect_status 0
run --bios=none --irqchip=on "$BUILD/tests/guests/unprogrammed.elf"
expect_status 0

# The end of input is no key. The serial line tells of it, polled and by interrupt; a
# guest that sleeps until a key comes sleeps for good.
run "$BUILD/tests/guests/serial.elf"
expect_status 0
expect_out x
printf 'xi' >"$WORK/in"
run "$BUILD/tests/guests/serial.elf"
expect_status 42
expect_out xi
printf 'a' >"$WORK/in"
run "$BUILD/tests/guests/keys.elf"
expect_status 0
[[ $(tr '\n' ' ' <"$WORK/out") == '30 158 ' ]] || fail "$ran: $(cat "$WORK/out")"
stdin=/dev/null

# of several machines the first has it
printf 'a' >"$WORK/in"
stdin=$WORK/in
run hctest hctest
stdin=/dev/null
expect_status 0
grep -Fqx 'GETCHAR: a code 97' "$WORK/out" || fail "$ran: the first machine got nothing"
grep -Fqx 'GETCHAR: end of input' "$WORK/out" || fail "$ran: the second machine saw no end"
finish
