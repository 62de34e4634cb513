# The guest's graphics on a terminal: half blocks in as many colours as it has, text again, and a
# terminal that is as it was.
. "$TOP/tests/cli/lib.sh"
need_engine
need pty

# mode 13h, the upper half red (4), the lower one blue (1); at a key mode 3 and "T"; at the next the end
{
    printf '\xb8\x13\x00\xcd\x10\xb8\x00\xa0\x8e\xc0\x31\xff\xb9\x00\x7d\xb0\x04\xf3\xaa\xb9\x00\x7d\xb0\x01\xf3\xaa'
    printf '\xb4\x00\xcd\x16\xb8\x03\x00\xcd\x10\xb8\x54\x0e\xcd\x10\xb4\x00\xcd\x16\xfa\xf4'
} >"$WORK/halves"

cat >"$WORK/run.py" <<'END'
import os, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/cli")
from screen import Run, check

MINIKVM = [os.environ["MINIKVM"], *sys.argv[2:], sys.argv[1]]
RED, BLUE = "170;0;0", "0;0;170"

run = Run(*MINIKVM, rows=24, columns=80)
run.wait("the picture", lambda t: t.alternate and "320x200" in t.line(23))
t = run.terminal
run.wait("red and blue", lambda t: t.pen_at(0, 0).endswith("48;2;" + RED) and t.pen_at(22, 0).endswith("48;2;" + BLUE))
run.wait("a half block where they meet", lambda t: t.line(11).startswith("▀▀▀") and
      t.pen_at(11, 5).endswith(f"38;2;{RED};48;2;{BLUE}"))
run.wait("4 to 3", lambda t: t.pen_at(0, 60).endswith(RED) and not t.pen_at(0, 61).endswith(RED))
run.wait("no cursor", lambda t: not t.cursor_shown)
run.resize(13, 80)
run.wait("smaller", lambda t: "320x200" in t.line(12) and t.pen_at(11, 31).endswith(BLUE) and
         not t.pen_at(11, 32).endswith(BLUE))
run.type(b"a")
run.wait("text", lambda t: t.line(0) == "T" and t.cursor_shown)
run.type(b"a")
check("the end", run.end() == 0 and not t.alternate)

# sixels, where the terminal says that it has them; what it says is no key
run = Run(*MINIKVM, rows=24, columns=80, cell=(8, 20))
run.wait("the question", lambda t: t.asked)
check("blocks until it answers", not run.terminal.dots)
run.type(b"\x1b[?62;4;22c")
run.wait("sixels", lambda t: (459, 612) in t.dots)
run.wait("red and blue", lambda t: t.dots[0, 0] == (71, 0, 0) and t.dots[459, 612] == (0, 0, 66) and (459, 613) not in t.dots)
run.wait("where they meet", lambda t: t.dots[229, 300] == (71, 0, 0) and t.dots[230, 300] == (0, 0, 66))
run.wait("a line below", lambda t: "320x200" in t.line(23))
check("still a picture: no key came", run.terminal.line(0) == "")
run.type(b"a")
run.wait("text", lambda t: t.line(0) == "T")
run.type(b"a")
check("the end", run.end() == 0)

run = Run(*MINIKVM, "--screen=blocks", rows=24, columns=80, cell=(8, 20))
run.wait("blocks", lambda t: t.pen_at(0, 0).endswith("48;2;" + RED))
check("no question", not run.terminal.asked)
run.type(b"\x01x")
check("its end", run.end() == 0)

run = Run(*MINIKVM, rows=24, columns=80, environment={"COLORTERM": "", "TERM": "xterm"})
run.wait("16 colours", lambda t: t.pen_at(0, 0).endswith("41") and t.pen_at(22, 0).endswith("44"))
run.type(b"\x01x")
check("Ctrl-A x", run.end() == 0)
END
for engine in soft kvm; do
    has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
    TOP=$TOP python3 "$WORK/run.py" "$WORK/halves" --cpu="$engine" </dev/null || fail "on $engine"
done
finish
