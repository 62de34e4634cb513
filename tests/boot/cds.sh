# CDs: a program that is booted from one looks at what it got, without emulation and as each kind of drive;
# boot catalogs that are odd or wrong; which drive is booted; and kernels on a CD that GRUB and ISOLINUX boot.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"
cd "$WORK" || exit 1
make_cd() { PYTHONDONTWRITEBYTECODE=1 python3 "$TOP/tests/boot/cd.py" "$@" || fail "cd.py $*"; }
program=$BUILD/tests/boot/cd.img
head -c 33000 /dev/zero | tr '\0' '\021' >eleven # no boot sector

guest() { # guest OPTION...: it says what failed, and its status is how often
    local engine
    for engine in soft kvm; do
        has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
        run --cpu="$engine" "$@"
        [[ $status == 0 ]] || fail "$* on $engine: status $status: $(cat out; tail -n 3 err)"
    done
}

# --- what a program finds; a drive of the emulated kind is behind it, and in its own place afterwards
for kind in none 1200 1440 2880 disk; do
    make_cd "$kind.iso" "$program" "$kind"
    guest ./"$kind.iso"
    guest --floppy=eleven --cdrom="$kind.iso"
    guest --disk=eleven --cdrom="$kind.iso"
done
run --disk=eleven ./1440.iso
expect_err '1440.iso: bootable CD \(1494 KiB; 1.44M floppy emulation, 1 sector from block 23 to 0x7c00, DL = 00\); starts'
run ./none.iso
expect_err 'none.iso: bootable CD \(1494 KiB; no emulation, 17 sectors from block 23 to 0x7c00, DL = E0\); starts'
make_cd section.iso "$program" disk section
guest ./section.iso
make_cd cut.iso "$program" none short=6000 # sectors that are missing are not those that are booted
run --log=bios ./cut.iso
expect_err 'int 13h/4b01, CD: status of emulation: drive e0h -> no emulation, drive e0h, image at block 23 of IDE 1 master'

# --- what is odd or wrong
make_cd odd.iso "$program" none sum
run ./odd.iso
expect_status 0
expect_err "odd.iso: bootable CD .*DL = E0; the boot catalog's checksum is wrong, and some PCs refuse that\)"
wrong() { # wrong WHY WORD...: is refused so
    local why=$1
    shift
    make_cd wrong.iso "$program" none "$@"
    run ./wrong.iso
    expect_status 125
    expect_err "^minikvm: .*wrong.iso: cannot boot this CD: $why"
    [[ $(wc -l <err) == 1 ]] || fail "more than a line: $(cat err)"
}
wrong "its boot catalog, at block 19, has nothing for a PC's BIOS" none
wrong 'its boot catalog has media type 9' media=9
wrong 'its boot image goes to segment 0010' segment=0x10
wrong 'its boot catalog says that no sector .* is loaded' count=0
wrong 'its boot image, 1216 sectors at block 23, is not all on the disc' count=3000 short=1400000
run_bare --boot=cdrom "$program"
expect_status 125
expect_err 'cannot boot this CD: it has no boot catalog \(El Torito\)'

# --- which one is booted: mov $0,%al; mov $0x500,%dx; mov DL,%bl; out
printf '\x88\xd3\xb0\x00\xba\x00\x05\xee' >dl
truncate -s 510 dl
printf '\x55\xaa' >>dl
boots() { # boots DL OPTION...
    local drive=$1
    shift
    run "$@"
    [[ $status == "$((drive))" ]] || fail "$*: status $status, not $((drive)): $(cat err)"
}
make_cd plain.iso dl none
make_cd hybrid.iso dl none hybrid
dd if=dl of=hybrid.iso conv=notrunc status=none
cp dl hd.img
truncate -s 4M hd.img
head -c 1M /dev/zero >empty.img
boots 0xe0 ./plain.iso
boots 0xe0 --cdrom=plain.iso
boots 0xe0 ./hybrid.iso
expect_err 'hybrid.iso: bootable CD that is a disk, too .*--boot=disk boots its first sector'
boots 0x80 --boot=disk ./hybrid.iso
boots 0x80 --disk=hybrid.iso
boots 0x80 --disk=hd.img --cdrom=plain.iso
boots 0xe0 --boot=cdrom --disk=hd.img --cdrom=plain.iso
boots 0xe0 --disk=empty.img --cdrom=plain.iso # it is to be installed from that
boots 0x80 --cdrom=plain.iso ./hd.img
boots 0xe0 --disk=hd.img ./plain.iso
run_bare --disk=hd.img --disk=hd.img --disk=hd.img --disk=hd.img ./plain.iso
expect_status 125
expect_err 'plain.iso: there is no place for its drive: .* leave out a --disk or --cdrom'
run_bare --cdrom=plain.iso,write
expect_status 2
# a reset boots it again, of which the guest counts to two at 0600h: incb 0x600; cmpb $2,0x600; je; jmp to the vector
printf '\xfe\x06\x00\x06\x80\x3e\x00\x06\x02\x74\x05\xea\xf0\xff\x00\xf0\xb0\x00\xb3\x07\xba\x00\x05\xee' >again
make_cd again.iso again 1440
run ./again.iso
expect_status 7
expect_err 'it boots again from drive e0h'
finish
