/* What the guest's screen shows. */
#include "vmm/inspect/inspect.h"

#include "vmm/devices/display/screen_text.h"
#include "vmm/machine/machine_screen.h"

/* The attribute's values with the palette that a BIOS sets. */
static const char *const color_names[16] = {
    "black", "blue", "green", "cyan", "red", "magenta", "brown", "light grey", "dark grey",
    "light blue", "light green", "light cyan", "light red", "light magenta", "yellow", "white"};

static void print_head(const struct screen *s, const struct text *text) {
    text_print(text, "%u columns, %u rows", s->columns, s->rows);
    if (s->cursor.shown)
        text_print(text, "; cursor at row %u, column %u\n", s->cursor.row, s->cursor.column);
    else
        text_print(text, "; no cursor\n");
    if (!s->on)
        text_print(text, "the display is switched off; display memory has:\n");
}

static void print_screen_row(const struct screen *s, unsigned row, const struct text *text) {
    char line[SCREEN_TEXT];
    screen_text_row(s, row, text_is_utf8(), line);
    text_print(text, "%2u|%s\n", row, line);
}

static void print_run(const struct screen *s, unsigned row, unsigned first, unsigned end,
                      const struct text *text) {
    const struct screen_cell *c = &s->cell[row][first];
    text_print(text, "    %u-%u: 0x%02x, %s on %s%s\n", first, end - 1, c->attribute,
               color_names[screen_foreground(c)], color_names[screen_background(s, c)],
               screen_blinks(s, c) ? ", blinks" : "");
}

/* Cells with the same attribute together. */
static void print_attributes(const struct screen *s, unsigned row, const struct text *text) {
    unsigned first = 0;
    for (unsigned column = 1; column <= s->columns; column++)
        if (column == s->columns || s->cell[row][column].attribute != s->cell[row][first].attribute) {
            print_run(s, row, first, column, text);
            first = column;
        }
}

/* A coarse one in ASCII: a dot that is not black is at least a full stop. */
static char shade_of(uint32_t color) {
    static const char shades[] = " .:-=+*#%@";
    unsigned bright = ((color >> 16) * 3 + (color >> 8 & 255) * 6 + (color & 255)) / 10;
    unsigned n = bright * (sizeof shades - 1) / 256;
    return shades[n ? n : color != 0];
}

enum { SHADES_WIDTH = 72, SHADES_HEIGHT = 27 };

static void print_picture(struct machine *m, const struct text *text) {
    uint32_t dots[SHADES_WIDTH * SHADES_HEIGHT];
    struct vga registers;
    struct picture p;
    if (!machine_picture(m, &registers, &p))
        return;
    text_print(text, "%u by %u dots%s; `monitor screenshot FILE` makes a picture of them\n", p.width, p.height,
               p.on ? "" : "; the display is switched off");
    picture_scale(&p, SHADES_WIDTH, SHADES_HEIGHT, dots);
    for (unsigned row = 0; row < SHADES_HEIGHT; row++) {
        char line[SHADES_WIDTH + 1] = "";
        unsigned end = 0;
        for (unsigned column = 0; column < SHADES_WIDTH; column++) {
            line[column] = shade_of(dots[row * SHADES_WIDTH + column]);
            end = line[column] == ' ' ? end : column + 1;
        }
        line[end] = 0;
        text_print(text, "  |%s\n", line);
    }
}

void inspect_screen(struct machine *m, bool attributes, const struct text *text) {
    struct screen s;
    if (!machine_screen(m, &s)) {
        text_print(text, "the machine goes through its past; try again when it stands\n");
        return;
    }
    if (!s.text) {
        print_picture(m, text);
        return;
    }
    unsigned rows = screen_text_rows(&s);
    if (s.cursor.shown && s.cursor.row >= rows)
        rows = s.cursor.row + 1;
    print_head(&s, text);
    for (unsigned row = 0; row < rows; row++) {
        print_screen_row(&s, row, text);
        if (attributes)
            print_attributes(&s, row, text);
    }
}
