# stepi over int n stops at the handler's first instruction, and iret comes back.
# needs: exec-bp
# guest: @BUILD@/tests/guests/steps.elf
break at_int
continue
stepi
info symbol $pc
x/3xh $sp
stepi
stepi
info symbol $pc
