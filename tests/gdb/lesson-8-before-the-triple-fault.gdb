# Before the triple fault: the guest is dead, and its past is still there. Walk back
# from the fault to the instruction that loaded the wrong GDTR.
# guest: broken_gdt
# engines: soft
continue
p/x $gdtr
p &gdt
reverse-stepi
x/i $pc
reverse-stepi
x/i $pc
reverse-stepi
reverse-stepi
x/i $pc
p/x $gdtr
stepi
p/x $gdtr
reverse-continue
