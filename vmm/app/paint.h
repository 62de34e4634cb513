/* A guest's screen as bytes for a terminal: only what has changed since the last frame. Text is
 * text; of a picture two dots are a half block each, one above the other.
 *
 * Rule: nothing here writes or asks a terminal; bytes go to a buffer of bounded size, and what
 * has no room in it is painted when the next frame is asked for.
 */
#ifndef MINIKVM_PAINT_H
#define MINIKVM_PAINT_H

#include "vmm/devices/display/screen.h"

enum paint_colors { PAINT_PLAIN, PAINT_16, PAINT_256, PAINT_TRUE };

struct paint_style {
    enum paint_colors colors;
    bool utf8;
};

enum { PAINT_ROOM = 32768, PAINT_STATUS = 256 };
enum { PAINT_ROWS = 100, PAINT_COLUMNS = 320 }; /* of a terminal; what is more is not used */

/* Dots for cells of the terminal: rows are twice as many as its rows. */
struct paint_dots {
    unsigned columns, rows; /* rows: even */
    uint32_t dot[2 * PAINT_ROWS][PAINT_COLUMNS];
};

/* A cell of the terminal. */
struct paint_cell {
    uint8_t character, flags;
    uint32_t foreground, background; /* 0xRRGGBB */
};

struct paint {
    struct paint_style style;
    unsigned rows, columns; /* of the terminal */
    bool anew;              /* what it shows is not known */
    unsigned top, left;     /* the first row and column of the guest's that are shown */
    unsigned shown_rows, shown_columns;
    bool shows_dots; /* a picture, not text */
    struct paint_cell drawn[PAINT_ROWS][PAINT_COLUMNS];
    char status[PAINT_STATUS];
    struct paint_cursor {
        bool visible;
        unsigned row, column; /* on the terminal */
        char shape;           /* of DECSCUSR */
    } cursor;
    char bytes[PAINT_ROOM]; /* to be written; the caller empties it */
    size_t length;
    /* While a frame is painted: where the terminal writes next, and how; -1: not known. */
    int row, column;
    bool has_pen;
    struct paint_cell pen;
};

void paint_open(struct paint *, struct paint_style);
/* The terminal's size; or only: begin anew. */
void paint_resize(struct paint *, unsigned rows, unsigned columns);
/* Appends what brings the terminal from the last frame to this one. status: a line under the
 * screen, or NULL. If the screen is larger than the terminal, it is the part with the cursor.
 * false: the room was too small; ask again when the bytes are written. */
bool paint_frame(struct paint *, const struct screen *, const char *status);
/* The same of a picture, which is no larger than the terminal allows. */
bool paint_dots(struct paint *, const struct paint_dots *, const char *status);
/* Only the status: what else is shown is somebody else's. */
bool paint_blank(struct paint *, const char *status);
/* Cells of the terminal for that, beside the status. */
void paint_room(const struct paint *, unsigned *columns, unsigned *rows);

#endif
