# Boot loaders as Debian has them come to their menus and prompts: GRUB from its rescue images,
# SYSLINUX from a floppy that it was installed on.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"
cd "$WORK" || exit 1
grub=/usr/lib/grub-rescue

# comes_to TEXT [OPTION...] IMAGE: it prints that; there it waits for keys.
comes_to() {
    local text=$1 engine
    shift
    for engine in auto soft kvm; do
        case $engine in
        auto) [[ ! $CPU ]] || continue ;;
        # one that interprets takes a minute to unpack GRUB
        kvm) [[ ${CPU:-kvm} == kvm ]] && has kvm && [[ $HAVE != *no-paging32* ]] || continue ;;
        soft) [[ ${CPU:-soft} == soft ]] && has soft || continue ;;
        esac
        python3 "$TOP/tests/boot/until.py" "$text" "$MINIKVM" --cpu=$engine "$@" 2>err || fail "$(cat err)"
    done
}

found=
if [[ -r $grub/grub-rescue-floppy.img ]]; then
    found=1
    comes_to 'GNU GRUB  version' "$grub/grub-rescue-floppy.img"
    comes_to 'GNU GRUB  version' --boot=floppy "$grub/grub-rescue-floppy.img"
    comes_to 'GNU GRUB  version' "$grub/grub-rescue-usb.img"
fi
if command -v syslinux >/dev/null && command -v mformat >/dev/null; then
    found=1
    mformat -f 1440 -C -i floppy :: && syslinux --install floppy
    comes_to 'boot: ' floppy
fi
[[ $found ]] || skip "this machine lacks: grub-rescue-pc; syslinux and mtools"
finish
