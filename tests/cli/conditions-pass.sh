# A condition that is never true, on every line of a guest, changes nothing that the
# guest does: each instruction is done exactly once, whichever way it is passed.
. "$TOP/tests/cli/lib.sh"
need gdb objcopy
guests="counter fibonacci multiplication hctest pmode ring3"

lines_of() { # the address of each line of its source
    objdump --dwarf=decodedline "$BUILD/guests/$1.elf" |
        awk '$3 ~ /^0x/ { print $3 }' | sort -u
}

for engine in kvm soft; do
    has $engine && [[ ! $CPU || $CPU == "$engine" ]] || continue
    for guest in $guests; do
        [[ $guest$engine == ring3kvm ]] && ! has paging32 && continue
        CPU=$engine run "$guest"
        cp "$WORK/out" "$WORK/plain"
        plain=$status
        commands=()
        while read -r at; do commands+=("break *$at if \$eax == 0x5a0f5a0f"); done < <(lines_of "$guest")
        [[ ${#commands[@]} -gt 4 ]] || fail "$guest: only ${#commands[@]} lines in its line table"
        CPU=$engine serve --gdb=0 "$guest"
        gdb_session "target remote $address" "${commands[@]}" continue
        end_of_server
        [[ $status == "$plain" ]] || fail "$ran ($engine): status $status, not $plain"
        expect_out_file "$WORK/plain"
        grep -q '^Breakpoint [0-9]*, ' "$WORK/gdb" && fail "$guest ($engine): stopped: $(tail -3 "$WORK/gdb")"
    done
done
finish
