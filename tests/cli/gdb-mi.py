"""usage: gdb-mi.py jump|watch|modes|long ADDRESS      for gdb-mi.sh"""
import re, sys
from mi import Mi

def jump(mi):
    """-exec-jump to a place with a breakpoint stops there, with nothing done."""
    def stops_at(line, place, bl):
        mi.goes(line, 'reason="breakpoint-hit"', f'func="{place}"')
        mi.same(mi.value("$bl"), str(bl))
    for place in ("there", "last"):
        mi.command("-break-insert " + place)
    stops_at("-exec-jump there", "there", 0)  # where nothing has run yet
    stops_at("-exec-continue", "last", 4)
    stops_at("-exec-jump there", "there", 4)
    stops_at("-exec-continue", "last", 4)

def goes_to(mi, place):
    """For some gdbs the switch to another mode is a stop of its own."""
    mi.command("-break-insert " + place)
    while f'func="{place}"' not in (stop := mi.goes("-exec-continue")):
        if 'reason="exited' in stop:
            sys.exit(f"never came to {place}: {stop}")

def follows(mi, place, mode, register):
    """What an editor's watch window shows lives on over the switch to another mode."""
    mi.command("-var-create pc @ $pc")
    mi.command("-var-create mode @ $cpumode")
    goes_to(mi, place)
    mi.same(mi.value("$cpumode"), mode)
    changed = mi.command("-var-update --all-values *")
    for name in ("pc", "mode"):
        if f'name="{name}"' not in changed or 'in_scope="true"' not in changed:
            sys.exit(f"-var-update: {changed}")
    if f'"{register}"' not in (names := mi.command("-data-list-register-names")):
        sys.exit(f"no {register}: {names}")

def modes(mi):
    follows(mi, "protected_entry", "PROT32", "eip")
    mi.same(mi.code(2), ["mov", "mov"])

def long(mi):
    follows(mi, "long_entry", "LONG64", "rip")
    mi.same(mi.value("sizeof($rsp)"), "8")

def watch(mi):
    """Each change of a variable, with what was there and what is there now."""
    mi.command('-break-watch "*(int *)&turns"')
    for turn in range(3):
        stop = mi.goes("-exec-continue", 'reason="watchpoint-trigger"')
        old, new = re.search(r'value={old="(-?[0-9]*)",new="(-?[0-9]*)"}', stop).groups()
        mi.same(int(new), int(old) + 1)

mi = Mi(sys.argv[2])
try:
    {"jump": jump, "watch": watch, "modes": modes, "long": long}[sys.argv[1]](mi)
    mi.end()
finally:
    mi.gdb.kill()
