/* The text on a screen that was not printed; see leftover.h. */
#include "vmm/app/leftover.h"

#include <string.h>

#include "vmm/devices/display/screen_text.h"

static bool ends_within_character(const struct tail *t) {
    return t->length > 1 && (tail_at(t, t->length - 1) & 0xc0) == 0x80; /* RFC 3629 */
}

static void one_back(struct tail *t) {
    while (ends_within_character(t))
        tail_drop(t);
    if (t->length && tail_at(t, t->length - 1) != '\n')
        tail_drop(t);
}

void leftover_note(struct tail *t, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\b')
            one_back(t);
        else
            tail_put(t, text + i, 1);
}

static bool is_at(const struct tail *t, size_t at, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (tail_at(t, at + i) != text[i])
            return false;
    return true;
}

/* Behind its first place from *at on. */
static bool find_line(const struct tail *t, size_t *at, const char *text, size_t length) {
    for (size_t i = *at; i + length <= t->length; i++)
        if (is_at(t, i, text, length)) {
            *at = i + length;
            return true;
        }
    return false;
}

/* The characters as the guest wrote them. */
static size_t raw_row(const struct screen *s, unsigned row, char *out) {
    size_t length = 0, n = s->columns;
    while (n && screen_is_blank(s->cell[row][n - 1].character))
        n--;
    for (size_t column = 0; column < n; column++)
        out[length++] = (char)s->cell[row][column].character;
    return length;
}

static bool find_without_indent(const struct tail *t, size_t *at, const char *text, size_t length) {
    size_t indent = 0;
    while (indent < length && screen_is_blank((uint8_t)text[indent]))
        indent++;
    return find_line(t, at, text + indent, length - indent);
}

/* Printed as UTF-8, as ASCII, or as it is. */
static bool is_printed(const struct screen *s, unsigned row, const struct tail *t, size_t *at) {
    char text[SCREEN_TEXT];
    return find_without_indent(t, at, text, screen_text_row(s, row, true, text)) ||
           find_without_indent(t, at, text, screen_text_row(s, row, false, text)) ||
           find_without_indent(t, at, text, raw_row(s, row, text));
}

bool leftover_is_there(const struct screen *s, const struct tail *printed) {
    size_t at = 0;
    for (unsigned row = 0, rows = screen_text_rows(s); row < rows; row++)
        if (!is_printed(s, row, printed, &at))
            return true;
    return false;
}

void leftover_print(const struct screen *s, bool utf8,
                    void (*put)(void *context, const char *text, size_t length), void *context) {
    char text[SCREEN_TEXT];
    bool begun = false;
    for (unsigned row = 0, rows = screen_text_rows(s); row < rows; row++) {
        size_t length = screen_text_row(s, row, utf8, text);
        begun |= length > 0;
        text[length] = '\n'; /* in the zero's place */
        if (begun)
            put(context, text, length + 1);
    }
}
