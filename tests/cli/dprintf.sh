# A dprintf that outlives its debugger: to gdb's console first, then, after the
# detach, to the terminal.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb

serve --gdb=0 counter
gdb_session 'set dprintf-style agent' 'set disconnected-dprintf on' \
    'set breakpoint always-inserted on' "target remote $address" 'dprintf send,"sends %d\n", $ebx' \
    'tbreak wait_for_room if $ebx == 0x33' continue detach
end_of_server
expect_gdb '^sends 48$'
expect_gdb '^sends 51$'
expect_gdb 'Temporary breakpoint 2'
grep -q 'sends 50' "$WORK/out" && fail "stdout has what gdb was told"
for n in 52 57; do grep -q "sends $n\$" "$WORK/out" || fail "no line of $n: $(cat "$WORK/out")"; done
finish
