# For loaders as Debian has them: they come to their screens by our BIOS, and by SeaBIOS to the same.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"
cd "$WORK" || exit 1

needs_file() { [[ -r $1 ]] || skip "this machine lacks: $2"; } # needs_file FILE PACKAGE
needs_command() { command -v "$1" >/dev/null || skip "this machine lacks: $2"; }

# A KVM that interprets what it cannot do takes a minute for a loader, or cannot (IRET out of real mode).
whole_kvm() { has kvm && [[ $HAVE != *no-paging32* ]]; }
needs_able_engine() { [[ $CPU != kvm ]] || whole_kvm || skip "this KVM is not one for loaders"; }

# shows TEXT [OPTION...] IMAGE: that comes on the screen; by SeaBIOS, if it is there, the same.
shows() {
    local text=$1 engine bios=/usr/share/seabios/bios-256k.bin
    shift
    for engine in auto soft kvm; do
        case $engine in
        auto) [[ ! $CPU ]] || continue ;;
        kvm) [[ ${CPU:-kvm} == kvm ]] && whole_kvm || continue ;;
        soft) [[ ${CPU:-soft} == soft ]] && has soft || continue ;;
        esac
        python3 "$TOP/tests/boot/both.py" "$text" - "$MINIKVM" --cpu=$engine "$@" 2>err || fail "$engine: $(cat err)"
    done
    [[ -r $bios ]] && has soft && [[ ${CPU:-soft} == soft ]] || return
    python3 "$TOP/tests/boot/both.py" "$text" $bios "$MINIKVM" --cpu=soft "$@" 2>err || fail "$(cat err)"
}
