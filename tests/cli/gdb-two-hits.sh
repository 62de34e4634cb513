# Of two machines that both come to a breakpoint one is told of, the other is stopped by
# us: it may be just at the breakpoint then, and must not be let past it. As gdb does
# with a condition of its own: each hit is looked at, stepped over, and both go on.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"
image=$BUILD/tests/guests/turns.elf

cat >"$WORK/driver.py" <<'END'
import re, sys
import rsp
ADDRESS, AGAIN, TURNS, HITS = sys.argv[1], int(sys.argv[2], 16), int(sys.argv[3], 16), 400
s = rsp.connect(ADDRESS)
ask = lambda text: rsp.ask(s, text.encode()).decode()
ask("qSupported:multiprocess+;swbreak+")
ask("!"), ask("?")
ask("Hgp2.1")
for pid in (1, 2):
    if ask(f"Hgp{pid}.1") != "OK":
        sys.exit(f"machine {pid} is not there")
    ask(f"Z0,{AGAIN:x},1")
last = {1: -1, 2: -1}
for hit in range(HITS):
    stop = ask("vCont;c")
    pid = int(re.search(r"thread:p(\d+)", stop)[1])
    turns = int.from_bytes(bytes.fromhex(ask(f"m{TURNS:x},4")), "little")
    if "swbreak" not in stop or turns != last[pid] + 1:
        sys.exit(f"machine {pid} after {last[pid]} turns: {stop} at {turns}")
    last[pid] = turns
    ask(f"z0,{AGAIN:x},1")
    ask(f"vCont;s:p{pid}.1")
    ask(f"Z0,{AGAIN:x},1")
if min(last.values()) < 0:
    sys.exit(f"only one of them ran: {last}")
ask("vKill;1"), ask("vKill;2")
END
symbol() { nm "$image" | sed -n "s/ [a-zA-Z] $1\$//p"; }
for CPU in ${CPU:-kvm soft}; do
    has "$CPU" || continue
    serve --gdb="unix:$WORK/s" "$image" "$image"
    PYTHONPATH=$TOP/tests/cli python3 -B "$WORK/driver.py" "unix:$WORK/s" "$(symbol again)" "$(symbol turns)" ||
        fail "$ran, --cpu=$CPU"
    end_of_server
done
finish
