/* Reading a text screen; see screen.h. */
#include "vmm/devices/display/screen.h"

#include <string.h>

#include "vmm/memory/memory.h"

enum { DOUBLE_SCAN = 0x80, HEIGHT = 0x1f, CURSOR_OFF = 0x20, MULTIPLY_BY_TWO = 4 };
enum { BLINK = 8 };

/* --- the shape of the screen ---------------------------------------------------------- */

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
    return vga_shows_text(v);
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

static void read_cells(const struct vga *v, const struct memory *m, struct screen *s) {
    for (unsigned row = 0; row < s->rows; row++)
        for (unsigned column = 0, start = row_start(v, row); column < s->columns; column++) {
            struct vga_bytes b = vga_bytes_at(v, m, (start + column) * 2);
            s->cell[row][column] = (struct screen_cell){b.plane[0], b.plane[1]};
        }
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

static void read_colors(const struct vga *v, struct screen *s) {
    for (unsigned color = 0; color < 16; color++)
        s->color[color] = vga_attribute_color(v, color);
}

bool screen_read(const struct vga *v, const struct memory *m, struct screen *s) {
    s->text = screen_size(v, &s->columns, &s->rows);
    if (!s->text)
        return false;
    s->on = vga_is_on(v);
    s->height = character_height(v);
    s->blink = v->attribute[ATTRIBUTE_MODE] & BLINK;
    s->underline = (v->crtc[CRTC_UNDERLINE] & HEIGHT) < s->height;
    s->cursor.shown = false;
    read_cursor(v, s);
    read_colors(v, s);
    read_cells(v, m, s);
    return true;
}
