# What a client asks for that is long in coming: a listing of page tables that lead to
# themselves, a breakpoint that prints in a loop. Neither keeps a Ctrl-C, another client
# or a signal waiting.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"
cat >"$WORK/client.py" <<'END'
import re, struct, sys
import rsp
ADDRESS, WHAT = sys.argv[1:]

def connect():
    s = rsp.connect(ADDRESS)
    for payload in (b"qSupported:multiprocess+;swbreak+;xmlRegisters=i386", b"!", b"?", b"Hgp1.1"):
        rsp.ask(s, payload)
    return s

def registers(s):
    """What the description of the target calls each of them, with its number and size."""
    text = rsp.ask(s, b"qXfer:features:read:target.xml:0,8000").decode()
    number, found = 0, {}
    for name, bits, rest in re.findall(r'<reg name="([^"]+)" bitsize="(\d+)"([^>]*)', text):
        given = re.search(r'regnum="(\d+)"', rest)
        number = int(given[1]) if given else number
        found[name] = number, int(bits) // 8
        number += 1
    return found

def tables_of_themselves(s):
    """Each entry of each level leads to the same table: 2^36 pages in long mode's paging."""
    for at in range(0x8000, 0x9000, 512):
        assert rsp.ask(s, b"M%x,200:" % at + struct.pack("<Q", 0x8007).hex().encode() * 64) == b"OK"
    known = registers(s)
    for name, value in (("cr3", 0x8000), ("cr4", 0x20), ("efer", 0x500), ("cr0", 0x80000011)):
        number, size = known[name]
        assert rsp.ask(s, b"P%x=%s" % (number, value.to_bytes(size, "little").hex().encode())) == b"OK", name

def loop_of_prints():
    """A program that prints 28 strings of 512 bytes some 2600 times, as a breakpoint's command."""
    strings = 28
    text = b"%s" * strings + b"\0"
    show = b"\x23\x40\x00" + b"\x28" * (strings + 1) + bytes([0x34, strings]) + struct.pack(">H", len(text)) + text
    times = b"\x23" + struct.pack(">H", 98000 // (strings + 8))
    return times + show + b"\x22\x01\x03\x28\x20\x00\x03\x27"

def print_for_ever(s):
    assert rsp.ask(s, b"M4000,200:" + b"41" * 512) == b"OK"
    code = loop_of_prints()
    commands = b";".join([b"X%x,%s" % (len(code), code.hex().encode())] * 16)
    assert rsp.ask(s, b"Z0,1001,1;cmds:1," + commands) == b"OK"
    s.sendall(rsp.frame(b"vCont;c:p1.1"))
    assert rsp.reply(s).startswith(b"O41"), "nothing is printed"

def stop_of(s):
    """The stop, and how much was printed until then."""
    printed = 0
    while (answer := rsp.reply(s)).startswith(b"O"):
        printed += len(answer) // 2
    return answer, printed

s = connect()
if WHAT in ("info pages", "osdata"):
    tables_of_themselves(s)
    s.sendall(rsp.frame(b"qRcmd," + WHAT.encode().hex().encode() if WHAT == "info pages"
                        else b"qXfer:osdata:read:pages:0,ffff"))
elif WHAT == "interrupt":
    print_for_ever(s)
    s.sendall(b"\x03")
    stop, printed = stop_of(s)
    assert stop[:3] in (b"T02", b"T05"), stop
    assert printed < 1 << 20, f"{printed} bytes were printed first, of 85 MiB"
    assert rsp.ask(s, b"z0,1001,1") == b"OK"
elif WHAT == "signal":
    print_for_ever(s)
elif WHAT == "another":
    print_for_ever(s)
    s.close()
    connect()
s.close()
END
printf '\x90\x90\xeb\xfc' >"$WORK/guest" # nop; nop; jmp to the first
for CPU in ${CPU:-kvm soft}; do
    has "$CPU" || continue
    for what in "info pages" osdata interrupt signal another; do
        [[ $CPU == soft || $what != "info pages" && $what != osdata ]] || continue # not every KVM takes such tables
        serve --gdb="unix:$WORK/s" "$WORK/guest"
        PYTHONPATH=$TOP/tests/cli timeout 100 python3 -B "$WORK/client.py" "unix:$WORK/s" "$what" >"$WORK/said" 2>&1 ||
            fail "$ran, $what: $(cat "$WORK/said")"
        kill -TERM "$pid"
        end_of_server
        ran="$ran, $what, --cpu=$CPU"
        expect_status 143
    done
done
finish
