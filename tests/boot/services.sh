# The BIOS's services: guests that look at registers, flags and memory after each, on each engine.
. "$TOP/tests/cli/lib.sh"
need_engine
head -c 16896 /dev/zero | tr '\0' '\021' >"$WORK/hard" # 33 sectors of 11h
printf 'aB\003\rx' >"$WORK/keys"

typed=() # what is typed when: TEXT KEYS...
guest() { # guest NAME [OPTION...]: it says what failed, and its status is how often
    local name=$1 engine
    shift
    for engine in soft kvm; do
        has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
        if [[ ${typed[*]} ]]; then
            python3 "$TOP/tests/boot/type.py" "$MINIKVM" --cpu="$engine" "$@" "$BUILD/tests/boot/$name.img" \
                -- "${typed[@]}" >"$WORK/out" 2>"$WORK/err"
            status=$?
        else
            run --cpu="$engine" "$@" "$BUILD/tests/boot/$name.img"
        fi
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
guest clock
guest poll
guest ide --disk="$WORK/hard"
guest atapi --cdrom="$BUILD/guests/cd.iso"
guest pci
guest pcibios
guest bios32
guest channel2
guest video
guest graphics
stdin=$WORK/keys
guest keys
guest speaker
typed=(1 '\x1b[<35;10;10M\x1b[<35;13;12M\x1b[<0;13;12M\x1b[<0;13;12mk' 2 '\x1b[<65;13;12M')
guest mouse
typed=()
[[ ${CPU:-soft} == soft ]] && CPU=soft guest protected # interrupts in 16-bit protected mode are not every KVM's
typed=(1 '\x1b[3;7~')
guest warm
typed=(1 z)
guest more
finish
