# title: A boot sector
# The first code of a disk that a PC runs: 512 bytes, loaded by the BIOS to 0000:7C00. The image of the disk has no
# symbols; those of the ELF file of its name beside it, bootsector.elf, come by themselves.
# needs: exec-bp
# guest: bootsector.img
# The BIOS has loaded the sector, with its signature at the end, and says in DL which drive it was.
x/i $pc
x/xh 0x7c00 + 510
p $cpumode
p/x $edx & 0xff
# The first call of the BIOS. What it asks is in registers: AH is the function, AL the character.
break next_character
continue
delete
stepi 3
x/i $pc
p/x $ax
# A step over `int` is the whole service, as if it were one instruction; the letter is on the screen.
stepi
x/i $pc
monitor screen
# The screen is memory: a character and its color in two bytes.
x/2xb 0xb8000
# A vector of the interrupt table says where the service is: in the BIOS's ROM at F0000.
x/2xh 0x10 * 4
# The last `hlt`, with interrupts off, ends it.
continue
monitor screen
