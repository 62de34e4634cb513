# Calls that fail, one after another, and signals at any moment: tests/faults.
. "$TOP/tests/cli/lib.sh"
need_engine
is_sanitized && skip "a sanitizer has calls of its own"
[[ $(ldd "$MINIKVM" 2>/dev/null) == *ld-musl* ]] && skip "musl does not let its calls be intercepted"
{ has soft && [[ ! $CPU || $CPU == soft ]]; } || skip "the built-in CPU is not asked for"
python3 "$TOP/tests/faults/faults.py" "$MINIKVM" "$BUILD/tests/faults.so" soft >"$WORK/faults" ||
    fail "$(grep -e FAULT= -e passed "$WORK/faults")"

# Nothing may be written: not the guest's output, and no half of a saved run.
"$MINIKVM" ${CPU:+--cpu=$CPU} hello >/dev/full 2>"$WORK/err"
status=$? ran="minikvm hello >/dev/full"
expect_status 125
expect_err '^minikvm: some of the guest.s output was lost: cannot write to stdout: No space left on device$'
has soft && has gdb || finish
cd "$WORK" || exit 1
answer=$(
    ulimit -f 0
    gdb -q -nx -nh -batch -ex "target remote | '$MINIKVM' --cpu=soft --gdb=- minimal 2>/dev/null" -ex stepi \
        -ex 'monitor save run' -ex 'monitor icount' </dev/null 2>&1
)
[[ $answer == *'cannot save: run.replay: File too large'*$'\n'1* ]] || fail "saving to a full disk: $answer"
[[ -e run || -e run.replay ]] && fail "half of a run is left on a full disk"
finish
