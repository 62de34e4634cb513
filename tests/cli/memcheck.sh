# valgrind's memcheck over one session of gdb: no invalid access, no use of what was
# never written, nothing lost at the end.
. "$TOP/tests/cli/lib.sh"
need soft gdb
command -v valgrind >/dev/null || skip "this machine lacks: valgrind"
grep -qa -e __asan_init -e __tsan_init "$MINIKVM" && skip "instrumented already: valgrind runs a plain build"

program=$MINIKVM
cat >"$WORK/minikvm" <<END
#!/bin/sh
exec valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect \\
    --error-exitcode=66 "$program" "\$@"
END
chmod +x "$WORK/minikvm"
MINIKVM=$WORK/minikvm CPU=soft
printf '2\n4\n' >"$WORK/typed"
stdin=$WORK/typed
# The walls of the sandbox are not made for valgrind's own system calls.
serve --sandbox=off --gdb="unix:$WORK/gdb.sock" --history=4M os-1k
gdb_session "target extended-remote $WORK/gdb.sock" 'break enable_paging' continue \
    'stepi 20' 'info registers' 'monitor regs' 'monitor engine' 'monitor info gdt' \
    'monitor explain' 'monitor page' 'break kernel_main' continue next step 'x/8i $pc' \
    'info os pages' 'watch -l *(int *)($esp - 4)' 'monitor breakpoints' continue 'info symbol $pc' \
    'reverse-stepi' 'monitor history' 'reverse-continue' 'monitor when-mode' \
    'monitor when-written 0x2000 16' delete 'dump binary memory /dev/null 0x1000 0x10000' \
    'tbreak syscall_handler' run 'info symbol $pc' 'stepi 5' kill
expect_gdb '^console_init \+ 1 in section'
expect_gdb '^syscall_handler'
expect_gdb 'killed'
kill -TERM "$pid" 2>/dev/null # it may have ended with the machine
end_of_server
[[ $status == 143 || $status == 0 ]] || fail "$ran: status $status"
grep -q '^==[0-9]*==' "$WORK/err" && fail "valgrind: $(head -40 "$WORK/err")"
finish
