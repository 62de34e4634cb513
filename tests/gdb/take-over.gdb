# auto: where this KVM cannot go on, the built-in CPU takes over at exactly that
# instruction, and says so.
# guest: paging
# engines: auto
# needs: no-paging32
# status: 0
break enable_paging
continue

stepi
p $cr0
info symbol $pc

continue
