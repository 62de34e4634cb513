/* Frames of a text screen as bytes for a terminal, and colours as a terminal has them. */
#include "tests/unit/unit.h"

#include "vmm/app/paint.h"
#include "vmm/app/palette.h"

static struct screen screen;
static struct paint paint;

static void new_screen(unsigned rows, unsigned columns) {
    static const uint32_t colors[16] = {[7] = 0xaaaaaa, [15] = 0xffffff, [1] = 0x0000aa, [4] = 0xaa0000};
    screen = (struct screen){.text = true, .on = true, .rows = rows, .columns = columns, .height = 16,
                             .blink = true};
    memcpy(screen.color, colors, sizeof colors);
    for (unsigned row = 0; row < rows; row++)
        for (unsigned column = 0; column < columns; column++)
            screen.cell[row][column] = (struct screen_cell){' ', 0x07};
}

static void new_paint(enum paint_colors colors, unsigned rows, unsigned columns) {
    paint_open(&paint, (struct paint_style){colors, true});
    paint_resize(&paint, rows, columns);
}

/* The bytes of the next frame. */
static const char *frame(const char *status) {
    static char bytes[PAINT_ROOM + 1];
    CHECK(paint_frame(&paint, &screen, status));
    memcpy(bytes, paint.bytes, paint.length);
    bytes[paint.length] = 0;
    paint.length = 0;
    return bytes;
}

static void write_at(unsigned row, unsigned column, const char *text, uint8_t attribute) {
    for (; *text; text++)
        screen.cell[row][column++] = (struct screen_cell){(uint8_t)*text, attribute};
}

static void only_what_changed(void) {
    new_screen(25, 80);
    new_paint(PAINT_16, 30, 100);
    frame(NULL);
    CHECK_STR(frame(NULL), "");
    write_at(3, 10, "ab", 0x1f);
    CHECK_STR(frame(NULL), "\033[4;11H\033[0;97;44mab");
    CHECK_STR(frame(NULL), "");
    write_at(3, 11, "X", 0x1f);
    write_at(24, 79, "Y", 0x04);
    CHECK_STR(frame(NULL), "\033[4;12H\033[0;97;44mX\033[25;80H\033[0;31;40mY");
    screen.color[4] = 0x00aa00; /* a palette is a change, too */
    CHECK_STR(frame(NULL), "\033[25;80H\033[0;32;40mY");
    screen.cell[5][5].attribute = 0x01; /* a blank has no foreground */
    CHECK_STR(frame(NULL), "");
}

static void cursor(void) {
    new_screen(25, 80);
    new_paint(PAINT_16, 30, 100);
    frame(NULL);
    screen.cursor.shown = true;
    screen.cursor.row = 2;
    screen.cursor.column = 3;
    screen.cursor.first = 13;
    screen.cursor.last = 14;
    CHECK_STR(frame(NULL), "\033[3;4H\033[3 q\033[?25h");
    screen.cursor.first = 0;
    CHECK_STR(frame(NULL), "\033[1 q");
    screen.cursor.column = 4;
    CHECK_STR(frame(NULL), "\033[3;5H");
    write_at(0, 0, "z", 0x07);
    CHECK_STR(frame(NULL), "\033[?25l\033[1;1H\033[0;37;40mz\033[3;5H\033[?25h");
    screen.cursor.shown = false;
    CHECK_STR(frame(NULL), "\033[?25l");
}

static void status(void) {
    new_screen(2, 10);
    new_paint(PAINT_16, 5, 8);
    frame("one");
    CHECK_STR(frame("one"), "");
    CHECK_STR(frame("two two two"), "\033[3;1H\033[0;7mtwo two \033[0m");
    new_paint(PAINT_16, 1, 8); /* no row is left for the screen but this */
    frame("one");
    CHECK(paint.shown_rows == 1);
}

static void follows_the_cursor(void) {
    new_screen(25, 80);
    new_paint(PAINT_16, 10, 20);
    screen.cursor.shown = true;
    screen.cursor.row = 24;
    screen.cursor.column = 79;
    frame(NULL);
    CHECK(paint.top == 15 && paint.left == 60);
    screen.cursor.row = 20; /* it is still in there */
    frame(NULL);
    CHECK(paint.top == 15);
    screen.cursor.row = 3;
    screen.cursor.column = 0;
    frame(NULL);
    CHECK(paint.top == 3 && paint.left == 0);
    screen.rows = 4;
    frame(NULL);
    CHECK(paint.top == 0 && paint.shown_rows == 4);
}

static void blinks_and_underlines(void) {
    new_screen(25, 80);
    new_paint(PAINT_16, 30, 100);
    frame(NULL);
    write_at(0, 0, "b", 0x87);
    CHECK_STR(frame(NULL), "\033[1;1H\033[0;5;37;40mb");
    screen.blink = false; /* now it is a bright background: 8 */
    CHECK(strstr(frame(NULL), "\033[0;37;40mb"));
    screen.underline = true;
    write_at(1, 0, "u", 0x01);
    CHECK_STR(frame(NULL), "\033[2;1H\033[0;4;34;40mu");
    screen.on = false;
    CHECK(strstr(frame(NULL), "\033[1;1H") && paint.drawn[1][0].character == ' ');
}

/* What has no room now is painted the next time, and nothing is left out. */
static void in_parts(void) {
    unsigned parts = 1;
    new_screen(SCREEN_ROWS, SCREEN_COLUMNS);
    for (unsigned row = 0; row < SCREEN_ROWS; row++)
        for (unsigned column = 0; column < SCREEN_COLUMNS; column++)
            screen.cell[row][column] = (struct screen_cell){0xdb, column % 2 ? 0x4f : 0x17};
    new_paint(PAINT_TRUE, 200, 200);
    for (; !paint_frame(&paint, &screen, "status"); parts++) {
        CHECK(paint.length <= PAINT_ROOM);
        paint.length = 0;
    }
    CHECK(parts > 5);
    paint.length = 0;
    CHECK_STR(frame("status"), "");
    CHECK(paint.drawn[SCREEN_ROWS - 1][SCREEN_COLUMNS - 1].character == 0xdb);
}

static const char *sgr(enum paint_colors colors, uint32_t foreground, uint32_t background) {
    static char out[64];
    palette_sgr(colors, foreground, background, out, sizeof out);
    return out;
}

static void colors(void) {
    CHECK_STR(sgr(PAINT_TRUE, 0x010203, 0xfffefd), ";38;2;1;2;3;48;2;255;254;253");
    CHECK_STR(sgr(PAINT_256, 0xffffff, 0x0000aa), ";38;5;231;48;5;19");
    CHECK_STR(sgr(PAINT_256, 0x808080, 0x000000), ";38;5;244;48;5;16");
    CHECK_STR(sgr(PAINT_16, 0xffff55, 0xaa5500), ";93;43");
    CHECK_STR(sgr(PAINT_16, 0xaa0000, 0x5555ff), ";31;104");
    CHECK_STR(sgr(PAINT_PLAIN, 0xaaaaaa, 0x000000), "");
    CHECK_STR(sgr(PAINT_PLAIN, 0xffffff, 0x0000aa), ";1");
    CHECK_STR(sgr(PAINT_PLAIN, 0x000000, 0xaaaaaa), ";7");
}

static struct paint_dots dots;

static const char *frame_of_dots(enum paint_colors colors, bool utf8) {
    static char bytes[PAINT_ROOM + 1];
    paint_open(&paint, (struct paint_style){colors, utf8});
    paint_resize(&paint, 10, 40);
    CHECK(paint_dots(&paint, &dots, NULL));
    memcpy(bytes, paint.bytes, paint.length);
    bytes[paint.length] = 0;
    paint.length = 0;
    return bytes;
}

static void pictures(void) {
    dots = (struct paint_dots){.columns = 2, .rows = 2};
    dots.dot[0][0] = 0xff0000, dots.dot[1][0] = 0x0000ff, dots.dot[0][1] = dots.dot[1][1] = 0xffffff;
    CHECK(strstr(frame_of_dots(PAINT_TRUE, true), "\033[1;1H\033[0;38;2;255;0;0;48;2;0;0;255m▀"));
    CHECK(strstr(frame_of_dots(PAINT_TRUE, false), "\033[1;1H\033[0;38;2;0;0;0;48;2;127;0;127m "));
    CHECK(strstr(frame_of_dots(PAINT_PLAIN, true), "\033[0m.@")); /* by how bright it is */
    CHECK(paint_dots(&paint, &dots, NULL) && paint.length == 0);
    dots.dot[1][1] = 0;
    CHECK(paint_dots(&paint, &dots, NULL) && paint.length > 0);
    paint.length = 0;
    new_screen(9, 40);
    CHECK(strstr(frame(NULL), "\033[2J")); /* text takes all of it */
}

static void what_a_terminal_has(void) {
    CHECK(palette_of("xterm-256color", NULL, NULL) == PAINT_256);
    CHECK(palette_of("xterm-256color", "truecolor", NULL) == PAINT_TRUE);
    CHECK(palette_of("xterm", "24bit", "") == PAINT_TRUE);
    CHECK(palette_of("xterm-direct", NULL, NULL) == PAINT_TRUE);
    CHECK(palette_of("linux", NULL, NULL) == PAINT_16);
    CHECK(palette_of("vt220", "truecolor", NULL) == PAINT_PLAIN);
    CHECK(palette_of("dumb", NULL, NULL) == PAINT_PLAIN && palette_of(NULL, NULL, NULL) == PAINT_PLAIN);
    CHECK(palette_of("xterm-256color", "truecolor", "1") == PAINT_PLAIN);
}

int main(void) {
    only_what_changed();
    cursor();
    status();
    follows_the_cursor();
    blinks_and_underlines();
    in_parts();
    colors();
    pictures();
    what_a_terminal_has();
    return unit_end();
}
