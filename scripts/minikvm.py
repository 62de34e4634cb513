"""Comforts for gdb; nothing here is needed to debug with minikvm.

    (gdb) source scripts/minikvm.py

  bt, up, finish,  work in 16-bit code, and in 32-bit code whose CS has a base: an
  next, nexti      unwinder that reads the code from the start of the routine and counts
                   what it has pushed
  mk TABLE         a table of `info os` (gdt, idt, pages, ...), with completion
  layout minikvm   a window with the CPU's state, the descriptors in use and the
                   page walk of the instruction pointer, beside the source
  layout screen    a window with the guest's text screen, as it is while it stands
"""
import re

import gdb
from gdb.unwinder import Unwinder

SIXTEEN_BITS = ("REAL16", "VM86", "PROT16", "COMPAT16")


def monitor(command):
    return gdb.execute("monitor " + command, to_string=True)


# --- frames of 16-bit code, and of segments with a base -----------------------------------------------------------------


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class Depth:
    """How far SP has gone below the return address, by the instructions so far."""

    def __init__(self, unit):
        self.unit = unit  # bytes that a push is, if it does not say
        self.sp = 0       # bytes below where it was at the routine's start
        self.bp = None    # the same for BP, once it was set from SP

    def step(self, text):
        size = 4 if re.match(r"(push|pop)\w*l\b|(push|pop)f?l\b", text) else \
               2 if re.match(r"(push|pop)\w*w\b", text) else self.unit
        if re.match(r"pusha", text):
            self.sp += 8 * size
        elif re.match(r"popa", text):
            self.sp -= 8 * size
        elif re.match(r"push", text):
            self.sp += size
        elif re.match(r"pop", text):
            self.sp -= size
            if text.endswith("bp"):
                self.bp = None
        elif re.match(r"mov\w*\s+%e?sp,%e?bp", text):
            self.bp = self.sp
        elif re.match(r"leave", text) and self.bp is not None:
            self.sp, self.bp = self.bp - self.unit, None
        else:
            m = re.match(r"(sub|add)\w*\s+\$(0x[0-9a-f]+|\d+),%e?sp", text)
            if m:
                amount = int(m[2], 0)
                amount -= 0x10000 if amount & 0x8000 else 0
                self.sp += amount if m[1] == "sub" else -amount


def routine_start(pc):
    said = gdb.execute(f"info symbol {pc}", to_string=True)
    m = re.search(r"^(\S+)(?: \+ (\d+))? in section", said, re.M)
    return (m[1], pc - int(m[2] or 0)) if m else (None, pc)


def way_back(arch, name, start):
    """How the routine returns: "ret", "iret" or "lret", by the first one of its own;
    None: never, so nobody called it."""
    for insn in arch.disassemble(start, start + 512):
        m = re.match(r"(iret|lret|ret)", insn["asm"].strip())
        if m:
            return m[1] if routine_start(insn["addr"])[0] == name else None
    return None


def unit_of(frame):
    """Bytes of what a call pushes; 0: gdb unwinds this by itself. In 32-bit code that is
    so where its addresses are what lies on the stack."""
    if str(frame.read_register("cpumode")) in SIXTEEN_BITS:
        return 2
    moved = int(frame.read_register("eip")) != int(frame.read_register("raw_ip"))
    return 4 if moved else 0


class Segmented(Unwinder):
    def __init__(self):
        super().__init__("minikvm-segments")

    def __call__(self, frame):
        try:
            pc = int(frame.read_register("eip"))
            self.unit = unit_of(frame)
            return self.unwind(frame, pc) if self.unit else None
        except (ValueError, gdb.error):
            return None  # another target, or memory that is not there

    def unwind(self, frame, pc):
        arch = frame.architecture()
        name, start = routine_start(pc)
        depth = Depth(self.unit)
        if pc > start:
            for insn in arch.disassemble(start, pc - 1):
                depth.step(insn["asm"].strip())
        sp = int(frame.read_register("esp")) + depth.sp
        if depth.bp is not None:
            sp = int(frame.read_register("ebp")) + depth.bp
        result = frame.create_unwind_info(FrameId(gdb.Value(sp), gdb.Value(start)))
        self.caller(frame, result, sp, way_back(arch, name, start) if name else None)
        return result

    def caller(self, frame, result, sp, way):
        inferior = gdb.selected_inferior()
        size = self.unit
        word = lambda i: int.from_bytes(inferior.read_memory(sp + size * i, size).tobytes(), "little")
        # the base of the caller's CS: our own, or by the segment on the stack
        cs = int(frame.read_register("cs"))
        base = cs * 16
        if str(frame.read_register("cpumode")) not in ("REAL16", "VM86"):
            base = int(frame.read_register("cs_cache")["base"])
        words = {"ret": 1, "lret": 2, "iret": 3, None: 0}[way]
        if words >= 2:
            cs = word(1) & 0xffff
            base = cs * 16 if size == 2 else base
        pc = base + word(0) if words else 0  # gdb's sign for: nobody called this
        new = {"eip": pc, "esp": sp + size * words, "cs": cs}
        for register in frame.architecture().registers("general"):
            old = frame.read_register(register.name)
            value = gdb.Value(new[register.name]).cast(old.type) if register.name in new else old
            result.add_saved_register(register.name, value)


gdb.unwinder.register_unwinder(None, Segmented(), replace=True)

# --- tables --------------------------------------------------------------------------


class Tables(gdb.Command):
    """mk TABLE: a table of the machine (gdt, ldt, idt, tss, pages, segments, ...)."""

    names = ("gdt", "ldt", "idt", "tss", "pages", "segments", "cpus", "devices", "exits")

    def __init__(self):
        super().__init__("mk", gdb.COMMAND_STATUS)

    def complete(self, text, word):
        return [name for name in self.names if name.startswith(word or "")]  # None: newer gdb asks where words end

    def invoke(self, argument, from_tty):
        gdb.write(monitor("info " + argument))


Tables()

# --- windows ----------------------------------------------------------------------------


class Window:
    """Lines that are asked for again before each prompt."""

    def __init__(self, window):
        self.window = window
        window.title = self.title
        gdb.events.before_prompt.connect(self.render)

    def close(self):
        gdb.events.before_prompt.disconnect(self.render)

    def render(self):
        if not self.window.is_valid():
            return
        try:
            text = "\n".join(self.lines())
        except gdb.error:
            text = "no machine"
        self.window.write("\n".join(line[: self.window.width]
                                    for line in text.splitlines()[: self.window.height]), True)


class State(Window):
    title = "CPU state"

    def lines(self):
        frame = gdb.newest_frame()
        flags = " ".join(f"{name} {frame.read_register(name)}" for name in ("eflags", "cr0"))
        yield f"{frame.read_register('cpumode')}  {flags}"
        yield from monitor("info segments").splitlines()
        yield from monitor("page").splitlines()
        yield from monitor("explain").splitlines()


class Screen(Window):
    title = "screen"

    def lines(self):
        head, *rows = monitor("screen").splitlines()
        self.window.title = "screen: " + head
        return [row.partition("|")[2] for row in rows]


try:
    gdb.register_window_type("minikvm", State)
    gdb.register_window_type("screen", Screen)
    gdb.execute("tui new-layout minikvm {-horizontal src 1 minikvm 1} 2 status 0 cmd 1")
    gdb.execute("tui new-layout screen screen 3 src 1 status 0 cmd 1")
except (gdb.error, AttributeError):
    pass  # a gdb without TUI, or sourced twice
