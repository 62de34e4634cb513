/* Reading a text screen; see screen.h. */
#include "vmm/devices/display/screen.h"

#include <string.h>

#include "vmm/memory/memory.h"

enum { DOUBLE_SCAN = 0x80, HEIGHT = 0x1f, CURSOR_OFF = 0x20, MULTIPLY_BY_TWO = 4 };
enum { GRAPHICS = 1, BLINK = 8, COLOR_SELECT = 0x80, SCREEN_OFF = 0x20 };
enum { MAP_SHIFT = 2, MAP_MASK = 3 };

/* --- the shape of the screen ---------------------------------------------------------- */

static bool shows_text(const struct vga *v) {
    return !(v->graphics[GRAPHICS_MISCELLANEOUS] & GRAPHICS) &&
           !(v->attribute[ATTRIBUTE_MODE] & GRAPHICS);
}

static unsigned character_height(const struct vga *v) {
    return (v->crtc[CRTC_CHARACTER_HEIGHT] & HEIGHT) + 1u;
}

/* Dots of a row of characters, as the vertical registers count them. */
static unsigned row_height(const struct vga *v) {
    return character_height(v) << (v->crtc[CRTC_CHARACTER_HEIGHT] & DOUBLE_SCAN ? 1 : 0);
}

static unsigned least_of(unsigned a, unsigned b) { return a < b ? a : b; }

bool screen_size(const struct vga *v, unsigned *columns, unsigned *rows) {
    unsigned lines = vga_vertical_end(v) << (v->crtc[CRTC_MODE] & MULTIPLY_BY_TWO ? 1 : 0);
    *columns = least_of(v->crtc[CRTC_DISPLAY_END] + 1u, SCREEN_COLUMNS);
    *rows = least_of(lines / row_height(v), SCREEN_ROWS);
    return shows_text(v);
}

/* The row from which on display memory is shown from its begin: a split screen. */
static unsigned split_row(const struct vga *v) {
    return (vga_line_compare(v) + row_height(v)) / row_height(v);
}

/* The cell, counted from the begin of display memory, that is leftmost in a row. */
static unsigned row_start(const struct vga *v, unsigned row) {
    unsigned start = v->crtc[CRTC_START_HIGH] << 8 | v->crtc[CRTC_START_LOW];
    unsigned split = split_row(v), pitch = v->crtc[CRTC_OFFSET] * 2u;
    return (row >= split ? (row - split) * pitch : start + row * pitch) & 0xffff;
}

/* --- cells ---------------------------------------------------------------------------- */

struct window {
    const uint8_t *at;
    unsigned size; /* bytes, a power of two */
};

/* Where the CPU writes display memory, which is RAM in every machine. */
static struct window window_of(const struct vga *v, const struct memory *m) {
    static const struct {
        uint32_t base, size;
    } maps[] = {{0xa0000, 0x20000}, {0xa0000, 0x10000}, {0xb0000, 0x8000}, {0xb8000, 0x8000}};
    unsigned map = v->graphics[GRAPHICS_MISCELLANEOUS] >> MAP_SHIFT & MAP_MASK;
    return (struct window){m->ram + maps[map].base, maps[map].size};
}

/* The guest may be writing there now: a cell is as it was before or after, which is what a
 * screen shows, so there is nothing to wait for. */
__attribute__((no_sanitize("thread"))) static struct screen_cell cell_at(const volatile uint8_t *at) {
    return (struct screen_cell){at[0], at[1]};
}

static void read_cells(const struct vga *v, const struct memory *m, struct screen *s) {
    struct window w = window_of(v, m);
    for (unsigned row = 0; row < s->rows; row++)
        for (unsigned column = 0, start = row_start(v, row); column < s->columns; column++)
            s->cell[row][column] = cell_at(w.at + ((start + column) * 2 & (w.size - 1)));
}

/* --- cursor and colours --------------------------------------------------------------- */

static void read_cursor(const struct vga *v, struct screen *s) {
    unsigned cell = v->crtc[CRTC_CURSOR_HIGH] << 8 | v->crtc[CRTC_CURSOR_LOW];
    s->cursor.first = v->crtc[CRTC_CURSOR_START] & HEIGHT;
    s->cursor.last = least_of(v->crtc[CRTC_CURSOR_END] & HEIGHT, s->height - 1);
    if (v->crtc[CRTC_CURSOR_START] & CURSOR_OFF || s->cursor.first > s->cursor.last)
        return;
    for (unsigned row = 0; row < s->rows && !s->cursor.shown; row++) {
        s->cursor.row = row;
        s->cursor.column = (cell - row_start(v, row)) & 0xffff;
        s->cursor.shown = s->cursor.column < s->columns;
    }
}

/* From an attribute's colour to the DAC's. */
static unsigned dac_index(const struct vga *v, unsigned color) {
    unsigned select = v->attribute[ATTRIBUTE_COLOR_SELECT];
    unsigned index = v->attribute[color & v->attribute[ATTRIBUTE_PLANES] & 15];
    if (v->attribute[ATTRIBUTE_MODE] & COLOR_SELECT)
        index = (index & 15) | (select & 3) << 4;
    return (index | (select >> 2 & 3) << 6) & v->dac_mask;
}

/* Six bits to eight: 3F is FF. */
static uint32_t component(const uint8_t *rgb, unsigned i) { return rgb[i] << 2 | rgb[i] >> 4; }

static void read_colors(const struct vga *v, struct screen *s) {
    for (unsigned color = 0; color < 16; color++) {
        const uint8_t *rgb = v->dac[dac_index(v, color)];
        s->color[color] = component(rgb, 0) << 16 | component(rgb, 1) << 8 | component(rgb, 2);
    }
}

bool screen_read(const struct vga *v, const struct memory *m, struct screen *s) {
    s->text = screen_size(v, &s->columns, &s->rows);
    if (!s->text)
        return false;
    s->on = v->attribute_index & ATTRIBUTE_SHOWN && v->enabled &&
            !(v->sequencer[SEQUENCER_CLOCKING] & SCREEN_OFF);
    s->height = character_height(v);
    s->blink = v->attribute[ATTRIBUTE_MODE] & BLINK;
    s->underline = (v->crtc[CRTC_UNDERLINE] & HEIGHT) < s->height;
    s->cursor.shown = false;
    read_cursor(v, s);
    read_colors(v, s);
    read_cells(v, m, s);
    return true;
}
