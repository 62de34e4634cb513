/* Pictures as sixels; see sixel.h. */
#include "vmm/app/sixel.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BAND = 6, COLORS = 256, FIRST_CHARACTER = 63 };
/* At most: each colour is named and defined, and each dot may begin a run and end one. */
enum { COLOR_BYTES = 32, RUN_BYTES = 5, BAND_ROOM = COLORS * COLOR_BYTES + 2 * BAND * SIXEL_COLUMNS * RUN_BYTES };

static uint8_t color_of(uint32_t dot) {
    return (uint8_t)((dot >> 16 & 0xe0) | (dot >> 11 & 0x1c) | (dot >> 6 & 0x03));
}

bool sixel_set(struct sixel *s, unsigned columns, unsigned rows, unsigned cell, const uint32_t *dots) {
    bool same = s->known && s->columns == columns && s->rows == rows && s->cell == cell;
    s->known = same;
    s->columns = columns;
    s->rows = rows;
    s->cell = cell;
    for (unsigned y = 0; y < rows; y++) {
        for (unsigned x = 0; x < columns; x++)
            s->now[y][x] = color_of(dots[y * columns + x]);
        same = same && !memcmp(s->now[y], s->drawn[y], columns);
    }
    return !same;
}

/* --- bytes ---------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void put_text(struct sixel *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(s->bytes + s->length, SIXEL_ROOM - s->length, format, args);
    va_end(args);
    s->length += (size_t)n;
}

/* Repeated as a number, where that is shorter. */
static void put_run(struct sixel *s, unsigned count, uint8_t bits) {
    char c = (char)(FIRST_CHARACTER + bits);
    if (count > 3)
        put_text(s, "!%u%c", count, c);
    for (unsigned i = 0; count <= 3 && i < count; i++)
        s->bytes[s->length++] = c;
}

/* --- a band: six lines, a colour after the other ---------------------------------------- */

struct band {
    bool used[COLORS];
    uint8_t bits[COLORS][SIXEL_COLUMNS]; /* of the colours that are used */
};

static void fill_band(const struct sixel *s, unsigned top, struct band *b) {
    memset(b->used, 0, sizeof b->used);
    for (unsigned line = 0; line < BAND && top + line < s->rows; line++)
        for (unsigned x = 0; x < s->columns; x++) {
            uint8_t color = s->now[top + line][x];
            if (!b->used[color])
                memset(b->bits[color], 0, s->columns);
            b->used[color] = true;
            b->bits[color][x] |= (uint8_t)(1 << line);
        }
}

static void put_color(struct sixel *s, unsigned color, const uint8_t *bits) {
    unsigned end = s->columns;
    put_text(s, "#%u", color);
    while (end && !bits[end - 1])
        end--;
    for (unsigned x = 0, count; x < end; x += count) {
        for (count = 1; x + count < end && bits[x + count] == bits[x];)
            count++;
        put_run(s, count, bits[x]);
    }
    s->bytes[s->length++] = '$';
}

static void put_band(struct sixel *s, unsigned top, bool defined[COLORS]) {
    static struct band b; /* the main thread's */
    fill_band(s, top, &b);
    for (unsigned color = 0; color < COLORS; color++) {
        if (!b.used[color])
            continue;
        if (!defined[color])
            put_text(s, "#%u;2;%u;%u;%u", color, (color >> 5) * 100 / 7, (color >> 2 & 7) * 100 / 7,
                     (color & 3) * 100 / 3);
        defined[color] = true;
        put_color(s, color, b.bits[color]);
    }
    s->bytes[s->length++] = '-';
}

/* --- strips --------------------------------------------------------------------------- */

static unsigned strip_height(const struct sixel *s) {
    unsigned height = s->cell;
    while (height % BAND)
        height += s->cell;
    return height;
}

static bool strip_changed(const struct sixel *s, unsigned top, unsigned end) {
    bool same = s->known;
    for (unsigned y = top; same && y < end; y++)
        same = !memcmp(s->now[y], s->drawn[y], s->columns);
    return !same;
}

static bool has_band_room(const struct sixel *s, unsigned bands) {
    return SIXEL_ROOM - s->length > (size_t)bands * BAND_ROOM + 2 * COLOR_BYTES;
}

static void put_strip(struct sixel *s, unsigned top, unsigned end) {
    bool defined[COLORS] = {false};
    put_text(s, "\033[%u;1H\033P0;1;0q\"1;1;%u;%u", top / s->cell + 1, s->columns, end - top);
    for (unsigned y = top; y < end; y += BAND)
        if (has_band_room(s, 1)) /* else it is noise in cells such as no terminal has */
            put_band(s, y, defined);
    for (unsigned y = top; y < end; y++)
        memcpy(s->drawn[y], s->now[y], s->columns);
    put_text(s, "\033\\");
}

/* A strip that has never been drawn differs from what it is to be. */
static void forget_drawn(struct sixel *s) {
    for (unsigned y = 0; y < s->rows; y++)
        for (unsigned x = 0; x < s->columns; x++)
            s->drawn[y][x] = (uint8_t)~s->now[y][x];
    s->known = true;
}

bool sixel_paint(struct sixel *s) {
    unsigned height = strip_height(s);
    if (!s->known)
        forget_drawn(s);
    for (unsigned top = 0, end; top < s->rows; top = end) {
        end = top + height < s->rows ? top + height : s->rows;
        if (!strip_changed(s, top, end))
            continue;
        if (s->length && !has_band_room(s, (end - top + BAND - 1) / BAND))
            return false;
        put_strip(s, top, end);
    }
    return true;
}
