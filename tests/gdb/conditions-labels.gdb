# A condition on an assembler's label, for which gdb sends code that means something else:
# the stub stops, and gdb looks by itself. {int}&label is right, and quick.
# guest: @BUILD@/tests/guests/based.elf
# status: 1
set breakpoint condition-evaluation target
break inner if *(int *)&variable == 1
break protected if $eip == &protected
break outer if {int}&variable == 0
break *((int)outer + 8) if {int}&variable == 1
continue
continue
info breakpoints
continue
delete
break *((int)outer + 9) if *(int *)&variable == 1
continue
continue
