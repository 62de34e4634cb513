/* What a terminal sends for its keys, as keys of a PC: characters, and the escape sequences
 * of xterm and the Linux console.
 *
 * Rule: an ESC with nothing behind it is the Esc key, so who puts input keeps a sequence
 * together. Bytes that no key types are dropped.
 */
#ifndef MINIKVM_KEYS_H
#define MINIKVM_KEYS_H

#include <stdbool.h>
#include <stdint.h>

struct input;

/* Held while the key is pressed; the bits of xterm's modifier parameter. */
enum { KEY_SHIFT = 1, KEY_ALT = 2, KEY_CTRL = 4 };

struct key {
    uint8_t code;  /* scancode set 1, of the US layout */
    bool extended; /* with a prefix E0 */
    uint8_t modifiers;
};

/* Takes the next key out of the input. false: there is none (yet). */
bool keys_next(struct input *, struct key *);
/* Does a key's sequence begin with this byte? */
bool keys_begin(int byte);

#endif
