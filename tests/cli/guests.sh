# Every guest prints exactly what is expected and ends with its status. Where an
# engine cannot run a guest to its end, it says so and ends with 124; never a hang.
. "$TOP/tests/cli/lib.sh"
need_engine

for guest in minimal hello counter multiplication fibonacci matrix hctest segmented pmode; do
    run "$guest"
    expect_status 0
    expect_out_file "$EXPECTED/$guest.out"
    expect_quiet
done

# flat images are the same programs
for guest in minimal hello counter multiplication fibonacci matrix hctest; do
    run "$BUILD/guests/$guest.bin"
    expect_status 0
    expect_out_file "$EXPECTED/$guest.out"
done

# kernels, by a loader: their screen is printed when they end
cd "$TOP" || exit 1
for guest in multiboot1 multiboot2; do
    run --append=words --module=LICENSE,words "$guest"
    expect_status 0
    expect_out_file "$EXPECTED/$guest.out"
    expect_quiet
done
# disk images: by the BIOS
run bootsector.img
expect_status 0
expect_out 'Hello from a boot sector!\n'
run bootsector # the ELF file of it
expect_status 0
expect_out 'Hello from a boot sector!\n'
run cd.iso
expect_status 0
expect_out 'volume: A CD BYTE BY BYTE\nHello from a file on a CD!\n'
for option in --boot=floppy --boot=disk; do
    run "$option" stages.img
    expect_status 0
    tail -n 9 "$WORK/out" >"$WORK/screen" # what it left on the screen, behind what the BIOS printed
    cmp -s "$WORK/screen" "$EXPECTED/stages.out" || fail "$ran: $(diff "$EXPECTED/stages.out" "$WORK/screen")"
done
# its second stage is not there
head -c 512 "$BUILD/guests/stages.img" >"$WORK/alone.img"
run --boot=disk "$WORK/alone.img"
expect_status 0
expect_out 'stage 1: reading stage 2\nstage 1: the disk cannot be read\n'

# keys by interrupt; the screen is memory of the guest's own
printf 'aB\033' >"$WORK/typed"
stdin=$WORK/typed run keyboard
expect_status 0
expect_out '1e 9e 2a 30 b0 aa 01 81\n'

run --mode=protected multiboot1 # nobody tells it anything
expect_status 0
expect_out 'not started by a Multiboot 1 loader: EAX is 00000000\n'

for guest in paging ring3; do
    run "$guest"
    if has paging32 || may_go_on || [[ $CPU == soft ]]; then
        expect_status 0
        expect_out_file "$EXPECTED/$guest.out"
    else
        expect_status 124
        expect_err 'this KVM (has no 32-bit paging|cannot run the instruction)'
        expect_err 'died at [0-9a-f]{4}:[0-9a-f]+'
    fi
done

# a triple fault, on purpose
run broken_gdt
expect_status 124
expect_out_file "$EXPECTED/broken_gdt.out"
expect_err 'triple fault|this KVM cannot run the instruction'
expect_err 'died at [0-9a-f]{4}:[0-9a-f]+; rerun with --gdb to inspect'

# a KVM that gets 64-bit code wrong is left for the built-in CPU where it begins
run long64
expect_status 0
expect_out_file "$EXPECTED/long64.out"
if [[ ! $CPU ]] && has no-long-mode; then
    expect_err 'the built-in CPU takes over at 0008:0000[0-9a-f]+: this KVM gets 64-bit code wrong'
else
    expect_quiet
fi
finish
