/* The 8042 keyboard controller, and a keyboard that speaks scancode set 1.
 *
 * Host characters wait in the machine's input, where other devices may take them;
 * one is turned into its make and break codes only when the guest reads here. The
 * interrupt is raised for what waits.
 */
#include "vmm/devices/devices.h"

#include <string.h>

enum { DATA = 0x60, STATUS = 0x64, IRQ = 1 };
enum { STATUS_FULL = 1, STATUS_SYSTEM = 4 };
enum { CONFIG_IRQ = 1, CONFIG_SYSTEM = 4, CONFIG_DISABLED = 0x10, CONFIG_TRANSLATE = 0x40 };
enum { KEY_CTRL = 0x1d, KEY_SHIFT = 0x2a, BREAK = 0x80 };

static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\0!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?";

/* --- characters to scancodes ---------------------------------------------------- */

static uint8_t find(const char *table, size_t size, char c) {
    for (size_t code = 1; code < size; code++)
        if (table[code] == c)
            return code;
    return 0;
}

static void queue(struct keyboard *k, uint8_t byte) {
    if (k->count < sizeof k->queue)
        k->queue[(k->head + k->count++) % sizeof k->queue] = byte;
}

static void press(struct keyboard *k, uint8_t modifier, uint8_t code) {
    if (modifier)
        queue(k, modifier);
    queue(k, code);
    queue(k, code | BREAK);
    if (modifier)
        queue(k, modifier | BREAK);
}

static char key_of(char c) { return c == '\r' ? '\n' : c == 0x7f ? '\b' : c; }

static bool is_typed(int byte) {
    char c = key_of(byte);
    return (c > 0 && c < 0x1b) || find(plain, sizeof plain - 1, c) ||
           find(shifted, sizeof shifted - 1, c);
}

static void type(struct keyboard *k, char c) {
    c = key_of(c);
    uint8_t code = find(plain, sizeof plain - 1, c);
    if (code) {
        press(k, 0, code);
    } else if ((code = find(shifted, sizeof shifted - 1, c))) {
        press(k, KEY_SHIFT, code);
    } else if (c > 0 && c < 0x1b) { /* Ctrl-A is 1 */
        press(k, KEY_CTRL, find(plain, sizeof plain - 1, c + 'a' - 1));
    }
}

/* The end of input is no key: the serial line tells of it (uart.c). */
static void refill(struct keyboard *k) {
    while (k->count == 0 && !(k->config & CONFIG_DISABLED)) {
        int byte = input_take(k->board->input);
        if (byte < 0)
            return;
        type(k, byte);
    }
}

/* Could a read give a byte? Characters that no key types are dropped on the way, but
 * only for a guest that uses the keyboard: else they may be meant for another device. */
static bool has_byte(struct keyboard *k) {
    int next;
    if (k->count || k->config & CONFIG_DISABLED)
        return k->count;
    while ((next = input_peek(k->board->input)) >= 0 && !is_typed(next) && k->used)
        input_take(k->board->input);
    return next >= 0;
}

static void update(struct keyboard *k) {
    k->board->irq(k->board->machine, IRQ, k->config & CONFIG_IRQ && has_byte(k));
}

void keyboard_notice(struct keyboard *k) {
    if (k->config & CONFIG_IRQ)
        update(k);
}

/* --- the controller ----------------------------------------------------------------- */

static enum io_result reset_machine(struct keyboard *k) {
    return k->board->reset(k->board->machine, "the keyboard controller");
}

/* Bit 0 of the output port is the processor's reset line (low resets), bit 1 is A20. */
static enum io_result write_output_port(struct keyboard *k, uint8_t value) {
    k->output_port = value;
    if (!(value & 1))
        return reset_machine(k);
    return k->board->a20(k->board->machine, value & PORTS_A20);
}

static enum io_result write_command(struct keyboard *k, uint8_t value) {
    k->command = 0;
    switch (value) {
    case 0x20: queue(k, k->config); break;
    case 0x60: case 0xd1: case 0xd2: k->command = value; break;
    case 0xaa: queue(k, 0x55); break; /* self-test passed */
    case 0xab: queue(k, 0x00); break; /* port test passed */
    case 0xad: k->config |= CONFIG_DISABLED; break;
    case 0xae: k->config &= ~CONFIG_DISABLED; break;
    case 0xd0: queue(k, k->output_port); break;
    case 0xdd: return write_output_port(k, k->output_port & ~PORTS_A20);
    case 0xdf: return write_output_port(k, k->output_port | PORTS_A20);
    case 0xfe: return reset_machine(k);
    }
    return IO_DONE;
}

/* A byte for the keyboard itself: it acknowledges; a reset also reports. */
static void keyboard_command(struct keyboard *k, uint8_t value) {
    queue(k, 0xfa);
    if (value == 0xff)
        queue(k, 0xaa);
    if (value == 0xf2) {
        queue(k, 0xab);
        queue(k, 0x83);
    }
}

static enum io_result write_data(struct keyboard *k, uint8_t value) {
    uint8_t command = k->command;
    k->command = 0;
    if (command == 0x60)
        k->config = value;
    else if (command == 0xd2)
        queue(k, value);
    else if (command == 0xd1)
        return write_output_port(k, value);
    else
        keyboard_command(k, value);
    return IO_DONE;
}

static uint8_t read_data(struct keyboard *k) {
    refill(k);
    if (k->count) {
        k->last = k->queue[k->head];
        k->head = (k->head + 1) % sizeof k->queue;
        k->count--;
        /* each byte is an edge of its own for the PIC */
        k->board->irq(k->board->machine, IRQ, false);
    }
    return k->last;
}

static uint8_t read_status(struct keyboard *k) {
    refill(k);
    return STATUS_SYSTEM | (k->count ? STATUS_FULL : 0);
}

static enum io_result access_keyboard(void *device, const struct access *a) {
    struct keyboard *k = device;
    enum io_result result = IO_DONE;
    k->used = true;
    if (a->write)
        result = a->address == DATA ? write_data(k, access_byte(a)) : write_command(k, access_byte(a));
    else
        access_reply(a, a->address == DATA ? read_data(k) : read_status(k));
    update(k);
    return result;
}

static void reset(void *device) {
    struct keyboard *k = device;
    *k = (struct keyboard){.board = k->board, .output_port = 3,
                           .config = CONFIG_IRQ | CONFIG_SYSTEM | CONFIG_TRANSLATE};
}

static void notice(void *device) { keyboard_notice(device); }

static void describe(const void *device, const struct device_sink *sink) {
    const struct keyboard *k = device;
    device_row(sink, "keyboard", "configuration", "0x%02x", k->config);
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
