/* The keyboard: INT 09h turns scancodes into keys for INT 16h, which gives them out. */
#include "vmm/board/bios/call.h"

#include "vmm/cpu/engine.h"
#include "vmm/memory/memory.h"

/* --- the tables ------------------------------------------------------------------------------------ */

/* Of each key: alone, with Shift, Ctrl, Alt; scancode above, character below. 0: nothing. */
struct key {
    uint16_t plain, shifted, ctrl, alt;
};

#define NONE 0
#define LETTER(S, L) [S] = {S << 8 | L, S << 8 | (L - 32), S << 8 | (L - 96), S << 8}
#define CHARACTER(S, P, H, C, A) [S] = {S << 8 | P, S << 8 | H, C, A}
#define FUNCTION(S, N)                                                                             \
    [S] = {S << 8, (0x54 + N) << 8, (0x5e + N) << 8, (0x68 + N) << 8}

static const struct key keys[] = {
    [0x01] = {0x011b, 0x011b, 0x011b, 0x0100}, /* Esc */
    CHARACTER(0x02, '1', '!', NONE, 0x7800), CHARACTER(0x03, '2', '@', 0x0300, 0x7900),
    CHARACTER(0x04, '3', '#', NONE, 0x7a00), CHARACTER(0x05, '4', '$', NONE, 0x7b00),
    CHARACTER(0x06, '5', '%', NONE, 0x7c00), CHARACTER(0x07, '6', '^', 0x071e, 0x7d00),
    CHARACTER(0x08, '7', '&', NONE, 0x7e00), CHARACTER(0x09, '8', '*', NONE, 0x7f00),
    CHARACTER(0x0a, '9', '(', NONE, 0x8000), CHARACTER(0x0b, '0', ')', NONE, 0x8100),
    CHARACTER(0x0c, '-', '_', 0x0c1f, 0x8200), CHARACTER(0x0d, '=', '+', NONE, 0x8300),
    [0x0e] = {0x0e08, 0x0e08, 0x0e7f, 0x0e00}, /* Backspace */
    [0x0f] = {0x0f09, 0x0f00, 0x9400, 0xa500}, /* Tab */
    LETTER(0x10, 'q'), LETTER(0x11, 'w'), LETTER(0x12, 'e'), LETTER(0x13, 'r'), LETTER(0x14, 't'),
    LETTER(0x15, 'y'), LETTER(0x16, 'u'), LETTER(0x17, 'i'), LETTER(0x18, 'o'), LETTER(0x19, 'p'),
    CHARACTER(0x1a, '[', '{', 0x1a1b, 0x1a00), CHARACTER(0x1b, ']', '}', 0x1b1d, 0x1b00),
    [0x1c] = {0x1c0d, 0x1c0d, 0x1c0a, 0x1c00}, /* Enter */
    LETTER(0x1e, 'a'), LETTER(0x1f, 's'), LETTER(0x20, 'd'), LETTER(0x21, 'f'), LETTER(0x22, 'g'),
    LETTER(0x23, 'h'), LETTER(0x24, 'j'), LETTER(0x25, 'k'), LETTER(0x26, 'l'),
    CHARACTER(0x27, ';', ':', NONE, 0x2700), CHARACTER(0x28, '\'', '"', NONE, 0x2800),
    CHARACTER(0x29, '`', '~', NONE, 0x2900), CHARACTER(0x2b, '\\', '|', 0x2b1c, 0x2b00),
    LETTER(0x2c, 'z'), LETTER(0x2d, 'x'), LETTER(0x2e, 'c'), LETTER(0x2f, 'v'), LETTER(0x30, 'b'),
    LETTER(0x31, 'n'), LETTER(0x32, 'm'),
    CHARACTER(0x33, ',', '<', NONE, 0x3300), CHARACTER(0x34, '.', '>', NONE, 0x3400),
    CHARACTER(0x35, '/', '?', NONE, 0x3500),
    [0x37] = {0x372a, 0x372a, 0x9600, 0x3700}, /* * of the keypad */
    [0x39] = {0x3920, 0x3920, 0x3920, 0x3920}, /* space */
    FUNCTION(0x3b, 0), FUNCTION(0x3c, 1), FUNCTION(0x3d, 2), FUNCTION(0x3e, 3), FUNCTION(0x3f, 4),
    FUNCTION(0x40, 5), FUNCTION(0x41, 6), FUNCTION(0x42, 7), FUNCTION(0x43, 8), FUNCTION(0x44, 9),
    /* the keypad, alone as an arrow; shifted or with Num Lock as a digit */
    [0x47] = {0x4700, 0x4737, 0x7700, NONE}, [0x48] = {0x4800, 0x4838, 0x8d00, NONE},
    [0x49] = {0x4900, 0x4939, 0x8400, NONE}, [0x4a] = {0x4a2d, 0x4a2d, 0x8e00, 0x4a00},
    [0x4b] = {0x4b00, 0x4b34, 0x7300, NONE}, [0x4c] = {0x4c00, 0x4c35, 0x8f00, NONE},
    [0x4d] = {0x4d00, 0x4d36, 0x7400, NONE}, [0x4e] = {0x4e2b, 0x4e2b, 0x9000, 0x4e00},
    [0x4f] = {0x4f00, 0x4f31, 0x7500, NONE}, [0x50] = {0x5000, 0x5032, 0x9100, NONE},
    [0x51] = {0x5100, 0x5133, 0x7600, NONE}, [0x52] = {0x5200, 0x5230, 0x9200, NONE},
    [0x53] = {0x5300, 0x532e, 0x9300, NONE},
    [0x56] = {0x565c, 0x567c, NONE, NONE}, /* < of European keyboards, as the US table has it */
    [0x57] = {0x8500, 0x8700, 0x8900, 0x8b00}, /* F11, F12 */
    [0x58] = {0x8600, 0x8800, 0x8a00, 0x8c00},
};
enum { KEYS = sizeof keys / sizeof *keys };

enum { /* at 417h */
    RIGHT_SHIFT = 1, LEFT_SHIFT = 2, CTRL = 4, ALT = 8, SCROLL = 0x10, NUM = 0x20, CAPS = 0x40,
    INSERT = 0x80, SHIFT = RIGHT_SHIFT | LEFT_SHIFT,
};
enum { LEFT_CTRL = 1, LEFT_ALT = 2, SYSREQ = 4, PAUSED = 8 };                    /* at 418h */
enum { PREFIX_E1 = 1, PREFIX_E0 = 2, RIGHT_CTRL = 4, RIGHT_ALT = 8, ENHANCED = 0x10 }; /* at 496h */

enum { KEY_CTRL = 0x1d, KEY_LEFT_SHIFT = 0x2a, KEY_RIGHT_SHIFT = 0x36, KEY_PRINT = 0x37, KEY_ALT = 0x38,
       KEY_CAPS = 0x3a, KEY_NUM = 0x45, KEY_SCROLL = 0x46, KEY_INSERT = 0x52, KEY_DELETE = 0x53,
       KEY_SYSREQ = 0x54, KEY_ENTER = 0x1c, KEY_SLASH = 0x35, BREAK = 0x80 };

enum { DATA = 0x60, CONTROLLER = 0x64, FULL = 1, FROM_MOUSE = 0x20 };

/* --- the buffer ------------------------------------------------------------------------------------------- */

static uint16_t after(struct bios *b, uint16_t at) {
    uint16_t next = (uint16_t)(at + 2);
    return next >= peek16(b, BDA_KEYS_END) ? peek16(b, BDA_KEYS_START) : next;
}

static bool is_full(struct bios *b) {
    return after(b, peek16(b, BDA_KEY_TAIL)) == peek16(b, BDA_KEY_HEAD);
}

static bool put_key(struct bios *b, uint16_t key) {
    uint16_t tail = peek16(b, BDA_KEY_TAIL);
    if (is_full(b))
        return false;
    poke16(b, BDA + tail, key);
    poke16(b, BDA_KEY_TAIL, after(b, tail));
    return true;
}

static bool next_key(struct bios *b, uint16_t *key) {
    uint16_t head = peek16(b, BDA_KEY_HEAD);
    *key = peek16(b, BDA + head);
    return head != peek16(b, BDA_KEY_TAIL);
}

static void take_key(struct bios *b) {
    poke16(b, BDA_KEY_HEAD, after(b, peek16(b, BDA_KEY_HEAD)));
}

/* --- the next key --------------------------------------------------------------------------------- */

/* The keyboard holds it back until then (bios_holds_keys()). */
static void ask_for_key(struct bios *b) {
    struct pc_board *board = b->board;
    poke8(b, ebda(b, EBDA_KEY_ASKED), 1);
    lock_take(&board->lock);
    keyboard_notice(&board->devices.keyboard);
    lock_release(&board->lock);
}

/* With an engine that is not deterministic this is any thread, and the CPU's mode not known. */
static bool may_be_real_mode(const struct bios *b) {
    struct cpu *cpu = b->board->cpu;
    return !cpu_can(cpu, ENGINE_DETERMINISTIC) || !(cpu_read(cpu, CPU_SREGS)->sregs.cr0 & CR0_PE);
}

static uint32_t low_word(const struct bios *b, uint32_t phys, unsigned size) {
    uint32_t value = 0;
    memory_read(b->board->memory, phys, &value, size);
    return value;
}

/* A program that has hooked INT 09h wants its keys, but what it hands on to the BIOS's handler is to
 * be read, too. Who reads the buffer without asking gets two a second, as long as they fit. */
uint64_t bios_holds_keys(void *bios) {
    enum { PATIENCE_NS = 500000000 };
    const struct bios *b = bios;
    uint32_t vector = low_word(b, 9 * 4, 4), ours = (uint32_t)ROM_SEGMENT << 16 | 9 * ROM_STUB_SIZE;
    uint32_t ebda = low_word(b, BDA_EBDA, 2) << 4;
    uint16_t head = (uint16_t)low_word(b, BDA_KEY_HEAD, 2), tail = (uint16_t)low_word(b, BDA_KEY_TAIL, 2);
    if (!b->on || !may_be_real_mode(b))
        return 0;
    if (head == tail)
        return vector == ours && !low_word(b, ebda + EBDA_KEY_ASKED, 1) ? PATIENCE_NS : 0;
    bool full = (uint16_t)(tail + 2) == head ||
                ((uint32_t)tail + 2 >= low_word(b, BDA_KEYS_END, 2) && head == low_word(b, BDA_KEYS_START, 2));
    return vector != low_word(b, ebda + EBDA_KEY_VECTOR, 4) ? 0 : full ? UINT64_MAX : PATIENCE_NS;
}

/* --- INT 09h: shifts ----------------------------------------------------------------------------------------- */

static void put_bits(struct bios *b, uint32_t at, uint8_t bits, bool on) {
    uint8_t was = peek8(b, at);
    poke8(b, at, on ? was | bits : was & (uint8_t)~bits);
}

/* Ctrl and Alt are two keys each. */
static void set_twice(struct bios *b, uint8_t left, uint8_t right, uint8_t either, bool is_right, bool down) {
    if (is_right)
        put_bits(b, BDA_KEYBOARD, right, down);
    else
        put_bits(b, BDA_SHIFTS2, left, down);
    bool any = peek8(b, BDA_KEYBOARD) & right || peek8(b, BDA_SHIFTS2) & left;
    put_bits(b, BDA_SHIFTS, either, any);
}

/* Lock keys toggle when they go down the first time. */
static void toggle(struct bios *b, uint8_t bit, bool down) {
    bool held = peek8(b, BDA_SHIFTS2) & bit;
    put_bits(b, BDA_SHIFTS2, bit, down);
    if (!down || held)
        return;
    poke8(b, BDA_SHIFTS, peek8(b, BDA_SHIFTS) ^ bit);
    put_bits(b, BDA_LEDS, 7, false);
    put_bits(b, BDA_LEDS, peek8(b, BDA_SHIFTS) >> 4 & 7, true);
}

/* What is typed with Alt on the keypad is a character's number. */
static void end_alt_digits(struct bios *b) {
    uint8_t number = peek8(b, BDA_ALT_DIGITS);
    if (number && !(peek8(b, BDA_SHIFTS) & ALT)) {
        poke8(b, BDA_ALT_DIGITS, 0);
        put_key(b, number);
    }
}

static bool change_shifts(struct bios *b, uint8_t code, bool extended, bool down) {
    switch (code) {
    case KEY_LEFT_SHIFT:
    case KEY_RIGHT_SHIFT:
        if (!extended) /* E0 2A, E0 36: around an arrow, as keyboards have sent it since the first */
            put_bits(b, BDA_SHIFTS, code == KEY_LEFT_SHIFT ? LEFT_SHIFT : RIGHT_SHIFT, down);
        return true;
    case KEY_CTRL:
        set_twice(b, LEFT_CTRL, RIGHT_CTRL, CTRL, extended, down);
        return true;
    case KEY_ALT:
        set_twice(b, LEFT_ALT, RIGHT_ALT, ALT, extended, down);
        if (!down)
            end_alt_digits(b);
        return true;
    case KEY_CAPS: toggle(b, CAPS, down); return true;
    case KEY_NUM:
        if (!(peek8(b, BDA_SHIFTS) & CTRL))
            toggle(b, NUM, down);
        return true;
    case KEY_SCROLL:
        if (peek8(b, BDA_SHIFTS) & CTRL)
            return false;
        toggle(b, SCROLL, down);
        return true;
    }
    if (code == KEY_INSERT && !down)
        put_bits(b, BDA_SHIFTS2, INSERT, false);
    return !down;
}

/* --- INT 09h: keys --------------------------------------------------------------------------------------------- */

static bool is_letter(uint8_t code) {
    return code < KEYS && (keys[code].plain & 0xff) >= 'a' && (keys[code].plain & 0xff) <= 'z';
}

static bool is_keypad(uint8_t code) { return code >= 0x47 && code <= KEY_DELETE && code != 0x4a && code != 0x4e; }

/* Of the 101 keys: arrows of their own have E0 below, Enter and / of the keypad E0 above. */
static uint16_t extended_key(uint8_t code, uint8_t shifts) {
    const struct key *k = &keys[code];
    if (code == KEY_ENTER)
        return shifts & ALT ? 0xa600 : shifts & CTRL ? 0xe00a : 0xe00d;
    if (code == KEY_SLASH)
        return shifts & ALT ? 0xa400 : shifts & CTRL ? 0x9500 : 0xe02f;
    if (shifts & ALT)
        return (uint16_t)((code + 0x50) << 8);
    if (shifts & CTRL)
        return k->ctrl | 0xe0;
    return (k->plain & 0xff00) | 0xe0;
}

static uint16_t plain_key(uint8_t code, uint8_t shifts) {
    const struct key *k = &keys[code];
    bool upper = shifts & SHIFT;
    if (shifts & ALT)
        return k->alt;
    if (shifts & CTRL)
        return k->ctrl;
    upper ^= (shifts & CAPS && is_letter(code)) || (shifts & NUM && is_keypad(code));
    return upper ? k->shifted : k->plain;
}

static void alt_digit(struct bios *b, uint8_t code) {
    static const uint8_t digits[] = {7, 8, 9, 0, 4, 5, 6, 0, 1, 2, 3, 0};
    poke8(b, BDA_ALT_DIGITS, (uint8_t)(peek8(b, BDA_ALT_DIGITS) * 10 + digits[code - 0x47]));
}

static void type_scancode(struct bios *b, uint8_t code, bool extended) {
    uint8_t shifts = peek8(b, BDA_SHIFTS);
    if (code >= KEYS)
        return;
    if (shifts & ALT && is_keypad(code) && !extended && code < KEY_DELETE) {
        alt_digit(b, code);
        return;
    }
    if (code == KEY_INSERT && !(shifts & (ALT | CTRL | SHIFT))) {
        poke8(b, BDA_SHIFTS, shifts ^ INSERT);
        put_bits(b, BDA_SHIFTS2, INSERT, true);
    }
    bool own = extended && (is_keypad(code) || code == KEY_ENTER || code == KEY_SLASH);
    uint16_t key = own ? extended_key(code, shifts) : plain_key(code, shifts);
    if (key)
        put_key(b, key);
}

/* --- INT 09h: what is no key ------------------------------------------------------------------------------------- */

static void call_hook(struct call *c, unsigned vector, uint16_t hook) {
    if (!vector_is_ours(c->bios, vector))
        c->pc = hook;
}

/* Ctrl-Break: the buffer has one key, of zeros, and INT 1Bh is called. */
static void ctrl_break(struct call *c) {
    struct bios *b = c->bios;
    poke8(b, BDA_BREAK, 0x80);
    poke16(b, BDA_KEY_HEAD, peek16(b, BDA_KEYS_START));
    poke16(b, BDA_KEY_TAIL, peek16(b, BDA_KEYS_START));
    put_key(b, 0);
    call_hook(c, 0x1b, ROM_BREAK_HOOK);
}

/* Ctrl-Alt-Del, as a warm start. */
static void reset_by_keys(struct call *c) {
    poke16(c->bios, BDA_WARM, 0x1234);
    c->bios->reset_by = "Ctrl-Alt-Del";
}

/* true: it was one of these. */
static bool do_special(struct call *c, uint8_t code, bool extended) {
    uint8_t shifts = peek8(c->bios, BDA_SHIFTS);
    if (code == KEY_DELETE && (shifts & (CTRL | ALT)) == (CTRL | ALT))
        reset_by_keys(c);
    else if (code == KEY_SCROLL && shifts & CTRL)
        ctrl_break(c);
    else if (code == KEY_PRINT && extended && !(shifts & (CTRL | ALT)))
        call_hook(c, 0x05, ROM_PRINT_HOOK);
    else if (code == KEY_NUM && shifts & CTRL && !extended)
        return true; /* Pause: here a machine pauses by its debugger */
    else
        return false;
    return true;
}

/* --- INT 09h ----------------------------------------------------------------------------------------------------------- */

/* E0 and E1 are part of the next one. */
static bool take_scancode_prefix(struct bios *b, uint8_t byte) {
    if (byte != 0xe0 && byte != 0xe1)
        return false;
    put_bits(b, BDA_KEYBOARD, byte == 0xe0 ? PREFIX_E0 : PREFIX_E1, true);
    return true;
}

static void take_scancode(struct call *c, uint8_t byte) {
    struct bios *b = c->bios;
    uint8_t code = byte & 0x7f;
    bool down = !(byte & BREAK), extended = peek8(b, BDA_KEYBOARD) & PREFIX_E0;
    if (take_scancode_prefix(b, byte))
        return;
    if (peek8(b, BDA_KEYBOARD) & PREFIX_E1) { /* Pause: E1 1D 45 E1 9D C5 */
        put_bits(b, BDA_KEYBOARD, PREFIX_E1, code == KEY_CTRL);
        return;
    }
    put_bits(b, BDA_KEYBOARD, PREFIX_E0, false);
    if (!change_shifts(b, code, extended, down) && !do_special(c, code, extended))
        type_scancode(b, code, extended);
}

static void end_key(struct call *c) {
    uint16_t key;
    if (next_key(c->bios, &key))
        poke8(c->bios, ebda(c->bios, EBDA_KEY_ASKED), 0);
    if (c->elsewhere)
        return;
    if (c->pc != ROM_BREAK_HOOK && c->pc != ROM_PRINT_HOOK)
        c->pc = ROM_EOI;
}

/* The keyboard's byte that is there; or the last one again, which a program that has hooked INT 09h has
 * read before it came here. Then nothing is read: a byte of the mouse may have come since the look at
 * the status. false: what it was for has been read, this is another handler's. */
static bool read_scancode(struct bios *b, uint8_t *byte) {
    uint8_t status = port_in(b, CONTROLLER);
    if (!(status & FULL))
        return keyboard_last_byte(&b->board->devices.keyboard, byte);
    if (!(status & FROM_MOUSE))
        *byte = port_in(b, DATA);
    return !(status & FROM_MOUSE);
}

/* A program that has hooked INT 15h is asked first, and may swallow or change the scancode. */
static void keyboard_irq(struct call *c) {
    struct bios *b = c->bios;
    uint8_t byte;
    c->silent = true;
    if (!read_scancode(b, &byte)) {
        c->pc = ROM_EOI;
        return;
    }
    poke32(b, ebda(b, EBDA_KEY_VECTOR), peek32(b, 9 * 4));
    keyboard_firmware_reads(&b->board->devices.keyboard);
    if (byte == 0xfa || byte == 0xfe || byte == 0 || byte == 0xff) /* answers, and overruns */
        c->pc = ROM_EOI;
    else if (vector_is_ours(b, 0x15))
        take_scancode(c, byte), end_key(c);
    else {
        poke16(b, ebda(b, EBDA_KEY_AX), c->ax);
        c->ax = 0x4f00 | byte;
        c->pc = ROM_KEY_HOOK;
        c->raise |= FLAG_CF;
    }
}

static void hooked(struct call *c) {
    uint8_t byte = c->al;
    c->silent = true;
    c->ax = peek16(c->bios, ebda(c->bios, EBDA_KEY_AX));
    if (c->carry_in)
        take_scancode(c, byte);
    end_key(c);
}

static void after_hook(struct call *c) {
    c->silent = true;
    c->pc = ROM_EOI;
}

/* --- INT 16h ------------------------------------------------------------------------------------------------------------- */

/* As the 84 keys' function gives it; false: they cannot type it. */
static bool old_key(uint16_t *key) {
    uint8_t code = *key >> 8, character = *key & 0xff;
    if (code == 0xe0)
        *key = character == '/' ? 0x352f : 0x1c00 | character;
    else if (character == 0xe0 && code)
        *key &= 0xff00;
    return (*key >> 8) <= 0x84;
}

static void input_is_over(struct call *c) {
    tell(c->bios, "the guest waits for a key (int 0x16, AH=%02x, before %04x:%04x), and the input is over",
         c->ah, c->cs, c->ip);
    c->pc = ROM_END;
}

/* On a PC it waits with interrupts on. */
static void read_key(struct call *c, bool old) {
    uint16_t key;
    while (next_key(c->bios, &key)) {
        take_key(c->bios);
        if (old && !old_key(&key))
            continue;
        c->ax = key;
        return;
    }
    if (!need_chips(c))
        return;
    ask_for_key(c->bios);
    if (c->again && c->bios->hooks->input_is_over(c->bios->machine))
        input_is_over(c);
    else
        wait_here(c);
}

/* What old programs cannot type is dropped on the way. */
static void look_at_key(struct call *c, bool old) {
    uint16_t key = 0;
    bool there;
    if (!need_chips(c))
        return;
    while ((there = next_key(c->bios, &key)) && old && !old_key(&key))
        take_key(c->bios);
    if (!there)
        ask_for_key(c->bios);
    set_zero(c, !there);
    if (there)
        c->ax = key;
}

static void read_old(struct call *c) { read_key(c, true); }
static void read_new(struct call *c) { read_key(c, false); }
static void look_old(struct call *c) { look_at_key(c, true); }
static void look_new(struct call *c) { look_at_key(c, false); }
static void shifts(struct call *c) { c->al = peek8(c->bios, BDA_SHIFTS); }

static void all_shifts(struct call *c) {
    uint8_t more = peek8(c->bios, BDA_SHIFTS2), right = peek8(c->bios, BDA_KEYBOARD);
    c->al = peek8(c->bios, BDA_SHIFTS);
    c->ah = (uint8_t)((more & 0x73) | (more & SYSREQ ? 0x80 : 0) | (right & (RIGHT_CTRL | RIGHT_ALT)));
}

static void typematic(struct call *c) { (void)c; } /* keys of a terminal repeat by themselves */

static void write_key(struct call *c) { c->al = put_key(c->bios, c->cx) ? 0 : 1; }

/* AH=09: which functions there are: 05 and 10 to 12. */
static void capabilities(struct call *c) { c->al = 0x20; }

static void answer_key(struct call *c, struct words *w) {
    if (c->al >= ' ' && c->al < 0x7f)
        words_add(w, "'%c', scancode %02x", c->al, c->ah);
    else
        words_add(w, "character %02x, scancode %02x", c->al, c->ah);
}

static void answer_look(struct call *c, struct words *w) {
    if (c->flags & FLAG_ZF)
        words_add(w, "none");
    else
        answer_key(c, w);
}

static void ask_key(struct call *c, struct words *w) { words_add(w, "character %02x, scancode %02x", c->cl, c->ch); }

static const struct service list[] = {
    ROW(0x09, BY_ALL, "IRQ 1, keyboard", keyboard_irq),
    ROW(ROM_KEY_HOOK + ROM_KEY_OUT, BY_ALL, "a key, after int 15h", hooked),
    ROW(ROM_BREAK_HOOK + ROM_HOOK_OUT, BY_ALL, "after int 1Bh", after_hook),
    ROW(ROM_PRINT_HOOK + ROM_HOOK_OUT, BY_ALL, "after int 5", after_hook),
    TOLD(0x16, BY_AH(0x00), "read a key", read_old, NULL, answer_key),
    TOLD(0x16, BY_AH(0x01), "is there a key", look_old, NULL, answer_look),
    ROW(0x16, BY_AH(0x02), "shift keys", shifts),
    ROW(0x16, BY_AH(0x03), "typematic rate", typematic),
    TOLD(0x16, BY_AH(0x05), "put a key into the buffer", write_key, ask_key, NULL),
    ROW(0x16, BY_AH(0x09), "what the keyboard can do", capabilities),
    TOLD(0x16, BY_AH(0x10), "read a key", read_new, NULL, answer_key),
    TOLD(0x16, BY_AH(0x11), "is there a key", look_new, NULL, answer_look),
    ROW(0x16, BY_AH(0x12), "all shift keys", all_shifts),
};
const struct services services_keyboard = {list, sizeof list / sizeof *list};

void keyboard_post(struct bios *b) {
    poke16(b, BDA_KEY_HEAD, 0x1e);
    poke16(b, BDA_KEY_TAIL, 0x1e);
    poke16(b, BDA_KEYS_START, 0x1e);
    poke16(b, BDA_KEYS_END, 0x3e);
    poke8(b, BDA_KEYBOARD, ENHANCED);
}
