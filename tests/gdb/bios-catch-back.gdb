# Backwards a call of the BIOS is caught where it is forwards: at the INT, before it.
# guest: @BUILD@/tests/boot/calls.img
# engines: soft
# input: x
# output: A
# status: 120
break *key + 2
continue
monitor catch bios
reverse-continue
x/i $pc
monitor explain
reverse-continue
x/i $pc
x/2xb 0x7e00
reverse-continue
x/i $pc
reverse-continue
continue
x/i $pc
stepi
x/i $pc
continue
x/i $pc
continue
x/i $pc
monitor catch off
delete
continue
