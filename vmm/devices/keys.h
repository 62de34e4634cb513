/* What a terminal sends for its keys, as keys of a PC: characters, and the escape sequences
 * of xterm and the Linux console.
 *
 * And what it tells of its mouse, as xterm's SGR mode has it: ESC [ < button ; column ; row M.
 *
 * Rule: an ESC with nothing behind it is the Esc key, so who puts input keeps a sequence
 * together. Bytes that no key types are dropped.
 */
#ifndef MINIKVM_KEYS_H
#define MINIKVM_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/devices/mouse.h"

struct input;

/* Held while the key is pressed; the bits of xterm's modifier parameter. */
enum { TYPED_SHIFT = 1, TYPED_ALT = 2, TYPED_CTRL = 4 };

struct typed_key {
    uint8_t code;  /* scancode set 1, of the US layout */
    bool extended; /* with a prefix E0 */
    uint8_t modifiers;
};

enum typed { TYPED_NOTHING, TYPED_KEY, TYPED_MOUSE };

/* Takes the next key or event of the mouse out of the input. Nothing: there is none (yet). */
enum typed keys_next(struct input *, struct typed_key *, struct mouse_event *);
/* Does a key's sequence begin with this byte? */
bool keys_begin(int byte);

#endif
