# --gdb=ADDRESS: what can be listened on, and what is said about the rest.
. "$TOP/tests/cli/lib.sh"
need_engine

refused() { # refused ADDRESS MESSAGE
    run "--gdb=$1" hello
    expect_status 125
    expect_out ''
    expect_messages
    expect_err "$2"
}
for address in nonsense 65536 99999999999 -1 :x 127.0.0.1: ::1:0 1234x; do
    refused "$address" 'cannot listen on .*\[HOST:\]PORT'
done
refused 192.0.2.1:0 'cannot listen on 192.0.2.1'
refused no.such.host.invalid:0 'no.such.host.invalid'
refused unix: 'the path is missing'
refused "unix:$WORK/no/such/folder/s" 'No such file'
refused "unix:/$(printf 'x%.0s' {1..200})" 'longer than 107 bytes'
echo text >"$WORK/file"
refused "unix:$WORK/file" 'exists and is no socket'
[[ $(cat "$WORK/file") == text ]] || fail "the file that is no socket was touched"

# any free port, which is told
serve --gdb=0 minimal
[[ $port =~ ^[1-9][0-9]*$ && $address == 127.0.0.1:* ]] || fail "$ran: told $address"
first=$pid taken=$port
run "--gdb=$taken" hello
expect_status 125
expect_err "port $taken: Address already in use; end the program"
kill -TERM "$first"
end_of_server

# a path where somebody listens is kept, one that was left behind is replaced
serve "--gdb=unix:$WORK/s" minimal
run "--gdb=unix:$WORK/s" hello
expect_status 125
expect_err 'another program listens there'
kill -KILL "$pid"
end_of_server 2>/dev/null
[[ -S $WORK/s ]] || fail "a killed process removed its socket?"
serve "--gdb=unix:$WORK/s" minimal
kill -TERM "$pid"
end_of_server
expect_status 143
finish
