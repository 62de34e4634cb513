/* The keyboard, by an 8042 controller on IRQ 1. It sends scancodes of set 1: a
 * number for a key that goes down, the same with bit 7 for one that comes up.
 */
#include "kernel.h"

enum { DATA = 0x60, STATUS = 0x64, OUTPUT_FULL = 1, INPUT_FULL = 2 };
enum { WRITE_CONFIG = 0x60, ENABLE_KEYBOARD = 0xae };
enum { CONFIG = 0x45 }; /* IRQ 1 on, self-test passed, translate to set 1 */
enum { RELEASED = 0x80, LEFT_SHIFT = 0x2a, RIGHT_SHIFT = 0x36, CTRL = 0x1d };
enum { CTRL_D = 4, KEYS = 0x3a };
enum { MODEM_STATUS = 0x3fe, CARRIER = 0x80, CARRIER_CHANGED = 8 }; /* of COM1 */

/* by scancode: US layout; 0 is a key that we do not know */
static const char plain[KEYS + 1] =
    "\0\0" "1234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[KEYS + 1] =
    "\0\0" "!@#$%^&*()_+\b\tQWERTYUIOP{}\n\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

/* Characters that nobody has asked for yet: [taken, typed). */
static char ring[256];
static unsigned typed, taken;
static bool shift, ctrl, ended, gone;

static bool ring_full(void) {
    return typed - taken == sizeof ring;
}

static void key_down(uint8_t code) {
    char c = code >= KEYS ? 0 : shift ? shifted[code] : plain[code];
    if (ctrl)
        c &= 0x1f; /* Ctrl-A is 1 */
    if (c)
        ring[typed++ % sizeof ring] = c;
}

static void scancode(uint8_t code) {
    bool down = !(code & RELEASED);
    switch (code & ~RELEASED) {
    case LEFT_SHIFT: case RIGHT_SHIFT: shift = down; break;
    case CTRL: ctrl = down; break;
    default:
        if (down)
            key_down(code);
    }
}

/* Takes what the controller has. What does not fit stays there, and is
 * fetched by keyboard_take: no key is lost, however fast they come. */
static void drain(void) {
    while (!ring_full() && inb(STATUS) & OUTPUT_FULL)
        scancode(inb(DATA));
}

void keyboard_interrupt(void) {
    drain();
    if (typed != taken)
        process_wake();
}

/* While everybody waits. Under a hypervisor keys and the serial line may come from one sender,
 * and a keyboard cannot say that nobody will type any more. The line can: it loses its
 * carrier. (One that never had any shows no change.) */
void keyboard_watch(void) {
    if (ended || typed != taken)
        return;
    if ((inb(MODEM_STATUS) & (CARRIER | CARRIER_CHANGED)) != CARRIER_CHANGED)
        return;
    drain();
    gone = true;
    process_wake();
}

static void send(uint16_t port, uint8_t value) {
    while (inb(STATUS) & INPUT_FULL)
        continue;
    outb(port, value);
}

void keyboard_init(void) {
    send(STATUS, WRITE_CONFIG);
    send(DATA, CONFIG);
    send(STATUS, ENABLE_KEYBOARD);
    drain(); /* for keys from before now, no interrupt will come any more */
    printf("keyboard: IRQ 1\n");
}

/* The next character; KEY_END once Ctrl-D has come or nobody is there, and from then on
 * always. */
int keyboard_take(void) {
    if (ended)
        return KEY_END;
    if (typed == taken) {
        ended = gone;
        return gone ? KEY_END : KEY_NONE;
    }
    char c = ring[taken++ % sizeof ring];
    drain();
    ended = c == CTRL_D;
    return ended ? KEY_END : c;
}
