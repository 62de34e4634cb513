/* The bytes that a person (or a pipe) sends to a machine: a bounded queue.
 *
 * One thread puts, the machine's devices take. When something arrives the
 * machine is told through `notice`, so that it can wake a CPU that waits.
 */
#ifndef MINIKVM_INPUT_H
#define MINIKVM_INPUT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/lock.h"

#include "vmm/devices/bus.h"

enum { INPUT_ROOM = 4096, INPUT_PIECE = 24 /* what is put together: an escape sequence */ };

struct input {
    struct lock lock;
    uint8_t ring[2 * INPUT_ROOM]; /* half is for input_unread() */
    size_t head, count;
    bool ended; /* no more will come */
    /* Steady: what is not there yet is waited for, so that a guest in virtual
     * time finds it at the same instruction in every run. For input that comes
     * as fast as it is taken (a file), and a taker on its own thread. */
    bool steady;
    bool hurry; /* do not wait now: somebody wants the machine to stop */
    pthread_cond_t came;
    /* Called when there is room for a piece again after there was none; may be NULL. */
    void (*drained)(void *context);
    void *context;
    /* Not NULL: answers the devices in place of the queue. */
    int (*tap)(void *context, bool take);
    void *tap_context;
    /* A device has taken this byte; may be NULL. */
    void (*taken)(void *context, int byte);
    void *taken_context;
};

void input_open(struct input *);
/* How many more bytes input_put() would take. */
size_t input_room(struct input *);
size_t input_put(struct input *, const uint8_t *bytes, size_t length);
void input_end(struct input *);
void input_hurry(struct input *, bool);

/* input_take() and input_peek() of bus.h on the queue itself, whatever answers the devices. */
int input_host_take(struct input *);
int input_host_peek(struct input *);
/* Would either of them wait for more to come? */
bool input_would_wait(struct input *);
/* Back to the front, from where it was taken; up to INPUT_ROOM bytes. */
void input_unread(struct input *, uint8_t byte);

#endif
