# Real mode straight into paging: a step, and a run to behind it.
# guest: @BUILD@/tests/guests/at-once.elf
# needs: paging32
# status: 0
break at_once
continue
stepi
p $cr0
x/i $pc
break paged
continue
p $cpumode
continue
