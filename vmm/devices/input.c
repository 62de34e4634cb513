/* A bounded queue of input bytes; see input.h. */
#include "vmm/devices/input.h"

enum { RING = 2 * INPUT_ROOM };

void input_open(struct input *in) {
    *in = (struct input){0};
    lock_init(&in->lock, LOCK_INPUT);
    pthread_cond_init(&in->came, NULL);
}

size_t input_room(struct input *in) {
    lock_take(&in->lock);
    size_t room = in->count < INPUT_ROOM ? INPUT_ROOM - in->count : 0;
    lock_release(&in->lock);
    return room;
}

size_t input_put(struct input *in, const uint8_t *bytes, size_t length) {
    size_t put = 0;
    lock_take(&in->lock);
    for (; put < length && in->count < INPUT_ROOM; put++)
        in->ring[(in->head + in->count++) % RING] = bytes[put];
    pthread_cond_broadcast(&in->came);
    lock_release(&in->lock);
    return put;
}

void input_end(struct input *in) {
    lock_take(&in->lock);
    in->ended = true;
    pthread_cond_broadcast(&in->came);
    lock_release(&in->lock);
}

void input_hurry(struct input *in, bool on) {
    lock_take(&in->lock);
    in->hurry = on;
    pthread_cond_broadcast(&in->came);
    lock_release(&in->lock);
}

static bool input_must_wait(const struct input *in) {
    return in->steady && !in->count && !in->ended && !in->hurry;
}

bool input_would_wait(struct input *in) {
    lock_take(&in->lock);
    bool would = input_must_wait(in);
    lock_release(&in->lock);
    return would;
}

static int front(struct input *in, bool take) {
    lock_take(&in->lock);
    while (input_must_wait(in))
        lock_wait(&in->lock, &in->came);
    bool was_full = in->count > INPUT_ROOM - INPUT_PIECE;
    int byte = in->ended ? INPUT_END : INPUT_NONE;
    if (in->count) {
        byte = in->ring[in->head];
        if (take) {
            in->head = (in->head + 1) % RING;
            in->count--;
        }
    }
    lock_release(&in->lock);
    if (was_full && take && in->drained)
        in->drained(in->context);
    return byte;
}

void input_unread(struct input *in, uint8_t byte) {
    lock_take(&in->lock);
    if (in->count < RING) {
        in->head = (in->head + RING - 1) % RING;
        in->ring[in->head] = byte;
        in->count++;
    }
    lock_release(&in->lock);
}

int input_host_take(struct input *in) { return front(in, true); }
int input_host_peek(struct input *in) { return front(in, false); }

int input_take(struct input *in) {
    int byte = in->tap ? in->tap(in->tap_context, true) : front(in, true);
    if (in->taken && byte >= 0)
        in->taken(in->taken_context, byte);
    return byte;
}

int input_peek(struct input *in) {
    return in->tap ? in->tap(in->tap_context, false) : front(in, false);
}
