# A hlt that nothing can wake is a stop with a sentence; it stays one until the
# CPU is woken by hand.
# needs: exec-bp
# guest: @BUILD@/tests/guests/steps.elf
# status: 7
break at_hlt
continue
stepi
info symbol $pc
continue
stepi
monitor wake
continue
