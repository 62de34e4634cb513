# Who counts as a debugger: a connection that says nothing, or speaks another protocol,
# neither stops a guest nor sets it free, and nothing that it sends is carried out; and
# by TCP another user of the computer is not heard.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"
cat >"$WORK/stranger.py" <<'END'
import socket, sys
import rsp

def http(address):
    """What a page in a browser can send: its own words, behind a browser's."""
    body = rsp.frame(b"qRcmd," + b"quit".hex().encode()) + rsp.frame(b"k")
    for begin in (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body), b"GET / HTTP/1.1\r\n\r\n"):
        s = rsp.connect(address)
        s.sendall(begin + body)
        try:
            answer = s.recv(100)
        except ConnectionResetError:
            answer = b""
        assert answer == b"", answer
        s.close()

def scan(address):
    for sent in (b"", b"+", b"\x03", b"$qSupp"):
        s = rsp.connect(address)
        s.sendall(sent)
        s.close()

def debugger(address):
    """Says where the guest stands: heard, or told to go."""
    s = rsp.connect(address)
    s.sendall(b"+")
    rsp.ask(s, b"qSupported:")
    print(rsp.ask(s, b"m500,4").decode())
    s.sendall(rsp.frame(b"k") if "kill" in sys.argv else b"")
    s.close()

def refused(address):
    print(rsp.ask(rsp.connect(address), b"qSupported:").decode())

for what in sys.argv[2:]:
    if what in globals():
        globals()[what](sys.argv[1])
END
stranger() { PYTHONPATH="$TOP/tests/cli" python3 -B "$WORK/stranger.py" "$@"; }

# It writes at 0x500 as soon as it runs: that it does not is seen by a debugger, later.
printf '\xc7\x06\x00\x05\x11\x22\xeb\xfe' >"$WORK/writes" # mov word [0x500], 0x2211; jmp .
for listen in 0 "unix:$WORK/s" localhost:0; do
    serve "--gdb=$listen" "$WORK/writes"
    to=$port
    [[ $listen == unix:* ]] && to=$listen
    [[ $address == "$WORK/s" || $address =~ ^(127\.0\.0\.1|\[::1\]):[0-9]+$ ]] || fail "$ran: told $address"
    [[ $address == '[::1]'* ]] && { kill "$pid"; end_of_server; continue; }
    for who in "http" "scan" "http scan http"; do
        stranger "$to" $who || fail "$ran: $who was heard"
    done
    kill -0 "$pid" || fail "$ran: it was ended"
    [[ $(stranger "$to" debugger kill) == 00000000 ]] || fail "$ran: the guest was set free"
    end_of_server
done

# one that runs is not stopped: it prints when it is told to end
printf '\xba\xf8\x03\xec\xb0\x2e\xe6\xe9\xeb\xf8' >"$WORK/busy" # dots, for ever
mkfifo "$WORK/printed"
"$MINIKVM" ${CPU:+--cpu=$CPU} --gdb="unix:$WORK/s" --gdb-nowait "$WORK/busy" <"$stdin" >"$WORK/printed" 2>"$WORK/err" &
pid=$!
servers+=("$pid")
exec {printed}<"$WORK/printed"
head -c 100 <&$printed >/dev/null
{ s=$(stranger "unix:$WORK/s" scan http 2>&1) && [[ ! $s ]]; } || fail "a stranger was heard: $s"
for _ in 1 2 3; do head -c 100000 <&$printed >/dev/null; done # more than a pipe holds
kill "$pid"
wait "$pid"
exec {printed}<&-

# names and families
serve --gdb=localhost:0 minimal
gdb_session "target remote localhost:$port" 'p $pc' kill
expect_gdb 'killed'
end_of_server
if [[ -e /proc/net/if_inet6 ]] && grep -q ' lo$' /proc/net/if_inet6; then
    serve '--gdb=[::1]:0' minimal
    gdb_session "target remote [::1]:$port" 'p $pc' kill
    expect_gdb 'killed'
    end_of_server
fi

# A Unix socket is there with its mode, whatever the program's umask; a path as gdb takes it.
program=$MINIKVM
for mask in 0 777; do
    printf '#!/bin/sh\numask %s\nexec "%s" "$@"\n' $mask "$program" >"$WORK/masked"
    chmod 755 "$WORK/masked"
    cd "$WORK" || exit 1
    MINIKVM=$WORK/masked serve "--gdb=unix:it's" minimal
    cd "$TOP" || exit 1
    [[ $(stat -c %a "$WORK/it's") == 600 ]] || fail "umask $mask: the mode of the socket"
    command=$(sed -n "s/.*waiting for a debugger: gdb -ex //p" "$WORK/err")
    [[ $(eval "printf %s $command") == "target remote $(realpath "$WORK")/it's" ]] || fail "told: $command"
    kill "$pid"
    end_of_server
done

# another user of this computer
[[ $(id -u) == 0 ]] && setpriv --reuid=nobody --clear-groups true 2>/dev/null || finish
chmod 755 "$WORK"
cp "$TOP/tests/cli/rsp.py" "$WORK/"
nobody() { setpriv --reuid=nobody --clear-groups env PYTHONPATH="$WORK" python3 -B "$WORK/stranger.py" "$@"; }
for listen in 0 0.0.0.0:0 $([[ -e /proc/net/if_inet6 ]] && echo '[::]:0'); do
    serve --gdb=$listen "$WORK/writes"
    [[ $(nobody "$port" refused) == 'E.minikvm: it belongs to another user'* ]] || fail "$ran: another user was heard"
    [[ $listen == 0 ]] || expect_err 'from another computer'
    [[ $(stranger "$port" debugger kill) == 00000000 ]] || fail "$ran: root was not heard, or a stranger was"
    end_of_server
done
serve --gdb=0 --gdb-any-user "$WORK/writes"
expect_err 'every user of this computer can debug'
[[ $(nobody "$port" debugger kill) == 00000000 ]] || fail "--gdb-any-user: another user was not heard"
end_of_server
# and the other way round: root may debug what is another's
setpriv --reuid=nobody --clear-groups test -x "$MINIKVM" -a -r "$WORK/writes" || finish
printf '#!/bin/sh\nexec setpriv --reuid=nobody --clear-groups "%s" "$@"\n' "$MINIKVM" >"$WORK/as-nobody"
chmod 755 "$WORK/as-nobody"
MINIKVM=$WORK/as-nobody CPU=soft serve --gdb=0 "$WORK/writes"
[[ $(nobody "$port" debugger) == 00000000 ]] || fail "its own user was not heard"
[[ $(stranger "$port" debugger kill) == 11220000 ]] || fail "root was not heard"
end_of_server
finish
