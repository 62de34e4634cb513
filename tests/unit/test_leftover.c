/* What a screen has that was not printed, and the buffer that remembers what was. */
#include "tests/unit/unit.h"

#include "vmm/app/leftover.h"

static struct screen screen;
static char bytes[64];
static struct tail printed;
static char out[1000];

static void put(void *context, const char *text, size_t length) {
    (void)context;
    strncat(out, text, length);
}

/* Rows that are separated by '\n'; '~' is a character that ASCII has not. */
static void show(const char *rows) {
    screen = (struct screen){.text = true, .on = true, .columns = 20, .rows = 5};
    for (unsigned row = 0, column = 0; *rows; rows++)
        if (*rows == '\n')
            row++, column = 0;
        else
            screen.cell[row][column++].character = *rows == '~' ? 0xdb : *rows;
}

static void print(const char *text) {
    printed = (struct tail){.bytes = bytes, .size = sizeof bytes};
    leftover_note(&printed, text, strlen(text));
}

static bool left(const char *rows, const char *text) {
    show(rows);
    print(text);
    return leftover_is_there(&screen, &printed);
}

static const char *text_of(const char *rows, bool utf8) {
    show(rows);
    *out = 0;
    leftover_print(&screen, utf8, put, NULL);
    return out;
}

static void what_is_left(void) {
    CHECK(!left("", ""));
    CHECK(!left("   \n  ", ""));
    CHECK(left("one", ""));
    CHECK(!left("one\ntwo", "one\r\ntwo\r\n"));
    CHECK(!left("  one\n\n   two  ", "one, two"));
    CHECK(!left("abc", "abx\b \bc")); /* as it is typed and echoed */
    CHECK(!left("abc", "ab\xe2\x96\x88\bc"));
    CHECK(!left("one\ntwo", "one\n\b\btwo"));
    CHECK(!left("", "\b\b"));
    CHECK(left("one\ntwo", "two one"));   /* in another order */
    CHECK(left("one\none", "one"));       /* twice */
    CHECK(!left("more", "much more"));    /* what was before has scrolled away */
    CHECK(!left("a~b", "a\xe2\x96\x88""b")); /* in UTF-8, in ASCII, in the code page */
    CHECK(!left("a~b", "a#b"));
    CHECK(!left("a~b", "a\xdb""b"));
}

static void as_text(void) {
    CHECK_STR(text_of("\none\n\n  two ", true), "one\n\n  two\n");
    CHECK_STR(text_of("a~", true), "a\xe2\x96\x88\n");
    CHECK_STR(text_of("a~", false), "a#\n");
    CHECK_STR(text_of("", true), "");
    show("");
    memset(screen.cell, 0xdb, sizeof screen.cell); /* the longest */
    screen.columns = SCREEN_COLUMNS;
    screen.rows = 1;
    *out = 0;
    leftover_print(&screen, true, put, NULL);
    CHECK(strlen(out) == SCREEN_COLUMNS * 3 + 1);
}

static void bounded(void) {
    const char *piece;
    char text[100];
    memset(text, 'x', sizeof text);
    print("");
    tail_put(&printed, text, sizeof text);
    CHECK(printed.length == 64 && printed.lost == 36);
    tail_put(&printed, "end", 3);
    CHECK(tail_at(&printed, 0) == 'x' && tail_at(&printed, 63) == 'd');
    size_t first = tail_piece(&printed, 0, &piece);
    size_t second = tail_piece(&printed, first, &piece);
    CHECK(first + second == 64 && piece[second - 1] == 'd');
    tail_clear(&printed);
    CHECK(printed.length == 0 && printed.lost == 0);
}

int main(void) {
    what_is_left();
    as_text();
    bounded();
    return unit_end();
}
