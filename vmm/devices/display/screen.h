/* What a text screen shows now: the registers of the VGA say which bytes of display memory
 * are its cells.
 *
 * Rule: reading changes nothing, and may be done while the guest runs; then it is what the
 * screen showed at about that time, as a look at a real one is.
 */
#ifndef MINIKVM_SCREEN_H
#define MINIKVM_SCREEN_H

#include "vmm/devices/display/vga.h"

struct memory;

/* What is more, is cut. */
enum { SCREEN_COLUMNS = 160, SCREEN_ROWS = 100 };

struct screen_cell {
    uint8_t character; /* of code page 437, unless the guest has set a font */
    uint8_t attribute; /* as the guest wrote it */
};

struct screen {
    bool text; /* false: it is in a graphics mode, and nothing below is set */
    bool on;   /* false: the display is switched off, and shows nothing */
    unsigned columns, rows, height; /* height: of a character, in lines of dots */
    struct {
        bool shown;
        unsigned column, row;
        unsigned first, last; /* its lines within the character */
    } cursor;
    bool blink;     /* attribute bit 7 makes a character blink; else the background bright */
    bool underline; /* foreground 1 or 9 is underlined, as on a monochrome screen */
    uint32_t color[16]; /* of the attribute's values: 0xRRGGBB */
    struct screen_cell cell[SCREEN_ROWS][SCREEN_COLUMNS];
};

/* false: it is in a graphics mode. */
bool screen_read(const struct vga *, const struct memory *, struct screen *);
bool screen_size(const struct vga *, unsigned *columns, unsigned *rows);

/* A cell that shows no more than its background. */
static inline bool screen_is_blank(uint8_t character) {
    return character == ' ' || character == 0 || character == 0xff;
}
/* The colours of a cell, as indices of screen.color. */
static inline unsigned screen_foreground(const struct screen_cell *c) { return c->attribute & 15; }
static inline unsigned screen_background(const struct screen *s, const struct screen_cell *c) {
    return c->attribute >> 4 & (s->blink ? 7 : 15);
}
static inline bool screen_blinks(const struct screen *s, const struct screen_cell *c) {
    return s->blink && c->attribute & 0x80;
}

#endif
