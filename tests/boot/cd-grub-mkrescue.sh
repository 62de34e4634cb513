# A CD made of two of our kernels by grub-mkrescue: GRUB loads each as its Multiboot header says.
. "$TOP/tests/boot/lib.sh"
needs_able_engine
needs_command grub-mkrescue grub-common
needs_command xorriso xorriso
needs_command mformat mtools
needs_file /usr/lib/grub/i386-pc/cdboot.img grub-pc-bin

mkdir -p disc/boot/grub
cp "$BUILD"/guests/multiboot[12].elf disc/boot
for n in 1 2; do
    [[ $n == 1 ]] && word=multiboot || word=multiboot2
    printf '%s /boot/multiboot%s.elf from a CD\nboot\n' $word $n >disc/boot/grub/grub.cfg
    grub-mkrescue -d /usr/lib/grub/i386-pc -o "$n.iso" disc >log 2>&1 || skip "grub-mkrescue cannot: $(tail -n 1 log)"
    run "$n.iso"
    expect_err "$n.iso: bootable CD that is a disk, too .*; no emulation, .*DL = E0\\)"
    expect_status 0
    grep -q "^Multiboot $n, by GRUB" out && grep -q 'command line: .*from a CD' out || fail "$ran: $(cat out)"
    run --boot=disk "$n.iso" # as from a USB stick
    grep -q "^Multiboot $n, by GRUB" out || fail "$ran: $(cat out)"
done
finish
