/* The last bytes of a text: a bounded buffer that forgets its begin. */
#ifndef MINIKVM_TAIL_H
#define MINIKVM_TAIL_H

#include <stddef.h>

struct tail {
    char *bytes; /* room for `size` */
    size_t size, head, length;
    size_t lost; /* bytes that are forgotten */
};

void tail_put(struct tail *, const char *text, size_t length);
/* The n-th byte, from the oldest on. */
char tail_at(const struct tail *, size_t n);
/* It lies in two pieces at most: the one that begins with byte n; returns its length. Safe in
 * a signal handler. */
size_t tail_piece(const struct tail *, size_t n, const char **piece);
void tail_drop(struct tail *); /* the last byte, if there is one */
void tail_clear(struct tail *);

#endif
