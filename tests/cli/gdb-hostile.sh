# A client that breaks every rule of the protocol gets errors or loses its
# connection; the machine lives on, and a real gdb finds it as it was.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb
command -v python3 >/dev/null || skip "this machine lacks: python3"

# A client that goes away lets the guest run on, so this one runs for ever.
printf '\xb0\x55\xeb\xfe' >"$WORK/forever" # mov al, 0x55; jmp .
ln -s "$WORK/forever" "$WORK/link"
serve --gdb=0 "$WORK/forever"
cat >"$WORK/client.py" <<'END'
import sys
import rsp
from rsp import ask, frame

def connect():
    return rsp.connect(sys.argv[1])

def no_answer_but_error(payload):
    """An error or the empty reply, and the connection still works."""
    s = connect()
    answer = ask(s, payload)
    assert answer == b"" or answer.startswith((b"E", b"F-1")), (payload[:60], answer[:60])
    after = ask(s, b"qC")
    assert after.startswith(b"QC"), (payload[:60], after[:60])
    s.close()

def as_much_as_fits():
    """More than a packet holds: what fits, or an error."""
    for length in (b"20000", b"100000000", b"ffffffffffffffff"):
        s = connect()
        answer = ask(s, b"m0," + length)
        assert len(answer) <= 0x20000, (length, len(answer))
        assert ask(s, b"qC").startswith(b"QC"), length
        s.close()

def bad_checksum():
    s = connect()
    s.sendall(b"$qC#00")
    assert s.recv(1) == b"-"
    assert ask(s, b"qC").startswith(b"QC")
    s.close()

def lengths():
    for payload in (b"m0,fffffffff0000000000000001", b"X0,100000000:abc",
                    b"M0,ffffffff:00", b"m,", b"m0", b"m", b"M0,1:", b"X0,4:ab"):
        no_answer_but_error(payload)

def odd_hex():
    for payload in (b"M0,2:012", b"M0,1:zz", b"P0=1", b"P0=123", b"Pffffffff=00000000",
                    b"pffffffffffffffff", b"G0", b"Gxyz", b"mzz,4", b"m-1,4", b"qRcmd,1",
                    b"qRcmd,zz", b"Z0,zz,1", b"Z9,0,1", b"Z2,0,100000000", b"vCont;x", b"Hgzz",
                    b"vRun;zz", b"qXfer:features:read:target.xml:zz,10",
                    b"qXfer:features:read:../../etc/passwd:0,100",
                    b"vFile:open:2f6574632f706173737764,0,0"):
        no_answer_but_error(payload)

def files():
    """The image can be read by its name; and nothing by any other."""
    image = sys.argv[2].encode()
    folder, name = image.rsplit(b"/", 1)
    s = connect()
    for path in (b"/etc/passwd", b"/dev/zero", b"/dev/kvm", b"/proc/self/mem", b"/cpu/../etc/passwd",
                 folder, folder + b"/link", folder + b"/./" + name, folder + b"//" + name,
                 folder + b"/../" + folder.rsplit(b"/", 1)[1] + b"/" + name, name, b"", b"/"):
        assert ask(s, b"vFile:open:" + path.hex().encode() + b",0,0").startswith(b"F-1"), path
    assert ask(s, b"vFile:open:" + image.hex().encode() + b",0,0") == b"F0"
    assert ask(s, b"vFile:pread:0,2,0").startswith(b"F2;\xb0\x55")
    assert ask(s, b"vFile:open:" + image.hex().encode() + b",1,0").startswith(b"F-1")
    for _ in range(70):
        last = ask(s, b"vFile:open:" + image.hex().encode() + b",0,0")
    assert last == b"F-1,18", last  # too many are open
    s.close()

def endless_packet():
    """64 MiB without a #: the connection ends; nothing is kept."""
    s = connect()
    block = b"$" + b"A" * 65535
    try:
        for _ in range(1024):
            s.sendall(block)
        while s.recv(65536): pass
    except OSError:
        pass
    s.close()

def noise():
    import random
    random.seed(4)
    for _ in range(50):
        s = connect()
        try:
            s.sendall(bytes(random.randrange(256) for _ in range(2000)).replace(b"\x03", b"")
                      .replace(b"k", b"").replace(b"c", b"").replace(b"s", b"").replace(b"D", b""))
        except OSError:
            pass
        s.close()

def does_not_read():
    """Asks for much and reads none of it, until nothing more is taken."""
    s = connect()
    s.setblocking(False)
    one, sent = frame(b"m0,8000"), 0
    import select
    while sent < 1 << 20 and select.select([], [s], [], 0)[1]:
        try:
            sent += s.send(one * 64)
        except OSError:
            break
    s.close()

for test in (bad_checksum, lengths, as_much_as_fits, odd_hex, files, endless_packet, noise, does_not_read):
    try:
        test()
    except Exception as e:
        print(f"{test.__name__}: {e!r}")
END
PYTHONPATH="$TOP/tests/cli" python3 -B "$WORK/client.py" "$port" "$WORK/forever" >"$WORK/told"
[[ -s $WORK/told ]] && fail "$(cat "$WORK/told")"
kill -0 "$pid" 2>/dev/null || fail "minikvm is gone"

gdb_session "target remote $address" 'p/x $al' 'x/i $pc' 'p/x *(char*)0x1000@4' kill
expect_gdb '= 0x55$'
expect_gdb '=> 0x1002:'
expect_gdb '= \{0xb0, 0x55, 0xeb, 0xfe\}'
expect_gdb 'killed'
end_of_server
finish
