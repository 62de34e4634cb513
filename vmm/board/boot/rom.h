/* A ROM image: a file of the user's, such as a BIOS. */
#ifndef MINIKVM_ROM_H
#define MINIKVM_ROM_H

#include "vmm/memory/memory.h"

/* Puts the file into memory as its ROM; what is from C0000 on is as it is at power-on, the ROM
 * alone. 0, or -errno with a sentence. */
int rom_load(struct memory *, const char *path, char *error, size_t size);
/* The option ROM of the VGA, to be freed. 0, or -errno with a sentence. */
int rom_read_vga(const char *path, uint8_t **bytes, size_t *length, char *error, size_t size);

#endif
