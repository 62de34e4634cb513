"""usage: type.py COMMAND... -- TEXT KEYS [TEXT KEYS]...

Runs it, and types the keys (with Python's escapes) each time that it has printed the text.
What else it prints comes out, and its status is the command's."""
import subprocess, sys

at = sys.argv.index("--")
command, rest = sys.argv[1:at], [a.encode().decode("unicode_escape").encode() for a in sys.argv[at + 1:]]
p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
before, said = b"", b""
for text, keys in zip(rest[::2], rest[1::2]):
    while text not in said and (more := p.stdout.read1()):
        said += more
    head, found, said = said.partition(text)
    before += head + found
    try:
        p.stdin.write(keys)
        p.stdin.flush()
    except BrokenPipeError: # it has ended: what it said tells why
        break
said += p.stdout.read()
sys.stdout.buffer.write(before + said)
sys.exit(p.wait())
