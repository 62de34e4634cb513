# As an editor drives gdb, by MI: -exec-jump to a place with a breakpoint stops there, with
# nothing done.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb
command -v python3 >/dev/null || skip "this machine lacks: python3"
cat >"$WORK/mi.py" <<'END'
import re, subprocess, sys
gdb = subprocess.Popen(["gdb", "-q", "-nx", "-nh", "-i=mi"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True)
said = []

def until(what):
    for line in gdb.stdout:
        said.append(line)
        if re.match(what, line):
            return line
    sys.exit("no " + what + "; said:\n" + "".join(said))

def command(line, answer=r"\^"):
    gdb.stdin.write(line + "\n")
    gdb.stdin.flush()
    return until(answer)

def stops_at(line, place, bl):
    command(line, r"\^running")
    stop = until(r"\*stopped")
    if 'reason="breakpoint-hit"' not in stop or f'func="{place}"' not in stop:
        sys.exit(f"{line}: {stop}")
    value = command("-data-evaluate-expression $bl", r"\^(done|error)")
    if value.strip() != f'^done,value="{bl}"':
        sys.exit(f"{line}: bl: {value}")

command("-gdb-set pagination off")
command("-target-select remote " + sys.argv[1], r"\^(connected|error)")
for place in ("there", "last"):
    command("-break-insert " + place, r"\^done")
stops_at("-exec-jump there", "there", 0)  # where nothing has run yet
stops_at("-exec-continue", "last", 4)
stops_at("-exec-jump there", "there", 4)
stops_at("-exec-continue", "last", 4)
gdb.stdin.write("kill\n-gdb-exit\n")
gdb.stdin.close()
gdb.wait()
END
for CPU in ${CPU:-kvm soft}; do
    has "$CPU" || continue
    [[ $CPU != kvm ]] || has exec-bp || continue
    serve --gdb="unix:$WORK/s" "$BUILD/tests/guests/resume.elf"
    timeout 100 python3 -B "$WORK/mi.py" "$address" >"$WORK/mi" 2>&1 || { fail "$ran, --cpu=$CPU: $(cat "$WORK/mi")"; kill "$pid"; }
    end_of_server
done
finish
