# The terminal's mouse: told of while the guest has enabled its own, and no longer; however the run
# ends, the terminal is as it was. No part of what it sends is a key.
. "$TOP/tests/cli/lib.sh"
need_engine
need pty

cat >"$WORK/run.py" <<'END'
import os, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/cli")
from screen import Run, check

MINIKVM, GUEST = [os.environ["MINIKVM"], *sys.argv[1:]], os.environ["BUILD"] + "/guests/mouse.img"

def begin(**more):
    run = Run(*MINIKVM, GUEST, **more)
    run.wait("the mouse is on", lambda t: t.alternate and t.mouse == {"1003", "1006"})
    return run

run = begin()
t = run.terminal
run.type(b"\x1b[<35;40;13M")
run.type(b"\x1b[<35;43;11M")
run.wait("the pointer follows", lambda t: t.line(24).startswith("x=344 y=168 "))
run.type(b"\x1b[<0;43;11M\x1b[<32;45;11M")
run.wait("the button draws", lambda t: t.line(24).startswith("x=360") and "█" in t.line(10) and "buttons=1" in t.line(24))
run.type(b"\x1b[<0;45;11m")
run.wait("it is up", lambda t: "buttons=0" in t.line(24))
# a flood, written in pieces that are cut anywhere, is motion alone
flood = b"".join(b"\x1b[<35;%d;%dM" % (1 + n % 90, 1 + n % 25) for n in range(3000))
for n in range(0, len(flood), 700):
    run.type(flood[n:n + 700])
    run.read(0)
run.type(b"\x1b[<0;90;30M")
run.wait("a click behind it", lambda t: "buttons=1" in t.line(24))
run.type(b"\x1b[<0;90;30m\x1b[<35;1;1M")
run.wait("what comes last", lambda t: t.line(24).startswith("x=0 y=0 "))
check("no key was typed", "keys=0" in t.line(24))
run.type(b"k")
run.wait("a key is one", lambda t: "keys=1" in t.line(24))
run.type(b"\x01s")
run.wait("no mouse without the screen", lambda t: not t.alternate and not t.mouse)
run.type(b"\x01s")
run.wait("the mouse again", lambda t: t.alternate and t.mouse)
run.type(b"\x1b")
check("its end", run.end() == 0)
check("the terminal is as it was", not t.mouse)
for how in (b"\x01x", None):
    run = begin()
    if how:
        run.type(how)
    else:
        run.process.send_signal(15)
    run.end()
    check(f"as it was: {how}", not run.terminal.mouse)
sys.exit(check.failed)
END
export MINIKVM BUILD TOP
for engine in soft kvm; do
    has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
    python3 "$WORK/run.py" --cpu="$engine" >"$WORK/out" 2>&1 || fail "$engine: $(cat "$WORK/out")"
done
finish
