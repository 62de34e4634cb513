/* A ROM image: a file of the user's, such as a BIOS. */
#ifndef MINIKVM_ROM_H
#define MINIKVM_ROM_H

#include "vmm/memory/memory.h"

/* Puts the file into memory as its ROM. 0, or -errno with a sentence. */
int rom_load(struct memory *, const char *path, char *error, size_t size);

#endif
