/* A PC's text screen: 25 rows of 80 cells at B8000, each a character and its color. */
#include "screen.h"

enum { COLUMNS = 80, ROWS = 25, GREY_ON_BLACK = 0x07 };

static volatile uint16_t *const cells = (uint16_t *)0xb8000;
static unsigned column, row;

void screen_clear(void) {
    for (unsigned i = 0; i < COLUMNS * ROWS; i++)
        cells[i] = GREY_ON_BLACK << 8 | ' ';
    column = row = 0;
}

void screen_continue(unsigned from) {
    column = 0;
    row = from;
}

static void next_row(void) {
    column = 0;
    if (++row < ROWS)
        return;
    row = ROWS - 1;
    for (unsigned i = 0; i < COLUMNS * ROWS; i++)
        cells[i] = i < COLUMNS * row ? cells[i + COLUMNS] : GREY_ON_BLACK << 8 | ' ';
}

void putchar(char c) {
    if (c != '\n') {
        cells[row * COLUMNS + column] = GREY_ON_BLACK << 8 | (uint8_t)c;
        column++;
    }
    if (c == '\n' || column == COLUMNS)
        next_row();
}

void print_range(uint64_t base, uint64_t length, uint32_t kind) {
    uint64_t last = base + length - 1;
    printf("  %x%x - %x%x %s\n", (uint32_t)(base >> 32), (uint32_t)base, (uint32_t)(last >> 32),
           (uint32_t)last, kind == 1 ? "usable" : "reserved");
}

/* And its first line. */
void print_module(uint32_t from, uint32_t to, const char *text) {
    printf("module %x - %x: %s\n  ", from, to, text);
    for (const char *c = (const char *)from; c < (const char *)to && *c != '\n'; c++)
        putchar(*c);
    putchar('\n');
}
