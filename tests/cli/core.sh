# The core (make core): the real-mode guests print the same as on minikvm, what goes wrong is
# said, and it stays as small as docs/core.md says.
. "$TOP/tests/cli/lib.sh"
CORE_MAX=1500 # lines of code without blanks and comments, with the headers that it includes

lines=$(make -s --no-print-directory -C "$TOP" loc-core) || fail "make loc-core"
((lines > 1000 && lines <= CORE_MAX)) || fail "the core has $lines lines, not 1,001 to $CORE_MAX"

# nothing of a debugger or of the built-in CPU is in it
nm "$BUILD/minikvm-core" >"$WORK/symbols" || fail "no build/minikvm-core"
grep -E ' (engine_soft|engine_kvm|probe_traits|stub_|gdb)' "$WORK/symbols" && fail "the core has these"

core() {
    ran="minikvm-core $*"
    "$BUILD/minikvm-core" "$@" <"$stdin" >"$WORK/out" 2>"$WORK/err"
    status=$?
}

core
expect_status 2
expect_err 'usage: minikvm-core '
if has kvm; then
    core /no/such/image
    expect_status 125
    expect_err 'not a file to be read; name an image'
    core "$BUILD/guests/pmode.elf" # begins in real mode, goes on to protected mode
    expect_status 0
    expect_out_file "$EXPECTED/pmode.out"
    { head -c 24 "$BUILD/guests/hello.elf"; printf '\0\0\040\0'; tail -c +29 "$BUILD/guests/hello.elf"; } >"$WORK/high.elf"
    core "$WORK/high.elf" # its entry is at 2 MiB
    expect_status 125
    expect_err 'does not begin in real mode; use minikvm'
    for guest in minimal hello counter multiplication fibonacci matrix hctest segmented; do
        core "$BUILD/guests/$guest.elf"
        expect_status 0
        expect_out_file "$EXPECTED/$guest.out"
        expect_quiet
    done
    core "$BUILD/guests/hello.bin"
    expect_out_file "$EXPECTED/hello.out"
fi
if has kvm && has paging32; then
    core --irqchip "$BUILD/os-1k/kernel.elf"
    expect_status 0
    grep -q 'ring 3: starting the shell' "$WORK/out" || fail "the 1K OS: $(cat "$WORK/out")"
fi
has kvm || echo "without KVM only its size is looked at"
finish
