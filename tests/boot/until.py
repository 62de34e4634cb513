"""usage: until.py TEXT COMMAND...     runs it, keys not typed yet, until it has printed the text"""
import subprocess, sys

text, command = sys.argv[1].encode(), sys.argv[2:]
p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
said = b""
while text not in said and (more := p.stdout.read1()):
    said += more
p.terminate()
p.wait()
if text not in said:
    sys.exit(f"{' '.join(command)} does not come to {text!r}; it printed {said[-2000:]!r}")
