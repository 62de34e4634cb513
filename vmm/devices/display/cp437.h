/* Code page 437, the characters of a PC's text screen, for terminals and files.
 *
 * Rule: each character is one column wide, and none is a control character: 0 to 31 are the
 * pictures that a screen shows, and what shows nothing (0 and 255) is a space.
 */
#ifndef MINIKVM_CP437_H
#define MINIKVM_CP437_H

#include <stddef.h>
#include <stdint.h>

enum { CP437_UTF8 = 3 }; /* bytes at most */

/* The character in UTF-8, without a zero behind it; returns its length. */
size_t cp437_utf8(uint8_t character, char out[CP437_UTF8]);
/* The ASCII character that looks most like it. */
char cp437_ascii(uint8_t character);

#endif
