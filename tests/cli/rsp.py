"""The least of a debugger's client, for tests that break the rules of the protocol."""
import re, socket


class Closed(Exception):
    pass


def connect(address):
    """PORT of 127.0.0.1, or unix:PATH"""
    if address.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.connect(address.removeprefix("unix:"))
    else:
        s = socket.create_connection(("127.0.0.1", int(address)))
    s.settimeout(60)  # ends what hangs
    return s


def frame(payload):
    return b"$" + payload + b"#%02x" % (sum(payload) & 255)


def reply(s):
    """The next packet's payload; acknowledgments are passed over, and what comes behind
    it is left for the next call."""
    data, packet = b"", None
    while not packet:
        more = s.recv(65536, socket.MSG_PEEK)
        if not more:
            raise Closed
        packet = re.search(rb"\$([^#]*)#..", data + more, re.DOTALL)
        data += s.recv(packet.end() - len(data) if packet else len(more))
    s.sendall(b"+")
    return packet[1]


def ask(s, payload):
    s.sendall(frame(payload))
    return reply(s)


def resident(pid):
    """KiB; 0 of a program under a sanitizer, which keeps what was freed."""
    lines = (line.split() for line in open(f"/proc/{pid}/status"))
    size = {words[0]: int(words[1]) for words in lines if words[0] in ("VmRSS:", "VmSize:")}
    return size["VmRSS:"] if size["VmSize:"] < 1 << 30 else 0
