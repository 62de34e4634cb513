# Functions and files keep their limits (scripts/lengths), and what does not is found.
. "$TOP/tests/cli/lib.sh"
command -v python3 >/dev/null || skip "this machine lacks: python3"

"$TOP/scripts/lengths" >"$WORK/found" || fail "$(cat "$WORK/found")"

# a function of LINES lines, and as many for its second of two declarator lines
function_of() { printf 'static int %s(int a,\n           int b) {\n' "$1"; yes '    a += b;' | head -n $(($2 - 4)); printf '    return a;\n}\n'; }
expect_found() { # expect_found TEXT: the planted tree is refused with this line
    "$TOP/scripts/lengths" "$WORK/tree" >"$WORK/found" && fail "passes: $1"
    grep -q -- "^$1" "$WORK/found" || fail "no '$1' in: $(cat "$WORK/found")"
}
mkdir "$WORK/tree"
cp -r "$TOP/vmm" "$TOP/gdbstub" "$WORK/tree"
bus=$WORK/tree/vmm/devices/bus.c
function_of fits 40 >>"$bus"
"$TOP/scripts/lengths" "$WORK/tree" >"$WORK/found" || fail "40 lines are refused: $(cat "$WORK/found")"
function_of grown 41 >>"$bus"
expect_found 'vmm/devices/bus.c grown: 41 lines, over 40'
cp "$TOP/vmm/devices/bus.c" "$bus"
mkdir "$WORK/tree/tests"
function_of grown 41 >"$WORK/tree/tests/test.c"
expect_found 'tests/test.c grown: 41 lines, over 40'
rm "$WORK/tree/tests/test.c"
for i in $(seq 500); do echo "int number_$i;"; done >>"$bus"
expect_found 'vmm/devices/bus.c: [0-9]* lines, over 500'

# a row of KNOWN may shrink or go, not stay for what is mended
cp "$TOP/vmm/devices/bus.c" "$bus"
mkdir "$WORK/tree/scripts"
sed 's|^KNOWN = """|&\nvmm/devices/bus.c 600|' "$TOP/scripts/lengths" >"$WORK/tree/scripts/lengths"
python3 "$WORK/tree/scripts/lengths" >"$WORK/found" && fail "a row for what is mended passes"
grep -q '^vmm/devices/bus.c: is within the limit' "$WORK/found" || fail "$(cat "$WORK/found")"
finish
