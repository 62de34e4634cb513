/* Hexadecimal text; see hex.h. */
#include "gdbstub/hex.h"

#include <stdint.h>

/* Value + 1, so that every character not named is 0: no digit. */
static const uint8_t digits[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int hex_digit(char c) { return digits[(uint8_t)c] - 1; }

void hex_encode(char *to, const void *from, size_t size) {
    static const char letters[] = "0123456789abcdef";
    const uint8_t *bytes = from;
    for (size_t i = 0; i < size; i++) {
        to[2 * i] = letters[bytes[i] >> 4];
        to[2 * i + 1] = letters[bytes[i] & 15];
    }
}

bool hex_decode(void *to, const char *from, size_t size) {
    uint8_t *bytes = to;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(from[2 * i]), low = hex_digit(from[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
