/* The ROM's bytes, as the Makefile has made them of rom.S. */
#include "vmm/board/bios/bios.h"

__asm__(".pushsection .rodata\n.balign 16\n.globl bios_rom\nbios_rom:\n.incbin \"" BIOS_BUILD
        "/rom.bin\"\n.popsection\n");
