# The README says what the program says: options, monitor commands, packets, lessons.
for block in options monitor protocol; do
    grep -qx "<!-- $block -->" "$TOP/README.md" || { echo "no block of $block"; exit 1; }
done
grep -oE '`tests/[a-z0-9/_.-]+`' "$TOP/README.md" | tr -d '`' | while read -r file; do
    [ -e "$TOP/$file" ] || { echo "the README names what is not there: $file"; exit 1; }
done || exit 1
"$TOP/scripts/readme" --check
