/* Serial line (INT 14h) and printer (INT 17h). */
#include "vmm/board/bios/call.h"

enum { DATA, INTERRUPTS, LINE = 3, MODEM, LINE_STATUS, MODEM_STATUS };
enum { DIVISOR_LATCH = 0x80, READY = 1, EMPTY = 0x20, TIMEOUT = 0x80, DTR_RTS = 3 };

static uint16_t base(struct call *c) {
    return c->dx < 4 ? peek16(c->bios, BDA_COM + 2 * c->dx) : 0;
}

/* AL: three bits of the speed, then parity, stop bits, length as the 8250's LCR has them. */
static void open_line(struct call *c) {
    static const uint16_t divisors[] = {1047, 768, 384, 192, 96, 48, 24, 12};
    uint16_t port = base(c), divisor = divisors[c->al >> 5];
    if (!port)
        return;
    port_out(c->bios, port + LINE, DIVISOR_LATCH);
    port_out(c->bios, port + DATA, (uint8_t)divisor);
    port_out(c->bios, port + INTERRUPTS, (uint8_t)(divisor >> 8));
    port_out(c->bios, port + LINE, c->al & 0x1f);
    port_out(c->bios, port + INTERRUPTS, 0);
    c->ah = port_in(c->bios, port + LINE_STATUS);
    c->al = port_in(c->bios, port + MODEM_STATUS);
}

static void send(struct call *c) {
    uint16_t port = base(c);
    if (!port)
        return;
    port_out(c->bios, port + MODEM, DTR_RTS);
    bool empty = port_in(c->bios, port + LINE_STATUS) & EMPTY;
    if (empty)
        port_out(c->bios, port + DATA, c->al);
    c->ah = (uint8_t)((port_in(c->bios, port + LINE_STATUS) & ~TIMEOUT) | (empty ? 0 : TIMEOUT));
}

/* As many seconds as the data area says; 0 waits for ever. */
static bool is_timed_out(struct call *c) {
    uint32_t at = ebda(c->bios, EBDA_DEADLINE);
    uint64_t seconds = peek8(c->bios, BDA_COM_TIMEOUTS + c->dx), now = guest_time(c->bios);
    if (!wait_goes_on(c))
        poke64(c->bios, at, now + seconds * 1000000000);
    return seconds && now >= peek64(c->bios, at);
}

static void receive_byte(struct call *c) {
    uint16_t port = base(c);
    if (!port)
        return;
    uint8_t status = port_in(c->bios, port + LINE_STATUS);
    if (status & READY) {
        c->al = port_in(c->bios, port + DATA);
        c->ah = status & 0x1e;
    } else if (need_chips(c)) {
        if (is_timed_out(c))
            c->ah = TIMEOUT;
        else
            wait_here(c);
    }
}

static void line_status(struct call *c) {
    uint16_t port = base(c);
    if (!port)
        return;
    c->ah = port_in(c->bios, port + LINE_STATUS);
    c->al = port_in(c->bios, port + MODEM_STATUS);
}

/* Out of paper, I/O error, timeout: nothing is connected. */
static void no_printer(struct call *c) { c->ah = 0x29; }

static void ask_line(struct call *c, struct words *w) { words_add(w, "COM%u", c->dx + 1); }
static void ask_send(struct call *c, struct words *w) { words_add(w, "%02x to COM%u", c->al, c->dx + 1); }

static const struct service list[] = {
    TOLD(0x14, BY_AH(0x00), "set up a serial line", open_line, ask_line, NULL),
    TOLD(0x14, BY_AH(0x01), "send", send, ask_send, NULL),
    TOLD(0x14, BY_AH(0x02), "receive", receive_byte, ask_line, NULL),
    TOLD(0x14, BY_AH(0x03), "status of a serial line", line_status, ask_line, NULL),
    ROW(0x17, BY_AH(0x00), "print", no_printer),
    ROW(0x17, BY_AH(0x01), "set up a printer", no_printer),
    ROW(0x17, BY_AH(0x02), "status of a printer", no_printer),
};
const struct services services_serial = {list, sizeof list / sizeof *list};
