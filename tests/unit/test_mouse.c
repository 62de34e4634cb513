/* The PS/2 mouse behind the 8042: its commands, packets, interrupts, and how a terminal's mouse
 * becomes one. */
#include "tests/unit/unit.h"

#include "tests/unit/device_board.h"

static struct keyboard keyboard;

static void new_mouse(void) {
    new_board();
    keyboard = (struct keyboard){0};
    keyboard_open(&keyboard, &bus, &board);
}

static void send(unsigned byte) {
    out(0x64, 0xd4);
    out(0x60, byte);
}

/* All that there is, bytes of the mouse alone or with a ! before the keyboard's. */
static const char *bytes(void) {
    static char text[512];
    size_t n = 0;
    *text = 0;
    for (uint8_t status; (status = in(0x64)) & 1 && n < sizeof text - 8;) {
        uint8_t byte = in(0x60);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%02x", n ? " " : "", status & 0x20 ? "" : "!", byte);
    }
    return text;
}

static const char *answer(unsigned byte) {
    send(byte);
    return bytes();
}

static void type_and_notice(const char *text) {
    type(text);
    keyboard_notice(&keyboard);
}

static void config(unsigned value) {
    out(0x64, 0x60);
    out(0x60, value);
}

/* --- commands ------------------------------------------------------------------------------- */

static void commands(void) {
    new_mouse();
    CHECK_STR(answer(0xff), "fa aa 00");
    CHECK_STR(answer(0xf2), "fa 00");
    CHECK_STR(answer(0xe9), "fa 00 02 64");
    CHECK_STR(answer(0xf4), "fa");
    CHECK_STR(answer(0xe7), "fa");
    CHECK_STR(answer(0xe8), "fa");
    CHECK_STR(answer(3), "fa");
    CHECK_STR(answer(0xf3), "fa");
    CHECK_STR(answer(40), "fa");
    CHECK_STR(answer(0xe9), "fa 30 03 28");
    CHECK_STR(answer(0xe8), "fa");
    CHECK_STR(answer(4), "fe");
    CHECK_STR(answer(0xf0), "fa");
    CHECK_STR(answer(0xe9), "fa 70 03 28");
    CHECK_STR(answer(0xea), "fa");
    CHECK_STR(answer(0xe6), "fa");
    CHECK_STR(answer(0xf5), "fa");
    CHECK_STR(answer(0xe9), "fa 00 03 28");
    CHECK_STR(answer(0xf6), "fa");
    CHECK_STR(answer(0xe9), "fa 00 02 64");
    CHECK_STR(answer(0x12), "fe");
    CHECK_STR(answer(0xee), "fa"); /* echo */
    CHECK_STR(answer(0xf4), "f4");
    CHECK_STR(answer(0xec), "fa");
    CHECK_STR(answer(0xf4), "fa");
}

static void becomes_one_with_a_wheel(void) {
    new_mouse();
    const uint8_t rates[] = {200, 100, 80};
    for (unsigned i = 0; i < 3; i++) {
        CHECK_STR(answer(0xf3), "fa");
        CHECK_STR(answer(rates[i]), "fa");
    }
    CHECK_STR(answer(0xf2), "fa 03");
    CHECK_STR(answer(0xf4), "fa");
    type_and_notice("\033[<64;1;1M");
    CHECK_STR(bytes(), "08 00 00 ff");
    type_and_notice("\033[<65;1;1M\033[<65;1;1M");
    CHECK_STR(bytes(), "08 00 00 02");
    CHECK_STR(answer(0xff), "fa aa 00");
    CHECK_STR(answer(0xf2), "fa 00");
}

/* --- packets -------------------------------------------------------------------------------- */

static void moves(void) {
    new_mouse();
    type_and_notice("\033[<35;9;9M"); /* nobody listens */
    CHECK_STR(bytes(), "");
    answer(0xf4);
    type_and_notice("\033[<35;10;10M");
    CHECK_STR(bytes(), "28 08 f0");
    type_and_notice("\033[<35;8;5M");
    CHECK_STR(bytes(), "18 f0 50");
    type_and_notice("\033[<35;9;5M\033[<35;10;5M\033[<35;11;5M"); /* added up */
    CHECK_STR(bytes(), "08 18 00");
    type_and_notice("\033[<0;11;5M\033[<0;11;5m"); /* a click */
    CHECK_STR(bytes(), "09 00 00 08 00 00");
    type_and_notice("\033[<2;11;5M\033[<34;12;5M\033[<2;12;5m\033[<1;12;5M");
    CHECK_STR(bytes(), "0a 00 00 08 08 00 0c 00 00");
    type_and_notice("\033[<1;12;5m");
    bytes();
    type_and_notice("\033[<35;112;5M"); /* farther than a packet tells: the rest comes behind it */
    CHECK_STR(bytes(), "08 ff 00 08 ff 00 08 ff 00 08 23 00");
    type_and_notice("\033[<35;1;5M");
    CHECK_STR(bytes(), "18 01 00 18 01 00 18 01 00 18 85 00");
    type_and_notice("\033[<64;1;5M\033[<128;1;5M\033[<0;99999999999;1M"); /* no wheel; no such buttons; nonsense */
    CHECK(strlen(bytes()) > 0);
}

static void scales(void) {
    new_mouse();
    answer(0xf4);
    answer(0xe7);
    type_and_notice("\033[<35;9;9M\033[<35;10;9M");
    CHECK_STR(bytes(), "08 10 00");
}

static void when_asked(void) {
    new_mouse();
    answer(0xf4);
    answer(0xf0);
    type_and_notice("\033[<35;9;9M\033[<35;10;10M");
    CHECK_STR(bytes(), "");
    CHECK_STR(answer(0xeb), "fa 28 08 f0");
    CHECK_STR(answer(0xeb), "fa 08 00 00");
    type_and_notice("\033[<35;210;10M"); /* too far */
    CHECK_STR(answer(0xeb), "fa 48 ff 00");
    CHECK_STR(answer(0xfe), "48 ff 00");
}

/* --- with the keyboard ---------------------------------------------------------------------- */

static void interrupts(void) {
    new_mouse();
    config(0x47);
    send(0xf4);
    CHECK(line[12] && !line[1]);
    CHECK(in(0x64) & 0x20 && in(0x60) == 0xfa && !line[12]);
    edges[1] = edges[12] = 0;
    type_and_notice("\033[<0;9;9Ma");
    CHECK(line[12] && !line[1]);
    in(0x60), in(0x60);
    CHECK(line[12]);
    in(0x60);
    CHECK(!line[12] && line[1] && edges[12] == 3);
    CHECK_STR(bytes(), "!1e !9e");
    CHECK(!line[1]);
    config(0x45); /* IRQ 12 off */
    type_and_notice("\033[<0;9;9m");
    CHECK(!line[12] && !line[1] && in(0x64) & 0x20);
    CHECK(!keyboard_mouse_interrupts(&keyboard));
    bytes();
    config(0x47);
    CHECK(keyboard_mouse_interrupts(&keyboard));
}

static void ports_are_disabled(void) {
    new_mouse();
    answer(0xf4);
    out(0x64, 0xa7);
    type_and_notice("\033[<0;9;9Mab");
    CHECK_STR(bytes(), "!1e !9e !30 !b0"); /* the key goes on */
    out(0x64, 0xa8);
    CHECK_STR(bytes(), "09 00 00");
    out(0x64, 0xad); /* and the mouse goes on */
    type_and_notice("c\033[<0;9;9m");
    CHECK_STR(bytes(), "");
    type_and_notice("\033[A");
    out(0x64, 0xae);
    CHECK_STR(bytes(), "!2e !ae 08 00 00 !e0 !48 !e0 !c8");
}

/* What the controller is asked comes before what the mouse has sent meanwhile. */
static void the_controller_answers_first(void) {
    new_mouse();
    answer(0xf4);
    type_and_notice("\033[<0;9;9M");
    CHECK(in(0x64) & 0x20);
    out(0x64, 0x20);
    CHECK(!(in(0x64) & 0x20) && in(0x60) == 0x45);
    CHECK_STR(bytes(), "09 00 00");
}

static void never_as_keys(void) {
    new_mouse();
    config(0x47);
    type_and_notice("\033[<35;1;2M\033[<0;1;2M\033[<0;1;2mx");
    CHECK_STR(bytes(), "!2d !ad");
}

int main(void) {
    commands();
    becomes_one_with_a_wheel();
    moves();
    scales();
    when_asked();
    interrupts();
    ports_are_disabled();
    the_controller_answers_first();
    never_as_keys();
    return unit_end();
}
