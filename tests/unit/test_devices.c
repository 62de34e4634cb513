/* The devices, driven by port accesses on a board that only takes notes: what
 * they print, which interrupt line they raise, when they stop the machine. */
#include "tests/unit/unit.h"

#include "tests/unit/fake_cpu.h"
#include "vmm/devices/devices.h"
#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

/* --- the board --------------------------------------------------------------------- */

static struct input input;
static struct bus bus;
static char printed[8192];
static size_t printed_length;
static bool line[16];      /* interrupt lines */
static unsigned edges[16]; /* how often each rose */
static int ended;          /* exit status, or -1 */
static char stopped[200];  /* why, or empty */

static void take_put(void *machine, const char *text, size_t length) {
    (void)machine;
    if (length > sizeof printed - 1 - printed_length)
        length = sizeof printed - 1 - printed_length;
    memcpy(printed + printed_length, text, length);
    printed[printed_length += length] = 0;
}

static void take_irq(void *machine, unsigned irq, bool level) {
    (void)machine;
    edges[irq] += level && !line[irq];
    line[irq] = level;
}

static void take_end(void *machine, struct cpu *by, int status) {
    (void)machine, (void)by;
    ended = status;
}

static struct cpu cpu; /* that accesses the ports */

static void take_stop(void *machine, struct cpu *by, const char *why) {
    (void)machine, (void)by;
    snprintf(stopped, sizeof stopped, "%s", why);
}

static int64_t leap_day(void *machine) {
    (void)machine;
    return 951825845; /* Tuesday 2000-02-29 12:04:05 UTC */
}

static enum io_result take_reset(void *machine, struct cpu *by, const char *what) {
    (void)machine, (void)by;
    snprintf(stopped, sizeof stopped, "reset by %s", what);
    return IO_STOP;
}

static int a20 = -1; /* as it was set last */
static enum io_result take_a20(void *machine, struct cpu *by, bool open) {
    (void)machine, (void)by;
    a20 = open;
    return IO_DONE;
}

static const struct board board = {.reset = take_reset, .a20 = take_a20, .input = &input, .put = take_put, .irq = take_irq,
                                   .end = take_end, .stop = take_stop, .clock = leap_day};

static void new_board(void) {
    input_open(&input);
    bus = (struct bus){0};
    printed_length = 0;
    *printed = 0;
    memset(line, 0, sizeof line);
    memset(edges, 0, sizeof edges);
    ended = -1;
    *stopped = 0;
}

static enum io_result out(uint16_t port, uint8_t value) {
    return bus_access(&bus, &(struct access){.cpu = &cpu, .address = port, .write = true, .size = 1, .data = &value});
}

static uint8_t in(uint16_t port) {
    uint8_t value = 0x5a;
    CHECK(bus_access(&bus, &(struct access){.address = port, .size = 1, .data = &value}) == IO_DONE);
    return value;
}

static void type(const char *text) { input_put(&input, (const uint8_t *)text, strlen(text)); }

/* --- the bus ----------------------------------------------------------------------------- */

static void nobody_at_home(void) {
    new_board();
    CHECK(in(0x1234) == 0xff); /* an open bus */
    uint16_t word = 0;
    uint32_t dword = 0;
    CHECK(bus_access(&bus, &(struct access){.address = 0xcf8, .size = 2, .data = &word}) == IO_DONE);
    CHECK(bus_access(&bus, &(struct access){.address = 0xcfc, .size = 4, .data = &dword}) == IO_DONE);
    CHECK(word == 0xffff && dword == 0xffffffff);
    CHECK(out(0x1234, 1) == IO_DONE && ended == -1 && !*stopped);
}

static enum io_result answer(void *device, const struct access *a) {
    return access_reply(a, *(int *)device);
}

static void ranges(void) {
    int one = 1, two = 2;
    new_board();
    bus_add(&bus, "one", 0x100, 0x107, answer, &one);
    bus_add(&bus, "two", 0x108, 0x108, answer, &two);
    CHECK(in(0xff) == 0xff && in(0x100) == 1 && in(0x107) == 1 && in(0x108) == 2);
    CHECK(in(0x109) == 0xff);
    uint32_t dword = 0; /* a wide read of a byte register */
    bus_access(&bus, &(struct access){.address = 0x100, .size = 4, .data = &dword});
    CHECK(dword == 1);
    CHECK_STR(bus.error, "");
}

/* A device that cannot be reached is a mistake that must be seen. */
static void bus_refuses(void) {
    int one = 1, two = 2;
    new_board();
    bus_add(&bus, "one", 0x100, 0x107, answer, &one);
    bus_add(&bus, "two", 0x107, 0x10f, answer, &two);
    CHECK_STR(bus.error, "two devices at port 0x107: one and two");
    bus_add(&bus, "two", 0xf0, 0x1ff, answer, &two);
    CHECK_STR(bus.error, "two devices at port 0x107: one and two"); /* the first is what counts */
    CHECK(bus.count == 1 && in(0x108) == 0xff);
    new_board();
    for (int i = 0; i < 2 * BUS_MAX; i++)
        bus_add(&bus, "more", 0x200 + i, 0x200 + i, answer, &two);
    CHECK(bus.count == BUS_MAX && in(0x200 + BUS_MAX - 1) == 2 && in(0x200 + BUS_MAX) == 0xff);
    CHECK(strstr(bus.error, "no room on the bus for more"));
}

/* --- the serial port ------------------------------------------------------------------------ */

enum { COM1 = 0x3f8, THR = COM1, RBR = COM1, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static struct uart uart;
static void new_uart(void) {
    new_board();
    uart_open(&uart, &bus, &board);
}

static void uart_prints(void) {
    new_uart();
    CHECK(in(LSR) == 0x60); /* always ready to send */
    out(THR, 'h');
    out(THR, 'i');
    CHECK_STR(printed, "hi");
    CHECK(in(LSR) == 0x60 && edges[4] == 0); /* nobody asked for interrupts */
}

static void uart_registers(void) {
    new_uart();
    out(SCR, 0xa5);
    CHECK(in(SCR) == 0xa5); /* how a driver finds a 16450 or better */
    out(LCR, 0x80);         /* DLAB: the divisor lies over THR and IER */
    out(COM1, 0x0c);
    out(COM1 + 1, 0x01);
    CHECK(in(COM1) == 0x0c && in(COM1 + 1) == 0x01);
    out(LCR, 0x03);
    CHECK(in(LCR) == 0x03 && in(IER) == 0 && printed_length == 0);
    out(IER, 0xff);
    CHECK(in(IER) == 0x0f); /* it has four bits */
    CHECK((in(MSR) & 0xb0) == 0xb0);
    CHECK((in(IIR) & 0xc0) == 0);
    out(IIR, 0x01); /* FCR: with a FIFO it says so */
    CHECK((in(IIR) & 0xc0) == 0xc0);
}

static void uart_receives(void) {
    new_uart();
    type("ab");
    uart_notice(&uart);
    CHECK(!line[4]); /* not asked for */
    CHECK(in(LSR) == 0x61);
    CHECK(in(RBR) == 'a' && in(RBR) == 'b' && in(LSR) == 0x60);
    CHECK(in(RBR) == 0); /* nothing there */
    out(IER, 1);
    CHECK(!line[4]);
    type("c");
    uart_notice(&uart);
    CHECK(line[4] && (in(IIR) & 0x0f) == 4);
    CHECK(in(RBR) == 'c' && !line[4] && (in(IIR) & 0x0f) == 1);
}

static void uart_transmit_interrupt(void) {
    new_uart();
    out(IER, 2); /* THR is empty: at once */
    CHECK(line[4] && (in(IIR) & 0x0f) == 2);
    CHECK(!line[4] && (in(IIR) & 0x0f) == 1); /* reading IIR took it back */
    out(THR, 'x');
    CHECK(line[4] && (in(IIR) & 0x0f) == 2 && !line[4]);
    out(IER, 3);
    type("y");
    uart_notice(&uart);
    out(THR, 'z');
    CHECK((in(IIR) & 0x0f) == 4); /* received data goes first */
    CHECK(in(RBR) == 'y' && line[4] && (in(IIR) & 0x0f) == 2);
    out(IER, 0);
    CHECK(!line[4]);
}

/* MCR bit 4: what is sent is received, and nobody outside sees it. */
static void uart_loopback(void) {
    new_uart();
    type("outside");
    out(MCR, 0x1f);
    CHECK(in(LSR) == 0x60); /* the line is cut */
    out(THR, 0xae);
    CHECK(in(LSR) == 0x61 && in(RBR) == 0xae && in(LSR) == 0x60);
    CHECK(printed_length == 0);
    CHECK(in(MSR) == 0xf0); /* DTR, RTS, OUT1 and OUT2 come back as inputs */
    out(IER, 1);
    out(THR, 1);
    CHECK(line[4]);
    in(RBR);
    CHECK(!line[4]);
    out(MCR, 0x0f);
    CHECK(in(RBR) == 'o');
}

static void uart_at_the_end_of_input(void) {
    new_uart();
    out(IER, 1);
    input_end(&input);
    uart_notice(&uart);
    CHECK(in(LSR) == 0x60 && in(RBR) == 0 && !line[4]); /* a quiet line, not a storm */
}

/* --- the keyboard ---------------------------------------------------------------------------- */

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

static void keys(void) {
    new_keyboard();
    CHECK(in(0x60) == 0xfa && in(0x60) == 0xfa && !(in(0x64) & 1)); /* what the firmware had last */
    static const struct {
        const char *typed, *codes;
    } rows[] = {
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
        {"\x03", "1d 2e ae 9d"}, /* Ctrl-C */
        {"\x01", "1d 1e 9e 9d"},
        {"\x1a", "1d 2c ac 9d"},
        {"ab", "1e 9e 30 b0"},
        {"\xc3\xa4", ""}, /* not on this keyboard */
        {"\x1c", "1d 2b ab 9d"}, /* Ctrl-\, Ctrl-], Ctrl-^, Ctrl-_ */
        {"\x1d", "1d 1b 9b 9d"},
        {"\x1e", "1d 07 87 9d"},
        {"\x1f", "1d 0c 8c 9d"},
        /* escape sequences: xterm's */
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
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        new_keyboard();
        type(rows[i].typed);
        CHECK_STR(scancodes(), rows[i].codes);
    }
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

/* --- CMOS ----------------------------------------------------------------------------------------- */

static struct cmos cmos;
static uint8_t cmos_byte(uint8_t index) {
    out(0x70, index);
    return in(0x71);
}
static unsigned cmos_word(uint8_t index) { return cmos_byte(index) | cmos_byte(index + 1) << 8; }

static void cmos_memory_sizes(void) {
    static const struct {
        uint64_t ram;
        unsigned base, above_1m, above_16m; /* KiB, KiB, 64 KiB */
    } rows[] = {
        {64 * KIB, 64, 0, 0},
        {256 * KIB, 256, 0, 0},
        {1 * MIB, 640, 0, 0},
        {2 * MIB, 640, 1024, 0},
        {16 * MIB, 640, 15360, 0},
        {64 * MIB, 640, 64512, 768},
        {65 * MIB, 640, 65535, 784}, /* all that 16 bits hold */
        {3ull << 30, 640, 65535, 48896},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        new_board();
        cmos_open(&cmos, &bus, &board, &(struct memory){.ram_size = rows[i].ram});
        CHECK(cmos_word(0x15) == rows[i].base);
        CHECK(cmos_word(0x17) == rows[i].above_1m && cmos_word(0x30) == rows[i].above_1m);
        CHECK(cmos_word(0x34) == rows[i].above_16m);
    }
}

static const struct memory one_mib = {.ram_size = MIB};

static void cmos_clock(void) {
    new_board();
    cmos_open(&cmos, &bus, &board, &one_mib);
    CHECK(cmos_byte(0x00) == 0x05 && cmos_byte(0x02) == 0x04 && cmos_byte(0x04) == 0x12);
    CHECK(cmos_byte(0x06) == 0x03); /* Sunday is 1 */
    CHECK(cmos_byte(0x07) == 0x29 && cmos_byte(0x08) == 0x02);
    CHECK(cmos_byte(0x09) == 0x00 && cmos_byte(0x32) == 0x20);
    CHECK(!(cmos_byte(0x0a) & 0x80) && cmos_byte(0x0b) == 0x02 && cmos_byte(0x0d) == 0x80);
    CHECK(cmos_byte(0x80 | 0x04) == 0x12); /* bit 7 masks NMI */
}

/* What a recording says may be any time: two digits each, of some year that has four. */
static int64_t any_time;
static int64_t at_any_time(void *machine) {
    (void)machine;
    return any_time;
}

static void cmos_any_clock(void) {
    static const int64_t times[] = {INT64_MIN, -1, 0, 253402300799, 253402300800, 67768036191676799,
                                    67768036191676800, INT64_MAX, -62167219201};
    static const uint8_t registers[] = {0x00, 0x02, 0x04, 0x06, 0x07, 0x08, 0x09, 0x32};
    new_board();
    struct board other = board;
    other.clock = at_any_time;
    cmos_open(&cmos, &bus, &other, &one_mib);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        for (size_t r = 0; r < sizeof registers; r++) {
            any_time = times[i];
            uint8_t byte = cmos_byte(registers[r]);
            CHECK((byte & 15) < 10 && byte >> 4 < 10);
        }
}

static void cmos_ram(void) {
    new_board();
    cmos_open(&cmos, &bus, &board, &one_mib);
    out(0x70, 0x0f); /* the shutdown byte */
    out(0x71, 0x0a);
    CHECK(cmos_byte(0x0f) == 0x0a && cmos_byte(0x7f) == 0 && cmos_byte(0xff) == 0);
    unsigned sum = 0;
    out(0x70, 0x20);
    out(0x71, 0xee);
    for (uint8_t i = 0x10; i <= 0x2d; i++)
        sum += cmos_byte(i);
    CHECK(sum > 0xee && cmos_byte(0x2e) == (uint8_t)(sum >> 8) && cmos_byte(0x2f) == (uint8_t)sum);
}

/* --- one register each ------------------------------------------------------------------------------- */

static struct ports ports;
static void new_ports(void) {
    new_board();
    ports_open(&ports, &bus, &board, false);
}

static void debug_console(void) {
    new_ports();
    out(0xe9, 'o');
    out(0xe9, 'k');
    CHECK_STR(printed, "ok");
    CHECK(in(0xe9) == 0xe9);
}

static void exit_port(void) {
    static const struct {
        uint8_t value;
        int status;
    } rows[] = {{0, 1}, {1, 3}, {0x10, 33}, {0x7f, 255}, {0x80, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        new_ports();
        CHECK(out(0xf4, rows[i].value) == IO_STOP && ended == rows[i].status);
    }
}

static void fast_a20(void) {
    new_ports();
    CHECK(in(0x92) == 2);
    CHECK(out(0x92, 0) == IO_DONE && in(0x92) == 0);
    CHECK(out(0x92, 2) == IO_DONE && in(0x92) == 2 && !*stopped);
    CHECK(a20 == 1);
    CHECK(out(0x92, 3) == IO_STOP && strstr(stopped, "reset by port 0x92"));
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

/* Bit 2 counts when it goes up. */
static void reset_control(void) {
    new_ports();
    CHECK(out(0xcf9, 2) == IO_DONE && in(0xcf9) == 2 && !*stopped);
    CHECK(out(0xcf9, 6) == IO_STOP && strstr(stopped, "reset by port 0xcf9"));
    CHECK(out(0xcf9, 6) == IO_DONE);
}

static void post_codes(void) {
    new_ports();
    CHECK(out(0x80, 0x42) == IO_DONE && out(0x190, 0x42) == IO_DONE && !printed_length);
}

/* --- hypercalls ---------------------------------------------------------------------------------------- */

static struct hypercall hypercall;
static struct memory memory;

static void new_hypercalls(void) {
    new_board();
    fake_cpu_open(&cpu, &memory);
    fake_real_mode(&cpu);
    hypercall_open(&hypercall, &bus, &board);
}

static enum io_result call(uint8_t number, uint64_t rbx, uint64_t rcx) {
    cpu.state.regs.rbx = rbx;
    cpu.state.regs.rcx = rcx;
    return out(0x500, number);
}

static void calls(void) {
    new_hypercalls();
    CHECK(call(1, 0x1141, 0) == IO_DONE); /* BL */
    CHECK(call(4, 0, 0) == IO_DONE);
    CHECK(call(3, 0xabcd0000, 0) == IO_DONE); /* BX, unsigned */
    CHECK(call(1, ' ', 0) == IO_DONE);
    CHECK(call(3, 0xffff, 0) == IO_DONE);
    CHECK_STR(printed, "A\n0 65535");
    CHECK(call(0, 0x12345678, 0) == IO_STOP && ended == 0x78); /* BL is the status */
}

static void puts_by_linear_address(void) {
    new_hypercalls();
    memcpy(memory.ram + 0x2000, "whole line\n", 11);
    CHECK(call(5, 0xffffffff00002000, 0xffffffff0000000b) == IO_DONE); /* EBX, ECX */
    CHECK_STR(printed, "whole line\n");
    CHECK(call(5, 0x2000, 0) == IO_DONE && printed_length == 11);
    memset(memory.ram + 0x3000, 'x', 4000); /* longer than any buffer of ours */
    CHECK(call(5, 0x3000, 4000) == IO_DONE && printed_length == 4011);
}

static void puts_with_nonsense(void) {
    new_hypercalls();
    CHECK(call(5, 0x2000, 0xffffffff) == IO_STOP && strstr(stopped, "ECX"));
    CHECK(printed_length == 0);
    new_hypercalls();
    CHECK(call(5, 0x7fff0000, 4) == IO_STOP && strstr(stopped, "EBX"));
    new_hypercalls();
    CHECK(call(5, MIB - 2, 4) == IO_STOP); /* as far as there is memory */
    CHECK(printed_length == 2 && strstr(stopped, "EBX"));
}

static void getchar_in_two_steps(void) {
    uint8_t byte = 0;
    const struct access a = {.address = 0x500, .size = 1, .data = &byte};
    new_hypercalls();
    type("kl");
    CHECK(in(0x500) == 0xff); /* without a GETCHAR nothing is taken */
    call(2, 0, 0);
    CHECK(in(0x500) == 'k');
    CHECK(in(0x500) == 0xff);
    call(2, 0, 0);
    CHECK(in(0x500) == 'l');
    call(2, 0, 0);
    CHECK(bus_access(&bus, &a) == IO_RETRY); /* nothing there yet: wait */
    type("m");
    CHECK(bus_access(&bus, &a) == IO_DONE && byte == 'm');
    input_end(&input);
    call(2, 0, 0);
    CHECK(in(0x500) == 0xff);
}

static void unknown_hypercalls(void) {
    for (unsigned number = 6; number < 256; number++) {
        char name[16];
        snprintf(name, sizeof name, " %u ", number);
        new_hypercalls();
        CHECK(call(number, 0, 0) == IO_STOP && strstr(stopped, name) && ended == -1);
    }
}

/* --- the input queue --------------------------------------------------------------------------------------- */

static void input_queue(void) {
    static uint8_t bytes[INPUT_ROOM + 10];
    struct input q;
    input_open(&q);
    CHECK(input_take(&q) == INPUT_NONE && input_room(&q) == INPUT_ROOM);
    memset(bytes, 0xff, sizeof bytes);
    CHECK(input_put(&q, bytes, sizeof bytes) == INPUT_ROOM && input_room(&q) == 0);
    CHECK(input_put(&q, bytes, 1) == 0);
    CHECK(input_peek(&q) == 0xff && input_take(&q) == 0xff); /* 0xff is a byte, no end */
    CHECK(input_put(&q, (const uint8_t *)"z", 1) == 1);
    input_end(&q);
    int last = 0;
    for (int i = 0; i < INPUT_ROOM; i++)
        last = input_take(&q);
    CHECK(last == 'z' && input_take(&q) == INPUT_END && input_peek(&q) == INPUT_END);
}

int main(void) {
    memory_open(&memory, MIB);
    nobody_at_home();
    ranges();
    bus_refuses();
    uart_prints();
    uart_registers();
    uart_receives();
    uart_transmit_interrupt();
    uart_loopback();
    uart_at_the_end_of_input();
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
    cmos_memory_sizes();
    cmos_clock();
    cmos_any_clock();
    cmos_ram();
    debug_console();
    exit_port();
    fast_a20();
    keyboard_a20();
    reset_control();
    post_codes();
    calls();
    puts_by_linear_address();
    puts_with_nonsense();
    getchar_in_two_steps();
    unknown_hypercalls();
    input_queue();
    memory_close(&memory);
    return unit_end();
}
