# The 1K OS: every program, every wrong key, backspace, long lines, end of input; on
# the built-in CPU and, in auto mode, with its take-over. And it is the same run twice.
. "$TOP/tests/cli/lib.sh"

sh "$TOP/tests/cli/os-1k/check.sh" "$MINIKVM" --cpu=soft os-1k || exit 1
sh "$TOP/tests/cli/os-1k/check.sh" "$MINIKVM" os-1k 2>/dev/null || exit 1

same_run() {
    "$MINIKVM" --cpu=soft --stats os-1k <"$TOP/tests/cli/os-1k/all-programs.in" 2>&1 >/dev/null |
        grep -e instructions -e 'memory hash'
}
first=$(same_run)
[ -n "$first" ] && [ "$first" = "$(same_run)" ] || { echo "two runs differ: $first"; exit 1; }
