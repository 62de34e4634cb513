/* The ROM's bytes, and its ELF file for a debugger, as the Makefile has made them of rom.S. */
#include "vmm/board/bios/bios.h"

#define EMBED(NAME, FILE)                                                                          \
    __asm__(".pushsection .rodata\n.balign 16\n.globl " #NAME "\n" #NAME ":\n.incbin \"" FILE       \
            "\"\n.globl " #NAME "_end\n" #NAME "_end:\n.byte 0\n.popsection\n")

EMBED(bios_rom, BIOS_BUILD "/rom.bin");
EMBED(bios_elf, BIOS_BUILD "/rom.elf");
