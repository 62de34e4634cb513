# What a test has started ends with it when it hangs, a session of its own or not.
. "$TOP/tests/cli/lib.sh"
mkdir -p "$WORK/tree/tests/unit"
cat >"$WORK/tree/tests/unit/hangs" <<END
#!/bin/sh
setsid sleep 1000 </dev/null >/dev/null 2>&1 &
echo \$! >"$WORK/pid"
sleep 1000
END
chmod +x "$WORK/tree/tests/unit/hangs"
LIMIT=2 "$TOP/tests/run" --build="$WORK/tree" --program="$MINIKVM" unit/hangs >"$WORK/out" 2>"$WORK/err"
status=$? ran="tests/run unit/hangs"
expect_status 1
grep -Eq '\(did not end within [0-9]+ s\)' "$WORK/out" || fail "$ran: $(<"$WORK/out")"
[[ -s $WORK/pid ]] || fail "the test did not begin"
[[ $(cut -d' ' -f3 "/proc/$(<"$WORK/pid")/stat" 2>/dev/null) == [RSD] ]] && fail "its process goes on"
finish
