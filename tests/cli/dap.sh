# An editor's debugger: the Debug Adapter Protocol, which gdb speaks from version 14 on.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb
[[ $(gdb --version | head -n 1) =~ \ ([0-9]+)\.[0-9]+ ]] && ((BASH_REMATCH[1] >= 14)) ||
    skip "this gdb has no -i=dap"

serve --gdb=0 pmode
timeout 100 python3 "$TOP/tests/cli/dap.py" "$address" >"$WORK/dap" 2>&1 || fail "$(cat "$WORK/dap")"
end_of_server
expect_status 0

if [[ $CPU != soft ]] && has kvm && has exec-bp; then
    CPU=kvm serve --gdb=0 long64
    timeout 100 python3 "$TOP/tests/cli/dap.py" "$address" long >"$WORK/dap" 2>&1 || fail "long64: $(cat "$WORK/dap")"
    end_of_server
    expect_status 0
fi
finish
