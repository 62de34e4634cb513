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

# What is no BIOS, and no VGA ROM.
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
