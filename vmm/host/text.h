/* Where an answer for a person goes: to a debugger's console, a terminal, a
 * buffer. */
#ifndef MINIKVM_TEXT_H
#define MINIKVM_TEXT_H

#include <stdbool.h>

/* Does who reads take UTF-8? As the locale says (environ(7)); else ASCII is all that is sure. */
bool text_is_utf8(void);

struct text {
    void (*put)(void *context, const char *text);
    void *context;
};

void text_print(const struct text *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
