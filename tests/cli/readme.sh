# The README says what the program says: options, monitor commands, packets, lessons.
for block in options monitor protocol; do
    grep -qx "<!-- $block -->" "$TOP/README.md" || { echo "no block of $block"; exit 1; }
done
"$TOP/scripts/readme" --check
