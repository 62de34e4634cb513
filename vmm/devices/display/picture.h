/* What a screen shows now, dot by dot: graphics, and text in the font that it has.
 *
 * A line that the hardware shows twice is one line of the picture, and a dot that is twice as
 * wide one dot: mode 13h is 320 by 200.
 *
 * Rule: reading changes nothing, and may be done while the guest runs; then it is what the
 * screen showed at about that time.
 */
#ifndef MINIKVM_PICTURE_H
#define MINIKVM_PICTURE_H

#include "vmm/devices/display/vga.h"

enum { PICTURE_COLUMNS = 2560, PICTURE_ROWS = 2048 }; /* at most; what is more is cut */

enum picture_kind { PICTURE_TEXT, PICTURE_16, PICTURE_CGA, PICTURE_256, PICTURE_LINEAR };

struct picture {
    enum picture_kind kind;
    bool on; /* else it is black */
    unsigned width, height;
    /* For picture.c alone. */
    const struct vga *vga;
    const struct memory *memory;
    unsigned repeat;      /* lines of the hardware's to one of the picture's */
    uint32_t colors[256]; /* 0xRRGGBB */
};

/* The vga (it may be a copy) and the memory are used until the last row was read. */
void picture_open(struct picture *, const struct vga *, const struct memory *);
/* Row `y`: width dots of 0xRRGGBB. */
void picture_row(const struct picture *, unsigned y, uint32_t row[PICTURE_COLUMNS]);

/* The whole in another size, row by row: each dot the mean of some that it stands for. */
void picture_scale(const struct picture *, unsigned columns, unsigned rows, uint32_t *out);
/* The size in square dots that fits into this room: 4 to 3, as a monitor shows a VGA's
 * modes, or as the guest has chosen. */
void picture_fit(const struct picture *, unsigned *columns, unsigned *rows);

#endif
