# What takes long in the past is interrupted like a guest: by Ctrl-C, by a client that goes,
# by one that asks something else, by a signal. The recording here claims to be longer than
# anybody's patience, so a way to its end does not end by itself.
. "$TOP/tests/cli/lib.sh"
need soft
command -v python3 >/dev/null || skip "this machine lacks: python3"
cat >"$WORK/client.py" <<'END'
import os, signal, socket, subprocess, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/cli")
import rsp

def start(*options):
    p = subprocess.Popen([os.environ["MINIKVM"], "--cpu=soft", "--gdb=unix:socket", *options, os.environ["GUEST"]],
                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    while b"waiting for a debugger" not in p.stderr.readline():
        pass
    return p

def connect():
    s = rsp.connect("unix:socket")
    rsp.ask(s, b"qSupported:")
    rsp.ask(s, b"?")
    return s

def command(line):
    return b"qRcmd," + line.encode().hex().encode()

def answer(s):
    """The text of a monitor command, up to its OK."""
    text = b""
    while True:
        packet = rsp.reply(s)
        if not packet.startswith(b"O") or packet == b"OK":
            assert packet == b"OK", packet
            return text.decode()
        text += bytes.fromhex(packet[1:].decode())

def monitor(s, line):
    s.sendall(rsp.frame(command(line)))
    return answer(s)

def without_end(s, line):
    s.sendall(rsp.frame(command(line)))

p = start()
s = connect()
for n in range(3):
    rsp.ask(s, b"s")
print(monitor(s, "save run"), end="")
s.close()
p.send_signal(signal.SIGTERM)
p.wait(60)

b = bytearray(open("run.replay", "rb").read())
b[48:56] = (1 << 50).to_bytes(8, "little")
open("long.replay", "wb").write(b)

p = start("--replay=long.replay")
s = connect()
for line in ("goto end", "goto 1000000000000", "goto end"):
    without_end(s, line)
    s.sendall(b"\x03")
    assert "interrupted" in answer(s), line
print("Ctrl-C:", monitor(s, "icount").split()[0])
without_end(s, "goto end")
s.sendall(rsp.frame(b"qAttached:1"))
print("asked something else:", rsp.reply(s).decode())
without_end(s, "goto end")
s.close()
s = connect()
# a number, and nothing of what the last one has asked; the guest may have run on in between
print("another client:", monitor(s, "icount").split()[0].isdigit())
without_end(s, "goto end")
p.send_signal(signal.SIGTERM)
print("SIGTERM:", p.wait(60))
END
cd "$WORK" || exit 1
GUEST="$BUILD/tests/guests/turns.elf" TOP=$TOP MINIKVM=$MINIKVM timeout 100 python3 client.py >got 2>told || { cat got told; fail "the client failed"; }
cat >expected <<'END'
saved; minikvm --replay=run.replay IMAGE does it again
Ctrl-C: 0
asked something else: 1
another client: True
SIGTERM: 143
END
diff expected got || fail "another answer"
finish
