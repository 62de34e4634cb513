# An out and an in are one instruction, and are done once.
# needs: exec-bp
# guest: @BUILD@/tests/guests/steps.elf
# output: !
break at_out
continue
stepi
info symbol $pc
stepi
stepi
info symbol $pc
p/x $al
