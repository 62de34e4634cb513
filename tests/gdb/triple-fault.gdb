# A triple fault is a stop, not a reset; the machine stays as it was.
# guest: broken_gdt
# needs: paging32
continue
p $cr0
continue
p $cr0
