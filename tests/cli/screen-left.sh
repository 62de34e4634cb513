# What a guest leaves on its screen is printed at its end, unless it has printed that.
. "$TOP/tests/cli/lib.sh"
need_engine

left=$BUILD/tests/guests/left.elf
rows() { printf 'printed\n'; printf '\n%.0s' {1..23}; printf '%s\n' "$1"; }

run "$left"
expect_status 0
{ printf 'printed\n'; rows 'B!'; } >"$WORK/wanted"
expect_out_file "$WORK/wanted"
expect_quiet

export LC_ALL=C.UTF-8
run "$left"
{ printf 'printed\n'; rows 'ß!'; } >"$WORK/wanted"
expect_out_file "$WORK/wanted"

# two machines: whole lines of each
run "$left" "$left"
expect_status 0
[[ $(grep -c '^printed$' "$WORK/out") == 4 && $(grep -c '^ß!$' "$WORK/out") == 2 ]] || {
    fail "two machines leave:"
    cat "$WORK/out" >&2
}

# one that printed all of it: the word at `more` is 0
word=$(nm "$left" | awk '$3 == "more" { print $1 }')
offset=$((0x$word - 0x1000))
objcopy -O binary "$left" "$WORK/all"
printf '\0' | dd of="$WORK/all" bs=1 seek=$offset conv=notrunc status=none
run "$WORK/all"
expect_status 0
expect_out 'printed'

# no text is in a graphics mode, and that is said
printf '\xba\xce\x03\xb8\x06\x05\xef\xfa\xf4' >"$WORK/graphics" # graphics controller 6: 5; cli, hlt
run "$WORK/graphics"
expect_status 0
expect_out ''
expect_err '^minikvm: machine 1: its screen is in a graphics mode, which cannot be shown as text; --screenshot=FILE\.png makes a picture$'

# the beam goes down the screen, by the host's time or by virtual time
run "$BUILD/tests/guests/retrace.elf"
expect_status 0

# it dies: first what it left, then of what it died
printf '\xb8\x00\xb8\x8e\xc0\x26\xc6\x06\x00\x00\x41\x0f\x01\x1e\x00\x60\x0f\x0b' >"$WORK/dies" # 'A' at B8000, lidt of zeros, ud2
run "$WORK/dies"
expect_status 124
expect_out 'A\n'
finish
