# PE and PG by one mov: with paging behind it, whatever runs it; a KVM that cannot says so.
. "$TOP/tests/cli/lib.sh"
need_engine
run "$BUILD/tests/guests/at-once.elf"
if [[ $CPU == kvm ]] && ! has paging32; then
    expect_status 124
    expect_err '^minikvm: this KVM has no 32-bit paging \(CR0.PG\)$'
else
    expect_status 0
    has paging32 || [[ $CPU == soft ]] || ! has kvm || expect_err 'takes over at 0000:0000[0-9a-f]*: this KVM has no 32-bit paging'
fi
finish
