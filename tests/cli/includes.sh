# Includes point one way (scripts/check-includes), and one that does not is found.
. "$TOP/tests/cli/lib.sh"
command -v python3 >/dev/null || skip "this machine lacks: python3"

"$TOP/scripts/check-includes" >"$WORK/found" || fail "$(cat "$WORK/found")"

mkdir "$WORK/tree"
cp -r "$TOP/vmm" "$TOP/gdbstub" "$WORK/tree"
echo '#include "vmm/machine/machine.h"' >>"$WORK/tree/vmm/memory/memory.c"
"$TOP/scripts/check-includes" "$WORK/tree" >"$WORK/found" && fail "memory/ may include machine/"
grep -q '^vmm/memory/memory.c: vmm/machine/machine.h: ' "$WORK/found" ||
    fail "the wrong include is not named: $(cat "$WORK/found")"
finish
