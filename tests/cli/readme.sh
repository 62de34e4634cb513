# The README says what the program says: options and monitor commands.
"$MINIKVM" --help | grep '^  --' | while IFS= read -r line; do
    grep -qF -- "$line" "$TOP/README.md" || { echo "not in the README: $line"; exit 1; }
done || exit 1
grep '^monitor [a-z]* .*[a-z]' "$TOP/tests/gdb/monitor.out" | while IFS= read -r line; do
    grep -qF -- "$line" "$TOP/README.md" || { echo "not in the README: $line"; exit 1; }
done
"$TOP/scripts/readme" --check
