/* Formatted text out; see text.h. */
#include "vmm/host/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_print(const struct text *t, const char *format, ...) {
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    t->put(t->context, line);
}
