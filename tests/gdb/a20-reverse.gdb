# A20 is part of the machine's state: back in time it is as it was.
# guest: --mem=2M @BUILD@/tests/guests/a20.elf
# engines: soft
break opened
continue
x/xb 0x100600
break closed
reverse-continue
reverse-continue
x/xb 0x100600
x/xb 0x600
reverse-stepi
x/xb 0x100600
x/xb 0x600
stepi
x/xb 0x100600
continue
x/xb 0x100600
