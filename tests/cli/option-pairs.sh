# Every two options together, with a guest that uses the UART, the timer, the keyboard and
# the PIC: it ends as it should, or there is a message; never a signal, never a hang.
. "$TOP/tests/cli/lib.sh"
need_engine
# Behind nops, so that it may be loaded and entered elsewhere, and the same in every mode:
# UART interrupts on, PIC and PIT programmed, port 0x61 and the clock read, "A" printed by
# the UART, interrupts on, a key looked for; then EXIT.
head -c 6000 /dev/zero | tr '\0' '\220' >"$WORK/tiny"
printf '\xb2\xf9\xb6\x03\xb0\x03\xee\xb0\x11\xe6\x20\xb0\x20\xe6\x21\xb0\x04\xe6\x21\xb0\x01\xe6\x21\xb0\xff\xe6\x21' >"$WORK/code"
printf '\xb0\x34\xe6\x43\xb0\x10\xe6\x40\xe6\x40\xe4\x40\xe4\x61\xb0\x00\xe6\x70\xe4\x71' >>"$WORK/code"
printf '\xb2\xf8\xb6\x03\xb0\x41\xee\xe4\x64\xe4\x60\xfb\x90\xfa\xb2\x00\xb6\x05\xb0\x00\xb3\x00\xee' >>"$WORK/code"
cat "$WORK/code" >>"$WORK/tiny"
cp "$WORK/code" "$WORK/rom"
truncate -s 65520 "$WORK/rom" # its reset vector: jmp to its begin
printf '\xea\x00\x00\x00\xf0' >>"$WORK/rom"
truncate -s 65536 "$WORK/rom"
truncate -s 100K "$WORK/disk"

sandboxes=(--sandbox={on,off})
! is_sanitized || sandboxes=(--sandbox=off)
options=(--cpu={auto,kvm,soft} --mem={64K,256K,16M} --load={0x500,0x7c00,0xe000} --entry={0x1000,0x1100}
    --mode={real,protected,long} --rom="$WORK/rom" --irqchip={auto,none,on} --history={0,1M} "${sandboxes[@]}"
    --color={always,never} --verbose --log=packets --stats --gdb=- --gdb=0\ --gdb-nowait --replay="$WORK/rom"
    --disk="$WORK/disk" --disk="$WORK/disk",write --floppy="$WORK/disk")
cd "$WORK" || exit 1
both=() tried=0
for a in "${options[@]}"; do
    for b in "${options[@]}"; do
        [[ ${a%%=*} < ${b%%=*} || $a == "$b" ]] && both+=("$a $b")
    done
done
for words in "${both[@]}"; do
    ran="minikvm $words tiny"
    timeout -k 9 60 "$MINIKVM" $words tiny </dev/null >out 2>err
    status=$?
    : $((tried++))
    case $status in
    0) [[ $words == *--gdb=-* || $(tr -d '\0' <out) == *A* ]] || fail "$ran: it printed $(head -c 100 out)" ;;
    124 | 125 | 2) [[ $(grep -c '^minikvm: .' err) -ge 1 ]] || fail "$ran: status $status without a word" ;;
    *) fail "$ran: status $status: $(tail -c 300 err)" ;;
    esac
    sanitizers_reports
done
((tried > 200)) || fail "only $tried pairs"
finish
