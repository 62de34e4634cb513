# gdb-multiarch follows the modes as gdb does.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb-multiarch

serve --gdb=0 pmode
gdb-multiarch -q -nx -nh -batch -ex 'set pagination off' -ex "target remote $address" \
    -ex 'x/2i $pc' -ex 'tbreak enter_protected' -ex continue -ex stepi -ex stepi -ex 'x/2i $pc' \
    -ex continue </dev/null >"$WORK/gdb" 2>&1
end_of_server
expect_gdb '0x1001 <_start\+1>:	mov +\$0x10e6,%ebx'
expect_gdb 'process 1 is executing new program: /cpu/32-bit protected mode'
expect_gdb '=> 0x102b <protected_entry>:	mov +\$0x10,%ax'
expect_gdb 'exited normally'
[[ $(grep '^warning' "$WORK/gdb" | grep -cv "/cpu/.*can't read symbols") -le 1 ]] || fail "warnings: $(grep '^warning' "$WORK/gdb")"
finish
