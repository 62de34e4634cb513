/* The server: one listener, one client, and connections that are not the client (strangers.h).
 *
 * Rule: one debugger at a time. The first packet of another one gets an error that
 * says why, which gdb prints.
 */
#include "gdbstub/console.h"
#include "gdbstub/reply.h"
#include "gdbstub/session.h"
#include "gdbstub/stops.h"
#include "gdbstub/strangers.h"
#include "gdbstub/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READS_MAX = 64 }; /* per call, so that a client cannot keep the caller */

struct gdb_server {
    struct listener listener;
    struct connection client;
    struct strangers strangers;
    bool lost; /* writing to the client failed */
    bool over;
    bool busy; /* at work: a stop that comes now is only noted */
    bool any_user;
    bool polled; /* gdb_server_polled() is called: what follows is what it said last */
    bool client_ready, caller_waits;
    struct session session;
};

_Static_assert(1 + 2 + STRANGERS_MAX <= GDB_POLL_MAX, "listener, client, stdout, strangers");

static const char refusal[] = "minikvm: another debugger is connected; detach it first";
static const char foreign_user[] =
    "minikvm: it belongs to another user of this computer, who can let all "
    "users connect (see minikvm --help)";

/* --- the client ---------------------------------------------------------------------- */

/* Writes what can be written now. */
static void push_output(void *context) {
    struct gdb_server *server = context;
    struct framing *link = &server->session.framing;
    size_t size;
    const char *from;
    while (!server->lost && (from = framing_output(link, &size))) {
        ssize_t done = connection_write(&server->client, from, size);
        if (done == 0)
            return;
        if (done < 0)
            server->lost = true;
        else
            framing_sent(link, (size_t)done);
    }
}

static void client_begin(struct gdb_server *server, struct connection connection) {
    server->client = connection;
    server->lost = false;
    session_begin(&server->session);
}

static void client_end(struct gdb_server *server) {
    bool pipe = server->client.pipe;
    server->over |= pipe || server->session.over;
    connection_close(&server->client);
    session_end(&server->session);
}

static bool output_waits(const struct gdb_server *server) {
    size_t waiting;
    framing_output(&server->session.framing, &waiting);
    return waiting;
}

/* Handles packets while there are any and output does not wait. false: close the connection.
 * Packets that waited behind output are handled here once it is sent: no event would come. */
static bool client_answer(struct gdb_server *server) {
    enum work work;
    bool stuck;
    do {
        stuck = output_waits(server);
        work = session_step(&server->session);
        push_output(server);
    } while (!server->lost && (work == WORK_MORE || (stuck && !output_waits(server))));
    return work != WORK_END && !server->lost;
}

/* While output waits no packet is handled. But input is read as far as there is room, since a
 * client may not read before its acknowledgments are taken. Returns how many bytes came, -1
 * when the client is gone. */
static ssize_t client_read(struct gdb_server *server) {
    struct framing *link = &server->session.framing;
    size_t size;
    char *room = framing_room(link, &size);
    if (!size)
        return 0;
    ssize_t got = connection_read(&server->client, room, size);
    if (got > 0)
        framing_received(link, (size_t)got);
    return got;
}

/* At most so many times it is read. Returning early is no loss: poll() tells what is left. */
static void client_work(struct gdb_server *server, unsigned reads) {
    ssize_t got = 1;
    for (unsigned i = 0; i < reads && got; i++) {
        bool stays = client_answer(server);
        got = stays ? client_read(server) : -1;
        if (got < 0) {
            client_end(server);
            return;
        }
    }
    if (got && !client_answer(server))
        client_end(server);
}

/* --- connections that are not the client ------------------------------------------------------- */

/* The bytes that it has sent so far begin the session. */
static void promote(struct gdb_server *server, struct stranger *s) {
    size_t size;
    client_begin(server, s->connection);
    memcpy(framing_room(&server->session.framing, &size), s->bytes, s->length);
    framing_received(&server->session.framing, s->length);
    s->connection = (struct connection){.in = -1, .out = -1};
    client_work(server, READS_MAX);
}

/* The client may have closed its connection since the last read, and this may be the same
 * debugger again. */
static void strangers_work(struct gdb_server *server) {
    for (unsigned i = 0; i < STRANGERS_MAX; i++) {
        struct stranger *s = &server->strangers.list[i];
        if (!stranger_read(s))
            continue;
        if (server->session.connected)
            client_work(server, READS_MAX);
        if (server->session.connected)
            stranger_refuse(s, refusal);
        else
            promote(server, s);
    }
}

static const char *why_refused(struct gdb_server *server, const struct connection *c) {
    if (!server->listener.tcp || server->any_user || peer_is_ours(&server->listener.peers, c->in))
        return NULL;
    return foreign_user;
}

/* A connection that has sent its first packet already becomes the client at once. */
static void accept_all(struct gdb_server *server) {
    struct connection connection;
    while (listener_accept(&server->listener, &connection)) {
        strangers_add(&server->strangers, connection, why_refused(server, &connection));
        strangers_work(server);
    }
}

/* --- the interface ------------------------------------------------------------------ */

struct gdb_server *gdb_server_open(const char *address, const struct gdb_target *target,
                                   char *error, size_t size) {
    struct gdb_server *server = calloc(1, sizeof *server);
    if (!server) {
        snprintf(error, size, "cannot start the debug server: no memory");
        return NULL;
    }
    if (!listener_open(&server->listener, address, error, size)) {
        free(server);
        return NULL;
    }
    server->client = (struct connection){.in = -1, .out = -1};
    strangers_init(&server->strangers);
    session_init(&server->session, target);
    server->session.push = push_output;
    server->session.push_context = server;
    return server;
}

void gdb_server_close(struct gdb_server *server) {
    if (!server)
        return;
    connection_close(&server->client);
    strangers_close(&server->strangers);
    listener_close(&server->listener);
    session_free(&server->session);
    free(server);
}

const char *gdb_server_address(const struct gdb_server *server) { return server->listener.address; }

bool gdb_server_looked(const struct gdb_server *server) {
    return !server->session.resume.blind && !server->session.resume.passed_one;
}

void gdb_server_admit_all(struct gdb_server *server) { server->any_user = true; }

void gdb_server_log_packets(struct gdb_server *server,
                            void (*line)(void *context, const char *line), void *context) {
    session_log(&server->session, line, context);
}

const char *gdb_server_leave_socket(struct gdb_server *server) {
    struct listener *l = &server->listener;
    l->left = true;
    return *l->path ? l->path : NULL;
}

const char *gdb_server_warning(const struct gdb_server *server) {
    const struct listener *l = &server->listener;
    if (l->tcp && !l->loopback)
        return "whoever reaches this address from another computer can debug, without a password";
    if (l->tcp && (server->any_user || !peers_are_known(&l->peers)))
        return "every user of this computer can debug";
    return NULL;
}

bool gdb_server_connected(const struct gdb_server *server) { return server->session.connected; }

static void add_connection(struct pollfd *fds, unsigned max, unsigned *count, int fd, int events) {
    if (fd < 0 || !events || *count >= max)
        return;
    fds[(*count)++] = (struct pollfd){.fd = fd, .events = (short)events};
}

unsigned gdb_server_poll_fds(struct gdb_server *server, struct pollfd *fds, unsigned max) {
    unsigned count = 0;
    size_t size;
    if (server->over)
        return 0;
    bool waiting = output_waits(server);
    framing_room(&server->session.framing, &size);
    int in = size ? POLLIN : 0, out = waiting ? POLLOUT : 0;
    add_connection(fds, max, &count, server->listener.fd, server->listener.exhausted ? 0 : POLLIN);
    if (server->listener.stdio && !server->session.connected)
        add_connection(fds, max, &count, STDIN_FILENO, POLLIN);
    add_connection(fds, max, &count, server->client.in, server->client.pipe ? in : in | out);
    if (server->client.pipe)
        add_connection(fds, max, &count, server->client.out, out);
    for (unsigned i = 0; i < STRANGERS_MAX; i++)
        add_connection(fds, max, &count, server->strangers.list[i].connection.in, POLLIN);
    return count;
}

void gdb_server_polled(struct gdb_server *server, const struct pollfd *fds, unsigned count) {
    server->polled = true;
    server->client_ready = server->caller_waits = false;
    for (unsigned i = 0; i < count; i++) {
        bool ready = fds[i].revents;
        server->client_ready |= ready && fds[i].fd == server->client.in;
        server->caller_waits |= ready && fds[i].fd == server->listener.fd;
    }
}

/* How often the client is read: once where poll() says that there is something, since
 * one packet is what a debugger usually has for us. */
static unsigned reads_wanted(struct gdb_server *server) {
    bool ready = server->client_ready;
    server->client_ready = false;
    return !server->polled ? READS_MAX : ready;
}

/* Somebody for whom no descriptor was left is not polled for, but tried again. */
static bool callers_wanted(struct gdb_server *server) {
    bool wanted = !server->polled || server->caller_waits || server->listener.exhausted;
    server->caller_waits = false;
    return wanted;
}

static void work(struct gdb_server *server) {
    if (server->listener.stdio && !server->session.connected)
        client_begin(server, connection_of_stdio());
    if (server->session.connected)
        client_work(server, reads_wanted(server));
    strangers_work(server);
    if (callers_wanted(server))
        accept_all(server);
    if (server->session.connected)
        client_work(server, reads_wanted(server));
}

bool gdb_server_handle(struct gdb_server *server) {
    if (server->over)
        return false;
    server->busy = true;
    work(server);
    server->busy = false;
    return !server->over;
}

/* A packet may have waited for what is done now, so there may be more to answer. What comes
 * while we are at work is looked at when that is done. */
static void answer_what_waited(struct gdb_server *server) {
    if (server->busy || !server->session.connected)
        return;
    server->busy = true;
    stops_settle(&server->session);
    if (!client_answer(server))
        client_end(server);
    server->busy = false;
}

void gdb_server_stopped(struct gdb_server *server, const struct gdb_stop *stop) {
    stops_note(&server->session, stop);
    answer_what_waited(server);
}

void gdb_server_monitor_done(struct gdb_server *server) {
    monitor_done(&server->session);
    answer_what_waited(server);
}

void gdb_server_console(struct gdb_server *server, const char *text, size_t length) {
    console_text(&server->session, text, length);
}

bool gdb_server_console_waits(const struct gdb_server *server) {
    size_t waiting;
    framing_output(&server->session.framing, &waiting);
    return waiting > FRAMING_PACKET_SIZE;
}
