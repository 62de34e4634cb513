# A watchpoint on where DMA brings a sector: it stops at the OUT that gives the command's last byte, forwards and back.
# guest: @BUILD@/tests/boot/floppy.img
# engines: soft
break wait_irq
continue
continue
continue
watch *(short*)0x5000
continue
x/i $pc - 1
continue
reverse-continue
