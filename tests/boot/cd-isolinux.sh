# ISOLINUX on a CD that xorriso makes comes to its prompt, and loads one of our kernels.
. "$TOP/tests/boot/lib.sh"
needs_able_engine
needs_command xorriso xorriso
needs_file /usr/lib/ISOLINUX/isolinux.bin isolinux
modules=/usr/lib/syslinux/modules/bios
needs_file $modules/mboot.c32 syslinux-common

mkdir -p disc/isolinux
cp /usr/lib/ISOLINUX/isolinux.bin $modules/{ldlinux,libcom32,mboot}.c32 disc/isolinux
cp "$BUILD/guests/multiboot1.elf" disc/kernel.elf
make_cd() { # make_cd PROMPT
    printf 'default kernel\nprompt %s\nlabel kernel\nkernel mboot.c32\nappend /kernel.elf from a CD\n' "$1" \
        >disc/isolinux/isolinux.cfg
    xorriso -as mkisofs -quiet -o cd.iso -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
        -boot-load-size 4 -boot-info-table disc >log 2>&1 || fail "xorriso: $(cat log)"
}
make_cd 1
shows 'boot:' cd.iso
make_cd 0
run cd.iso
grep -q '^Multiboot 1, by ISOLINUX' out || fail "$ran: $(cat out err)"
grep -q 'command line: .*from a CD' out || fail "$ran: $(cat out)"
expect_status 0
finish
