# The guest's own int3, into and #UD go to the guest's handlers, stepped or run.
# guest: @BUILD@/tests/guests/steps.elf
# needs: exec-bp
break after_int
continue
stepi
stepi
info symbol $pc
tbreak after_int3
continue
p $ah
tbreak after_into
continue
p $ah
break at_ud
continue
stepi
info symbol $pc
x/3xh $sp
tbreak after_ud
continue
