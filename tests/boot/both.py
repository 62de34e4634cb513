"""What two BIOSes show of one image: the screen by our own, and by another.

usage: both.py TEXT BIOS|- MINIKVM [OPTION...] IMAGE        -: by our own alone

Each goes on for a tick of the BIOS's clock at a time, until TEXT is on its screen, and from the line with
TEXT on both show the same, twice, but for numbers, which may count down. Our own alone must come to TEXT,
no more. It is the guest's time that counts: a host may be so quick or so busy that a menu comes and goes
between two looks.
"""
import os, re, select, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import rsp

# The host's seconds, for guests that have left the BIOS and its ticks behind.
MOMENT = float(os.environ.get("MOMENT", "0.3"))
BDA_TICKS = 0x46C

def start(command, socket):
    p = subprocess.Popen([command[0], f"--gdb=unix:{socket}", *command[1:]], stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = b""
    while b"target remote" not in said:
        line = p.stderr.readline()
        if not line:
            sys.exit(f"{' '.join(command)}: {said.decode()}")
        said += line
    return p

def monitor_screen(s):
    """Standing: the console's text in O packets, then OK."""
    s.sendall(rsp.frame(b"qRcmd," + b"screen".hex().encode()))
    text = b""
    while (packet := rsp.reply(s)) != b"OK":
        text += bytes.fromhex(packet[1:].decode())
    return [re.sub(r"^ *\d+\|", "", line) for line in text.decode().splitlines()[1:]]

class Machine:
    def __init__(self, command):
        self.folder = tempfile.TemporaryDirectory()
        socket = f"{self.folder.name}/gdb"
        self.command = command
        self.process = start(command, socket)
        self.client = rsp.connect(f"unix:{socket}")
        # KVM's guests have the host's time, and not each KVM has watchpoints.
        if "--cpu=soft" in command and rsp.ask(self.client, b"Z2,%x,4" % BDA_TICKS) != b"OK":
            sys.exit(f"{' '.join(command)}: no watchpoint")
        self.lines = []

    def close(self):
        self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def go_on(self):
        """To the next tick; without one, for a moment."""
        self.client.sendall(rsp.frame(b"c"))
        assert self.client.recv(1) == b"+"
        end = time.monotonic() + MOMENT
        while True:
            left = end - time.monotonic()
            if end and not select.select([self.client], [], [], max(left, 0))[0]:
                self.client.sendall(b"\x03")
                end = 0
            if (stop := rsp.reply(self.client))[:1] != b"O":
                return stop

    def shows(self, text):
        """A tick later: what is there from the line with the text on; None: no such line."""
        stop = self.go_on()
        if stop[:1] in b"WX":
            sys.exit(f"{' '.join(self.command)} ended, and {text!r} was not there")
        self.lines = monitor_screen(self.client)
        at = [n for n, line in enumerate(self.lines) if text in line]
        shown = [re.sub(r"\d+", "#", line).rstrip() for line in self.lines[at[0]:]] if at else []
        while shown and not shown[-1]:
            shown.pop()
        return shown or None

def come_together(machines, text, seconds=120):
    before, shown, end = None, [None] * len(machines), time.monotonic() + seconds
    while time.monotonic() < end:
        # who is there waits for the other: a menu's time would be over
        arrived = shown if None in shown and any(shown) else [None] * len(machines)
        shown = [there or m.shows(text) for m, there in zip(machines, arrived)]
        if shown[0] and all(one == shown[0] for one in shown) and (len(shown) == 1 or shown == before):
            return
        before = shown
    sys.exit("\n".join([f"{text!r} does not come, or not the same:"] +
                       [line for m in machines for line in [" ".join(m.command), *m.lines]]))

def main(text, bios, minikvm, *words):
    commands = [[minikvm, *words]] + ([] if bios == "-" else [[minikvm, f"--bios={bios}", *words]])
    machines = [Machine(command) for command in commands]
    try:
        come_together(machines, text)
    finally:
        for m in machines:
            m.close()

main(*sys.argv[1:])
