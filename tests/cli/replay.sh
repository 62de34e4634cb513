# A run of the 1K OS, saved through gdb and done again by another process: the same
# output, the same count, the same memory. And files that are no recording.
. "$TOP/tests/cli/lib.sh"
need gdb
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1 # where the sandbox lets it save

timeout 60 gdb -q -nx -batch -ex "target remote | $MINIKVM --cpu=soft --stats --gdb=- os-1k 2>$dir/live" \
    -ex 'tbreak kernel_main' -ex continue -ex 'stepi 2000' -ex "monitor save run" \
    </dev/null >"$dir/gdb" 2>&1
grep -q '^saved' "$dir/gdb" || { cat "$dir/gdb"; exit 1; }
pick() { grep -e '^instructions' -e 'memory hash' -e 'instructions '; }
timeout 60 "$MINIKVM" --stats --replay="$dir/run" os-1k </dev/null >"$dir/out" 2>"$dir/again" || exit 1
grep -q 'the recording ends here' "$dir/again" || { cat "$dir/again"; exit 1; }
grep -q 'not what it was' "$dir/again" && { cat "$dir/again"; exit 1; }
first=$(pick <"$dir/again")
"$MINIKVM" --stats --replay="$dir/run" os-1k </dev/null >"$dir/out2" 2>"$dir/again2"
[ -n "$first" ] && cmp "$dir/out" "$dir/out2" || exit 1

# another processor is told of, and no more than that
LC_ALL=C sed 's/ family [0-9]/ family X/' "$dir/run.replay" >"$dir/elsewhere"
"$MINIKVM" --stats --replay="$dir/elsewhere" os-1k </dev/null >"$dir/out3" 2>"$dir/again3"
cmp "$dir/out" "$dir/out3" || exit 1
grep -q 'elsewhere was recorded on .* family X' "$dir/again3" || { cat "$dir/again3"; exit 1; }
grep -q 'was recorded on' "$dir/again" && { cat "$dir/again"; exit 1; }

refused() { # file, image, what it says
    "$MINIKVM" --replay="$1" $2 </dev/null 2>"$dir/why" >/dev/null && { echo "taken: $1"; exit 1; }
    grep -q "$3" "$dir/why" || { cat "$dir/why"; exit 1; }
}
refused "$dir/run" hello 'another'
refused "$dir/none" os-1k 'No such file'
refused "$MINIKVM" os-1k 'no recording'
{ head -c 16 "$dir/run.replay"; printf '\1\0\0\0\0\0\0\0'; tail -c +25 "$dir/run.replay"; } >"$dir/old"
refused "$dir/old" os-1k 'another version'
head -c 90 "$dir/run" >"$dir/cut"
refused "$dir/cut" os-1k 'no recording'
refused "$dir/run" '--cpu=kvm os-1k' 'built-in CPU'
