/* Colours for terminals; see palette.h. */
#include "vmm/app/palette.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int red(uint32_t c) { return c >> 16 & 0xff; }
static int green(uint32_t c) { return c >> 8 & 0xff; }
static int blue(uint32_t c) { return c & 0xff; }

static unsigned distance(uint32_t a, uint32_t b) {
    int r = red(a) - red(b), g = green(a) - green(b), bl = blue(a) - blue(b);
    return (unsigned)(r * r + g * g + bl * bl);
}

static unsigned luminance(uint32_t c) { return (unsigned)(red(c) * 3 + green(c) * 6 + blue(c)) / 10; }

/* --- 16 colours ----------------------------------------------------------------------- */

/* A VGA's; a terminal's have red and blue the other way round. */
static const uint32_t vga[16] = {
    0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
    0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff};

static unsigned nearest_16(uint32_t c) {
    unsigned best = 0;
    for (unsigned i = 1; i < 16; i++)
        if (distance(vga[i], c) < distance(vga[best], c))
            best = i;
    return (best & 10) | (best & 1) << 2 | (best >> 2 & 1);
}

/* 30 to 37, or 90 to 97 for the bright ones. */
static unsigned code_16(uint32_t c) {
    unsigned n = nearest_16(c);
    return n < 8 ? 30 + n : 90 + n - 8;
}

/* --- 256 colours: a cube of 6 by 6 by 6 from 16 on, and 24 greys from 232 on ------------ */

static int level(int n) { return n ? 55 + 40 * n : 0; }

static int nearest_level(int value) {
    int best = 0;
    for (int n = 1; n < 6; n++)
        if (abs(level(n) - value) < abs(level(best) - value))
            best = n;
    return best;
}

static unsigned nearest_256(uint32_t c) {
    int r = nearest_level(red(c)), g = nearest_level(green(c)), b = nearest_level(blue(c));
    uint32_t in_cube = (uint32_t)(level(r) << 16 | level(g) << 8 | level(b));
    int step = ((int)luminance(c) - 8 + 5) / 10;
    step = step < 0 ? 0 : step > 23 ? 23 : step;
    uint32_t grey = (uint32_t)(8 + 10 * step) * 0x010101;
    return distance(grey, c) < distance(in_cube, c) ? 232u + (unsigned)step
                                                    : 16u + (unsigned)(36 * r + 6 * g + b);
}

/* --- attributes ----------------------------------------------------------------------- */

enum { BRIGHT = 0xc0 };

static void plain(uint32_t foreground, uint32_t background, char *out, size_t size) {
    snprintf(out, size, "%s%s", luminance(foreground) > BRIGHT ? ";1" : "",
             luminance(background) > luminance(foreground) ? ";7" : "");
}

void palette_sgr(enum paint_colors colors, uint32_t f, uint32_t b, char *out, size_t size) {
    switch (colors) {
    case PAINT_PLAIN: plain(f, b, out, size); break;
    case PAINT_16: snprintf(out, size, ";%u;%u", code_16(f), code_16(b) + 10); break;
    case PAINT_256: snprintf(out, size, ";38;5;%u;48;5;%u", nearest_256(f), nearest_256(b)); break;
    case PAINT_TRUE:
        snprintf(out, size, ";38;2;%d;%d;%d;48;2;%d;%d;%d", red(f), green(f), blue(f), red(b),
                 green(b), blue(b));
        break;
    }
}

enum paint_colors palette_of(const char *term, const char *colorterm, const char *no_color) {
    if ((no_color && *no_color) || !term || !*term || !strcmp(term, "dumb") ||
        !strncmp(term, "vt", 2))
        return PAINT_PLAIN;
    if ((colorterm && (!strcmp(colorterm, "truecolor") || !strcmp(colorterm, "24bit"))) ||
        strstr(term, "direct"))
        return PAINT_TRUE;
    return strstr(term, "256color") ? PAINT_256 : PAINT_16;
}
