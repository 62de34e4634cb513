# Back over a write to a disk the sector is as it was, and forth it is as it was written.
# guest: --disk=@BUILD@/tests/guests/disk.img @BUILD@/tests/guests/ide.elf
# engines: soft
break before_write
continue
break end_of_read_back
continue
x/1hx 0x4000
reverse-continue
info symbol $pc
continue
x/1hx 0x4000
reverse-continue
set $pc = read_back
continue
x/1hx 0x4000
