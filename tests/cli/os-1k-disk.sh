# The 1K OS from a disk: boot sector, loader and kernel by the BIOS, then it is the same OS.
. "$TOP/tests/cli/lib.sh"
need_engine
has soft && [[ $CPU != kvm ]] || has paging32 || skip "no engine runs 32-bit paging"

mkfifo "$WORK/keys"
"$MINIKVM" ${CPU:+--cpu=$CPU} os-1k.img <"$WORK/keys" >"$WORK/out" 2>"$WORK/err" &
pid=$!
servers+=("$pid")
exec {keys}>"$WORK/keys"
asked() { # asked N: has the menu been shown so often
    while [[ $(grep -c '^Select: ' "$WORK/out") -lt $1 ]]; do
        kill -0 "$pid" 2>/dev/null || { fail "os-1k.img has ended: $(cat "$WORK/out" "$WORK/err")"; finish; }
    done
}
asked 1
printf '9\n' >&$keys
asked 2
printf '0\n' >&$keys
wait "$pid"
status=$?
ran='minikvm os-1k.img'
expect_status 0
head -n 2 "$WORK/out" >"$WORK/loaders"
printf 'stage 1: reading stage 2\nloader: the kernel\n' | cmp -s - "$WORK/loaders" ||
    fail "its loaders say: $(cat "$WORK/loaders")"
# what follows is what the OS prints when it is loaded as an ELF file
tail -n +3 "$WORK/out" | sed -f "$TOP/tests/cli/os-1k/mask.sed" >"$WORK/os"
cmp -s "$WORK/os" "$TOP/tests/cli/os-1k/about.out" || fail "$(diff "$TOP/tests/cli/os-1k/about.out" "$WORK/os")"

# What is typed ahead reaches its shell, and not the BIOS, which nobody has asked for a key.
printf '3\nhello\n\n0\n' >"$WORK/in"
stdin=$WORK/in
run os-1k.img
expect_status 0
[[ $(tr '\n' ' ' <"$WORK/out") == *'Select: 3 '*hello*'Exiting shell'* ]] || fail "$ran: $(cat "$WORK/out")"
finish
