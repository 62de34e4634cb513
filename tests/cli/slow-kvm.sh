# A KVM that interprets the guest's instructions: with --cpu=auto the built-in CPU takes a busy
# guest over, and has what comes then, the FPU too.
. "$TOP/tests/cli/lib.sh"
[[ ! $CPU ]] || skip "about --cpu=auto; --cpu=$CPU is asked for"
need kvm soft
cd "$WORK" || exit 1
# mov $500,%bx; 1: mov $0xffff,%cx; 2: dec %cx; jnz 2b; dec %bx; jnz 1b; TAIL; hlt
busy() { printf '\xbb\xf4\x01\xb9\xff\xff\x49\x75\xfd\x4b\x75\xf7'"$1"'\xf4' >"$2"; }
busy '' image
run --verbose ./image
expect_status 0
if [[ $HAVE == *no-paging32* ]]; then
    expect_err 'the built-in CPU takes over at 0000:.*: this KVM interprets the guest'
else
    grep -q 'takes over' "$WORK/err" && fail "$ran: $(<"$WORK/err")"
fi
busy '\xd9\xe8' image # fld1
run --verbose ./image
if [[ $HAVE == *no-paging32* ]]; then
    expect_err 'the built-in CPU takes over at 0000:'
fi
expect_status 0
finish
