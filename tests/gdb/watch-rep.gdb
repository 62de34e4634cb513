# A watchpoint stops a rep instruction at the iteration that touches it.
# guest: @BUILD@/tests/guests/steps.elf
# needs: data-bp
watch *((char*)&target + 3)
continue
info symbol $pc
p $cx
x/8c &target
delete
stepi
info symbol $pc
