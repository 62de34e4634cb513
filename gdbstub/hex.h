/* Hexadecimal text, the protocol's way to write bytes.
 *
 * Rule: a digit is looked up in a table, nothing is guessed: text that is not
 * hexadecimal throughout is refused as a whole.
 */
#ifndef GDBSTUB_HEX_H
#define GDBSTUB_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* Value of a digit of either case, -1 for any other character. */
int hex_digit(char c);
/* Writes 2 * size characters, no end mark. */
void hex_encode(char *to, const void *from, size_t size);
/* Reads exactly 2 * size characters. false, with `to` undefined, for others. */
bool hex_decode(void *to, const char *from, size_t size);

#endif
