# gdb on another machine: it has neither the image nor the sources, and knows the symbols.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb
[[ ${CLIENTS-} ]] || skip "gdb is on this machine, see --clients"

serve --gdb=0 pmode
ELSEWHERE=yes gdb_session "target remote $address" 'tbreak protected_entry' continue 'info symbol $pc' \
    'x/i $pc' 'info line' continue
end_of_server
expect_gdb '^protected_entry in section .text'
expect_gdb '=> 0x102b <protected_entry>:	mov +\$0x10,%ax'
expect_gdb 'Line 40 of "guests/pmode.S"'
expect_gdb '23	(in )?guests/pmode.S: No such file'
expect_gdb 'exited normally'
finish
