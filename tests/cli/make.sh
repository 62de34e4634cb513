# The Makefile: what it makes is listed, but for what begins with _ and is its own.
. "$TOP/tests/cli/lib.sh"
cd "$TOP" || exit 1

make --no-print-directory help >"$WORK/out"
listed() { grep -Eq "^  make $1 +[a-z0-9A-Z]" "$WORK/out"; }
for target in $(sed -n 's/^\.PHONY: *//p' Makefile ./*/*.mk ./tests/fuzz/*.mk); do
    [[ $target == _* ]] || listed "$target" || fail "make help has nothing about $target"
done
listed all || fail "make help lists nothing: $(cat "$WORK/out")"

# what is missing is said with how to get it
mkdir "$WORK/bin"
for tool in bash sh cat id make rm dirname; do ln -s "$(command -v $tool)" "$WORK/bin/"; done
PATH=$WORK/bin scripts/needs 'make test' gcc python3 bash >"$WORK/needs" 2>&1 && fail "nothing is missing?"
printf '%s\n' 'make test: this needs packages that are not installed; type:' \
    '    sudo apt-get install -y gcc libc6-dev linux-libc-dev python3' | cmp - "$WORK/needs" ||
    fail "$(cat "$WORK/needs")"
PATH=$WORK/bin scripts/demo >"$WORK/demo" 2>&1 && fail "demo without a compiler"
grep -q 'install -y gcc .* gdb' "$WORK/demo" || fail "$(cat "$WORK/demo")"
scripts/needs nothing bash || fail "bash is missing?"
finish
