# A call of the BIOS, which is not there, stops in the handler that nobody has set; so one
# sees where it came from, and can go back. Before it, `monitor explain` says so.
# guest: --bios=none @BUILD@/tests/guests/bios.elf
# engines: soft
break calls
continue
monitor explain
stepi
monitor explain
reverse-stepi
x/i $pc
set var *(char *)0x3000 = 0x90
continue
x/i $pc
x/3xh $sp
monitor explain
continue
x/i $pc
continue
