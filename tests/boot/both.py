"""What two BIOSes show of one image: the screen by our own, and by another.

usage: both.py TEXT BIOS|- MINIKVM [OPTION...] IMAGE        -: by our own alone

Each runs until TEXT is on its screen and that stays as it is; from the line with TEXT on, what they
show must be the same but for numbers, which may count down. Our own alone must come to TEXT, no more.
"""
import os, re, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
import rsp

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

def settled_screen(s, text, once, seconds=120):
    """It goes on for a moment at a time, until the text is there and no line changes but by numbers, or once."""
    before, end = None, time.monotonic() + seconds
    while time.monotonic() < end:
        s.sendall(rsp.frame(b"c"))
        time.sleep(0.3)
        s.sendall(b"\x03")
        while (stop := rsp.reply(s))[:1] == b"O":
            continue
        if stop[:1] in b"WX":
            sys.exit(f"it ended, and {text!r} was not there")
        lines = monitor_screen(s)
        at = [n for n, line in enumerate(lines) if text in line]
        shown = [re.sub(r"\d+", "#", line).rstrip() for line in lines[at[0]:]] if at else None
        while shown and not shown[-1]:
            shown.pop()
        if shown and (once or shown == before):
            return shown
        before = shown
    sys.exit(f"{text!r} does not come; the screen is {lines}")

def screen_of(command, text, once=False):
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/gdb"
        p = start(command, socket)
        try:
            return settled_screen(rsp.connect(f"unix:{socket}"), text, once)
        finally:
            p.kill()
            p.wait()

def main(text, bios, minikvm, *words):
    ours = screen_of([minikvm, *words], text, bios == "-")
    if bios == "-":
        return
    theirs = screen_of([minikvm, f"--bios={bios}", *words], text)
    if ours != theirs:
        show = lambda lines: "\n".join(lines)
        sys.exit(f"{' '.join(words)}: by our BIOS:\n{show(ours)}\nby {bios}:\n{show(theirs)}")

main(*sys.argv[1:])
