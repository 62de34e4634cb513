# The life of a debugger's connection: over TCP, over a pipe, killed, and beside
# another one.
. "$TOP/tests/cli/lib.sh"
need_engine
need gdb

# target remote | minikvm --gdb=-: the guest's output goes to stderr
gdb_session "target remote | '$MINIKVM' ${CPU:+--cpu=$CPU} --gdb=- hello" 'x/i $pc' continue
expect_gdb '=> 0x1000 <_start>:'
expect_gdb 'Hello, KVM!'
expect_gdb 'exited normally'

# a session from start to end; the status is the guest's
printf '\xb0\x03\xe6\xf4' >"$WORK/seven"
serve --gdb=0 "$WORK/seven"
gdb_session "target remote $address" 'p/x $eip' stepi 'p/x $al' continue
expect_gdb '= 0x1000$'
expect_gdb '= 0x3$'
expect_gdb 'exited with code 07'
end_of_server
expect_status 7

# the instruction that first programs the interrupt chips is followed by a breakpoint
printf '\xb0\x11\xe6\x20\x90\x90\xb0\x00\xe6\xf4' >"$WORK/chips" # mov al, 0x11; out 0x20, al; nop …
serve --gdb=0 "$WORK/chips"
gdb_session "target remote $address" 'break *0x1004' continue 'p/x $eip' kill
expect_gdb '= 0x1004$'
end_of_server

# a second client is refused, with a reason, and the first does not notice
serve --gdb=0 hello
cat >"$WORK/second" <<END
import socket, sys
first = socket.create_connection(("127.0.0.1", $port))
def ask(s, packet):
    s.sendall(b"+\$" + packet + b"#%02x" % (sum(packet) & 255))
    data = b""
    while data.count(b"#") == 0 or len(data.split(b"#")[1]) < 2:
        more = s.recv(4096)
        if not more: break
        data += more
    return data
ask(first, b"?")
second = socket.create_connection(("127.0.0.1", $port))
print(ask(second, b"qSupported").decode())
sys.exit(0 if b"QC" in ask(first, b"qC") else 1)
END
python3 "$WORK/second" >"$WORK/said" || fail "the first client noticed the second"
grep -q 'E.minikvm: another debugger is connected; detach it first#' "$WORK/said" ||
    fail "the second client was given no reason: $(cat "$WORK/said")"
# both are gone: the guest runs on, as after detach
end_of_server
expect_status 0
expect_out_file "$EXPECTED/hello.out"

# a gdb killed in the middle of a session leaves the machine as detach would: the
# breakpoint is gone, the guest runs on to its end
serve --gdb=0 hello
mkfifo "$WORK/told" "$WORK/told.out"
gdb -q -nx -nh -batch -ex "target remote $address" -ex 'break *0x1011' -ex continue \
    -ex 'shell echo there' -ex 'shell cat >/dev/null' <"$WORK/told" >"$WORK/told.out" 2>&1 &
client=$!
exec {hold}>"$WORK/told" {said}<"$WORK/told.out"
while IFS= read -r line <&$said && [[ $line != there ]]; do :; done # at the breakpoint
kill -KILL "$client"
{ wait "$client"; } 2>/dev/null
exec {hold}>&- {said}<&-
end_of_server
expect_status 0
expect_out_file "$EXPECTED/hello.out"

# detach and come back, twice: the guest has gone on in between
printf '\xff\x06\x00\x20\xeb\xfa' >"$WORK/counts" # inc word [0x2000]; jmp to it
serve --gdb=0 "$WORK/counts"
gdb_session "target remote $address" 'p *(short*)0x2000' 'stepi 4' 'p *(short*)0x2000' detach
expect_gdb '= 0$'
expect_gdb '= 2$'
expect_gdb 'detached'
gdb_session "target remote $address" 'x/i 0x1000' detach
expect_gdb 'incw'
gdb_session "target remote $address" 'break *0x1000' continue 'p/x $eip' kill
expect_gdb '= 0x1000$'
end_of_server
expect_status 0
finish
