# Bounds that a client meets, and what is told there; and a write that goes on at 0.
. "$TOP/tests/cli/lib.sh"
need_engine
command -v python3 >/dev/null || skip "this machine lacks: python3"
cd "$WORK" || exit 1
printf '\xb0\x11\xeb\xfe' >loop # mov al, 0x11; jmp .
cat >client.py <<'END'
import sys
import rsp

s = rsp.connect(sys.argv[1])

def ask(payload):
    answer = rsp.ask(s, payload)
    while answer.startswith(b"O") and answer != b"OK":
        answer = rsp.reply(s)
    return answer

ask(b"qSupported:multiprocess+;error-message+")
ask(b"?")
# watchpoints: as many bytes as there may be, and not one more
n = 0
while (answer := ask(b"Z2,%x,10000" % (0x10000 * n))) == b"OK":
    n += 1
assert n == 16 and answer.startswith(b"E.") and b"1 MiB" in answer, (n, answer)
for i in range(n):
    assert ask(b"z2,%x,10000" % (0x10000 * i)) == b"OK"
assert ask(b"Z2,1000,10001").startswith(b"E.")
# the code at 0 has been run, and so decoded; it is written over from below 4 GiB
assert ask(b"M0,4:b055ebfe") == b"OK" and ask(b"P8=00000000") == b"OK"
for _ in range(3):
    ask(b"vCont;s:p1.1")
assert ask(b"p0").startswith(b"55"), ask(b"p0")
ask(b"Mfffffffe,6:0000b066ebfe")
if "--rom" in sys.argv:  # else nothing is there below 4 GiB, and nothing is written beyond that
    assert ask(b"m0,4") == b"b066ebfe", ask(b"m0,4")
    assert ask(b"P8=00000000") == b"OK"
    ask(b"vCont;s:p1.1")
    assert ask(b"p0").startswith(b"66"), ask(b"p0")
s.sendall(rsp.frame(b"k"))
END
head -c 4096 /dev/zero >rom # ends at 4 GiB; a debugger may write to it
for words in loop "--rom=rom loop"; do
    serve "--gdb=unix:$WORK/s" $words
    PYTHONPATH="$TOP/tests/cli" python3 -B client.py "unix:$WORK/s" ${words%%[= ]*} >told 2>&1 ||
        { fail "$ran: $(tail -3 told)"; kill "$pid"; }
    end_of_server
done

# A recording and the wrong image: that is said, whatever else differs by it.
has soft && has gdb || finish
CPU=soft serve "--gdb=unix:$WORK/s" --sandbox=off loop
gdb_session "target remote $address" stepi "monitor save $WORK/run" kill
expect_gdb '^saved'
end_of_server
for image in hello os-1k long64; do
    run_bare --replay=run $image
    expect_status 125
    expect_err 'another image'
done
run_bare --replay=run --mem=2M loop
expect_err 'another --mem'
finish
