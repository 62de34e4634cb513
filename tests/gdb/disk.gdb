# A driver that reads a disk: identify, polling, interrupts; steps over what passes a sector.
# needs: exec-bp
# guest: --disk=@BUILD@/tests/guests/disk.img @BUILD@/tests/guests/ide.elf
# output: 1 4096 6 7 1198 4095 6 7 4660 good\n
break polled
continue
x/1hd 0x4078
break take_sector
continue
next
next
next
x/1hx 0x4000
stepi
x/1hx 0x4000
x/1hx 0x41fe
delete
break interrupt
continue
next
next
next
next
info symbol $pc
delete
break written
continue
continue
