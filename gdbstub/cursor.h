/* Reading a packet's text from left to right.
 *
 * Rule: a cursor never passes its end, and a number that does not fit is an
 * error, not a wrapped number. Every function that returns false leaves the
 * packet to be refused; where the cursor then stands does not matter.
 */
#ifndef GDBSTUB_CURSOR_H
#define GDBSTUB_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
    const char *at, *end;
};

static inline size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->at); }
static inline bool cursor_done(const struct cursor *c) { return c->at == c->end; }

/* Takes one character if it is the next. */
bool cursor_char(struct cursor *, char);
/* Takes a whole word if it is next. */
bool cursor_word(struct cursor *, const char *word);
/* Takes a hexadecimal number of 1 to 16 significant digits. */
bool cursor_number(struct cursor *, uint64_t *);
/* "ADDRESS,LENGTH" */
bool cursor_range(struct cursor *, uint64_t *address, uint64_t *length);
/* What stands before the next `separator` (or the end), which is passed. */
struct cursor cursor_until(struct cursor *, char separator);
/* Decodes all that is left as hex into text with an end mark. false: odd, no
 * hex, longer than size - 1 bytes, or with a NUL in it. */
bool cursor_hex_text(const struct cursor *, char *to, size_t size);

#endif
