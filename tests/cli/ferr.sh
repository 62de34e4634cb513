# IRQ 13: x87 exceptions without CR0.NE, on the built-in CPU (KVM has #MF in any case).
. "$TOP/tests/cli/lib.sh"
need soft
[[ $CPU != kvm ]] || skip "about the built-in CPU"
run --cpu=soft "$BUILD/tests/guests/ferr.elf"
expect_status 3
finish
