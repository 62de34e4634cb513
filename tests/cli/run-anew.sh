# vRun and `monitor reset` that fail leave the machine as it was; an image that was built
# anew is read anew; and the answer does not tell which files there are.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"
cd "$WORK" || exit 1
printf '\xb0\x11\xeb\xfe' >image # mov al, 0x11; jmp .
printf '\xb0\x22\xeb\xfe' >other
cat >client.py <<'END'
import os, sys
import rsp

s = rsp.connect(sys.argv[1])
folder = os.getcwd()

def ask(payload):
    answer = rsp.ask(s, payload)
    while answer.startswith(b"O") and answer != b"OK":
        answer = rsp.reply(s)
    return answer

def run(name):
    return ask(b"vRun;" + name.encode().hex().encode())

def is_intact():
    """It stands behind its first instruction, with its memory."""
    assert ask(b"m1000,4") == b"b011ebfe", ask(b"m1000,4")
    assert ask(b"p8").startswith(b"02100000"), ask(b"p8")
    assert ask(b"qfThreadInfo") == b"mp1.1"

def make(content):
    os.unlink("image")
    open("image", "wb").write(content)

ask(b"qSupported:multiprocess+;error-message+")
ask(b"!")
ask(b"?")
ask(b"vCont;s:p1.1")
is_intact()
# names: each is refused with the same sentence
for name in () if "unconfined" in sys.argv else ("/etc/passwd", "/etc/no-such-file", "other", folder + "/other", "/etc", "/dev/zero", folder + "/fifo", "fifo"):
    answer = run(name)
    assert answer.replace(name.encode(), b"X") == run("nonesuch").replace(b"nonesuch", b"X"), (name, answer)
    assert answer.startswith(b"E."), answer
    is_intact()
# the image itself is not what it was
for content in (b"", b"\x7fELF" + b"\0" * 100):
    make(content)
    for name in ("", "image", folder + "/image"):
        assert run(name).startswith(b"E."), name
        is_intact()
os.unlink("image")
for name in ("", "image"):
    assert run(name).startswith(b"E.") and b"No such file" in run(name)
    is_intact()
os.mkfifo("image")
for name in ("", "image"):
    assert b"not a regular file" in run(name)
    is_intact()
# R has no answer
s.sendall(rsp.frame(b"R00"))
is_intact()
# built anew, larger than the memory was
make(b"\xb0\x33\xeb\xfe" + b"\x90" * 300000)
assert run("").startswith(b"T05")
assert ask(b"m1000,4") == b"b033ebfe" and ask(b"m4a000,1") == b"90"
# and too large for what there may be: monitor reset keeps the bytes that it has
make(b"\xb0\x44\xeb\xfe")
assert ask(b"vCont;s:p1.1").startswith(b"T05")
ask(b"qRcmd," + b"reset".hex().encode())
assert ask(b"m1000,4") == b"b033ebfe" and ask(b"p8").startswith(b"00100000")
assert run(folder + "/image").startswith(b"T05")
assert ask(b"m1000,4") == b"b044ebfe"
s.sendall(rsp.frame(b"k"))
END
mkfifo fifo
serve "--gdb=unix:$WORK/s" image
PYTHONPATH="$TOP/tests/cli" python3 -B client.py "unix:$WORK/s" $(is_sanitized && echo unconfined) >told 2>&1 || fail "$(tail -3 told)"
[[ -s told ]] && kill "$pid" 2>/dev/null
end_of_server

# a FIFO on the command line: said, and not waited for
for words in ./fifo "--rom=fifo" "--replay=fifo --cpu=soft hello"; do
    run_bare $words
    expect_status 125
    expect_err 'fifo: .*not a regular file'
done
finish
