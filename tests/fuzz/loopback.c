/* See loopback.h. */
#include "loopback.h"

#include <stdio.h>
#include <string.h>

#include "gdbstub/transport.h"

static struct peer {
    const uint8_t *bytes;
    size_t size;
    bool gone, deaf;
} peers[PEERS_MAX];
static unsigned connected, accepted;

void loopback_reset(void) {
    memset(peers, 0, sizeof peers);
    connected = accepted = 0;
}

bool loopback_connect(void) {
    bool room = connected < PEERS_MAX;
    connected += room;
    return room;
}

unsigned loopback_peers(void) { return connected; }

void loopback_send(unsigned peer, const uint8_t *bytes, size_t size) {
    peers[peer].bytes = bytes;
    peers[peer].size = size;
}

size_t loopback_unread(unsigned peer) { return peers[peer].gone ? 0 : peers[peer].size; }
void loopback_hang_up(unsigned peer) { peers[peer].gone = true; }
void loopback_deafen(unsigned peer, bool deaf) { peers[peer].deaf = deaf; }

/* --- transport.h ------------------------------------------------ */

bool listener_open(struct listener *l, const char *address, char *error, size_t size) {
    (void)error, (void)size;
    *l = (struct listener){.fd = -1};
    snprintf(l->address, sizeof l->address, "%s", address);
    return true;
}

void listener_close(struct listener *l) { (void)l; }

bool listener_accept(struct listener *l, struct connection *c) {
    (void)l;
    if (accepted == connected)
        return false;
    *c = (struct connection){.in = (int)accepted, .out = (int)accepted};
    accepted++;
    return true;
}

struct connection connection_of_stdio(void) { return (struct connection){.in = -1, .out = -1}; }

ssize_t connection_read(struct connection *c, void *to, size_t size) {
    struct peer *p = &peers[c->in];
    size_t n = size < p->size ? size : p->size;
    if (p->gone || n == 0)
        return p->gone ? -1 : 0;
    memcpy(to, p->bytes, n);
    p->bytes += n;
    p->size -= n;
    return (ssize_t)n;
}

ssize_t connection_write(struct connection *c, const void *from, size_t size) {
    const struct peer *p = &peers[c->out];
    (void)from;
    return p->gone ? -1 : p->deaf ? 0 : (ssize_t)size;
}

void connection_finish(struct connection *c) { (void)c; }

void connection_close(struct connection *c) {
    if (c->in >= 0)
        peers[c->in].gone = true;
    *c = (struct connection){.in = -1, .out = -1};
}
