# ROM is written by a debugger as RAM is, by physical and by linear address, on both of
# its places; a guest cannot. There is no past with another ROM.
# guest: --rom=@BUILD@/tests/guests/rom.bin
x/i $pc
x/3xb 0xfffffff0
set var *(unsigned char *)0xfffffff1 = 0x34
x/2xb 0xffff0
x/2xb 0xfffffff0
monitor phys on
set var *(unsigned char *)0xffff1 = 0x12
monitor phys off
x/2xb 0xfffffff0
stepi
p/x $al
