/* Inputs that are what clients of the stub do: bytes that they send, and, behind an
 * ESCAPE, what else can happen.
 *
 *     $g#67 … ESC c $?#3f …         another client connects and sends the rest
 *
 * Rule: any bytes are an input; what follows an ESCAPE and is no event is nothing.
 */
#ifndef MINIKVM_FUZZ_CLIENT_H
#define MINIKVM_FUZZ_CLIENT_H

#include "fuzz.h"

enum { ESCAPE = 0xFF };
enum client_event {
    EVENT_CONNECT = 'c', /* from here on another one speaks … */
    EVENT_NEXT = 'n',    /* … or the one after this, in the order of their coming */
    EVENT_HANG_UP = 'x',
    EVENT_DEAF = 'd',    /* reads nothing until EVENT_HEARS */
    EVENT_HEARS = 'h',
    EVENT_TIME = 't',    /* passes in the target */
};

struct client_world {
    void *context;
    bool (*handle)(void *context); /* the server works; false: it is over */
    void (*time)(void *context);   /* what runs goes on, and may stop */
};

/* One input, from the first client's connection on. */
void client_play(const struct client_world *, const uint8_t *bytes, size_t size);

#endif
