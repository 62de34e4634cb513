/* A picture as sixels (DEC STD 070), for terminals that show them: strips of whole rows of
 * cells, and only those that have changed.
 *
 * A strip is as many rows as are a multiple of six dots high, as sixels are.
 */
#ifndef MINIKVM_SIXEL_H
#define MINIKVM_SIXEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIXEL_COLUMNS = 960, SIXEL_ROWS = 720, SIXEL_ROOM = 1 << 21 };

struct sixel {
    unsigned columns, rows; /* dots */
    unsigned cell;          /* dots that a row of cells is high */
    bool known;             /* `drawn` is what the terminal shows */
    /* Colours: three bits of red, three of green, two of blue. */
    uint8_t now[SIXEL_ROWS][SIXEL_COLUMNS], drawn[SIXEL_ROWS][SIXEL_COLUMNS];
    char bytes[SIXEL_ROOM]; /* to be written; the caller empties it */
    size_t length;
};

/* Another picture: so many dots of 0xRRGGBB. true: it is not what was drawn. */
bool sixel_set(struct sixel *, unsigned columns, unsigned rows, unsigned cell, const uint32_t *dots);
/* Appends what brings the terminal from what was drawn to this. false: the room was too small;
 * ask again when the bytes are written. */
bool sixel_paint(struct sixel *);

#endif
