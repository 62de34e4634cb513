# --log=packets: each packet is a line on stderr, with its direction, process and time; and
# --log=exits is --verbose.
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
finish
