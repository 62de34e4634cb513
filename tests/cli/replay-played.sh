# The 1K OS played through all its programs, saved, and done again by another process:
# the same output, the same count of instructions, the same memory (replaying compares
# it with what the file says, and would tell).
. "$TOP/tests/cli/lib.sh"

need gdb soft
cd "$WORK" || exit 1 # where the sandbox lets it save
keys=$TOP/tests/cli/os-1k/all-programs.in
"$MINIKVM" --cpu=soft --gdb="unix:$WORK/socket" os-1k <"$keys" >"$WORK/live" 2>"$WORK/told" &
servers+=($!)
until grep -q 'waiting for a debugger' "$WORK/told"; do read -rt 0.02 <> <(:) || true; done
timeout 60 gdb -q -nx -batch -ex "target remote $WORK/socket" -ex 'break machine_exit' \
    -ex continue -ex 'monitor icount' -ex "monitor save run" -ex kill </dev/null >"$WORK/gdb" 2>&1
grep -q '^saved' "$WORK/gdb" || fail "not saved: $(cat "$WORK/gdb")"
count=$(grep -x '[0-9]*' "$WORK/gdb")
"$MINIKVM" --stats --replay="$WORK/run" os-1k </dev/null >"$WORK/again" 2>"$WORK/why" ||
    fail "replay: exit status $?"
cmp "$WORK/live" "$WORK/again" || fail "the output is another"
[ -s "$WORK/live" ] || fail "nothing was printed"
grep -q "the recording ends here, after $count instructions" "$WORK/why" || fail "$(cat "$WORK/why")"
grep -q 'not what it was' "$WORK/why" && fail "$(cat "$WORK/why")"
finish
