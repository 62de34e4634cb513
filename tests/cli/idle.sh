# A guest that waits in a hlt sleeps in real time: its clock does not run ahead, and
# the host's processor rests. The 1K OS tells its uptime when it is asked at last.
. "$TOP/tests/cli/lib.sh"

need soft
mkfifo "$WORK/keys"
begin=$(date +%s)
"$MINIKVM" --cpu=soft os-1k <"$WORK/keys" >"$WORK/out" 2>&1 &
servers+=($!)
exec 3>"$WORK/keys"
until grep -q '^Select' "$WORK/out"; do read -rt 0.02 <> <(:) || true; done
printf '9\n0\n' >&3
exec 3>&-
wait "${servers[0]}" || fail "exit status $?; it printed: $(cat "$WORK/out")"
elapsed=$(($(date +%s) - begin + 1))
uptime=$(sed -n 's/^Uptime: \([0-9]*\)\..*/\1/p' "$WORK/out")
[ -n "$uptime" ] && [ "$uptime" -le "$elapsed" ] ||
    fail "the guest was up for '$uptime' s of its time in $elapsed s of ours"
finish
