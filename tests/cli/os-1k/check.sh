#!/bin/sh
# check.sh COMMAND...: runs COMMAND (such as `./minikvm os-1k`) with every NAME.in
# as its input and compares with NAME.out. Says what differs; status 1 if any does.
# With KEEP=DIR it leaves what was printed in DIR/NAME.out.
here=$(dirname "$0")
keep=${KEEP:-$(mktemp -d)}
failed=0
for input in "$here"/*.in; do
    name=$(basename "$input" .in)
    timeout 60 "$@" <"$input" >"$keep/raw"
    status=$?
    sed -f "$here/mask.sed" "$keep/raw" >"$keep/$name.out"
    if [ $status -ne 0 ] || ! cmp -s "$here/$name.out" "$keep/$name.out"; then
        echo "os-1k: $name: status $status"
        diff "$here/$name.out" "$keep/$name.out"
        failed=1
    fi
done
rm -f "$keep/raw"
[ -n "${KEEP:-}" ] || rm -rf "$keep"
exit $failed
