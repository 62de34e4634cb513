# Non-stop, by gdb's machine interface: of two machines that run for ever one is
# paused and looked at, while the other runs on; then the other way round.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb
command -v python3 >/dev/null || skip "this machine lacks: python3"

serve --gdb="unix:$WORK/s" "$BUILD/tests/guests/turns.elf" "$BUILD/tests/guests/turns.elf"
cat >"$WORK/driver.py" <<'END'
import re, subprocess, sys

gdb = subprocess.Popen(["gdb", "-q", "-nx", "-nh", "--interpreter=mi2"], text=True,
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
seen = []

def until(pattern):
    """The next line that matches; lines before it are kept for the next question."""
    for i, line in enumerate(seen):
        if re.search(pattern, line):
            return seen.pop(i)
    while True:
        line = gdb.stdout.readline()
        if not line:
            sys.exit("gdb has ended")
        if re.search(pattern, line):
            return line
        seen.append(line)

def command(text):
    gdb.stdin.write("7" + text + "\n")
    gdb.stdin.flush()
    line = until(r"^7\^")
    if line.startswith("7^error"):
        sys.exit(f"{text}: {line}")
    return line

def states():
    """Of all threads, by their number."""
    return re.findall(r'state="(\w+)"', command("-thread-info"))

def turns(thread):
    text = command(f'-data-evaluate-expression --thread {thread} "*(int *)&turns"')
    return int(re.search(r'value="(\d+)"', text)[1])

def stop(thread):
    """Stops it; what it has counted."""
    seen.clear()  # of earlier stops
    command(f"-exec-interrupt --thread {thread}")
    until(rf'^\*stopped.*thread-id="{thread}"')
    return turns(thread)

def runs(thread):
    """It was running, and it counts."""
    before = stop(thread)
    now = before
    while now == before:
        command(f"-exec-continue --thread {thread}")
        now = stop(thread)
    command(f"-exec-continue --thread {thread}")

def pause(thread, other):
    """It stops, and stays; the other one goes on."""
    still = stop(thread)
    assert states()[thread - 1] == "stopped" and states()[other - 1] == "running", states()
    runs(other)
    assert turns(thread) == still
    command(f"-exec-continue --thread {thread}")

command("-gdb-set mi-async on")
command("-gdb-set non-stop on")
command("-gdb-set confirm off")
command("-target-select extended-remote " + sys.argv[1])
command('-interpreter-exec console "add-inferior"')
command('-interpreter-exec console "inferior 2"')
command('-interpreter-exec console "attach 2"')
until(r'^\*stopped.*thread-id="2"')
command("-exec-continue --thread 1")
command("-exec-continue --thread 2")
assert states() == ["running", "running"], states()
pause(1, 2)
pause(2, 1)
assert states() == ["running", "running"], states()
runs(1)
stop(1)
stop(2)
command('-interpreter-exec console "kill inferiors 1 2"')
command("-gdb-exit")
END
timeout 60 python3 "$WORK/driver.py" "$WORK/s" >"$WORK/told" 2>&1 ||
    { fail "$(tail -n 5 "$WORK/told")"; kill "$pid"; }
end_of_server
finish
