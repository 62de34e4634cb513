/* The keyboard and its controller, the 8042: what keys become, its commands, and what they switch. */
#include "tests/unit/unit.h"

#include "tests/unit/device_board.h"

static struct keyboard keyboard;
static void new_keyboard(void) {
    new_board();
    keyboard_open(&keyboard, &bus, &board);
}

/* All that the controller gives, as text: "1e 9e". */
static const char *scancodes(void) {
    static char text[512];
    size_t n = 0;
    *text = 0;
    while (in(0x64) & 1 && n < sizeof text - 4)
        n += snprintf(text + n, sizeof text - n, n ? " %02x" : "%02x", in(0x60));
    return text;
}

struct key_row {
    const char *text, *codes;
};

static const struct key_row characters[] = {
    {"a", "1e 9e"},
    {"1", "02 82"},
    {"0", "0b 8b"},
    {"\n", "1c 9c"},
    {"\r", "1c 9c"},
    {" ", "39 b9"},
    {"\t", "0f 8f"},
    {"\b", "0e 8e"},
    {"\x7f", "0e 8e"}, /* what a terminal's backspace sends */
    {"\x1b", "01 81"},
    {"-=[]", "0c 8c 0d 8d 1a 9a 1b 9b"},
    {";'`\\", "27 a7 28 a8 29 a9 2b ab"},
    {",./", "33 b3 34 b4 35 b5"},
    {"A", "2a 1e 9e aa"}, /* shift down, A, A up, shift up */
    {"Z", "2a 2c ac aa"},
    {"!", "2a 02 82 aa"},
    {"?", "2a 35 b5 aa"},
    {":", "2a 27 a7 aa"},
    {"~", "2a 29 a9 aa"},
    {"|", "2a 2b ab aa"},
    {"\"", "2a 28 a8 aa"},
    {"+", "2a 0d 8d aa"},
    {"*", "37 b7"}, /* the keypad has one that needs no shift */
    {"ab", "1e 9e 30 b0"},
    {"\xc3\xa4", ""}, /* not on this keyboard */
};

static const struct key_row with_ctrl[] = {
    {"\x03", "1d 2e ae 9d"}, /* Ctrl-C */
    {"\x01", "1d 1e 9e 9d"},
    {"\x1a", "1d 2c ac 9d"},
    {"\x1c", "1d 2b ab 9d"}, /* Ctrl-\, Ctrl-], Ctrl-^, Ctrl-_ */
    {"\x1d", "1d 1b 9b 9d"},
    {"\x1e", "1d 07 87 9d"},
    {"\x1f", "1d 0c 8c 9d"},
};

/* Escape sequences: xterm's, then the Linux console's. */
static const struct key_row sequences[] = {
    {"\x1b[A", "e0 48 e0 c8"},
    {"\x1bOB", "e0 50 e0 d0"}, /* in application mode */
    {"\x1b[C\x1b[D", "e0 4d e0 cd e0 4b e0 cb"},
    {"\x1b[H", "e0 47 e0 c7"},
    {"\x1b[F", "e0 4f e0 cf"},
    {"\x1b[1~\x1b[4~", "e0 47 e0 c7 e0 4f e0 cf"},
    {"\x1b[2~", "e0 52 e0 d2"},
    {"\x1b[3~", "e0 53 e0 d3"},
    {"\x1b[5~", "e0 49 e0 c9"},
    {"\x1b[6~", "e0 51 e0 d1"},
    {"\x1bOP", "3b bb"},
    {"\x1bOS", "3e be"},
    {"\x1b[15~", "3f bf"},
    {"\x1b[21~", "44 c4"},
    {"\x1b[23~", "57 d7"},
    {"\x1b[24~", "58 d8"},
    {"\x1b[Z", "2a 0f 8f aa"},
    {"\x1b[1;2A", "2a e0 48 e0 c8 aa"}, /* shift, alt, ctrl */
    {"\x1b[1;3A", "38 e0 48 e0 c8 b8"},
    {"\x1b[1;5C", "1d e0 4d e0 cd 9d"},
    {"\x1b[15;5~", "1d 3f bf 9d"},
    {"\x1b[1;2P", "2a 3b bb aa"},
    {"\x1b[3;7~", "1d 38 e0 53 e0 d3 b8 9d"}, /* Ctrl-Alt-Del */
    {"\x1b[3;8~", "2a 1d 38 e0 53 e0 d3 b8 9d aa"},
    {"\x1b[[A", "3b bb"}, /* the Linux console's */
    {"\x1b[[E", "3f bf"},
};

/* Alt, and what is no sequence. */
static const struct key_row with_escape[] = {
    {"\x1bx", "38 2d ad b8"}, /* Alt */
    {"\x1bX", "2a 38 2d ad b8 aa"},
    {"\x1b\r", "38 1c 9c b8"},
    {"\x1b\x03", "1d 38 2e ae b8 9d"},
    {"\x1b[", "38 1a 9a b8"}, /* nothing behind it: Alt with that */
    {"\x1bO", "2a 38 18 98 b8 aa"},
    {"\x1b\x1b", "01 81 01 81"},
    {"\x1b\x1b[A", "01 81 e0 48 e0 c8"},
    {"\x1b[99~q", "10 90"}, /* no key; what follows is one */
    {"\x1b[200;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;;~q", "10 90"},
    {"\x1b[1;\rq", "1c 9c 10 90"}, /* broken off */
    {"\x1b\xc3\xa4q", "10 90"},
};

static void check_codes(const struct key_row *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        new_keyboard();
        type(rows[i].text);
        CHECK_STR(scancodes(), rows[i].codes);
    }
}
#define CHECK_CODES(ROWS) check_codes(ROWS, sizeof ROWS / sizeof *ROWS)

static void keys(void) {
    new_keyboard();
    CHECK(in(0x60) == 0xfa && in(0x60) == 0xfa && !(in(0x64) & 1)); /* what the firmware had last */
    CHECK_CODES(characters);
    CHECK_CODES(with_ctrl);
    CHECK_CODES(sequences);
    CHECK_CODES(with_escape);
}

static uint64_t patience, guest_ns;
static uint64_t holds_keys(void *firmware) {
    (void)firmware;
    return patience;
}
static uint64_t guest_now(void *machine) {
    (void)machine;
    return guest_ns;
}

static void new_held_keyboard(const struct board *firmware, uint64_t ns) {
    new_board();
    keyboard_open(&keyboard, &bus, firmware);
    patience = ns;
    guest_ns = 1000;
    type("ab");
    keyboard_notice(&keyboard);
}

/* Firmware that nobody asks for a key gets none, until it is asked, time is up, or a program looks
 * here often; a program that has had one gets the others at once. */
static void held_keys(void) {
    struct board firmware = board;
    firmware.holds_keys = holds_keys;
    firmware.now = guest_now;
    new_held_keyboard(&firmware, 500);
    CHECK(!line[1] && !(in(0x64) & 1));
    CHECK(keyboard_advance(&keyboard) > guest_ns && keyboard_advance(&keyboard) != UINT64_MAX);
    patience = 0;
    keyboard_notice(&keyboard);
    CHECK(line[1]);
    CHECK(in(0x60) == 0x1e && in(0x60) == 0x9e);
    patience = UINT64_MAX;
    CHECK(in(0x64) & 1); /* its own driver has read */
    CHECK(in(0x60) == 0x30 && in(0x60) == 0xb0);
    type("c");
    keyboard_firmware_reads(&keyboard);
    CHECK(!(in(0x64) & 1));

    new_held_keyboard(&firmware, 500);
    guest_ns += 600;
    guest_ns = keyboard_advance(&keyboard);
    CHECK(keyboard_advance(&keyboard) == UINT64_MAX && line[1]);

    new_held_keyboard(&firmware, UINT64_MAX);
    unsigned polls = 0;
    while (polls < 100 && !(in(0x64) & 1))
        polls++;
    CHECK(polls > 2 && polls < 100); /* not for the sake of an A20 gate */
}

/* Every printable character comes out of the scancodes again. */
static void every_character_has_a_key(void) {
    for (char c = ' '; c <= '~'; c++) {
        char text[2] = {c, 0};
        new_keyboard();
        type(text);
        CHECK(*scancodes() != 0);
    }
}

static void keyboard_interrupts(void) {
    new_keyboard();
    type("ab");
    keyboard_notice(&keyboard);
    CHECK(line[1] && edges[1] == 1);
    for (int i = 0; i < 4; i++) {
        CHECK(line[1]);
        in(0x60);
    }
    CHECK(!line[1] && edges[1] == 4); /* an edge for each byte */
    CHECK(in(0x60) == 0xb0);          /* the last one stays in the register */
    out(0x64, 0x60);                  /* polling: no interrupts */
    out(0x60, 0x44);
    type("c");
    keyboard_notice(&keyboard);
    CHECK(!line[1] && in(0x64) & 1 && in(0x60) == 0x2e);
}

static void keyboard_keeps_what_is_not_read(void) {
    new_keyboard();
    for (int i = 0; i < 1000; i++)
        type("a");
    unsigned seen = 0;
    while (in(0x64) & 1) {
        in(0x60);
        seen++;
    }
    CHECK(seen == 2000);
}

static void keyboard_at_the_end_of_input(void) {
    new_keyboard();
    type("q");
    input_end(&input);
    CHECK_STR(scancodes(), "10 90"); /* it is no key */
    keyboard_notice(&keyboard);
    CHECK(!line[1] && !(in(0x64) & 1));
}

static void keyboard_controller(void) {
    new_keyboard();
    out(0x64, 0xaa);
    CHECK(in(0x60) == 0x55);
    out(0x64, 0xab);
    CHECK(in(0x60) == 0x00);
    out(0x64, 0x20);
    CHECK(in(0x60) == 0x45);
    out(0x64, 0xd0);
    CHECK(in(0x60) & 2); /* A20 is open */
    out(0x64, 0xd1);
    CHECK(out(0x60, 0xdf) == IO_DONE);
    out(0x64, 0xd0);
    CHECK(in(0x60) == 0xdf);
    out(0x64, 0xad); /* disabled: keys wait */
    type("a");
    CHECK_STR(scancodes(), "");
    out(0x64, 0xae);
    CHECK_STR(scancodes(), "1e 9e");
    out(0x60, 0xff); /* reset of the keyboard: ack, self-test passed */
    CHECK_STR(scancodes(), "fa aa");
    out(0x60, 0xf2); /* identify */
    CHECK_STR(scancodes(), "fa ab 41"); /* AB 83, through the translation */
    out(0x60, 0xf4);
    CHECK_STR(scancodes(), "fa");
    for (int i = 0; i < 1000; i++) /* a queue has an end */
        out(0x60, 0xf2);
    CHECK(*scancodes() != 0);
}

/* What the controller knows beside; it shows whether a byte came from 60h or 64h. */
static void controller_commands(void) {
    new_keyboard();
    CHECK(in(0x64) == 0x14);
    out(0x64, 0xa9);
    CHECK(in(0x64) == 0x1d && in(0x60) == 0x00);
    out(0x64, 0xc0);
    CHECK(in(0x60) == 0x80);
    out(0x64, 0xa7);
    out(0x64, 0x20);
    CHECK(in(0x60) == 0x65);
    out(0x64, 0xa8);
    out(0x64, 0x20);
    CHECK(in(0x60) == 0x45);
    out(0x64, 0xd2); /* as if it were typed */
    out(0x60, 0x1e);
    CHECK(in(0x64) == 0x15 && in(0x60) == 0x1e);
    out(0x64, 0xd3); /* as if it came from the mouse */
    out(0x60, 0x55);
    CHECK(in(0x64) == 0x35 && in(0x60) == 0x55 && in(0x64) == 0x14);
    out(0x64, 0xad); /* a byte for the keyboard opens its line */
    out(0x60, 0xee);
    CHECK_STR(scancodes(), "ee");
    out(0x64, 0x20);
    CHECK(in(0x60) == 0x45);
}

static void keyboard_commands(void) {
    static const struct {
        const char *sent, *answers;
    } rows[] = {
        {"\xed\x07", "fa fa"},
        {"\xed\xf4", "fa fa"},    /* a command in the parameter's place */
        {"\xf3\x20", "fa fa"},
        {"\xf0\x02", "fa fa"},
        {"\xf0\x03", "fa fe"},    /* there is no set 3 */
        {"\xee", "ee"},
        {"\xf6", "fa"},
        {"\xff", "fa aa"},
        {"\xff\xfe", "fa aa aa"}, /* again */
        {"\x12", "fe"},
        {"\xf1", "fe"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        new_keyboard();
        for (const char *c = rows[i].sent; *c; c++)
            out(0x60, (uint8_t)*c);
        CHECK_STR(scancodes(), rows[i].answers);
    }
    new_keyboard();
    out(0x60, 0xf0);
    out(0x60, 0x00);
    CHECK_STR(scancodes(), "fa fa 41"); /* 2, translated */
}

static void keyboard_is_silent(void) {
    new_keyboard();
    out(0x60, 0xf5);
    type("a");
    CHECK_STR(scancodes(), "fa");
    keyboard_notice(&keyboard);
    CHECK(!line[1]);
    out(0x60, 0xf4);
    CHECK_STR(scancodes(), "fa 1e 9e");
}

static void scancode_set_2(void) {
    new_keyboard();
    out(0x64, 0x60); /* no translation */
    out(0x60, 0x05);
    type("aA\x1b[A\x1b[18~");
    CHECK_STR(scancodes(), "1c f0 1c 12 1c f0 1c f0 12 e0 75 e0 f0 75 83 f0 83");
    out(0x60, 0xf2);
    CHECK_STR(scancodes(), "fa ab 83");
    out(0x60, 0xf0); /* the keyboard itself speaks set 1 */
    out(0x60, 0x01);
    type("a");
    CHECK_STR(scancodes(), "fa fa 1e 9e");
    out(0x60, 0xf6);
    type("a");
    CHECK_STR(scancodes(), "fa 1c f0 1c");
}

static void keyboard_resets_the_machine(void) {
    new_keyboard();
    CHECK(out(0x64, 0xfe) == IO_STOP && strstr(stopped, "reset"));
    new_keyboard();
    out(0x64, 0xd1);
    CHECK(out(0x60, 0xde) == IO_STOP && strstr(stopped, "reset"));
}

static void keyboard_a20(void) {
    new_keyboard();
    CHECK(out(0x64, 0xdd) == IO_DONE && a20 == 0);
    CHECK(out(0x64, 0xdf) == IO_DONE && a20 == 1);
    out(0x64, 0xd1);
    CHECK(out(0x60, 0xdd) == IO_DONE && a20 == 0);
    out(0x64, 0xd0);
    CHECK(in(0x60) == 0xdd);
}

int main(void) {
    keys();
    held_keys();
    every_character_has_a_key();
    keyboard_interrupts();
    keyboard_keeps_what_is_not_read();
    keyboard_at_the_end_of_input();
    keyboard_controller();
    controller_commands();
    keyboard_commands();
    keyboard_is_silent();
    scancode_set_2();
    keyboard_resets_the_machine();
    keyboard_a20();
    return unit_end();
}
