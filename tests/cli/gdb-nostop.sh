# A stop that repeats, nothing being executed in between, ends in a stop of gdb's however
# it was told to handle the signal: no flood, and the sentence once.
. "$TOP/tests/cli/lib.sh"
need soft gdb

# HANDLING SIGNAL GUEST COMMAND...: what gdb prints; a flood is cut off.
session() {
    local handling=$1 signal=$2 guest=$3 c words=()
    shift 3
    for c in 'set pagination off' 'set confirm off' "${before:-set width 0}" "handle $signal $handling" \
        "target remote | '$MINIKVM' --cpu=$CPU --gdb=- $guest" "$@"; do words+=(-ex "$c"); done
    gdb -q -nx -nh -batch "${words[@]}" </dev/null 2>&1 | head -c 60000 >"$WORK/gdb"
}
count() { grep -c -- "$1" "$WORK/gdb"; }

# check HANDLING SIGNAL GUEST SENTENCE COMMAND...: it has stopped, each thing said once at
# most. At the end of a step gdb does not name the trap; in non-stop there is no sentence.
check() {
    local handling=$1 signal=$2 guest=$3 sentence=$4
    shift 4
    session "$handling" "$signal" "$guest" "$@" 'p $eip'
    local told=$(count "$sentence") trap=$(count 'received signal SIGTRAP')
    [[ $1 == 'stepi 9' ]] && trap=1
    [[ $before == *non-stop* ]] && told=1
    [[ $told == 1 && $trap == 1 && $(count "received signal $signal") -le 1 ]] &&
        grep -q '^\$1 = ' "$WORK/gdb" && return
    fail "handle $signal $handling, $guest on $CPU, $before: $*: gdb printed: $(head -c 2000 "$WORK/gdb")"
}

printf '\xfa\xf4' >"$WORK/halts" # cli; hlt
for CPU in ${CPU:-kvm soft}; do
    has "$CPU" || continue
    for handling in 'nostop noprint pass' 'nostop print pass' 'nostop print nopass'; do
        for before in '' 'set non-stop on'; do
            check "$handling" SIGSTOP "$WORK/halts" 'halted, and nothing can wake it' continue
            [[ $CPU == soft ]] || continue
            check "$handling" SIGSEGV broken_gdt 'triple fault' continue
        done
        before=
        check "$handling" SIGSTOP "$WORK/halts" 'halted, and nothing can wake it' 'stepi 9'
    done
done

# A client that looks is told the same again, with its signal.
CPU=soft before=
session 'stop print pass' SIGSEGV broken_gdt continue 'p $eip' continue 'p $eip' stepi 'p $eip'
[[ $(count 'received signal SIGSEGV') == 3 && $(count 'triple fault') == 3 ]] ||
    fail "asked for again: $(cat "$WORK/gdb")"
finish
