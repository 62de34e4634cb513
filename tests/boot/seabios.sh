# A BIOS that is not ours, SeaBIOS as Debian has it: its own lines at port 402h, the VGA's ROM, and
# what it boots.
. "$TOP/tests/cli/lib.sh"
need_engine
bios=/usr/share/seabios
[[ -r $bios/bios-256k.bin && -r $bios/vgabios-stdvga.bin ]] || skip "this machine lacks: seabios"
cd "$WORK" || exit 1

# A disk that prints by int 10h, asks its drive and how much memory there is, and ends:
#   mov $0xe48,%ax; int $0x10; mov $0xe69,%ax; int $0x10; int $0x12; mov %dl,%al; out %al,$0xf4
{ printf '\xb8\x48\x0e\xcd\x10\xb8\x69\x0e\xcd\x10\xcd\x12\x88\xd0\xe6\xf4'; head -c 494 /dev/zero
  printf '\x55\xaa'; } >sector
{ cat sector; head -c 4193792 /dev/zero; } >disk

for engine in soft kvm; do
    has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
    for file in bios-256k.bin bios.bin; do
        run --cpu=$engine --log=bios --bios="$bios/$file" disk
        expect_status 1 # DL = 80h, shifted out
        expect_err 'BIOS: SeaBIOS \(version'
        expect_err 'BIOS: Running on QEMU \(i440fx\)'
        expect_err 'BIOS: Start SeaVGABIOS'
        expect_err 'BIOS: ata0-0: MINIKVM HARDDISK ATA-6 Hard-Disk \(4 MiBytes\)'
        grep -q '^SeaBIOS (version' out || fail "$ran: no banner on the screen: $(cat out)"
        grep -q '^Booting from Hard Disk' out && grep -q '^Hi' out || fail "$ran: not booted: $(cat out)"
        grep -v 'BIOS: ' err | grep -v ': hard disk (4096 KiB)' && fail "$ran: that is more than it should say"
    done
done

# By its own answers: what ours must give, too (services.sh). It waits for the diskette's interrupt by
# the clock, and a KVM that interprets lets few in (kvm-quirks 17).
for guest in pcibios bios32 reset; do
    [[ $CPU != kvm || $HAVE != *no-paging32* ]] || continue
    run --bios="$bios/bios-256k.bin" "$BUILD/tests/boot/$guest.img"
    [[ $guest == reset ]] && expect_status 7 || expect_status 0
done
[[ $CPU == kvm && $HAVE == *no-paging32* ]] ||
    expect_err 'the guest resets its machine by the keyboard controller: its firmware starts anew'

# The same images by ours and by it: what is on the screen is the same.
same() { # same TEXT IMAGE
    python3 "$TOP/tests/boot/both.py" "$1" "$bios/bios-256k.bin" "$MINIKVM" --cpu=soft "$2" 2>err || fail "$(cat err)"
}
if has soft && [[ ${CPU:-soft} == soft ]] && command -v python3 >/dev/null; then
    grub=/usr/lib/grub-rescue
    same 'stage 1' "$BUILD/os-1k/os-1k.img"
    [[ ! -r $grub/grub-rescue-floppy.img ]] || same 'GNU GRUB' $grub/grub-rescue-floppy.img
    [[ ! -r $grub/grub-rescue-usb.img ]] || same 'GNU GRUB' $grub/grub-rescue-usb.img
    if command -v syslinux >/dev/null && command -v mformat >/dev/null; then
        mformat -f 1440 -C -i floppy :: && syslinux --install floppy
        same SYSLINUX floppy
    fi
fi

# Pictures, dot by dot: modes 13h, 12h by int 10h/0C, and 101h of VBE by a bank.
#   mov $MODE,%ax; int $0x10; mov $0xa000,%ax; mov %ax,%es; xor %di,%di
#   1: mov %di,%ax; xor %ah,%al; stosb; test %di,%di; jnz 1b; out %al,$0xf4
fill='\xb8\x00\xa0\x8e\xc0\x31\xff\x89\xf8\x30\xe0\xaa\x85\xff\x75\xf7\xe6\xf4'
#   xor %cx,%cx; xor %dx,%dx; 1: mov $0xc,%ah; mov %cl,%al; and $15,%al; mov $0,%bh; int $0x10
#   inc %cx; inc %dx; cmp $480,%dx; jb 1b; out %al,$0xf4
line='\x31\xc9\x31\xd2\xb4\x0c\x88\xc8\x24\x0f\xb7\x00\xcd\x10\x41\x42\x81\xfa\xe0\x01\x72\xee\xe6\xf4'
for picture in "\\xb8\\x13\\x00\\xcd\\x10$fill" "\\xb8\\x12\\x00\\xcd\\x10$line" \
    "\\xb8\\x02\\x4f\\xbb\\x01\\x01\\xcd\\x10$fill"; do
    has soft && [[ ${CPU:-soft} == soft ]] || break
    { printf "$picture"; head -c 510 /dev/zero; } | head -c 510 >picture
    printf '\x55\xaa' >>picture
    run --cpu=soft --screenshot=ours.png picture
    run --cpu=soft --screenshot=theirs.png --bios="$bios/bios-256k.bin" picture
    cmp -s ours.png theirs.png || fail "$picture: two pictures"
    [[ $(tail -c +42 ours.png | tr -d '\0' | wc -c) -gt 200 ]] || fail "$picture: none at all"
done

# A debugger has all of it: from the reset vector to the sector, and back.
if has soft && has gdb && [[ ${CPU:-soft} == soft ]]; then
    gdb_session "target remote | $MINIKVM --gdb=- --cpu=soft --bios=$bios/bios-256k.bin $WORK/disk" \
        'x/i $pc' 'break *0x7c00' continue 'x/i $pc' 'monitor catch bios' 'monitor info bios' 'monitor explain' \
        'monitor info devices' stepi 'monitor explain' 'monitor goto 0' 'maintenance flush register-cache' 'x/i $pc' \
        'monitor info devices' continue 'x/i $pc' 'reverse-stepi' 'x/i $pc' 'monitor screen' kill
    for line in '=> 0xfffffff0:' 'Breakpoint 1, 0x0*7c00' '=> 0x7c00:.*mov +\$0xe48,%ax' \
        'a BIOS of yours \(--bios=FILE\) are not known here; set a breakpoint' 'PCI 00:01.1 +IDE' \
        'PAM +f0000-fffff +RAM, read-only' 'What it asks is not said' 'PAM +c0000-fffff +ROM' 'iret' \
        '0\|SeaBIOS \(version' '1\|Booting from Hard Disk'; do
        expect_gdb "$line"
    done
    [[ $(grep -c '=> 0xfffffff0:' gdb) == 2 && $(grep -c '=> 0x7c00:' gdb) == 2 ]] || fail "$(cat gdb)"
fi

# What is no BIOS, and no VGA ROM; a BIOS without one.
cp "$bios/bios.bin" .
run --bios=./bios.bin disk
expect_status 1
expect_err 'bios.bin: there is no vgabios-stdvga.bin beside it, so the screen may stay dark; name one by --vgabios=FILE'
run --bios=./bios.bin --vgabios=none disk
expect_status 1
[[ $(wc -l <err) == 1 ]] || fail "$ran: $(cat err)"
run --bios=./missing disk
expect_status 125
expect_err 'missing: No such file .*; check --bios'
run --bios="$bios/bios.bin" --vgabios=sector disk
expect_status 125
expect_err 'sector: not the option ROM of a VGA'
run --bios="$bios/bios.bin" --vgabios=./missing disk
expect_status 125
expect_err 'missing: No such file .*; check --vgabios'
finish
