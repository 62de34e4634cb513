/* The devices, driven by port accesses on a board that only takes notes: what
 * they print, which interrupt line they raise, when they stop the machine. */
#include "tests/unit/unit.h"

#include "tests/unit/device_board.h"
#include "tests/unit/fake_cpu.h"
#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

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
static struct cpu cpu;

static void new_hypercalls(void) {
    new_board();
    fake_cpu_open(&cpu, &memory);
    fake_real_mode(&cpu);
    driver = &cpu;
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
    cmos_memory_sizes();
    cmos_clock();
    cmos_any_clock();
    cmos_ram();
    debug_console();
    exit_port();
    fast_a20();
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
