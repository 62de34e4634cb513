# The 1K OS on KVM alone, to its end, where KVM has 32-bit paging.
. "$TOP/tests/cli/lib.sh"

need kvm paging32
"$MINIKVM" --cpu=kvm os-1k <"$TOP/tests/cli/os-1k/all-programs.in" >"$WORK/raw" ||
    fail "exit status $?, not 0"
sed -f "$TOP/tests/cli/os-1k/mask.sed" "$WORK/raw" >"$WORK/out"
diff "$TOP/tests/cli/os-1k/all-programs.out" "$WORK/out" || fail "that is not what it prints"
finish
