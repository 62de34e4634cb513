# 64-bit code: the same in every engine that knows it, and on KVM only where KVM gets it right.
. "$TOP/tests/cli/lib.sh"
need_engine
[[ $CPU != kvm ]] || need long-mode

takes_over() { # is it told, where KVM is there and gets it wrong?
    if [[ ! $CPU ]] && has no-long-mode; then
        expect_err 'the built-in CPU takes over at 0008:00[0-9a-f]+: this KVM gets 64-bit code wrong'
    else
        expect_quiet
    fi
}

# system calls, NX, IST, SSE of two tasks
run tasks64
expect_status 0
expect_out_file "$EXPECTED/tasks64.out"
takes_over

# …on a processor whose SYSRET takes the RPL of SS from STAR
if [[ ! $CPU ]]; then
    run --cpu=soft --cpuid=amd tasks64
    expect_status 0
    expect_out_file "$EXPECTED/tasks64.out"
fi

# each kind of what a partial KVM does wrong; the status is the number of the check that failed
run "$BUILD/tests/guests/kinds64.elf"
expect_status 0
takes_over

# no fifth level of page tables is offered: CPUID leaf 7, ECX bit 16
printf '\x66\xb8\7\0\0\0\x66\x31\xc9\x0f\xa2\x66\xc1\xe9\x10\x80\xe1\1\x88\xc8\xe6\xf4\xf4' >"$WORK/levels"
run "$WORK/levels"
expect_status 1

# one that begins in long mode
printf '\xb8\x07\x00\x00\x00\xe6\xf4\xf4' >"$WORK/flat" # mov $7, %eax; out %al, $0xf4; hlt
run --mode=long "$WORK/flat"
expect_status 15
if [[ ! $CPU ]] && has no-long-mode; then
    run --mode=long --stats "$WORK/flat"
    expect_err '^engine: the built-in CPU: this KVM gets 64-bit code wrong'
fi
finish
