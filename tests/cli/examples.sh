# What the documents show is what comes (tests/examples.py).
. "$TOP/tests/cli/lib.sh"
need gdb
need_engine
export MINIKVM TOP

python3 "$TOP/tests/examples.py" "$TOP/README.md" "$TOP/docs/manual.md" "$TOP/CONTRIBUTING.md" "$TOP/docs/testing.md" || fail "a document shows what does not come"

# A document that is wrong is found.
wrong() {
    printf '%s\n' "$@" >"$WORK/wrong.md"
    python3 "$TOP/tests/examples.py" "$WORK/wrong.md" 2>"$WORK/why" && fail "not found to be wrong: $*"
}
wrong '```console' '$ ./minikvm hello' 'Hello, QEMU!' '```'
wrong '```console' '$ false; echo $?' '0' '```'
wrong '```sh' 'make no-such-target' '```'
wrong '```sh' 'tests/run gdb/no-such-test' '```'
wrong '```sh' './minikvm no-such-guest' '```'
wrong '<!-- guest: hello -->' '```gdb' '(gdb) break no_such_symbol' '```'
wrong '<!-- guest: hello -->' '```gdb' '(gdb) p $cpumode' '$1 = LONG64' '```'
wrong '<!-- guest: hello -->' '```gdb' '(gdb) p nonsense' '(gdb) stepi' '```'
wrong 'no example at all'
finish
