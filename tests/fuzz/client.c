/* See client.h. */
#include "client.h"

#include "loopback.h"

enum { TURNS_MAX = 1000 }; /* of the server, for what was sent at once */

/* The server works until all was read, or until it does not read on. */
static bool send(const struct client_world *w, unsigned peer, const uint8_t *bytes, size_t size) {
    size_t before;
    bool more;
    loopback_send(peer, bytes, size);
    do {
        before = loopback_unread(peer);
        more = w->handle(w->context);
    } while (more && loopback_unread(peer) < before);
    return more;
}

static unsigned event(const struct client_world *w, unsigned peer, uint8_t what) {
    unsigned count = loopback_peers();
    switch (what) {
    case EVENT_CONNECT:
        return loopback_connect() ? count : peer;
    case EVENT_NEXT:
        return (peer + 1) % count;
    case EVENT_HANG_UP:
        loopback_hang_up(peer);
        break;
    case EVENT_DEAF:
    case EVENT_HEARS:
        loopback_deafen(peer, what == EVENT_DEAF);
        break;
    case EVENT_TIME:
        w->time(w->context);
        break;
    }
    return peer;
}

void client_play(const struct client_world *w, const uint8_t *bytes, size_t size) {
    const uint8_t *end = bytes + size;
    unsigned peer = 0;
    bool more = true;
    loopback_reset();
    loopback_connect();
    while (more && bytes < end) {
        const uint8_t *escape = memchr(bytes, ESCAPE, (size_t)(end - bytes));
        const uint8_t *stop = escape ? escape : end;
        more = send(w, peer, bytes, (size_t)(stop - bytes));
        if (end - stop >= 2)
            peer = event(w, peer, stop[1]);
        bytes = end - stop >= 2 ? stop + 2 : end;
    }
    if (more)
        w->handle(w->context);
}
