# As an editor drives gdb, by MI: -exec-jump, -break-watch, and what it shows over changes of
# mode (gdb-nonstop.sh has several machines and non-stop).
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb
command -v python3 >/dev/null || skip "this machine lacks: python3"

session() { # session NAME IMAGE
    serve --gdb="unix:$WORK/s.$1.$CPU" "$2"
    timeout 100 python3 -B "$TOP/tests/cli/gdb-mi.py" "$1" "$address" >"$WORK/mi" 2>&1 ||
        { fail "$1, --cpu=$CPU: $(cat "$WORK/mi")"; kill "$pid"; }
    end_of_server
}
for CPU in ${CPU:-kvm soft}; do
    has "$CPU" || continue
    [[ $CPU != kvm ]] || has exec-bp || continue
    session jump "$BUILD/tests/guests/resume.elf"
    session watch "$BUILD/tests/guests/turns.elf"
    session modes pmode
    [[ $CPU != kvm ]] || session long long64
done
finish
