/* What the kernels in C share: a text screen, and a range of memory on it. */
#ifndef SCREEN_H
#define SCREEN_H

#include <stdint.h>

#include "print.h"

void screen_clear(void);
void screen_continue(unsigned row); /* what is above it stays */
void print_range(uint64_t base, uint64_t length, uint32_t kind);
void print_module(uint32_t from, uint32_t to, const char *text);

#endif
