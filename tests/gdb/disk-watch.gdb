# A watchpoint on where a sector goes: the rep insw stops at the word that changes it.
# guest: --disk=@BUILD@/tests/guests/disk.img @BUILD@/tests/guests/ide.elf
# engines: soft
break polled
continue
watch *(short*)0x4002
continue
info symbol $pc
p $cx
reverse-stepi
x/2hx 0x4000
