# Back over a call of the BIOS in one step; who wrote is the INT; the ROM is stepped when wanted.
# guest: @BUILD@/tests/boot/calls.img
# engines: soft
# input: x
# output: A
break key
continue
reverse-stepi
reverse-stepi
x/i $pc
x/2xb 0x7e00
stepi
x/2xb 0x7e00
monitor when-written 0x7e00
watch *(char *)0x7e00
reverse-stepi
continue
reverse-continue
x/i $pc
delete
stepi
stepi
stepi
x/i $pc
reverse-stepi
x/i $pc
monitor step bios on
stepi
x/i $pc
stepi
x/i $pc
reverse-stepi
x/i $pc
kill
