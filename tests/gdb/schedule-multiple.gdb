# Two machines that never stop by themselves: a `continue` moves the current one, or,
# with schedule-multiple, both.
# guest: @BUILD@/tests/guests/turns.elf @BUILD@/tests/guests/turns.elf
# gdb 13 takes the first stop of the process that it connected with for a part of that,
# and waits for ever, unless that process itself has been resumed before: so stepi.
stepi
inferior 2
tbreak again if *(int *)&turns == 1000
continue
p *(int *)&turns
inferior 1
p *(int *)&turns
# said in the second, it lets the first one go, too
set schedule-multiple on
inferior 2
tbreak again if *(int *)&turns == 500
continue
p *(int *)&turns
thread apply 2.1 -q -- p *(int *)&turns >= 1000
kill inferiors 1 2
