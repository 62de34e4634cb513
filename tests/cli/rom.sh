# --rom: mapped below 1 MiB and below 4 GiB, started at its reset vector.
. "$TOP/tests/cli/lib.sh"
need_engine
cd "$WORK" || exit 1

# 64 KiB of nops; the code at F000:0000, and at the reset vector, 16 bytes below
# the end, a far jump to it.
rom() { # rom FILE CODE: the code in printf escapes
    head -c 65536 /dev/zero | tr '\0' '\220' >"$1"
    printf "$2" | dd of="$1" conv=notrunc status=none
    printf '\xea\x00\x00\x00\xf0' | dd of="$1" bs=1 seek=65520 conv=notrunc status=none
}
rom good '\xb0\x52\xe6\xe9\xb0\x05\xe6\xf4' # prints R, ends with (5 << 1) | 1
run --rom=good
expect_status 11
expect_out 'R'
expect_quiet

# it is read-only: what is written there is not read back
rom constant '\x0e\x1f\xc6\x06\x20\x00\x41\xa0\x20\x00\xe6\xf4' # ds = cs; [0x20] = 0x41; exit [0x20]
run --rom=constant
expect_status $(((0x90 << 1 | 1) & 255))

# a jump within the upper image works without leaving it
head -c 65536 /dev/zero | tr '\0' '\220' >high
printf '\xb0\x02\xe6\xf4' | dd of=high bs=1 seek=65520 conv=notrunc status=none
run --rom=high
expect_status 5

# small ones are filled up at the front: the reset vector is 16 bytes from the end
printf '\xb0\x01\xe6\xf4\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90' >tiny
run --rom=tiny
expect_status 3

: >none
run --rom=none
expect_status 125
expect_err 'none: a ROM has from 1 byte to 256 KiB'
head -c 262145 /dev/zero >much
run --rom=much
expect_status 125
expect_err 'much: a ROM has from 1 byte to 256 KiB'
run --rom=./missing
expect_status 125
expect_err 'missing: No such file'
run --rom=.
expect_status 125
expect_messages
finish
