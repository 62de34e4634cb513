# A call of the BIOS is one step; a watchpoint sees what it writes; it is explained before and after.
# needs: exec-bp
# guest: @BUILD@/tests/boot/calls.img
# input: x
# output: A
# status: 120
break letter
continue
stepi
monitor explain
stepi
x/i $pc
monitor explain
monitor catch bios 10
tbreak sector
continue
monitor explain
watch *(char *)0x7e00
stepi
x/i $pc
monitor explain
x/2xb 0x7e00
delete
monitor catch bios 16/00
continue
x/i $pc
monitor catch
monitor catch bios 1x
monitor step bios
continue
