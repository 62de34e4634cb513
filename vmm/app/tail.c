/* A bounded buffer of text; see tail.h. */
#include "vmm/app/tail.h"

#include <string.h>

static void put_byte(struct tail *t, char byte) {
    if (t->length == t->size) {
        t->bytes[t->head] = byte;
        t->head = (t->head + 1) % t->size;
        t->lost++;
    } else {
        t->bytes[(t->head + t->length++) % t->size] = byte;
    }
}

void tail_put(struct tail *t, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        put_byte(t, text[i]);
}

char tail_at(const struct tail *t, size_t n) { return t->bytes[(t->head + n) % t->size]; }

size_t tail_piece(const struct tail *t, size_t n, const char **piece) {
    size_t at = (t->head + n) % t->size, left = t->length - n;
    *piece = t->bytes + at;
    return left < t->size - at ? left : t->size - at;
}

void tail_drop(struct tail *t) { t->length -= t->length > 0; }

void tail_clear(struct tail *t) { t->head = t->length = t->lost = 0; }
