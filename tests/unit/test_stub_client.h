/* A client of the stub for tests: connects over loopback, sends bytes, lets the
 * server work in the same thread and compares what comes back.
 */
#ifndef TEST_STUB_CLIENT_H
#define TEST_STUB_CLIENT_H

#include "tests/unit/test_stub_fake.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVED_MAX = 1 << 20 };

struct client {
    struct fake *fake;
    int fd;
    bool acks;
    size_t length;
    char received[RECEIVED_MAX]; /* all the bytes since the latest request */
    char text[RECEIVED_MAX];     /* payload of the latest packet */
};

static inline struct fake *world_open_with(struct gdb_target *target,
                                           const struct gdb_extension *extension) {
    char error[256] = "";
    struct fake *f = fake_new();
    *target = (struct gdb_target){.ops = &fake_ops, .context = f, .name = "fake",
                                  .version = "1.2", .extension = extension};
    f->server = gdb_server_open("127.0.0.1:0", target, error, sizeof error);
    CHECK_STR(error, "");
    return f;
}

static inline struct fake *world_open(struct gdb_target *target) {
    return world_open_with(target, &gdb_tracepoints);
}

static inline void world_close(struct fake *f) {
    CHECK(f->misuse == 0);
    gdb_server_close(f->server);
    for (int i = 0; i < FAKE_PROCESSES; i++)
        fake_clear_points(&f->process[i]);
    free(f);
}

static inline void client_connect(struct client *c, struct fake *f) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)atoi(strrchr(gdb_server_address(f->server), ':') + 1));
    c->fake = f;
    c->acks = true;
    c->length = 0;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    CHECK(!connect(c->fd, (struct sockaddr *)&to, sizeof to));
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    gdb_server_handle(f->server);
}

static inline struct client *client_new(struct fake *f) {
    struct client *c = calloc(1, sizeof *c);
    client_connect(c, f);
    return c;
}

static inline void client_free(struct client *c) {
    if (c->fd >= 0)
        close(c->fd);
    gdb_server_handle(c->fake->server);
    free(c);
}

/* Takes what is there; true if the server has closed. */
static inline bool client_drain(struct client *c) {
    ssize_t got = 1;
    while (got > 0 && c->length < RECEIVED_MAX - 1) {
        got = recv(c->fd, c->received + c->length, RECEIVED_MAX - 1 - c->length, 0);
        c->length += got > 0 ? (size_t)got : 0;
    }
    c->received[c->length] = 0;
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

/* Server and client in turn, until neither has anything to do. */
static inline void client_turn(struct client *c) {
    for (size_t before = c->length + 1; before != c->length;) {
        before = c->length;
        gdb_server_handle(c->fake->server);
        client_drain(c);
    }
}

static inline void client_raw(struct client *c, const void *bytes, size_t length) {
    c->length = 0;
    for (size_t done = 0; done < length;) {
        ssize_t sent = send(c->fd, (const char *)bytes + done, length - done, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return;
        done += sent > 0 ? (size_t)sent : 0;
        gdb_server_handle(c->fake->server);
    }
    client_turn(c);
}

/* Frames and sends; the answer stays in received. */
static inline void client_send(struct client *c, const void *payload, size_t length) {
    char *frame = malloc(length + 8);
    uint8_t sum = 0;
    frame[0] = '$';
    memcpy(frame + 1, payload, length);
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)payload)[i]);
    snprintf(frame + 1 + length, 4, "#%02x", sum);
    client_raw(c, frame, length + 4);
    free(frame);
}

/* The payload of the latest packet that came, "<none>" for none. */
static inline const char *client_packet(struct client *c) {
    char *hash = NULL, *start = NULL;
    for (char *at = c->received; at < c->received + c->length; at++) {
        start = *at == '$' ? at + 1 : start;
        hash = *at == '#' ? at : hash;
    }
    strcpy(c->text, "<none>");
    if (start && hash && hash >= start) {
        memcpy(c->text, start, (size_t)(hash - start));
        c->text[hash - start] = 0;
    }
    if (c->acks && start)
        send(c->fd, "+", 1, MSG_NOSIGNAL);
    return c->text;
}

static inline const char *ask(struct client *c, const char *payload) {
    client_send(c, payload, strlen(payload));
    return client_packet(c);
}

/* What comes without a request. */
static inline const char *awaited(struct client *c) {
    c->length = 0;
    client_turn(c);
    return client_packet(c);
}

/* The usual begin of a gdb. */
static inline struct client *client_gdb(struct fake *f) {
    struct client *c = client_new(f);
    ask(c, "qSupported:multiprocess+;swbreak+;hwbreak+;error-message+");
    CHECK_STR(ask(c, "QStartNoAckMode"), "OK");
    client_packet(c);
    c->acks = false;
    return c;
}

#endif
