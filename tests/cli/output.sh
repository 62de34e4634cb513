# What could not be written is told, and the status says so: of a guest, of --help and its
# kind, of the statistics; to a full disk, to nobody, to what is closed.
. "$TOP/tests/cli/lib.sh"
need_engine
[[ -e /dev/full ]] || skip "this machine has no /dev/full"
lost() { # lost WHY WORD...: run with stdout as it is now
    local why=$1
    shift
    ran="minikvm $*"
    "$MINIKVM" "$@" </dev/null 2>"$WORK/err"
    status=$?
    expect_status 125
    expect_err "^minikvm: .*cannot write to stdout: $why\$"
}
for words in --help --man --version --list-packets hello "hello hello" "--stats hello" "--gdb=0 --gdb-nowait hello"; do
    lost 'No space left on device' $words >/dev/full
    lost 'Bad file descriptor' $words >&-
done
for words in hello "hello counter"; do # a pipe that nobody reads any more
    mkfifo "$WORK/pipe"
    exec {reader}<>"$WORK/pipe" {writer}>"$WORK/pipe"
    exec {reader}<&-
    lost 'Broken pipe' $words >&$writer
    lost 'Broken pipe' --help >&$writer
    exec {writer}>&-
    rm "$WORK/pipe"
done
ran="minikvm --stats hello 2>/dev/full"
"$MINIKVM" --stats hello </dev/null >"$WORK/out" 2>/dev/full
status=$?
expect_status 125
expect_out 'Hello, KVM!\n'
# one that dies says that; what it printed was lost all the same
printf '\xb0\x2e\xe6\xe9\xba\x00\x05\xb0\x77\xee' >"$WORK/dies"
"$MINIKVM" "$WORK/dies" </dev/null >/dev/full 2>"$WORK/err"
status=$? ran="minikvm dies >/dev/full"
expect_status 124
expect_err 'cannot write to stdout'
# and with everything in order nothing is said
run --help
expect_status 0
expect_quiet
finish
