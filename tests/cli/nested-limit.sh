# scripts/nested-kvm says what does not fit before it starts a machine that would panic.
. "$TOP/tests/cli/lib.sh"
for tool in qemu-system-x86_64 cpio xz busybox; do
    command -v $tool >/dev/null || skip "this machine lacks: $tool"
done
[[ -d $TOP/build/nested/kernel/boot ]] || skip "no kernel yet: make test-nested"
mkdir "$WORK/large"
head -c 20M /dev/urandom >"$WORK/large/file"
"$TOP/scripts/nested-kvm" -m 64 "$WORK/large" true >"$WORK/out" 2>"$WORK/err"
status=$? ran="nested-kvm -m 64"
expect_status 125
expect_err 'large does not fit: .* MiB of files, for 64 MiB of memory; give less, or -m [0-9]+$'
finish
