# Pictures of the screen: --screenshot and monitor screenshot, text and graphics, on each engine.
. "$TOP/tests/cli/lib.sh"
need_engine

shows() { # shows FILE "what" X,Y...
    local file=$1 what=$2
    shift 2
    [[ $(python3 "$TOP/tests/cli/png.py" "$file" "$@" 2>&1) == "$what" ]] ||
        fail "$file is not $what but $(python3 "$TOP/tests/cli/png.py" "$file" "$@" 2>&1 | tail -n 1)"
}

# mode 13h, a dot of colour 4 (red) at 319,199 by memory, one of colour 2 at 1,0 by the BIOS
printf '\xb8\x13\x00\xcd\x10\xb8\x00\xa0\x8e\xc0\x26\xc6\x06\xff\xf9\x04\xb8\x02\x0c\xb9\x01\x00\x31\xd2\xcd\x10\xfa\xf4' >"$WORK/dots"
# an A, white on blue, at B8000
printf '\xb8\x00\xb8\x8e\xc0\x26\xc7\x06\x00\x00\x41\x1f\xfa\xf4' >"$WORK/text"
for engine in soft kvm; do
    has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
    run --cpu="$engine" --screenshot="$WORK/dots.png" "$WORK/dots"
    expect_status 0
    shows "$WORK/dots.png" '320x200 aa0000 00aa00 000000' 319,199 1,0 0,0
    run --cpu="$engine" --screenshot="$WORK/text.png" "$WORK/text"
    expect_status 0
    shows "$WORK/text.png" '720x400 0000aa ffffff 000000' 0,0 3,2 9,0
done

# without a BIOS there is a font, too
run --bios=none --screenshot="$WORK/text.png" "$WORK/text"
shows "$WORK/text.png" '720x400 ffffff' 3,2

run --screenshot="$WORK/nowhere/x.png" "$WORK/text"
expect_status 125
expect_err '^minikvm: --screenshot=.*nowhere/x.png: No such file or directory'
run --screenshot="$WORK/x.png" "$WORK/text" "$WORK/dots"
expect_status 2
expect_err '^minikvm: --screenshot is for one machine'

# from gdb: a new file in the folder that minikvm was started in, and no other
command -v "${GDB:-gdb}" >/dev/null || finish
cat >"$WORK/shoot.gdb" <<END
target remote | exec "$MINIKVM" --cpu=soft --gdb=- "$WORK/dots"
continue
monitor screenshot shot
monitor screenshot shot.png
monitor screenshot
monitor screen
END
(cd "$WORK" && "${GDB:-gdb}" -q -nx -batch -x shoot.gdb >shoot.out 2>&1)
shows "$WORK/shot.png" '320x200 aa0000 00aa00' 319,199 1,0
said() { grep -q -e "$1" "$WORK/shoot.out" || fail "not said: $1"$'\n'"$(cat "$WORK/shoot.out")"; }
said '^shot.png is written$'
said '^cannot write shot.png: File exists'
said '^screenshot takes a file'
said '^320 by 200 dots; `monitor screenshot FILE` makes a picture of them$'

# without a sandbox, as with sanitizers, a client may name any file
is_sanitized && finish
(cd "$WORK" && "${GDB:-gdb}" -q -nx -batch -ex "target remote | exec '$MINIKVM' --cpu=soft --gdb=- '$WORK/dots'" \
    -ex 'monitor screenshot ../shot' >shoot.out 2>&1)
said '^screenshot makes a new file NAME.png in the folder'
finish
