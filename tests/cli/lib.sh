# What the scripts of this folder share. tests/run gives the environment:
#
#   MINIKVM  the program      BUILD  the build tree    TOP  the source tree
#   CPU      the engine to force, or empty             HAVE what this machine has:
#            words among gdb gdb-multiarch lldb kvm soft exec-bp data-bp int3 paging32
#   CLIENTS  the folder of the clients' system, or empty: they are this one's
#
# A script runs the program with `run`, says with the expect_ functions what must
# have come of it, and ends with `finish`. Whatever fails is told on stderr and
# does not stop the rest. Exit status 77: skipped, with the reason as last line.
# Nothing here waits for time to pass.
set -u
export LC_ALL=C
: "${MINIKVM:?run this by tests/run}" "${BUILD:?}" "${TOP:?}"
CPU=${CPU-} HAVE=${HAVE-}

WORK=$(mktemp -d) # of this script alone; short, for the paths of sockets
EXPECTED=$TOP/tests/cli/expected
failures=0
servers=()

clean_up() {
    local pid
    for pid in "${servers[@]}"; do kill -KILL "$pid" 2>/dev/null; done
    wait 2>/dev/null
    rm -rf "$WORK"
}
trap clean_up EXIT

fail() { echo "FAILED: $*" >&2; failures=$((failures + 1)); }
skip() { echo "$*"; exit 77; }
finish() { sanitizers_reports; exit $((failures != 0)); }
# Wherever it was written: a report is a failure, also of what nobody looks at.
sanitizers_reports() {
    local file
    for file in $(grep -D skip -d skip -lE 'Sanitizer:|runtime error:' "$WORK"/*); do
        fail "${file##*/}: $(head -c 4000 "$file")"
    done
}

has() { [[ " $HAVE " == *" $1 "* ]]; }
need() { local w; for w; do has "$w" || skip "this machine lacks: $w"; done; }
# Guests can run: with the engine that is forced, or with any.
need_engine() { if [[ $CPU ]]; then need "$CPU"; else has kvm || has soft || skip "no engine"; fi; }
# A sanitizer has memory and system calls of its own.
is_sanitized() { [[ $(nm -D "$MINIKVM" 2>/dev/null) == *__[at]san* ]]; }
# The built-in CPU may run guests or go on where KVM cannot.
may_go_on() { has soft && [[ $CPU != kvm ]]; }

# --- one run ----------------------------------------------------------------------

# run WORD...: the program with these words; stdin is the file $stdin, or empty.
# Leaves $status, $WORK/out and $WORK/err.
stdin=/dev/null
run() {
    ran="minikvm $*"
    "$MINIKVM" ${CPU:+--cpu=$CPU} "$@" <"$stdin" >"$WORK/out" 2>"$WORK/err"
    status=$?
}
# The same without forcing an engine: for command lines that never get that far.
run_bare() {
    ran="minikvm $*"
    "$MINIKVM" "$@" <"$stdin" >"$WORK/out" 2>"$WORK/err"
    status=$?
}

expect_status() {
    [[ $status == "$1" ]] && return
    fail "$ran: status $status, not $1"
    cat "$WORK/err" >&2
}
expect_out() { # the bytes given, printf escapes allowed
    printf "$1" >"$WORK/wanted"
    expect_out_file "$WORK/wanted"
}
expect_out_file() {
    cmp -s "$WORK/out" "$1" && return
    fail "$ran: stdout (>) is not what is expected (<)"
    diff "$1" "$WORK/out" >&2
}
expect_err() { # an extended regular expression, on some line of stderr
    grep -Eq -- "$1" "$WORK/err" && return
    fail "$ran: nothing on stderr matches '$1'; it is:"
    cat "$WORK/err" >&2
}
expect_quiet() { # nothing on stderr
    [[ ! -s $WORK/err ]] && return
    fail "$ran: unexpected on stderr:"
    cat "$WORK/err" >&2
}
# A message of ours is one line that begins with our name.
expect_messages() {
    grep -Ev '^minikvm: .+' "$WORK/err" >&2 && fail "$ran: that is no message of minikvm"
    [[ -s $WORK/err ]] || fail "$ran: no message"
}

# --- one that keeps running --------------------------------------------------------

# serve WORD...: starts the program and returns when it says that it waits for a
# debugger. Leaves $pid, $address (what gdb's `target remote` takes) and $port.
serve() {
    local line
    ran="minikvm $*"
    mkfifo "$WORK/pipe.$((++served))"
    "$MINIKVM" ${CPU:+--cpu=$CPU} "$@" <"$stdin" >"$WORK/out" 2>"$WORK/pipe.$served" &
    pid=$!
    servers+=("$pid")
    exec {messages}<"$WORK/pipe.$served"
    : >"$WORK/err"
    address=
    while [[ ! $address ]] && IFS= read -r line <&$messages; do
        printf '%s\n' "$line" >>"$WORK/err"
        [[ $line =~ target\ remote\ ([^\']+) ]] && address=${BASH_REMATCH[1]}
    done
    port=${address##*:}
    cat <&$messages >>"$WORK/err" &
    drain=$!
    exec {messages}<&-
    [[ $address ]] || { fail "$ran: never waited for a debugger"; cat "$WORK/err" >&2; finish; }
}
served=0
# Waits for the end of what serve started; leaves $status.
end_of_server() {
    wait "$pid"
    status=$?
    wait "$drain"
    servers=()
}

gdb_session() { # gdb_session COMMAND...: stock gdb, by commands; output in $WORK/gdb
    local c words=()
    for c; do words+=(-ex "$c"); done
    gdb -q -nx -nh -batch -ex 'set pagination off' -ex 'set confirm off' "${words[@]}" \
        </dev/null >"$WORK/gdb" 2>&1
}
expect_gdb() {
    grep -Eq -- "$1" "$WORK/gdb" && return
    fail "gdb: nothing matches '$1'; it printed:"
    cat "$WORK/gdb" >&2
}
