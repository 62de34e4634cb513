/* Painting a text screen; see paint.h. The sequences are those of ECMA-48 and xterm. */
#include "vmm/app/paint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/app/palette.h"
#include "vmm/devices/display/cp437.h"

enum { BLINKS = 1, UNDERLINED = 2, NEVER_DRAWN = 0x80 };
enum { CELL_BYTES = 128 }; /* at most: a place, colours, a character */

/* --- bytes ---------------------------------------------------------------------------- */

static bool paint_has_room(const struct paint *p, size_t n) { return PAINT_ROOM - p->length >= n; }

static void put(struct paint *p, const char *bytes, size_t n) {
    if (paint_has_room(p, n)) {
        memcpy(p->bytes + p->length, bytes, n);
        p->length += n;
    }
}

__attribute__((format(printf, 2, 3))) static void print(struct paint *p, const char *format, ...) {
    char text[CELL_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    put(p, text, (size_t)n);
}

static void move_to(struct paint *p, int row, int column) {
    if (p->row != row || p->column != column)
        print(p, "\033[%d;%dH", row + 1, column + 1);
    p->row = row;
    p->column = column;
}

static void hide_cursor(struct paint *p) {
    if (p->cursor.visible)
        print(p, "\033[?25l");
    p->cursor.visible = false;
}

/* --- cells ---------------------------------------------------------------------------- */

static bool same_pen(const struct paint_cell *a, const struct paint_cell *b) {
    return a->flags == b->flags && a->foreground == b->foreground && a->background == b->background;
}

/* A blank looks the same in any foreground, where the terminal has colours. */
static bool pen_does(const struct paint *p, const struct paint_cell *c) {
    bool blank = c->character == ' ' && !c->flags && !p->pen.flags;
    return p->has_pen && (same_pen(&p->pen, c) || (blank && p->style.colors != PAINT_PLAIN &&
                                                   p->pen.background == c->background));
}

static void set_pen(struct paint *p, const struct paint_cell *c) {
    char colors[64];
    if (pen_does(p, c))
        return;
    palette_sgr(p->style.colors, c->foreground, c->background, colors, sizeof colors);
    print(p, "\033[0%s%s%sm", c->flags & UNDERLINED ? ";4" : "", c->flags & BLINKS ? ";5" : "", colors);
    p->pen = *c;
    p->has_pen = true;
}

static void put_character(struct paint *p, uint8_t character) {
    char text[CP437_UTF8];
    if (p->style.utf8) {
        put(p, text, cp437_utf8(character, text));
    } else {
        text[0] = cp437_ascii(character);
        put(p, text, 1);
    }
    if (++p->column >= (int)p->columns)
        p->column = -1; /* the cursor stays at the last column, or does not */
}

/* What the terminal is to show there. Blanks have no foreground, so that it need not change. */
static struct paint_cell cell_of(const struct screen *s, unsigned row, unsigned column) {
    const struct screen_cell *c = &s->cell[row][column];
    struct paint_cell out = {.character = ' '};
    if (!s->on || !s->text)
        return out;
    out.background = s->color[screen_background(s, c)];
    if (s->underline && (c->attribute & 7) == 1)
        out.flags |= UNDERLINED;
    if (screen_is_blank(c->character) && !out.flags)
        return out;
    out.character = c->character;
    out.foreground = s->color[screen_foreground(c)];
    if (screen_blinks(s, c))
        out.flags |= BLINKS;
    return out;
}

/* --- dots: a half block, or as good as it can be ---------------------------------------- */

static uint32_t mean_color(uint32_t a, uint32_t b) { return (a & 0xfefefe) / 2 + (b & 0xfefefe) / 2; }

/* Without colours: by how bright it is. */
static uint8_t shade(uint32_t color) {
    static const char shades[] = " .:-=+*#%@";
    unsigned bright = ((color >> 16 & 255) * 3 + (color >> 8 & 255) * 6 + (color & 255)) / 10;
    return (uint8_t)shades[bright * (sizeof shades - 1) / 256];
}

static struct paint_cell cell_of_dots(const struct paint *p, const struct paint_dots *d, unsigned row,
                                      unsigned column) {
    enum { UPPER_HALF = 0xdf };
    uint32_t upper = d->dot[2 * row][column], lower = d->dot[2 * row + 1][column];
    if (p->style.colors == PAINT_PLAIN)
        return (struct paint_cell){.character = shade(mean_color(upper, lower))};
    if (!p->style.utf8 || upper == lower)
        return (struct paint_cell){.character = ' ', .background = mean_color(upper, lower)};
    return (struct paint_cell){.character = UPPER_HALF, .foreground = upper, .background = lower};
}

static bool paint_cell(struct paint *p, unsigned row, unsigned column, struct paint_cell cell) {
    struct paint_cell *drawn = &p->drawn[row][column];
    if (drawn->character == cell.character && same_pen(drawn, &cell))
        return true;
    if (!paint_has_room(p, 2 * CELL_BYTES))
        return false;
    hide_cursor(p);
    move_to(p, row, column);
    set_pen(p, &cell);
    put_character(p, cell.character);
    *drawn = cell;
    return true;
}

static bool paint_dot_cells(struct paint *p, const struct paint_dots *d) {
    for (unsigned row = 0; row < p->shown_rows; row++)
        for (unsigned column = 0; column < p->shown_columns; column++)
            if (!paint_cell(p, row, column, cell_of_dots(p, d, row, column)))
                return false;
    return true;
}

static bool paint_cells(struct paint *p, const struct screen *s) {
    for (unsigned row = 0; row < p->shown_rows; row++)
        for (unsigned column = 0; column < p->shown_columns; column++)
            if (!paint_cell(p, row, column, cell_of(s, p->top + row, p->left + column)))
                return false;
    return true;
}

/* --- which part ----------------------------------------------------------------------- */

static unsigned least_cost(unsigned a, unsigned b) { return a < b ? a : b; }

/* The first of `shown` places out of `all`, so that `at` is among them; moved no further than
 * that needs. */
static unsigned follow(unsigned first, unsigned shown, unsigned all, bool has, unsigned at) {
    if (has && at < first)
        first = at;
    if (has && at >= first + shown)
        first = at - shown + 1;
    return least_cost(first, all - shown);
}

/* What is to be shown: so much of the terminal, text or dots. */
static void show_part(struct paint *p, unsigned rows, unsigned columns, bool dots) {
    p->anew |= rows != p->shown_rows || columns != p->shown_columns || dots != p->shows_dots;
    p->shown_rows = rows;
    p->shown_columns = columns;
    p->shows_dots = dots;
}

static void choose_part(struct paint *p, const struct screen *s, bool status) {
    unsigned rows = least_cost(s->rows, p->rows > status ? p->rows - status : 1);
    unsigned columns = least_cost(s->columns, p->columns);
    show_part(p, rows, columns, false);
    p->top = follow(p->top, rows, s->rows, s->cursor.shown, s->cursor.row);
    p->left = follow(p->left, columns, s->columns, s->cursor.shown, s->cursor.column);
}

static void begin_anew(struct paint *p) {
    print(p, "\033[0m\033[2J");
    p->cursor = (struct paint_cursor){.visible = true};
    hide_cursor(p);
    p->status[0] = 0;
    for (unsigned row = 0; row < PAINT_ROWS; row++)
        for (unsigned column = 0; column < PAINT_COLUMNS; column++)
            p->drawn[row][column].flags = NEVER_DRAWN;
    p->anew = false;
}

/* --- under the screen, and the cursor ------------------------------------------------- */

static void paint_status(struct paint *p, const char *status) {
    int width = (int)least_cost(p->columns, PAINT_STATUS - 1);
    if (!strncmp(status, p->status, PAINT_STATUS - 1))
        return;
    snprintf(p->status, sizeof p->status, "%s", status);
    hide_cursor(p);
    move_to(p, (int)p->shown_rows, 0);
    print(p, "\033[0;7m");
    char line[PAINT_STATUS + 1];
    snprintf(line, sizeof line, "%-*.*s", width, width, p->status);
    put(p, line, strlen(line));
    print(p, "\033[0m");
    p->row = p->column = -1;
    p->has_pen = false;
}

/* A block if it covers more than half of the character; it blinks, as a VGA's does. */
static char shape_of(const struct screen *s) {
    return (s->cursor.last - s->cursor.first + 1) * 2 > s->height ? '1' : '3';
}

static bool cursor_is_shown(const struct paint *p, const struct screen *s) {
    return s->text && s->on && s->cursor.shown && s->cursor.row - p->top < p->shown_rows &&
           s->cursor.column - p->left < p->shown_columns;
}

static void paint_cursor(struct paint *p, const struct screen *s) {
    if (!cursor_is_shown(p, s)) {
        hide_cursor(p);
        return;
    }
    struct paint_cursor *c = &p->cursor;
    unsigned row = s->cursor.row - p->top, column = s->cursor.column - p->left;
    if (!c->visible || c->row != row || c->column != column)
        print(p, "\033[%u;%uH", row + 1, column + 1);
    if (c->shape != shape_of(s))
        print(p, "\033[%c q", shape_of(s));
    if (!c->visible)
        print(p, "\033[?25h");
    *c = (struct paint_cursor){true, row, column, shape_of(s)};
}

/* --- frames --------------------------------------------------------------------------- */

void paint_open(struct paint *p, struct paint_style style) {
    memset(p, 0, sizeof *p);
    p->style = style;
    paint_resize(p, 25, 80);
}

void paint_resize(struct paint *p, unsigned rows, unsigned columns) {
    p->rows = rows ? rows : 1;
    p->columns = columns ? columns : 1;
    p->anew = true;
}

/* false: there is no room for more than that. */
static bool begin_frame(struct paint *p, const char *status) {
    if (!paint_has_room(p, PAINT_STATUS + 8 * CELL_BYTES))
        return false;
    p->row = p->column = -1;
    p->has_pen = false;
    if (p->anew)
        begin_anew(p);
    if (status)
        paint_status(p, status);
    return true;
}

bool paint_frame(struct paint *p, const struct screen *s, const char *status) {
    choose_part(p, s, status != NULL);
    if (!begin_frame(p, status) || !paint_cells(p, s))
        return false;
    paint_cursor(p, s);
    return true;
}

void paint_room(const struct paint *p, unsigned *columns, unsigned *rows) {
    *columns = least_cost(p->columns, PAINT_COLUMNS);
    *rows = least_cost(p->rows > 1 ? p->rows - 1 : 1, PAINT_ROWS);
}

bool paint_blank(struct paint *p, const char *status) {
    unsigned columns, rows;
    paint_room(p, &columns, &rows);
    show_part(p, rows, columns, true);
    if (!begin_frame(p, status))
        return false;
    hide_cursor(p);
    return true;
}

bool paint_dots(struct paint *p, const struct paint_dots *d, const char *status) {
    show_part(p, d->rows / 2, d->columns, true);
    if (!begin_frame(p, status) || !paint_dot_cells(p, d))
        return false;
    hide_cursor(p);
    return true;
}
