/* Where an answer for a person goes: to a debugger's console, a terminal, a
 * buffer. */
#ifndef MINIKVM_TEXT_H
#define MINIKVM_TEXT_H

struct text {
    void (*put)(void *context, const char *text);
    void *context;
};

void text_print(const struct text *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
