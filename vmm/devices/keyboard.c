/* The 8042 keyboard controller, a keyboard with scancode sets 1 and 2, and the way to a mouse
 * (mouse.c).
 *
 * Host characters wait in the machine's input, where other devices may take them;
 * one key is turned into its make and break codes only when the guest reads here, so
 * what was typed ahead is not lost. The interrupt is raised for what waits. Once the guest
 * has enabled the mouse, what waits is taken apart when it comes: only then is it known whose
 * interrupt it is.
 *
 * What is piped in is typed as by a person who waits until somebody wants it: no key goes to the
 * firmware unless a program has asked that for one. So an OS with a driver of its own gets what
 * its loader did not read.
 */
#include "vmm/devices/devices.h"

#include <string.h>

#include "vmm/devices/keys.h"

enum { DATA = 0x60, STATUS = 0x64, IRQ = 1, MOUSE_IRQ = 12 };
enum { STATUS_FULL = 1, STATUS_SYSTEM = 4, STATUS_COMMAND = 8, STATUS_UNLOCKED = 0x10, STATUS_MOUSE = 0x20 };
enum { CONFIG_IRQ = 1, CONFIG_MOUSE_IRQ = 2, CONFIG_SYSTEM = 4, CONFIG_DISABLED = 0x10, CONFIG_NO_MOUSE = 0x20,
       CONFIG_TRANSLATE = 0x40 };
enum { EXTENDED = 0xe0, BREAK = 0x80, BREAK_2 = 0xf0 };
enum { ACK = 0xfa, RESEND = 0xfe, ECHO = 0xee, PASSED = 0xaa };

/* --- scancodes ------------------------------------------------------------------------ */

/* Set 2 by set 1. The controller translates the other way, as long as bit 6 of its
 * configuration says so: that is where set 1 comes from. */
static const uint8_t set_2[] = {
    0x00, 0x76, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x14, 0x1c, 0x1b,
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5d, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7c, 0x11, 0x29, 0x58, 0x05, 0x06, 0x04, 0x0c, 0x03,
    0x0b, 0x83, 0x0a, 0x01, 0x09, 0x77, 0x7e, 0x6c, 0x75, 0x7d, 0x7b, 0x6b, 0x73, 0x74, 0x79, 0x69,
    0x72, 0x7a, 0x70, 0x71, 0x84, 0x60, 0x61, 0x78, 0x07};
enum { SET_2_F7 = 0x02, F7 = 0x41 }; /* translated, too, though the key sends 83 */

static uint8_t translated(const struct keyboard *k, uint8_t byte) {
    if (!(k->config & CONFIG_TRANSLATE) || k->scancode_set != 2)
        return byte;
    for (unsigned code = 1; code < sizeof set_2; code++)
        if (set_2[code] == byte)
            return code;
    return byte == SET_2_F7 ? F7 : byte;
}

static void queue_from(struct keyboard *k, uint8_t byte, bool of_mouse) {
    unsigned at = (k->head + k->count) % sizeof k->queue;
    if (k->count == sizeof k->queue)
        return;
    k->queue[at] = byte;
    k->of_mouse[at] = of_mouse;
    k->count++;
}

static void queue(struct keyboard *k, uint8_t byte) { queue_from(k, byte, false); }

/* The controller's own answer comes before what keyboard and mouse have sent, so that a program
 * that asks and reads gets it. */
static void answer_first(struct keyboard *k, uint8_t byte) {
    if (k->count == sizeof k->queue)
        return;
    k->head = (k->head + sizeof k->queue - 1) % sizeof k->queue;
    k->queue[k->head] = byte;
    k->of_mouse[k->head] = false;
    k->count++;
}

/* A byte that comes from the keyboard, through the controller. */
static void answer(struct keyboard *k, uint8_t byte) {
    k->sent = byte;
    queue(k, translated(k, byte));
}

static bool speaks_set_2(const struct keyboard *k) {
    return k->scancode_set == 2 && !(k->config & CONFIG_TRANSLATE);
}

static void queue_key(struct keyboard *k, uint8_t code, bool extended, bool up) {
    bool set2 = speaks_set_2(k);
    if (extended)
        queue(k, EXTENDED);
    if (up && set2)
        queue(k, BREAK_2);
    queue(k, set2 ? set_2[code] : code | (up ? BREAK : 0));
}

static const struct {
    uint8_t modifier, code;
} held[] = {{TYPED_SHIFT, 0x2a}, {TYPED_CTRL, 0x1d}, {TYPED_ALT, 0x38}};
enum { HELD = sizeof held / sizeof *held };

static void type(struct keyboard *k, const struct typed_key *key) {
    for (int i = 0; i < HELD; i++)
        if (key->modifiers & held[i].modifier)
            queue_key(k, held[i].code, false, false);
    queue_key(k, key->code, key->extended, false);
    queue_key(k, key->code, key->extended, true);
    for (int i = HELD; i-- > 0;)
        if (key->modifiers & held[i].modifier)
            queue_key(k, held[i].code, false, true);
}

/* --- from the input ------------------------------------------------------------------- */

static bool takes_keys(const struct keyboard *k) {
    return !(k->config & CONFIG_DISABLED) && !k->silent;
}

/* It has something to send before it takes more. */
static bool mouse_waits(const struct keyboard *k) {
    return !(k->config & CONFIG_NO_MOUSE) && !mouse_takes(&k->mouse);
}

/* One key waits until it can be typed; movements of a mouse that nobody listens to are dropped. */
static void take_input(struct keyboard *k, bool all) {
    struct mouse_event event;
    enum typed typed = TYPED_MOUSE;
    while (!k->holds && !mouse_waits(k) && typed && (all || typed == TYPED_MOUSE)) {
        typed = keys_next(k->board->input, &k->held, &event);
        k->holds = typed == TYPED_KEY;
        if (typed == TYPED_MOUSE)
            mouse_event(&k->mouse, &event);
    }
}

static void queue_packet(struct keyboard *k) {
    uint8_t packet[MOUSE_PACKET];
    unsigned length = k->config & CONFIG_NO_MOUSE ? 0 : mouse_packet(&k->mouse, packet);
    for (unsigned i = 0; i < length; i++)
        queue_from(k, packet[i], true);
}

enum { LOOK_NS = 10000000 };
enum { POLLS_MAX = 16 }; /* a program that looks more often wants it now */

/* There is a key to be typed. */
static bool is_held(struct keyboard *k) {
    const struct board *b = k->board;
    bool may = !k->firmware_is_over && k->polls < POLLS_MAX && b->holds_keys;
    uint64_t patience = may ? b->holds_keys(b->firmware) : 0;
    if (!patience)
        return false;
    uint64_t now = b->now(b->machine);
    if (!k->held_since)
        k->held_since = now;
    return now - k->held_since < patience;
}

/* The end of input is no key: the serial line tells of it (uart.c). */
static void refill(struct keyboard *k) {
    if (k->count)
        return;
    bool waits = k->holds || input_peek(k->board->input) >= 0;
    bool comes = waits && takes_keys(k) && !is_held(k);
    if (k->mouse.reporting || comes)
        take_input(k, k->mouse.reporting);
    queue_packet(k);
    if (k->count || !k->holds || !comes)
        return;
    k->holds = false;
    type(k, &k->held);
    k->held_since = k->look_at = 0;
    k->polls = 0;
}

/* Could a read give a byte? Characters that no key types are dropped on the way, but
 * only for a guest that uses the keyboard: else they may be meant for another device. */
static bool has_byte(struct keyboard *k) {
    int next = INPUT_NONE;
    if (k->mouse.reporting)
        refill(k);
    if (k->count || !takes_keys(k))
        return k->count;
    while (!k->holds && (next = input_peek(k->board->input)) >= 0 && !keys_begin(next) && k->used)
        input_take(k->board->input);
    if (!k->holds && next < 0)
        return false;
    if (!is_held(k))
        return true;
    if (!k->look_at)
        k->look_at = k->board->now(k->board->machine) + LOOK_NS;
    return false;
}

static bool is_of_mouse(const struct keyboard *k) { return k->count && k->of_mouse[k->head]; }

static void update(struct keyboard *k) {
    bool has = has_byte(k), mouse = is_of_mouse(k);
    k->board->irq(k->board->machine, IRQ, k->config & CONFIG_IRQ && has && !mouse);
    k->board->irq(k->board->machine, MOUSE_IRQ, k->config & CONFIG_MOUSE_IRQ && has && mouse);
}

void keyboard_notice(struct keyboard *k) {
    if (k->config & (CONFIG_IRQ | CONFIG_MOUSE_IRQ))
        update(k);
}

bool keyboard_mouse_interrupts(const struct keyboard *k) {
    return k->config & CONFIG_MOUSE_IRQ && k->mouse.reporting;
}

void keyboard_firmware_reads(struct keyboard *k) { k->firmware_is_over = false; }

bool keyboard_last_byte(const struct keyboard *k, uint8_t *byte) {
    *byte = k->last;
    return !k->last_of_mouse;
}

uint64_t keyboard_advance(struct keyboard *k) {
    if (k->look_at && k->board->now(k->board->machine) >= k->look_at) {
        k->look_at = 0;
        keyboard_notice(k);
    }
    return k->look_at ? k->look_at : UINT64_MAX;
}

/* --- the controller ----------------------------------------------------------------- */

static enum io_result reset_machine(struct keyboard *k, struct cpu *cpu) {
    return k->board->reset(k->board->machine, cpu, "the keyboard controller");
}

/* Bit 0 of the output port is the processor's reset line (low resets), bit 1 is A20. */
static enum io_result write_output_port(struct keyboard *k, struct cpu *cpu, uint8_t value) {
    k->output_port = value;
    if (!(value & 1))
        return reset_machine(k, cpu);
    return k->board->a20(k->board->machine, cpu, value & PORTS_A20);
}

/* To port 0x64. */
static enum io_result write_command(struct keyboard *k, struct cpu *cpu, uint8_t value) {
    k->command = 0;
    k->commanded = true;
    switch (value) {
    case 0x20: answer_first(k, k->config); break;
    case 0x60: case 0xd1: case 0xd2: case 0xd3: case 0xd4: k->command = value; break;
    case 0xa7: k->config |= CONFIG_NO_MOUSE; break;
    case 0xa8: k->config &= ~CONFIG_NO_MOUSE; break;
    case 0xa9: answer_first(k, 0x00); break; /* test of the mouse's port passed */
    case 0xaa: answer_first(k, 0x55); break; /* self-test passed */
    case 0xab: answer_first(k, 0x00); break; /* port test passed */
    case 0xad: k->config |= CONFIG_DISABLED; break;
    case 0xae: k->config &= ~CONFIG_DISABLED; break;
    case 0xc0: answer_first(k, 0x80); break; /* input port: the keyboard is not locked */
    case 0xd0: answer_first(k, k->output_port); break;
    case 0xdd: return write_output_port(k, cpu, k->output_port & ~PORTS_A20);
    case 0xdf: return write_output_port(k, cpu, k->output_port | PORTS_A20);
    case 0xfe: return reset_machine(k, cpu);
    }
    return IO_DONE;
}

static void keyboard_defaults(struct keyboard *k) {
    k->scancode_set = 2;
    k->leds = 0;
    k->silent = false;
}

/* The byte behind a command for the keyboard. Set 3 is refused, as by most keyboards. */
static void keyboard_parameter(struct keyboard *k, uint8_t command, uint8_t value) {
    bool good = command != 0xf0 || value <= 2;
    answer(k, good ? ACK : RESEND);
    if (command == 0xed)
        k->leds = value & 7;
    else if (command == 0xf0 && value == 0)
        answer(k, k->scancode_set);
    else if (command == 0xf0 && good)
        k->scancode_set = value;
}

/* A byte for the keyboard itself: it acknowledges what it knows. */
static void keyboard_command(struct keyboard *k, uint8_t value) {
    uint8_t command = k->parameter_of;
    k->parameter_of = 0;
    if (command && value < 0xed) {
        keyboard_parameter(k, command, value);
        return;
    }
    if (value != ECHO && value != RESEND)
        answer(k, value >= 0xed && value != 0xef && value != 0xf1 ? ACK : RESEND);
    switch (value) {
    case 0xed: case 0xf0: case 0xf3: k->parameter_of = value; break;
    case ECHO: answer(k, ECHO); break;
    case 0xf2: answer(k, 0xab); answer(k, 0x83); break;
    case 0xf4: k->silent = false; break;
    case 0xf5: keyboard_defaults(k); k->silent = true; break;
    case 0xf6: keyboard_defaults(k); break;
    case RESEND: answer(k, k->sent); break;
    case 0xff: keyboard_defaults(k); answer(k, PASSED); break;
    }
}

static void send_mouse(struct keyboard *k, uint8_t value) {
    uint8_t answer[MOUSE_ANSWER];
    unsigned length = mouse_command(&k->mouse, value, answer);
    for (unsigned i = 0; i < length; i++)
        queue_from(k, answer[i], true);
}

/* To port 0x60. A byte for the keyboard opens its line again. */
static enum io_result write_data(struct keyboard *k, struct cpu *cpu, uint8_t value) {
    uint8_t command = k->command;
    k->command = 0;
    k->commanded = false;
    switch (command) {
    case 0x60: k->config = value; break;
    case 0xd1: return write_output_port(k, cpu, value);
    case 0xd2: queue(k, value); break;
    case 0xd3: queue_from(k, value, true); break;
    case 0xd4: send_mouse(k, value); break;
    default:
        k->config &= ~CONFIG_DISABLED;
        keyboard_command(k, value);
    }
    return IO_DONE;
}

static uint8_t read_data(struct keyboard *k) {
    refill(k);
    if (k->count) {
        k->last = k->queue[k->head];
        k->last_of_mouse = k->of_mouse[k->head];
        k->firmware_is_over = true; /* unless it says otherwise */
        k->head = (k->head + 1) % sizeof k->queue;
        k->count--;
        /* each byte is an edge of its own for the PIC */
        k->board->irq(k->board->machine, k->last_of_mouse ? MOUSE_IRQ : IRQ, false);
    }
    return k->last;
}

static uint8_t keyboard_status(struct keyboard *k) {
    refill(k);
    return STATUS_SYSTEM | STATUS_UNLOCKED | (k->commanded ? STATUS_COMMAND : 0) |
           (k->count ? STATUS_FULL : 0) | (is_of_mouse(k) ? STATUS_MOUSE : 0);
}

static enum io_result access_keyboard(void *device, const struct access *a) {
    struct keyboard *k = device;
    enum io_result result = IO_DONE;
    k->used = true;
    if (a->write)
        result = a->address == DATA ? write_data(k, a->cpu, access_byte(a))
                                    : write_command(k, a->cpu, access_byte(a));
    else {
        access_reply(a, a->address == DATA ? read_data(k) : keyboard_status(k));
        k->polls += !k->count && k->look_at;
    }
    update(k);
    return result;
}

/* Firmware has enabled it: a guest that reads without a byte there has the answer to that. */
static void reset(void *device) {
    struct keyboard *k = device;
    *k = (struct keyboard){.board = k->board, .last = ACK, .output_port = 3, .scancode_set = 2,
                           .config = CONFIG_IRQ | CONFIG_SYSTEM | CONFIG_TRANSLATE};
    mouse_power_on(&k->mouse);
}

static void notice(void *device) { keyboard_notice(device); }

static void describe(const void *device, const struct device_sink *sink) {
    const struct keyboard *k = device;
    device_row(sink, "keyboard", "configuration", "0x%02x", k->config);
    if (k->mouse.reporting || k->mouse.remote)
        device_row(sink, "mouse", "reports", "%s, ID %u, buttons %u", k->mouse.remote ? "when asked" : "by itself",
                   k->mouse.id, k->mouse.buttons);
}

void keyboard_open(struct keyboard *k, struct bus *bus, const struct board *board) {
    k->board = board;
    reset(k);
    bus_add(bus, "keyboard", DATA, DATA, access_keyboard, k);
    bus_add(bus, "keyboard", STATUS, STATUS, access_keyboard, k);
}

static void *open_on(const struct device_site *site) {
    keyboard_open(&site->devices->keyboard, site->bus, site->board);
    return &site->devices->keyboard;
}

const struct device_class device_keyboard = {
    .name = "keyboard",
    .open = open_on,
    .reset = reset,
    .size = sizeof(struct keyboard),
    .notice = notice,
    .describe = describe,
};
