# lldb, unmodified: 16-bit code is shown as such, breakpoints and steps work; that it does not
# follow the mode is said where the mode has changed, once.
. "$TOP/tests/cli/lib.sh"
need_engine
need lldb

serve --gdb=0 pmode
timeout 60 lldb -b -x -o "gdb-remote $port" -o 'disassemble --pc --count 2' \
    -o 'breakpoint set --address 0x1020' -o continue -o 'thread step-inst' \
    -o 'register read eip' -o 'memory read --size 1 --format x --count 3 0x1000' \
    -o 'breakpoint set --address 0x102b' -o continue -o 'disassemble -A i386-unknown-unknown --pc --count 1' \
    -o 'thread step-inst' -o 'register read eip' -o detach \
    </dev/null >"$WORK/lldb" 2>&1
expect_lldb() { grep -Eq -- "$1" "$WORK/lldb" || fail "lldb: nothing matches '$1': $(cat "$WORK/lldb")"; }
expect_lldb '0x1001: movl +\$0x10e6, %ebx'
expect_lldb 'stop reason = breakpoint'
expect_lldb 'stop reason = instruction step'
expect_lldb 'eip = 0x00001023'
expect_lldb '0x00001000: 0xfa 0x66 0xbb'
expect_lldb "^minikvm: the CPU's mode has changed.*type disassemble -A i386-unknown-unknown,"
expect_lldb '0x102b: movw +\$0x10, %ax'
expect_lldb 'eip = 0x0000102f'
[[ $(grep -c 'mode has changed' "$WORK/lldb") == 1 ]] || fail "not said once: $(cat "$WORK/lldb")"
finish
