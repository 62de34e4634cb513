# The 1K OS on KVM alone, to its end, where KVM has 32-bit paging.
. "$TOP/tests/cli/lib.sh"

need kvm paging32
sh "$TOP/tests/cli/os-1k/check.sh" "$MINIKVM" --cpu=kvm os-1k
