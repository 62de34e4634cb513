/* Reading a packet's text; see cursor.h. */
#include "gdbstub/cursor.h"

#include "gdbstub/hex.h"

#include <string.h>

bool cursor_char(struct cursor *c, char wanted) {
    if (cursor_done(c) || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

bool cursor_word(struct cursor *c, const char *word) {
    size_t length = strlen(word);
    if (cursor_left(c) < length || memcmp(c->at, word, length))
        return false;
    c->at += length;
    return true;
}

bool cursor_number(struct cursor *c, uint64_t *value) {
    const char *start = c->at;
    uint64_t number = 0;
    for (; !cursor_done(c) && hex_digit(*c->at) >= 0; c->at++) {
        if (number >> 60)
            return false;
        number = number << 4 | (uint64_t)hex_digit(*c->at);
    }
    *value = number;
    return c->at != start;
}

bool cursor_range(struct cursor *c, uint64_t *address, uint64_t *length) {
    return cursor_number(c, address) && cursor_char(c, ',') && cursor_number(c, length);
}

struct cursor cursor_until(struct cursor *c, char separator) {
    struct cursor part = {c->at, c->end};
    const char *found = cursor_done(c) ? NULL : memchr(c->at, separator, cursor_left(c));
    if (found)
        part.end = found;
    c->at = found ? found + 1 : c->end;
    return part;
}

bool cursor_hex_text(const struct cursor *c, char *to, size_t size) {
    size_t length = cursor_left(c) / 2;
    if (cursor_left(c) % 2 || length >= size || !hex_decode(to, c->at, length))
        return false;
    to[length] = 0;
    return strlen(to) == length;
}
