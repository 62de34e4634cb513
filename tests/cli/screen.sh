# The guest's screen on a terminal: text, colours, cursor, keys, sizes, and a terminal that is
# as it was however the run ends.
. "$TOP/tests/cli/lib.sh"
need_engine
need pty

cat >"$WORK/run.py" <<'END'
import os, signal, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/cli")
from screen import Run, check

MINIKVM = [os.environ["MINIKVM"], *sys.argv[2:]]
GUESTS = os.environ["BUILD"] + "/tests/guests/"
TYPED, SANITIZED = GUESTS + "typed.elf", sys.argv[1] == "yes"

def typed(*words, **more):
    run = Run(*MINIKVM, *words, TYPED, **more)
    run.wait("the screen", lambda t: t.alternate and "█" in t.line(7))
    return run

# what is shown
run = typed()
t = run.terminal
run.wait("text", lambda t: t.line(0) == "typed: press keys" and t.line(1) == "abcdefghijklmnop")
run.wait("all characters", lambda t: t.line(4).startswith(" ☺☻♥♦♣♠•") and t.line(4).endswith("<=>?"))
run.wait("white on blue", lambda t: t.pen_at(0, 0) == "0;38;2;255;255;255;48;2;0;0;170")
run.wait("brown", lambda t: t.pen_at(1, 6) == "0;38;2;170;85;0;48;2;0;0;0")
run.wait("blink", lambda t: t.pen_at(2, 8).startswith("0;5;"))
run.wait("a line below", lambda t: t.line(25).startswith(" minikvm") and
      t.line(25).endswith((" soft  Ctrl-A h: help", " kvm  Ctrl-A h: help")))
run.wait("the cursor", lambda t: t.cursor_shown and (t.grid.row, t.grid.column) == (10, 0))
run.wait("the cursor's shape", lambda t: t.shape == "3")

# keys
run.type(b"a\x1b[A\x1bx\x1b")
run.wait("keys", lambda t: t.line(10) == "1e 9e e0 48 e0 c8 38 2d ad b8 01 81")
run.wait("the cursor behind them", lambda t: (t.grid.row, t.grid.column) == (10, 36))
run.type(b"b")
run.wait("a block", lambda t: t.shape == "1" and t.cursor_shown)
run.type(b"c")
run.wait("no cursor", lambda t: not t.cursor_shown)
run.type(b"\x01h")
run.wait("help", lambda t: "Ctrl-A x quits" in t.line(25))

# what the guest prints waits; Ctrl-A s shows it
run.type(b"p")
run.wait("p", lambda t: t.line(10).endswith("19 99"))
check("no text in the screen", t.text == "")
run.type(b"\x01s")
run.wait("the text", lambda t: not t.alternate and "p\r\n" in t.text and "Ctrl-A x quits" in t.text)
run.type(b"\x01s")
run.wait("the screen again", lambda t: t.alternate and t.line(0) == "typed: press keys")

# the end: what is on the screen comes out as text
run.type(b"q")
check("its status", run.end() == 5)
check("the screen as text", "typed: press keys\r\nabcdefghijklmnop\r\n" in t.text and "10 90\r\n" in t.text)

# a terminal that is too small shows the part with the cursor, and no line below
run = typed(rows=30, columns=90)
run.resize(25, 80)
run.wait("how to get out is seen once", lambda t: t.line(24).endswith("Ctrl-A h: help"))
run.type(b"a")
run.wait("all of it", lambda t: t.line(10) == "1e 9e" and t.line(24) == "")
run.resize(8, 20)
run.wait("the cursor's part", lambda t: t.line(0) == "" and t.line(1).startswith(" ☺☻") and t.grid.row == 7)
run.type(b"a" * 29)
# which columns are seen depends on when the two bytes of the cursor's place were
run.wait("it follows the cursor", lambda t: t.cursor_shown and t.line(t.grid.row).endswith("1e 9e") and
         t.grid.column == len(t.line(t.grid.row)) + 1)
run.resize(25, 80)
run.wait("all of it", lambda t: t.line(0) == "typed: press keys" and t.line(24) == "")
run.type(b"\x01h")
run.wait("a message covers the last line", lambda t: "Ctrl-A x quits" in t.line(24))
run.type(b"a")
run.wait("until a key is typed", lambda t: t.line(24) == "")
run.type(b"\x01x")
check("Ctrl-A x", run.end() == 0)

# signals
# a sanitizer's runtime holds signals back, and has its own use for some
for number in ("SIGTERM", "SIGHUP", "SIGINT") + (() if SANITIZED else ("SIGQUIT", "SIGSEGV", "SIGABRT")):
    run = typed()
    run.type(b"\x01h")
    run.wait("help", lambda t: "Ctrl-A x quits" in t.line(25))
    run.process.send_signal(getattr(signal, number))
    status = run.end()
    ours = number in ("SIGTERM", "SIGHUP", "SIGINT")
    check(number, status == (128 + getattr(signal, number) if ours else -getattr(signal, number)))
    check(number + ": the message is not lost", "Ctrl-A x quits" in run.terminal.text)

# colours as the terminal has them
for environment, words, pen in (
        ({"COLORTERM": ""}, (), "0;38;5;231;48;5;19"),
        ({"COLORTERM": "", "TERM": "xterm"}, (), "0;97;44"),
        ({"NO_COLOR": "1"}, (), "0;1"),
        ({}, ("--color=never",), "0;1"),
        ({"LC_ALL": "C"}, (), "0;38;2;255;255;255;48;2;0;0;170")):
    run = Run(*MINIKVM, *words, TYPED, environment=environment)
    run.wait("the screen", lambda t: t.alternate and t.line(6).startswith("C") or t.line(6).startswith("Ç"))
    run.wait(f"{environment} {words}", lambda t: t.pen_at(0, 0) == pen)
    run.wait("ASCII", lambda t: t.line(7) and (environment.get("LC_ALL") != "C" or t.line(7).isascii()))
    run.type(b"q")
    check("status", run.end() == 5)

# where it is not shown, it is printed at the end
for words, environment in ((("--screen=off",), {}), ((), {"TERM": "dumb"}), ((), {"TERM": ""}), (("--verbose", "--cpu=soft"), {})):
    run = Run(*MINIKVM, *words, TYPED, environment=environment)
    run.wait("raw mode", lambda t: run.is_raw())
    run.type(b"aq")
    check("status", run.end() == 5)
    check(f"{words} {environment}", "\ntyped: press keys\r\n" in "\n" + run.terminal.text and "1e 9e 10 90\r\n" in run.terminal.text)

# a guest that only prints, and --screen=on
run = Run(*MINIKVM, "hello")
check("hello", run.end() == 0 and run.terminal.text == "Hello, KVM!\r\n")

# two machines: each has its screen
run = Run(*MINIKVM, TYPED, TYPED)
run.wait("the first", lambda t: t.alternate and t.line(25).startswith(" machine 1 of 2"))
run.type(b"a\x012")
run.wait("the second", lambda t: t.line(25).startswith(" machine 2 of 2") and t.line(10) == "")
run.type(b"b\x01n")
run.wait("the first again", lambda t: t.line(25).startswith(" machine 1 of 2") and t.line(10) == "1e 9e")
run.type(b"q")
run.wait("it has ended", lambda t: t.line(10) == "1e 9e 10 90")
run.type(b"\x012q")
check("both end", run.end() == 5)
sys.exit(check.failed)
END
TOP=$TOP python3 "$WORK/run.py" "$(is_sanitized && echo yes || echo no)" ${CPU:+--cpu=$CPU} >"$WORK/said" 2>&1 </dev/null ||
    fail "$(tail -40 "$WORK/said")"

run --screen=on "$BUILD/tests/guests/typed.elf"
expect_status 125
expect_err '^minikvm: --screen=on: stdout is no terminal'
run --screen=sometimes hello
expect_status 2
finish
