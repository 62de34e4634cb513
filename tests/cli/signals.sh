# SIGTERM, SIGINT and SIGHUP end it as they should (128 + the signal), whatever a
# guest does, and nothing is left behind.
. "$TOP/tests/cli/lib.sh"
need_engine
printf '\xb0\x2e\xe6\xe9\xb0\x0a\xe6\xe9\xeb\xfe' >"$WORK/busy" # prints ".\n", spins
printf '\xb0\x2e\xe6\xe9\xb0\x0a\xe6\xe9\xb0\x02\xba\x00\x05\xee\xec' >"$WORK/waiting" # then GETCHAR

mkfifo "$WORK/printed" "$WORK/keys"
exec {keys}<>"$WORK/keys" # input that never comes and never ends
for guest in busy waiting; do
    for signal in TERM HUP; do
        env --default-signal=HUP,TERM "$MINIKVM" ${CPU:+--cpu=$CPU} "$WORK/$guest" \
            <"$WORK/keys" >"$WORK/printed" 2>"$WORK/err" &
        pid=$!
        servers=("$pid")
        exec {text}<"$WORK/printed"
        IFS= read -r line <&$text # it runs
        kill -s "$signal" "$pid"
        wait "$pid"
        status=$?
        ran="minikvm $guest, SIG$signal"
        exec {text}<&-
        expect_status $((128 + $(kill -l "$signal")))
    done
done

# one whose output nobody reads: its last words are lost, its end is not
printf '\xb0\x2a\xe6\x80\xb0\x2e\xe6\xe9\xeb\xfa' >"$WORK/flood" # POST code 2a; prints dots for ever
mkfifo "$WORK/full" "$WORK/told"
exec {full}<>"$WORK/full"
dd if=/dev/zero of="$WORK/full" bs=4096 oflag=nonblock 2>/dev/null
for images in "$WORK/flood" "$WORK/flood $WORK/flood"; do
    "$MINIKVM" ${CPU:+--cpu=$CPU} --verbose $images <"$WORK/keys" >"$WORK/full" 2>"$WORK/told" &
    pid=$!
    servers=("$pid")
    exec {text}<"$WORK/told"
    while IFS= read -r line <&$text && [[ $line != *POST* ]]; do :; done
    cat <&$text >/dev/null &
    drain=$!
    kill -TERM "$pid"
    wait "$pid"
    status=$?
    wait "$drain" # or it would read the next one's words
    ran="minikvm flood, to a pipe that is full"
    exec {text}<&-
    expect_status 143
done

# nohup: what was ignored when it was started stays so
env --ignore-signal=HUP "$MINIKVM" ${CPU:+--cpu=$CPU} "$WORK/busy" <"$WORK/keys" >"$WORK/printed" 2>"$WORK/err" &
pid=$!
servers=("$pid")
exec {text}<"$WORK/printed"
IFS= read -r line <&$text
kill -HUP "$pid"
kill -TERM "$pid"
wait "$pid"
status=$?
ran="minikvm busy, SIGHUP ignored"
exec {text}<&-
expect_status 143

# one that waits for a debugger: its Unix socket goes with it
for words in "--gdb=unix:$WORK/s" "--gdb=unix:$WORK/s --gdb-nowait" "--gdb=unix:$WORK/s --sandbox=off"; do
    serve $words "$WORK/busy"
    [[ -S $WORK/s ]] || fail "$ran: no socket"
    [[ $(stat -c %a "$WORK/s") == 600 ]] || fail "$ran: others may connect"
    kill -TERM "$pid"
    end_of_server
    expect_status 143
    [[ -e $WORK/s ]] && fail "$ran: the socket is left behind"
done

# nor does any other signal leave it there; what ends us is still that signal
printf '#!/bin/sh\nexec env --default-signal=QUIT "%s" "$@"\n' "$MINIKVM" >"$WORK/with-quit" # a shell ignores it
chmod +x "$WORK/with-quit"
for sandbox in $(is_sanitized || echo on) off; do
    for signal in QUIT USR1 USR2 ABRT SEGV BUS FPE ILL TRAP SYS ALRM VTALRM PROF XCPU PWR IO RTMAX; do
        is_sanitized && [[ " SEGV BUS FPE ILL TRAP SYS ABRT " == *" $signal "* ]] && continue
        (ulimit -c 0; MINIKVM=$WORK/with-quit serve "--gdb=unix:$WORK/s" --sandbox=$sandbox "$WORK/busy"
        kill -s $signal "$pid"
        end_of_server 2>/dev/null
        expect_status $((128 + $(kill -l $signal)))
        [[ -e $WORK/s ]] && fail "$ran, SIG$signal: the socket is left behind"
        exit $((failures > 0))) || failures=1
        served=$((served + 1)) # in the subshell it was
    done
done
finish
