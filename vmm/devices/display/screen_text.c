/* A row of a text screen as text; see screen_text.h. */
#include "vmm/devices/display/screen_text.h"

static unsigned used_columns(const struct screen *s, unsigned row) {
    unsigned n = s->columns;
    while (n && screen_is_blank(s->cell[row][n - 1].character))
        n--;
    return n;
}

size_t screen_text_row(const struct screen *s, unsigned row, bool utf8, char out[SCREEN_TEXT]) {
    size_t length = 0;
    for (unsigned column = 0, n = used_columns(s, row); column < n; column++) {
        uint8_t c = s->cell[row][column].character;
        if (utf8)
            length += cp437_utf8(c, out + length);
        else
            out[length++] = cp437_ascii(c);
    }
    out[length] = 0;
    return length;
}

unsigned screen_text_rows(const struct screen *s) {
    unsigned n = s->rows;
    while (n && !used_columns(s, n - 1))
        n--;
    return n;
}
