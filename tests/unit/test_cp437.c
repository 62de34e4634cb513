/* Code page 437 as UTF-8 and as ASCII. */
#include "tests/unit/unit.h"

#include "vmm/devices/display/cp437.h"

static const char *utf8(uint8_t c) {
    static char out[CP437_UTF8 + 1];
    out[cp437_utf8(c, out)] = 0;
    return out;
}

static void known_characters(void) {
    CHECK_STR(utf8('A'), "A");
    CHECK_STR(utf8('~'), "~");
    CHECK_STR(utf8(0x01), "☺");
    CHECK_STR(utf8(0x10), "►");
    CHECK_STR(utf8(0x7f), "⌂");
    CHECK_STR(utf8(0x81), "ü");
    CHECK_STR(utf8(0xb0), "░");
    CHECK_STR(utf8(0xc9), "╔");
    CHECK_STR(utf8(0xdb), "█");
    CHECK_STR(utf8(0xe1), "ß");
    CHECK_STR(utf8(0xfe), "■");
    CHECK_STR(utf8(0x00), " ");
    CHECK_STR(utf8(0xff), " ");
}

/* No byte can do something to a terminal, and no two characters look the same. */
static void each_is_printable(void) {
    char seen[256][CP437_UTF8 + 1];
    for (unsigned c = 0; c < 256; c++) {
        char a = cp437_ascii(c);
        strcpy(seen[c], utf8(c));
        CHECK(a >= ' ' && a < 0x7f);
        CHECK((unsigned char)seen[c][0] >= ' ' && seen[c][0] != 0x7f);
        CHECK(c < ' ' || c > '~' || (a == (char)c && seen[c][0] == (char)c));
        for (unsigned other = 0; other < c; other++)
            CHECK(!strcmp(seen[c], " ") || strcmp(seen[c], seen[other]));
    }
}

static void looks_alike(void) {
    CHECK(cp437_ascii(0xc4) == '-' && cp437_ascii(0xb3) == '|' && cp437_ascii(0xda) == '+');
    CHECK(cp437_ascii(0xcd) == '=' && cp437_ascii(0x84) == 'a' && cp437_ascii(0xdb) == '#');
    CHECK(cp437_ascii(0) == ' ' && cp437_ascii(255) == ' ');
}

int main(void) {
    known_characters();
    each_is_printable();
    looks_alike();
    return unit_end();
}
