# The speaker: a tone is the bell of the terminal in the full-screen view, once for each.
. "$TOP/tests/cli/lib.sh"
need_engine
need pty

cat >"$WORK/run.py" <<'END'
import os, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/cli")
from screen import Run, check

run = Run(os.environ["MINIKVM"], *sys.argv[1:], os.environ["BUILD"] + "/tests/boot/speaker.img")
t = run.terminal
run.wait("a tone", lambda t: t.alternate and t.line(0) == "s" and t.bells == 1)
run.type(b"\x01h")
run.wait("help", lambda t: "Ctrl-A x" in t.line(25))
check("one bell for one tone", t.bells == 1)
run.type(b"a")
run.wait("the BIOS's beep", lambda t: t.line(0) == "sb" and t.bells == 2)
run.type(b"a")
check("its status", run.end() == 0)
END
export MINIKVM BUILD TOP
for engine in soft kvm; do
    has "$engine" && [[ ${CPU:-$engine} == "$engine" ]] || continue
    python3 "$WORK/run.py" --cpu="$engine" >"$WORK/out" 2>&1 || fail "$engine: $(cat "$WORK/out")"
done
finish
