# A watchpoint that is never hit, in a guest that sleeps until interrupts come: they enter whatever the watchpoint costs.
# guest: keyboard
# input: ab\033
# status: 0
watch *(int *)0x6000
continue
