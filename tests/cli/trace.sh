# A trace that outlives its debugger, is looked at by the next one, and saved in a file.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb

printf '\x40\xa3\x00\x20\xeb\xfa' >"$WORK/counts" # inc ax; mov [0x2000], ax; jmp to the first
serve --gdb=0 "$WORK/counts"
cat >"$WORK/define" <<'END'
trace *0x1004
actions
collect $eax, *(short *)0x2000
end
passcount 3
set disconnected-tracing on
tstart
END
gdb_session "target remote $address" "source $WORK/define" detach
expect_gdb 'Tracepoint 1 at 0x1004'

# each client stops the guest, and lets it run on
: >"$WORK/gdb"
until grep -q 'Trace stopped by tracepoint 1' "$WORK/gdb"; do
    gdb_session "target remote $address" tstatus detach
    grep -q '^Trace' "$WORK/gdb" || { expect_gdb 'Trace'; finish; }
done

gdb_session "target remote $address" 'info tracepoints' 'tfind 1' 'p $eax' 'tfind 2' 'p $eax' \
    'p *(short *)0x2000' "tsave $WORK/saved" kill
expect_gdb 'collect \$eax, \*\(short \*\)0x2000'
expect_gdb '^Found trace frame 1, tracepoint 1'
expect_gdb '^\$1 = 2$'
expect_gdb '^\$2 = 3$'
expect_gdb '^\$3 = 3$'
end_of_server

# the file is one that gdb reads without us
gdb_session "target tfile $WORK/saved" 'tfind 0' 'p $eax' 'tfind 2' 'p $eax' 'p *(short *)0x2000' 'x/i $pc'
expect_gdb '^\$1 = 1$'
expect_gdb '^\$2 = 3$'
expect_gdb '^\$3 = 3$'
finish
