# A breakpoint where execution resumes is hit at once, unless its stop was told and the
# pc has not been written since: as a debugger finds it that steps off breakpoints by
# itself, and so means each one that it leaves inserted.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"

cat >"$WORK/driver.py" <<'END'
import re, sys
import rsp
ADDRESS, CPU = sys.argv[1:]
EIP, EFLAGS, BL, PC0, HLT, THERE, NEXT, LAST, SELF = 8, 9, 3, 0x1000, 0x1004, 0x1005, 0x1007, 0x1009, 0x100a
wrong = []
s = rsp.connect(ADDRESS)

def ask(text):
    return rsp.ask(s, text.encode()).decode()

def resume(text):
    stop = ask(text)
    while stop[:1] == "O":  # what is printed meanwhile
        stop = rsp.reply(s).decode()
    return stop[:3], "swbreak" in stop or "hwbreak" in stop, read(EIP)

def read(register):
    return int.from_bytes(bytes.fromhex(ask(f"p{register:x}")), "little")

def write(register, value):
    ask(f"P{register:x}={value.to_bytes(4, 'little').hex()}")

def monitor(line):
    s.sendall(rsp.frame(b"qRcmd," + line.encode().hex().encode()))
    said = ""
    while (piece := rsp.reply(s).decode()) != "OK":
        said += bytes.fromhex(piece.removeprefix("O")).decode() if piece[:1] == "O" else f"[{piece}]"
    return said

def count():
    return int(re.search(r"^\d+", monitor("icount"), re.M)[0]) if CPU == "soft" else 0

def expect(what, seen, wanted):
    if seen != wanted:
        wrong.append(f"{what}: {seen}, not {wanted}")

def at_once(what, text, pc):
    """It stops at a breakpoint where it stands, with nothing done."""
    before = count()
    expect(what, resume(text), ("T05", True, pc))
    expect(what + ": instructions", count() - before, 0)

def comes_to(what, text, pc):
    expect(what, resume(text), ("T05", True, pc))

def again(*places, pc=PC0):
    """Where the guest begins, breakpoints at the places only."""
    for place in (PC0, PC0 + 2, THERE, NEXT, LAST, SELF):
        ask(f"z0,{place:x},1"), ask(f"z1,{place:x},1")
    write(EIP, PC0 + 2), write(EIP, pc)
    for place in places:
        ask(f"Z0,{place:x},1")

ask("qSupported:swbreak+;hwbreak+;multiprocess+"), ask("!"), ask("?"), ask("Hgp1.1"), ask("Hcp1.1")

write(EFLAGS, 0x202)  # IF: where KVM is Bochs', a guest that spins without it stops all
ask(f"Z0,{PC0:x},1"), ask(f"Z0,{PC0 + 2:x},1")
at_once("at the first instruction", "c", PC0)
comes_to("from a stop that was told", "c", PC0 + 2)
ask(f"Z0,{PC0:x},1")
again(THERE, NEXT)
write(EIP, THERE)
at_once("pc written", "c", THERE)
expect("pc written: bl", read(BL) & 0xff, 0)
comes_to("and on", "c", NEXT)
again(THERE, NEXT)
at_once("c ADDRESS", f"c{THERE:x}", THERE)
write(EIP, THERE)
at_once("pc written as it is", "c", THERE)
ask("z0,1005,1"), ask("Z0,1005,1")
comes_to("removed and inserted again", "c", NEXT)
again(THERE, NEXT, pc=THERE)
at_once("vCont;c", "vCont;c", THERE)
g = bytearray.fromhex(ask("g"))
g[0] ^= 0xff
expect("G", ask("G" + g.hex()), "OK")
comes_to("all registers written, pc as it was", "vCont;c", NEXT)
again(THERE, pc=THERE)
at_once("a range", "vCont;r1005,1009:p1.1", THERE)
expect("the same range", resume("vCont;r1005,1009:p1.1"), ("T05", False, LAST))
again(NEXT, pc=THERE)
comes_to("within a range", "vCont;r1005,1009:p1.1", NEXT)
again(pc=THERE)
ask("Z1,1005,1")
at_once("a hardware breakpoint", "c", THERE)
again(THERE, pc=THERE)
expect("a step", resume("vCont;s:p1.1"), ("T05", False, NEXT))
again(LAST, pc=THERE)
ask("Z0,1005,1;X3,220027")
comes_to("a condition that is false", "c", LAST)
again(pc=THERE)
ask("Z0,1005,1;X3,220127")
at_once("a condition that is true", "c", THERE)
ask("z0,1005,1"), ask("Z0,1005,1;X3,220027"), ask("Z0,1009,1")
comes_to("its stop was told", "c", LAST)

again(SELF, pc=LAST)
comes_to("a jump to itself", "c", SELF)
for turn in range(4):
    before = count()
    comes_to("each pass of a jump to itself", "c", SELF)
    expect("its instructions", count() - before, 1 if CPU == "soft" else 0)

again(pc=SELF)
s.sendall(rsp.frame(b"c") + b"\x03")
expect("interrupted", rsp.reply(s)[:3], b"T02")
ask(f"Z0,{SELF:x},1")
at_once("interrupted at it", "c", SELF)

if CPU == "soft":
    again(LAST, pc=THERE)
    resume("c")
    monitor("goto -1"), ask("z0,1009,1"), ask("Z0,1007,1")
    at_once("elsewhere in time", "c", NEXT)
    resume("vCont;s:p1.1")
    comes_to("backwards", "bc", NEXT)
    ask("Z0,1009,1")
    comes_to("and forward again", "c", LAST)
    comes_to("backwards once more", "bc", NEXT)
    write(EIP, NEXT)
    at_once("backwards, then written", "c", NEXT)
else:
    again(NEXT, LAST, pc=NEXT)
    at_once("before the change", "c", NEXT)
    monitor("engine soft")
    comes_to("told by another engine", "c", LAST)
    monitor("engine kvm")
    write(EIP, NEXT)
    at_once("and back", "c", NEXT)

again(pc=SELF)
ask("D;1")
s.close()
s = rsp.connect(ADDRESS)
ask("qSupported:swbreak+;hwbreak+;multiprocess+"), ask("!"), ask("?"), ask("Hgp1.1"), ask("Hcp1.1")
expect("attached again", read(EIP), SELF)
ask(f"Z0,{SELF:x},1")
at_once("after an attach", "c", SELF)
ask("vKill;1")
print("\n".join(wrong))
sys.exit(bool(wrong))
END

# mov al, 1; mov al, 2; hlt; there: mov bl, 3; mov bl, 4; nop; jmp .
printf '\xb0\x01\xb0\x02\xf4\xb3\x03\xb3\x04\x90\xeb\xfe' >"$WORK/guest"
for CPU in ${CPU:-kvm soft}; do
    has "$CPU" || continue
    serve --gdb="unix:$WORK/s" "$WORK/guest"
    PYTHONPATH=$TOP/tests/cli python3 -B "$WORK/driver.py" "unix:$WORK/s" "$CPU" >"$WORK/said" 2>&1 ||
        { fail "$ran, --cpu=$CPU: $(cat "$WORK/said")"; kill "$pid"; }
    end_of_server
done
finish
