# Includes point one way (scripts/check-includes), and files that call each other are named
# (scripts/check-circles); no two static functions have one name (scripts/check-names). What does
# not keep to that is found.
. "$TOP/tests/cli/lib.sh"
command -v python3 >/dev/null || skip "this machine lacks: python3"

"$TOP/scripts/check-includes" >"$WORK/found" || fail "$(cat "$WORK/found")"

mkdir "$WORK/tree"
cp -r "$TOP/vmm" "$TOP/gdbstub" "$WORK/tree"
echo '#include "vmm/machine/machine.h"' >>"$WORK/tree/vmm/memory/memory.c"
"$TOP/scripts/check-includes" "$WORK/tree" >"$WORK/found" && fail "memory/ may include machine/"
grep -q '^vmm/memory/memory.c: vmm/machine/machine.h: ' "$WORK/found" ||
    fail "the wrong include is not named: $(cat "$WORK/found")"

"$TOP/scripts/check-circles" >"$WORK/found" || fail "$(cat "$WORK/found")"
expect_circle() { # expect_circle LINE: the planted tree is refused with it
    "$TOP/scripts/check-circles" "$WORK/tree" >"$WORK/found" && fail "passes: $1"
    grep -q -- "$1" "$WORK/found" || fail "no '$1' in: $(cat "$WORK/found")"
}
cp "$TOP/vmm/memory/memory.c" "$WORK/tree/vmm/memory"
printf '#include "gdbstub/buffer.h"\nvoid hex_planted(struct buffer *b) { buffer_free(b); }\n' >>"$WORK/tree/gdbstub/hex.c"
expect_circle '^a circle without a row .*gdbstub/buffer.c, gdbstub/hex.c'
cp "$TOP/gdbstub/hex.c" "$WORK/tree/gdbstub"
printf '#include "vmm/x86/page_walk.h"\nsize_t memory_planted(void) { return x86_read(0, 0, 0, 0, 0); }\n' >>"$WORK/tree/vmm/memory/memory.c"
expect_circle '^a circle across folders: vmm/memory/memory.c, vmm/x86/page_walk.c'

"$TOP/scripts/check-names" >"$WORK/found" || fail "$(cat "$WORK/found")"
printf 'static int planted(void) {\n    return 0;\n}\n' | tee -a "$WORK/tree/gdbstub/hex.c" >>"$WORK/tree/vmm/x86/x86.c"
printf 'static void reset(void *device) {\n}\n' >>"$WORK/tree/vmm/devices/bus.c" # as every device has it
"$TOP/scripts/check-names" "$WORK/tree" >"$WORK/found" && fail "a name that is there twice passes"
[ "$(cut -d: -f1 "$WORK/found")" = planted ] || fail "not planted alone: $(cat "$WORK/found")"
finish
