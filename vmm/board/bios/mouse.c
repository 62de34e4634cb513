/* INT 15h, AH=C2h and IRQ 12: the pointing device, as PS/2 BIOSes and what was written for them
 * know it. The mouse itself is behind the keyboard controller's ports.
 *
 * In the EBDA, where every BIOS has it: the program's handler, how much of a packet has come,
 * whether it is wanted, the packet.
 */
#include "vmm/board/bios/call.h"

enum { CONTROLLER = 0x64, DATA = 0x60, TO_MOUSE = 0xd4, AS_TYPED = 0xd2, WRITE_CONFIG = 0x60,
       KEYBOARD_OFF = 0xad, KEYBOARD_ON = 0xae, FULL = 1, FROM_MOUSE = 0x20, CONFIG_IRQ = 2,
       CONFIG_NO_KEYBOARD = 0x10, CONFIG_DISABLED = 0x20 };
enum { ACK = 0xfa };
/* Answers in AH. */
enum { MOUSE_BAD_FUNCTION = 1, MOUSE_BAD_VALUE, MOUSE_NO_ANSWER, MOUSE_NO_HANDLER = 5 };
enum { HAS_HANDLER = 0x80, LENGTH = 7, SHORTEST = 1, LONGEST = 8 };

static uint32_t mouse_data(struct call *c, unsigned at) { return ebda(c->bios, at); }

static void mouse_fail(struct call *c, uint8_t ah) {
    set_carry(c, true);
    c->ah = ah;
}

static void mouse_done(struct call *c) {
    set_carry(c, false);
    c->ah = 0;
}

/* --- the mouse ------------------------------------------------------------------------------- */

/* What was typed meanwhile goes back to where it came from. */
static bool next_answer(struct bios *b, uint8_t *byte) {
    uint8_t keys[32], status;
    unsigned count = 0;
    while (((status = port_in(b, CONTROLLER)) & (FULL | FROM_MOUSE)) == FULL && count < sizeof keys)
        keys[count++] = port_in(b, DATA);
    bool there = (status & (FULL | FROM_MOUSE)) == (FULL | FROM_MOUSE);
    if (there)
        *byte = port_in(b, DATA);
    for (unsigned i = 0; i < count; i++) {
        port_out(b, CONTROLLER, AS_TYPED);
        port_out(b, DATA, keys[i]);
    }
    return there;
}

/* Asked by the port, it would be a byte that interrupts, and that INT 09h takes for a key's. */
static uint8_t read_config(const struct bios *b) { return b->board->devices.keyboard.config; }

/* Sends a byte; the answers behind its ACK. */
static bool exchange(struct bios *b, uint8_t byte, uint8_t *answers, unsigned count) {
    uint8_t first = 0;
    port_out(b, CONTROLLER, TO_MOUSE);
    port_out(b, DATA, byte);
    bool good = next_answer(b, &first) && first == ACK;
    for (unsigned i = 0; i < count && good; i++)
        good = next_answer(b, &answers[i]);
    return good;
}

/* A packet that was on its way is dropped. No key is typed meanwhile. */
static bool ask_mouse(struct call *c, uint8_t byte, uint8_t *answers, unsigned count) {
    struct bios *b = c->bios;
    uint8_t dropped;
    bool types = !(read_config(b) & CONFIG_NO_KEYBOARD);
    port_out(b, CONTROLLER, KEYBOARD_OFF);
    while (next_answer(b, &dropped))
        continue;
    bool good = exchange(b, byte, answers, count);
    if (types)
        port_out(b, CONTROLLER, KEYBOARD_ON);
    if (!good)
        mouse_fail(c, MOUSE_NO_ANSWER);
    else
        mouse_done(c);
    poke8(b, mouse_data(c, EBDA_MOUSE_COUNT), 0);
    return good;
}

static bool set_mouse(struct call *c, uint8_t command, uint8_t value) {
    return ask_mouse(c, command, NULL, 0) && ask_mouse(c, value, NULL, 0);
}

/* Its port, and its interrupt. */
static void let_mouse_in(struct bios *b) {
    uint8_t config = read_config(b);
    port_out(b, CONTROLLER, WRITE_CONFIG);
    port_out(b, DATA, (uint8_t)((config | CONFIG_IRQ) & ~CONFIG_DISABLED));
}

/* --- functions, by AL ------------------------------------------------------------------------ */

static void mouse_enable(struct call *c) {
    bool wanted = peek8(c->bios, mouse_data(c, EBDA_MOUSE_FLAGS)) & HAS_HANDLER;
    if (c->bh > 1)
        mouse_fail(c, MOUSE_BAD_VALUE);
    else if (c->bh && !wanted)
        mouse_fail(c, MOUSE_NO_HANDLER);
    else if (need_chips(c)) {
        let_mouse_in(c->bios);
        ask_mouse(c, c->bh ? 0xf4 : 0xf5, NULL, 0);
    }
}

static void mouse_reset(struct call *c) {
    uint8_t answer[2];
    if (!ask_mouse(c, 0xff, answer, 2))
        return;
    c->bl = answer[0];
    c->bh = answer[1];
}

static void mouse_set_rate(struct call *c) {
    static const uint8_t rates[] = {10, 20, 40, 60, 80, 100, 200};
    if (c->bh < sizeof rates)
        set_mouse(c, 0xf3, rates[c->bh]);
    else
        mouse_fail(c, MOUSE_BAD_VALUE);
}

static void mouse_set_resolution(struct call *c) {
    if (c->bh < 4)
        set_mouse(c, 0xe8, c->bh);
    else
        mouse_fail(c, MOUSE_BAD_VALUE);
}

static void mouse_type(struct call *c) {
    uint8_t id;
    if (ask_mouse(c, 0xf2, &id, 1))
        c->bh = id;
}

/* BH: how many bytes a packet has. */
static void mouse_initialise(struct call *c) {
    uint32_t at = mouse_data(c, EBDA_MOUSE_FLAGS);
    if (c->bh < SHORTEST || c->bh > LONGEST) {
        mouse_fail(c, MOUSE_BAD_VALUE);
        return;
    }
    poke8(c->bios, at, (uint8_t)((peek8(c->bios, at) & HAS_HANDLER) | (c->bh - 1)));
    let_mouse_in(c->bios);
    mouse_reset(c);
}

static void mouse_status(struct call *c) {
    uint8_t status[3];
    if (c->bh > 2)
        mouse_fail(c, MOUSE_BAD_VALUE);
    else if (c->bh)
        ask_mouse(c, 0xe5 + c->bh, NULL, 0); /* scaling */
    else if (ask_mouse(c, 0xe9, status, 3)) {
        c->bl = status[0];
        c->cl = status[1];
        c->dl = status[2];
    }
}

/* ES:BX is called with each packet; 0: none. */
static void mouse_set_handler(struct call *c) {
    struct bios *b = c->bios;
    uint32_t at = mouse_data(c, EBDA_MOUSE_FLAGS);
    poke16(b, mouse_data(c, EBDA_MOUSE_HANDLER), c->bx);
    poke16(b, mouse_data(c, EBDA_MOUSE_HANDLER) + 2, c->es);
    uint8_t length = peek8(b, at) & LENGTH;
    poke8(b, at, (uint8_t)((length ? length : 2) | (c->bx || c->es ? HAS_HANDLER : 0)));
    mouse_done(c);
}

static void mouse_unknown(struct call *c) { mouse_fail(c, MOUSE_BAD_FUNCTION); }

/* --- IRQ 12 ---------------------------------------------------------------------------------- */

/* true: the packet is whole. */
static bool add_byte(struct call *c, uint8_t byte) {
    struct bios *b = c->bios;
    uint32_t at = mouse_data(c, EBDA_MOUSE_COUNT);
    uint8_t count = peek8(b, at) & LENGTH, length = peek8(b, mouse_data(c, EBDA_MOUSE_FLAGS)) & LENGTH;
    poke8(b, mouse_data(c, EBDA_MOUSE_PACKET) + count, byte);
    bool whole = count >= length;
    poke8(b, at, whole ? 0 : count + 1);
    return whole;
}

static void mouse_irq(struct call *c) {
    struct bios *b = c->bios;
    bool there = (port_in(b, CONTROLLER) & (FULL | FROM_MOUSE)) == (FULL | FROM_MOUSE);
    bool wanted = peek8(b, mouse_data(c, EBDA_MOUSE_FLAGS)) & HAS_HANDLER;
    c->silent = true;
    c->pc = ROM_EOI2;
    if (there && add_byte(c, port_in(b, DATA)) && wanted)
        c->pc = ROM_MOUSE_HOOK;
}

static void after_mouse(struct call *c) {
    c->silent = true;
    c->pc = ROM_EOI2;
}

/* --- the table --------------------------------------------------------------------------------- */

static void ask_handler(struct call *c, struct words *w) { words_add(w, "at %04x:%04x", c->es, c->bx); }
static void ask_on(struct call *c, struct words *w) { words_add(w, c->bh ? "on" : "off"); }

static const struct service list[] = {
    TOLD(0x15, BY_AX(0xc200), "mouse: on or off", mouse_enable, ask_on, NULL),
    ROW(0x15, BY_AX(0xc201), "mouse: reset", mouse_reset),
    ROW(0x15, BY_AX(0xc202), "mouse: packets a second", mouse_set_rate),
    ROW(0x15, BY_AX(0xc203), "mouse: resolution", mouse_set_resolution),
    ROW(0x15, BY_AX(0xc204), "mouse: its type", mouse_type),
    ROW(0x15, BY_AX(0xc205), "mouse: initialise", mouse_initialise),
    ROW(0x15, BY_AX(0xc206), "mouse: status and scaling", mouse_status),
    TOLD(0x15, BY_AX(0xc207), "mouse: set the handler", mouse_set_handler, ask_handler, NULL),
    ROW(0x15, BY_AH(0xc2), "mouse: no such function", mouse_unknown),
    ROW(0x74, BY_ALL, "IRQ 12, mouse", mouse_irq),
    ROW(ROM_MOUSE_HOOK + ROM_MOUSE_OUT, BY_ALL, "a packet, after the mouse's handler", after_mouse),
};
const struct services services_mouse = {list, sizeof list / sizeof *list};
