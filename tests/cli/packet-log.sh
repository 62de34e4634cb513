# --log=packets: each packet is a line on stderr, with its direction, process and time;
# --log=input: each byte of input, when it comes and when a device takes it; and --log=exits is
# --verbose.
. "$TOP/tests/cli/lib.sh"
need_engine

printf '+$qSupported:multiprocess+#c6+$?#3f+$m1000,2#8c+$k#6b' >"$WORK/packets"
"$MINIKVM" ${CPU:+--cpu=$CPU} --gdb=- --log=packets hello <"$WORK/packets" >"$WORK/out" 2>"$WORK/err"
ran="minikvm --gdb=- --log=packets hello"
expect_err '^minikvm: packets [0-9]+\.[0-9]{6} - -> qSupported:multiprocess\+$'
expect_err '^minikvm: packets [0-9]+\.[0-9]{6} - <- PacketSize=20000;'
expect_err '^minikvm: packets [0-9]+\.[0-9]{6} p1 <- T05.*thread:p1\.1;'
expect_err '^minikvm: packets [0-9]+\.[0-9]{6} p1 -> m1000,2$'
expect_err '^minikvm: packets [0-9]+\.[0-9]{6} p1 -> k$'

run --log=exits minimal
expect_err '^minikvm: engine: '

printf 'kl' >"$WORK/typed"
stdin=$WORK/typed
run --log=input hctest # takes one
grep -Fqx "GETCHAR: k code 107" "$WORK/out" || fail "$ran: $(cat "$WORK/out")"
expect_err "^minikvm: input [0-9]+\.[0-9]{6} m1 from stdin: 6b 'k'$"
expect_err "^minikvm: input [0-9]+\.[0-9]{6} m1 from stdin: 6c 'l'$"
expect_err "^minikvm: input [0-9]+\.[0-9]{6} m1 taken by hypercall: 6b 'k'(, at icount [0-9]+)?$"
grep -q 'taken by.*6c' "$WORK/err" && fail "$ran: what nobody takes is logged as taken: $(cat "$WORK/err")"
printf '\377' >"$WORK/typed"
run --log=input,exits "$BUILD/tests/guests/serial.elf"
expect_err '^minikvm: input .* from stdin: ff$'
expect_err '^minikvm: input .* taken by uart: ff'
expect_err '^minikvm: input .* from stdin: its end$'
stdin=/dev/null
run --log=output minimal
expect_status 2
expect_err "packets,exits,bios,input"
finish
