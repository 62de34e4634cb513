#include "print.h"

#include <stdarg.h>

static void print_string(const char *s) {
    while (*s)
        putchar(*s++);
}

static void print_unsigned(unsigned n) {
    if (n >= 10)
        print_unsigned(n / 10);
    putchar('0' + n % 10);
}

static void print_int(int n) {
    if (n < 0)
        putchar('-');
    print_unsigned(n < 0 ? 0u - n : (unsigned)n); /* -n overflows for the least int */
}

static void print_hex(unsigned n) {
    for (int shift = 28; shift >= 0; shift -= 4)
        putchar("0123456789abcdef"[n >> shift & 15]);
}

void printf(const char *format, ...) {
    va_list args;
    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%') {
            putchar(*format);
            continue;
        }
        switch (*++format) {
        case 'd': print_int(va_arg(args, int)); break;
        case 'u': print_unsigned(va_arg(args, unsigned)); break;
        case 'x': print_hex(va_arg(args, unsigned)); break;
        case 'c': putchar(va_arg(args, int)); break;
        case 's': print_string(va_arg(args, const char *)); break;
        }
    }
    va_end(args);
}

void *memset(void *to, int byte, size_t length) {
    for (char *p = to; length > 0; length--)
        *p++ = byte;
    return to;
}

void *memcpy(void *to, const void *from, size_t length) {
    const char *q = from;
    for (char *p = to; length > 0; length--)
        *p++ = *q++;
    return to;
}
