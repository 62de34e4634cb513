# What docs/howto.md tells a newcomer to write compiles as it stands there: the device with its
# row and its test, and the monitor command with its row.
. "$TOP/tests/cli/lib.sh"
for tool in gcc python3; do command -v "$tool" >/dev/null || skip "this machine lacks: $tool"; done

mkdir "$WORK/tree"
cp -r "$TOP/vmm" "$TOP/gdbstub" "$TOP/tests" "$TOP/docs" "$WORK/tree"
cd "$WORK/tree" || fail "no tree"
python3 - <<'END' || fail "docs/howto.md has changed: follow it here, too"
import re
def block(section, number):
    text = howto[howto.index(section):]
    lines = re.findall(r"```c\n(.*?)```", text, re.S)[number].splitlines()
    return "\n".join(line.removeprefix("   ") for line in lines) + "\n"
def edit(path, *edits):
    text = open(path).read()
    for old, new in edits:
        assert old in text, (path, old)
        text = text.replace(old, new, 1)
    open(path, "w").write(text)
howto = open("docs/howto.md").read()
open("vmm/devices/dice.c", "w").write(block("## Add a device", 0))
row = re.search(r"ROW\(dice\)", howto)[0]
edit("vmm/devices/devices.c", ("    ROW(cmos)", f"    {row} \\\n    ROW(cmos)"))
edit("tests/unit/test_devices.c", ("int main(", block("## Add a device", 1) + "\nint main("),
     ("return unit_end()", "throws_a_die();\n    return unit_end()"))
command = re.search(r'\{"flags".*', howto)[0]
edit("vmm/debug/bridge_monitor.c", ("static void cmd_help(", block("## Add a monitor command", 0) + "\nstatic void cmd_help("),
     ('    {"info", "TABLE"', f'    {command}\n    {{"info", "TABLE"'))
END
for file in vmm/devices/dice.c vmm/devices/devices.c vmm/debug/bridge_monitor.c tests/unit/test_devices.c; do
    gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -I. -c -o "$WORK/${file##*/}.o" "$file" >"$WORK/said" 2>&1 ||
        fail "$file, as docs/howto.md has it, does not compile: $(cat "$WORK/said")"
done

# With another build's library (sanitizers, musl) gcc's objects need not link.
if [ "${BUILD##*/}" = build ]; then
    gcc -pthread -o "$WORK/test_devices" "$WORK"/{dice,devices,test_devices}.c.o "$BUILD/libminikvm.a" \
        >"$WORK/said" 2>&1 || fail "it does not link: $(cat "$WORK/said")"
    "$WORK/test_devices" >"$WORK/said" 2>&1 || fail "its test: $(cat "$WORK/said")"
fi
finish
