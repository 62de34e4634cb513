# A terminal is raw while a guest has it, and as it was before afterwards: at the end
# of the guest, at Ctrl-A x, and whichever signal ends the run.
. "$TOP/tests/cli/lib.sh"
need_engine
printf '\xb0\x2e\xe6\xe9\xb0\x0a\xe6\xe9\xeb\xfe' >"$WORK/busy" # prints ".\n", spins
cat >"$WORK/terminal.py" <<'END'
import os, pty, signal, subprocess, sys, termios

ECHO = termios.ECHO | termios.ICANON
program, guest, how, *words = sys.argv[1:]
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
p = subprocess.Popen([program, *words, guest], stdin=slave, stdout=subprocess.PIPE,
                     stderr=subprocess.DEVNULL, start_new_session=True)
p.stdout.readline()  # the guest runs
raw = termios.tcgetattr(slave)[3] & ECHO == 0
if how == "ctrl-a":
    os.write(master, b"\x01x")
elif how != "end":
    p.send_signal(getattr(signal, how))
status = p.wait()
print(how, "raw" if raw or how == "end" else "not raw",
      "restored" if termios.tcgetattr(slave) == before else "left raw", status)
END
while read -r how status; do
    guest=$WORK/busy
    [[ $how == end ]] && guest=hello
    got=$(python3 "$WORK/terminal.py" "$MINIKVM" "$guest" "$how" ${CPU:+--cpu=$CPU} </dev/null)
    [[ $got == "$how raw restored $status" ]] || fail "$how: $got, not status $status"
done <<'END'
end 0
ctrl-a 0
SIGTERM 143
SIGHUP 129
SIGINT 130
SIGQUIT -3
SIGBUS -7
END
finish
