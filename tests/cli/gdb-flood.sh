# What adds up: a million breakpoints, conditions that mean harm, and ten thousand
# debuggers that come and go. Neither memory nor descriptors grow (a history would, with the
# guest's time: it has a bound of its own).
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"

printf '\xff\x06\x00\x20\xeb\xfa' >"$WORK/forever" # inc word [0x2000]; jmp to it
serve --history=0 --gdb="unix:$WORK/s" "$WORK/forever"
cat >"$WORK/client.py" <<'END'
import os, sys
import rsp
from rsp import ask

ADDRESS, PID = sys.argv[1], sys.argv[2]
SLACK = 4 << 10  # KiB
ROUNDS, POINTS, AT_ONCE = 10000, 1000000, 5000

def descriptors():
    return len(os.listdir(f"/proc/{PID}/fd"))

def replies(s, count):
    """That many packets' payloads, without acknowledgments."""
    data = b""
    while data.count(b"#") < count or len(data) - data.rfind(b"#") < 3:
        more = s.recv(1 << 20)
        if not more:
            raise rsp.Closed
        data += more
    return [part[part.rfind(b"$") + 1:] for part in data.split(b"#")[:count]]

def breakpoints(s):
    """As many as there may be, each with a condition; and then no more."""
    assert ask(s, b"QStartNoAckMode") == b"OK"
    refused, largest = 0, 0
    for first in range(0, POINTS, AT_ONCE):
        s.sendall(b"".join(rsp.frame(b"Z0,%x,1;X3,220127" % (0x100000 + n))
                           for n in range(first, first + AT_ONCE)))
        answers = replies(s, AT_ONCE)
        assert all(a == b"OK" or a.startswith(b"E.too many breakpoints") for a in answers), answers[:3]
        refused += sum(a != b"OK" for a in answers)
        if first == AT_ONCE * 9:
            largest = rsp.resident(PID)
    assert POINTS - refused == 16384, refused
    assert rsp.resident(PID) - largest < SLACK, (largest, rsp.resident(PID))

def conditions(s):
    """Each ends, and in doubt stops: for ever, 1 / 0, no memory, nothing there to take."""
    for code in b"210000", b"220122000527", b"24fffffff01927":
        assert ask(s, b"Z0,1000,1;X%x,%s" % (len(code) // 2, code)) == b"OK", code
        assert ask(s, b"vCont;c").startswith(b"T05"), code
        assert ask(s, b"z0,1000,1") == b"OK"
    for code in b"02", b"2900", b"28" * 65 + b"27", b"2201210000", b"22012100":
        assert ask(s, b"Z0,1000,1;X%x,%s" % (len(code) // 2, code)).startswith(b"E."), code

def one_round():
    s = rsp.connect(ADDRESS)
    assert ask(s, b"qSupported:multiprocess+;swbreak+").startswith(b"PacketSize")
    assert ask(s, b"Z0,2000,1") == b"OK"
    s.close()

def rounds():
    for _ in range(ROUNDS // 10):
        one_round()
    size, files = rsp.resident(PID), descriptors()
    for _ in range(ROUNDS - ROUNDS // 10):
        one_round()
    s = rsp.connect(ADDRESS)  # it has noticed that the last one is gone
    assert ask(s, b"qC").startswith(b"QC")
    assert descriptors() <= files + 1, (files, descriptors())
    assert rsp.resident(PID) - size < SLACK // 4, (size, rsp.resident(PID))
    return s

s = rsp.connect(ADDRESS)
breakpoints(s)
s.close()
s = rsp.connect(ADDRESS)
conditions(s)
s.close()
s = rounds()
s.sendall(rsp.frame(b"k"))
END
PYTHONPATH="$TOP/tests/cli" python3 -B "$WORK/client.py" "unix:$WORK/s" "$pid" >"$WORK/told" 2>&1 ||
    { fail "$(tail -n 5 "$WORK/told")"; kill "$pid"; }
end_of_server
finish
