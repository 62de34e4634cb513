/* A terminal's bytes as keys; see keys.h. */
#include "vmm/devices/keys.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/devices/input.h"

enum { ESC = 0x1b, DELETE = 0x7f, ESC_KEY = 0x01 };

/* --- characters ----------------------------------------------------------------------- */

/* Which character a key types: the index is its scancode. */
static const char plain[] = "\0\0331234567890-=\b\tqwertyuiop[]\n\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] = "\0\0!@#$%^&*()_+\0\0QWERTYUIOP{}\0\0ASDFGHJKL:\"~\0|ZXCVBNM<>?";

static uint8_t find_key(const char *table, size_t size, char c) {
    for (size_t code = 1; code < size; code++)
        if (table[code] == c)
            return code;
    return 0;
}

/* What is typed together with Ctrl: Ctrl-A is 1; 0 and those behind Ctrl-Z have the digit or
 * sign of the same key. */
static char with_ctrl(char c) {
    static const char others[] = {'\\', ']', '6', '-'};
    return c == 0 ? '2' : c < ESC ? c + 'a' - 1 : others[c - ESC - 1];
}

static bool character(int byte, struct typed_key *key) {
    char c = byte == '\r' ? '\n' : byte == DELETE ? '\b' : (char)byte;
    *key = (struct typed_key){0};
    if (byte >= 0x80)
        return false;
    if (c && (key->code = find_key(plain, sizeof plain - 1, c)))
        return true;
    if (c && (key->code = find_key(shifted, sizeof shifted - 1, c))) {
        key->modifiers = TYPED_SHIFT;
        return true;
    }
    key->code = find_key(plain, sizeof plain - 1, with_ctrl(c));
    key->modifiers = TYPED_CTRL;
    return true;
}

bool keys_begin(int byte) { return byte >= 0 && byte < 0x80; }

/* --- escape sequences ----------------------------------------------------------------- */

/* By the last byte and the first number: ESC [ 3 ~. The Linux console has ESC [ [ A; a mouse
 * ESC [ <, and no key. */
enum { LINUX = 255, MOUSE = 254 };
static const struct sequence {
    char last;
    uint8_t number;
    struct typed_key key;
} sequences[] = {
    {'A', 0, {0x48, true, 0}},  {'B', 0, {0x50, true, 0}},  {'C', 0, {0x4d, true, 0}},
    {'D', 0, {0x4b, true, 0}},  {'H', 0, {0x47, true, 0}},  {'F', 0, {0x4f, true, 0}},
    {'E', 0, {0x4c, false, 0}}, {'Z', 0, {0x0f, false, TYPED_SHIFT}},
    {'M', 0, {0x1c, true, 0}}, /* the keypad's Enter */
    {'P', 0, {0x3b, false, 0}}, {'Q', 0, {0x3c, false, 0}}, {'R', 0, {0x3d, false, 0}},
    {'S', 0, {0x3e, false, 0}},
    {'~', 1, {0x47, true, 0}},  {'~', 2, {0x52, true, 0}},  {'~', 3, {0x53, true, 0}},
    {'~', 4, {0x4f, true, 0}},  {'~', 5, {0x49, true, 0}},  {'~', 6, {0x51, true, 0}},
    {'~', 7, {0x47, true, 0}},  {'~', 8, {0x4f, true, 0}},
    {'~', 11, {0x3b, false, 0}}, {'~', 12, {0x3c, false, 0}}, {'~', 13, {0x3d, false, 0}},
    {'~', 14, {0x3e, false, 0}}, {'~', 15, {0x3f, false, 0}}, {'~', 17, {0x40, false, 0}},
    {'~', 18, {0x41, false, 0}}, {'~', 19, {0x42, false, 0}}, {'~', 20, {0x43, false, 0}},
    {'~', 21, {0x44, false, 0}}, {'~', 23, {0x57, false, 0}}, {'~', 24, {0x58, false, 0}},
    {'A', LINUX, {0x3b, false, 0}}, {'B', LINUX, {0x3c, false, 0}}, {'C', LINUX, {0x3d, false, 0}},
    {'D', LINUX, {0x3e, false, 0}}, {'E', LINUX, {0x3f, false, 0}},
    {'M', MOUSE, {0, false, 0}}, {'m', MOUSE, {0, false, 0}},
};

static bool find_sequence(char last, unsigned number, struct typed_key *key) {
    if (last != '~' && number != LINUX && number != MOUSE)
        number = 0; /* 1, with modifiers behind it */
    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++)
        if (sequences[i].last == last && sequences[i].number == number) {
            *key = sequences[i].key;
            return true;
        }
    return false;
}

/* --- the mouse ------------------------------------------------------------------------ */

enum { MOUSE_NO_BUTTON = 3, MOUSE_MOTION = 32, MOUSE_WHEEL = 64, MOUSE_OTHERS = 128, PLACE_MAX = 9999 };

static uint16_t cell_number(const char **at) {
    char *end;
    unsigned long n = strtoul(*at, &end, 10);
    *at = *end == ';' ? end + 1 : end;
    return (uint16_t)(n < PLACE_MAX ? n : PLACE_MAX);
}

/* "<0;12;5": the left button at column 12, row 5, from 1; 'm' as it goes up. */
static enum typed mouse_typed(const char *numbers, char last, struct mouse_event *e) {
    static const uint8_t buttons[] = {MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, 0};
    const char *at = numbers + 1;
    unsigned code = cell_number(&at);
    uint8_t button = buttons[code & MOUSE_NO_BUTTON];
    *e = (struct mouse_event){.column = cell_number(&at)};
    e->row = cell_number(&at);
    if (code & MOUSE_OTHERS)
        return TYPED_NOTHING;
    if (code & MOUSE_WHEEL)
        e->wheel = code & 2 ? 0 : code & 1 ? 1 : -1;
    else if (last == 'm')
        e->released = button;
    else if (!(code & MOUSE_MOTION))
        e->pressed = button;
    return TYPED_MOUSE;
}

/* --- all together ----------------------------------------------------------------------- */

static unsigned first_number(const char *numbers) {
    return *numbers == '[' ? LINUX : *numbers == '<' ? MOUSE : strtoul(numbers, NULL, 10);
}

/* "3;5" and '~' is Ctrl with Del. */
static enum typed decode(const char *numbers, char last, struct typed_key *key, struct mouse_event *event) {
    const char *second = strchr(numbers, ';');
    unsigned modifiers = second ? strtoul(second + 1, NULL, 10) - 1 : 0, number = first_number(numbers);
    if (!find_sequence(last, number, key))
        return TYPED_NOTHING;
    if (number == MOUSE)
        return mouse_typed(numbers, last, event);
    key->modifiers |= modifiers & (TYPED_SHIFT | TYPED_ALT | TYPED_CTRL);
    return TYPED_KEY;
}

static bool is_last(const char *numbers, size_t length, int byte) {
    return byte >= '@' && byte <= '~' && !(byte == '[' && length == 0 && !*numbers);
}

/* The bytes behind ESC [ or ESC O (ECMA-48, section 5.4). */
static enum typed control_sequence(struct input *in, char introducer, struct typed_key *key, struct mouse_event *event) {
    char numbers[24] = "";
    size_t length = 0;
    int byte;
    while ((byte = input_peek(in)) >= ' ' && byte <= '~') {
        input_take(in);
        if (is_last(numbers, length, byte))
            return decode(numbers, byte, key, event);
        if (length < sizeof numbers - 1)
            numbers[length++] = byte;
    }
    bool alone = length == 0 && character(introducer, key); /* Alt with that character */
    key->modifiers |= TYPED_ALT;
    return alone ? TYPED_KEY : TYPED_NOTHING;
}

static enum typed escape(struct input *in, struct typed_key *key, struct mouse_event *event) {
    int byte = input_peek(in);
    *key = (struct typed_key){ESC_KEY, false, 0};
    if (byte < 0 || byte == ESC)
        return TYPED_KEY;
    input_take(in);
    if (byte == '[' || byte == 'O')
        return control_sequence(in, byte, key, event);
    bool typed = character(byte, key);
    key->modifiers |= TYPED_ALT;
    return typed ? TYPED_KEY : TYPED_NOTHING;
}

enum typed keys_next(struct input *in, struct typed_key *key, struct mouse_event *event) {
    int byte;
    while ((byte = input_take(in)) >= 0) {
        enum typed typed = byte == ESC ? escape(in, key, event) : character(byte, key) ? TYPED_KEY : TYPED_NOTHING;
        if (typed)
            return typed;
    }
    return TYPED_NOTHING;
}
