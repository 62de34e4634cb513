# The BIOS's services: guests that look at registers, flags and memory after each, on each engine.
. "$TOP/tests/cli/lib.sh"
need_engine
head -c 16896 /dev/zero | tr '\0' '\021' >"$WORK/hard" # 33 sectors of 11h
printf 'aB\003\rx' >"$WORK/keys"

guest() { # guest NAME [OPTION...]: it says what failed, and its status is how often
    local name=$1 engine
    shift
    for engine in soft kvm; do
        has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
        run --cpu="$engine" "$@" "$BUILD/tests/boot/$name.img"
        [[ $status == 0 ]] || fail "$name on $engine: status $status: $(cat "$WORK/out"; tail -n 3 "$WORK/err")"
    done
}
# Off is the end: nothing is done behind it.
printf '\xb8\x07\x53\xbb\x01\x00\xb9\x03\x00\xcd\x15\xb0X\xe6\xe9\xf4' >"$WORK/off"
for engine in soft kvm; do
    has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
    run --cpu="$engine" "$WORK/off"
    expect_status 0
    expect_out ''
done
guest system
guest disk --disk="$WORK/hard"
guest floppy
guest ide --disk="$WORK/hard"
guest pci
guest pcibios
guest video
guest graphics
stdin=$WORK/keys
guest keys
finish
