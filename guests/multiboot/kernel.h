/* What both kernels share: a text screen, and a range of memory on it. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdint.h>

#include "print.h"

/* The start code calls it with what the loader left in EAX and EBX. */
void kernel_main(uint32_t magic, const void *information);

void screen_clear(void);
void print_range(uint64_t base, uint64_t length, uint32_t kind);
void print_module(uint32_t from, uint32_t to, const char *text);

#endif
