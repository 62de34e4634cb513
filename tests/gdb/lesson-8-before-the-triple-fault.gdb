# title: Before the triple fault
# A PC restarts at a triple fault, and all that one could have looked at is gone. Here
# it is a stop, and the past is still there: walk back from the fault to the
# instruction that loaded the wrong GDTR.
# guest: broken_gdt
# engines: soft
# The line says how one exception led to the next.
continue
# With its reasons:
monitor explain
# GDTR has another base than the table: 0x58 for 0x1058.
p/x $gdtr
p &gdt
# Where was it loaded?
reverse-stepi
x/i $pc
reverse-stepi
x/i $pc
reverse-stepi
reverse-stepi
x/i $pc
# Before this instruction GDTR is as after power-on, behind it wrong: the value in
# memory is the mistake, and not what happened later.
p/x $gdtr
stepi
p/x $gdtr
reverse-continue
