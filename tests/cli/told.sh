# --stats and --verbose tell on stderr; the guest's output stays as it is.
. "$TOP/tests/cli/lib.sh"
need_engine

run --stats hello
expect_status 0
expect_out_file "$EXPECTED/hello.out"
expect_err '^machine 1: [0-9]+\.[0-9]+ ms to the first instruction$'
expect_err '^resident memory: [0-9]+ KiB$'
if [[ $CPU == soft ]] || ! has kvm; then
    expect_err 'instructions'
else
    expect_err '^io +13$' # a character is an exit, and so is the end
fi
run --stats hello counter
expect_err '^machine 1: '
expect_err '^machine 2: '

# 4 MiB at most, with what hello touches of its RAM; the built-in CPU is the larger engine
for engine in kvm soft; do
    has $engine && [[ ${CPU:-$engine} == "$engine" ]] || continue
    run --cpu=$engine --stats hello
    resident=$(sed -n 's/^resident memory: \([0-9]*\) KiB$/\1/p' "$WORK/err")
    is_sanitized || ((resident > 0 && resident <= 4096)) || fail "$ran: $resident KiB are resident"
done

run --verbose hello
expect_status 0
expect_out_file "$EXPECTED/hello.out"
if has kvm && [[ $CPU != soft ]]; then expect_messages; fi # the built-in CPU has no exits

# which engine runs it, and why
run --verbose minimal
expect_err '^minikvm: engine: (KVM|the built-in CPU): '
if [[ $CPU ]]; then expect_err "^minikvm: engine: .*: --cpu=$CPU\$"; fi
run --stats minimal
expect_err '^engine: (KVM|the built-in CPU): '

# The guest finds an FPU and uses it.
if has soft && [[ $CPU != kvm ]]; then
    "$MINIKVM" --cpu=soft "$BUILD/tests/guests/fpu.elf" 2>"$WORK/err"
    [[ $? == 2 ]] || fail "fpu.elf on the built-in CPU: $(cat "$WORK/err")"
fi
if has kvm && [[ $CPU != soft ]]; then
    run "$BUILD/tests/guests/fpu.elf"
    [[ $status == 2 ]] || { [[ $CPU == kvm && $status == 124 ]] && grep -q 'this KVM cannot run the instruction' "$WORK/err"; } ||
        fail "$ran: status $status: $(cat "$WORK/err")"
fi

# POST codes and ports where nothing is, each port once
printf '\xb0\x42\xe6\x80\xe6\xee\xe6\xee\xe4\xee\xfa\xf4' >"$WORK/ports"
run --verbose "$WORK/ports"
expect_status 0
expect_err 'POST code 42'
expect_err '^minikvm: .*0000:[0-9a-f]* writes to port 0xee, where no device is: dropped$'
[[ $(grep -c 'port 0xee, where' "$WORK/err") == 1 ]] || fail "$ran: a port is logged more than once"
run "$WORK/ports"
expect_status 0
[[ $(grep -c . "$WORK/err") == 1 ]] || fail "$ran: $(cat "$WORK/err")"
expect_err ' writes to port 0xee, where no device is: dropped$'
finish
