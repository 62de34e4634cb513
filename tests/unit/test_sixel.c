/* Pictures as sixels: only what has changed, and never more than the room. What they show is
 * decoded in tests/cli. */
#include "tests/unit/unit.h"

#include "vmm/app/sixel.h"

static struct sixel s;
static uint32_t dots[SIXEL_ROWS * SIXEL_COLUMNS];

static void a_strip(void) {
    static const char all[] = "\033[1;1H\033P0;1;0q\"1;1;5;6#0;2;0;0;0#0FFFFF$#224;2;100;0;0#224!5w$-\033\\";
    for (unsigned i = 0; i < 30; i++)
        dots[i] = i >= 15 && i < 30 ? 0xff0000 : 0;
    CHECK(sixel_set(&s, 5, 6, 6, dots) && sixel_paint(&s));
    s.bytes[s.length] = 0;
    CHECK(strstr(s.bytes, "#224;2;100;0;0#224!5w$") && strstr(s.bytes, "#0;2;0;0;0#0!5F$"));
    CHECK(s.length < sizeof all + 8);
    CHECK(!sixel_set(&s, 5, 6, 6, dots));
    s.length = 0;
    CHECK(sixel_paint(&s) && s.length == 0);
}

/* A strip is 60 dots for cells of 20. */
static void only_what_changed(void) {
    memset(dots, 0, sizeof dots);
    sixel_set(&s, 100, 300, 20, dots);
    s.length = 0;
    CHECK(sixel_paint(&s));
    s.length = 0;
    dots[100 * 130] = 0xffffff;
    CHECK(sixel_set(&s, 100, 300, 20, dots) && sixel_paint(&s));
    s.bytes[s.length] = 0;
    CHECK(!strncmp(s.bytes, "\033[7;1H\033P", 8) && !strstr(s.bytes + 1, "\033["));
    s.known = false; /* the terminal was cleared */
    s.length = 0;
    CHECK(sixel_set(&s, 100, 300, 20, dots) && sixel_paint(&s));
    s.bytes[s.length] = 0;
    CHECK(strstr(s.bytes, "\033[1;1H") && strstr(s.bytes, "\033[13;1H"));
}

/* As many colours and runs as there can be. */
static void noise(void) {
    uint32_t random = 1;
    unsigned parts = 0;
    for (unsigned i = 0; i < SIXEL_ROWS * SIXEL_COLUMNS; i++)
        dots[i] = (random = random * 1664525 + 1013904223) >> 8;
    sixel_set(&s, SIXEL_COLUMNS, SIXEL_ROWS, 23, dots);
    s.length = 0;
    for (bool whole = false; !whole && parts < 1000; parts++) {
        whole = sixel_paint(&s);
        CHECK(s.length > 0 && s.length <= SIXEL_ROOM);
        s.length = 0;
    }
    CHECK(parts > 1 && parts < 1000);
}

int main(void) {
    a_strip();
    only_what_changed();
    noise();
    return unit_end();
}
