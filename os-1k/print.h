/* The little of a C library that the kernel and the shell share. */
#ifndef OS_PRINT_H
#define OS_PRINT_H

#include <stddef.h>

void putchar(char c); /* the kernel's is the console, the shell's a system call */
void printf(const char *format, ...) __attribute__((format(printf, 1, 2))); /* %d %u %x %c %s */

/* gcc may call these by itself, for a struct that is set or copied. */
void *memset(void *to, int byte, size_t length);
void *memcpy(void *to, const void *from, size_t length);

#endif
