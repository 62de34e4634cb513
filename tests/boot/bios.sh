# What the BIOS does beside its services: a boot again, keys for an image that is no disk, the end
# of the input, the log, and that it can be left out.
. "$TOP/tests/cli/lib.sh"
need_engine
cd "$WORK" || exit 1
printf x >keys

run "$BUILD/tests/boot/reset.img"
expect_status 7
for by in 'the keyboard controller' 'port 0x92' 'port 0xcf9' 'a jump to the reset vector'; do
    expect_err "the guest resets its machine by $by: it boots again from drive 00h"
done

# A flat image that reads a key and prints it; its last hlt ends it. Then again without a key.
printf '\xb4\x00\xcd\x16\xb4\x0e\xcd\x10\xfa\xf4' >image
stdin=$WORK/keys
run ./image
expect_status 0
expect_out x
expect_quiet
run --log=bios ./image
expect_err '0000:1002 int 16h/00, read a key -> '"'x', scancode 2d"
expect_err '0000:1006 int 10h/0e, print: '"'x' -> done"
stdin=/dev/null
run ./image
expect_status 0
expect_out ''
expect_err 'the guest waits for a key \(int 0x16, AH=00, before 0000:1004\), and the input is over'

# An image over the BIOS's data or the screen has no BIOS, and is whole.
#   mov $0x9fc0,%ax; mov %ax,%ds; mov 0,%bl; mov $0,%al; mov $0x500,%dx; out
for place in 9fc0:650240 b800:749568; do
    printf '\xb8%b\x8e\xd8\x8a\x1e\x00\x00\xb0\x00\xba\x00\x05\xee' "\\x${place:2:2}\\x${place:0:2}" >image
    truncate -s "${place#*:}" image
    printf '\x5a\x5a' >>image
    run ./image
    expect_status 90
done

# An unknown function is told once, and answered as a PC does; the status is AH.
#   1: mov $0x1234,%ax; int $0x15; loop 1b (twice); movb %ah,%bl; mov $0,%al; mov $0x500,%dx; out
printf '\xb9\x02\x00\xb8\x34\x12\xcd\x15\xe2\xf9\x88\xe3\xb0\x00\xba\x00\x05\xee' >image
run ./image
expect_status 134
expect_err 'int 0x15, AX=1234, at 0000:1006: the BIOS has no such function: CF=1, AH=86h'
[[ $(grep -c 'no such function' err) == 1 ]] || fail "told more than once: $(cat err)"
# one that each 64-bit loader tries, and no BIOS need have, is answered so in silence
printf '\xb8\x00\xec\xcd\x15\x88\xe3\xb0\x00\xba\x00\x05\xee' >image # mov $0xec00,%ax; int $0x15; the status is AH
run ./image
expect_status 134
expect_quiet

# A disk that is 00h, too, is one diskette drive: mov $8,%ah; mov $0,%dl; int $0x13; the status is DL.
{ printf '\xb4\x08\xb2\x00\xcd\x13\x88\xd3\xb0\x00\xba\x00\x05\xee'; head -c 496 /dev/zero; printf '\x55\xaa'; } >image
run ./image
expect_status 1

# Without a BIOS there are no vectors, and RAM is where its ROM would be.
#   push 0x41 (16-bit) of segment 0: mov 0x40,%bx; mov $0,%al; mov $0x500,%dx; out
printf '\x8b\x1e\x42\x00\xb0\x00\xba\x00\x05\xee' >image # the segment of vector 10h
run ./image
expect_status 0
printf '\x8a\x1e\x43\x00\xb0\x00\xba\x00\x05\xee' >image # its upper byte: F0
run ./image
expect_status 240
run --bios=none ./image
expect_status 0
# The ROM's fonts are those that are drawn.
"$TOP/scripts/font" | cmp - "$TOP/vmm/board/bios/font.S" || fail "font.S: make it anew by scripts/font"
finish
