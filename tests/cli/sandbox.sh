# Least privilege: once it serves, the process can run no program, open no socket and
# reach no file but its images; and a client cannot make it. Asked of the live process
# by a gdb that is attached to minikvm itself.
. "$TOP/tests/cli/lib.sh"
need gdb
need_engine
is_sanitized && skip "a sanitizer has calls of its own"
[[ $("$MINIKVM" --help) == *--sandbox* ]] || fail "no --sandbox in --help"
cd "$WORK" || exit 1

walls() { grep -h "^$1:" /proc/"$pid"/task/*/status | sort -u | cut -f2; }
serve --gdb=0 --sandbox=on minimal
[[ $(walls Seccomp) == 2 ]] || skip "this kernel has no seccomp filter"
[[ $(walls NoNewPrivs) == 1 ]] || fail "a thread may gain privileges"

# ask NAME FUNCTION ARGUMENTS: what the call returned in the live process, and errno
open='(int(*)(const char*,int,int))open' exec='(int(*)(const char*,char**))execv'
socket='(int(*)(int,int,int))socket' fork='(int(*)(void))fork'
errno='*((int*(*)(void))__errno_location)()'
ask() { commands+=("printf \"$1: %d %d\\n\", ($2)($3), $errno"); }
commands=()
ask image "$open" "\"$BUILD/guests/minimal.elf\", 0, 0"
ask secret "$open" "\"/etc/passwd\", 0, 0"
ask over "$open" "\"$BUILD/guests/minimal.elf\", 1, 0"
ask truncate "$open" "\"$BUILD/guests/minimal.elf\", 01002, 0"
ask outside "$open" "\"$TOP/escaped\", 0301, 0600"
ask socket "$socket" "2, 1, 0"
ask fork "$fork" ""
ask program "$exec" '"/bin/true", (char**)0'
gdb -q -nx -batch -p "$pid" "${commands[@]/#/-ex=}" </dev/null >"$WORK/gdb" 2>&1 ||
    skip "gdb may not attach to processes here"
grep -q '^image: [0-9]' "$WORK/gdb" || fail "the image is out of reach: $(tail -20 "$WORK/gdb")"
for what in secret over truncate outside socket fork program; do
    grep -Eq "^$what: -1 (1|13)$" "$WORK/gdb" || fail "not refused: $what: $(grep "^$what" "$WORK/gdb")"
done
[[ -e $TOP/escaped ]] && fail "a file was made"

# It still serves; and what a client may ask for is as small.
gdb_session "target extended-remote $address" "monitor save $WORK/run" \
    'set remote exec-file /etc/passwd' run 'set remote exec-file hello' run
expect_gdb 'without /, or start it with --sandbox=off'
expect_gdb 'Running "/etc/passwd" on the remote target failed'
end_of_server
expect_out 'Hello, KVM!\n'

serve --gdb=0 --sandbox=off minimal
[[ $(walls Seccomp) == 0 ]] || fail "--sandbox=off has a filter"
kill "$pid"
end_of_server

# A run is saved once, where minikvm was started.
has soft || finish
CPU=soft serve --gdb=0 minimal
gdb_session "target remote $address" stepi 'monitor save run' 'monitor save run' detach
expect_gdb '^saved; minikvm --replay=run'
expect_gdb 'cannot save: run: File exists'
kill "$pid"
end_of_server
finish
