# rep movsb is one instruction.
# needs: exec-bp
# guest: @BUILD@/tests/guests/steps.elf
break at_rep
continue
p $cx
stepi
info symbol $pc
p $cx
x/8c &target
