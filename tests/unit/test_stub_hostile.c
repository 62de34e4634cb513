/* Clients that mean harm or know no better: floods, silence, nonsense, crowds. */
#include "tests/unit/test_stub_client.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>

/* The largest size so far; the sanitizer keeps freed memory, so it says nothing then. */
static long kilobytes(void) {
#ifdef __SANITIZE_ADDRESS__
    return 0;
#endif
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* Stops what the client before has let go. */
static void rest(struct fake *f) {
    for (int pid = 1; pid <= FAKE_PROCESSES; pid++)
        fake_halt(f, pid);
}

/* Sends as long as the server takes it, at most `total`. Returns what it took. */
static size_t pour(struct client *c, const char *bytes, size_t size, size_t total) {
    size_t done = 0;
    while (done < total) {
        ssize_t sent = send(c->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            break;
        done += sent > 0 ? (size_t)sent : 0;
        gdb_server_handle(c->fake->server);
    }
    return done;
}

/* Closed just as the server is about to accept somebody. */
static int leaves = -1;

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    if (leaves >= 0)
        close(leaves);
    leaves = -1;
    return (int)syscall(SYS_accept4, fd, address, length, flags);
}

/* Who goes just before another one comes is not in its way. */
static void test_relay(struct fake *f) {
    struct client *first = client_gdb(f);
    leaves = first->fd;
    struct client *second = client_new(f);
    CHECK_STR(ask(second, "qC"), "<none>"); /* once all stand still; not: go away */
    first->fd = -1;
    client_free(first);
    client_free(second);
}

/* One packet that never ends: the connection is closed. */
static void test_endless_packet(struct fake *f) {
    static char bytes[1 << 16];
    struct client *c = client_gdb(f);
    memset(bytes, 'a', sizeof bytes);
    client_raw(c, "$X1000,", 7);
    long before = kilobytes();
    CHECK(pour(c, bytes, sizeof bytes, (size_t)1 << 30) < (64u << 20));
    CHECK(kilobytes() - before < 16 * 1024);
    CHECK(!f->connected);
    client_free(c);
}

/* What a debugger may send between packets is nothing, however much it is. */
static void test_noise(struct fake *f) {
    static char bytes[1 << 16];
    struct client *c = client_gdb(f);
    memset(bytes, '+', sizeof bytes);
    CHECK(pour(c, bytes, sizeof bytes, (size_t)1 << 26) == (size_t)1 << 26);
    memset(bytes, 3, sizeof bytes);
    pour(c, bytes, sizeof bytes, (size_t)1 << 24);
    client_turn(c);
    CHECK_STR(ask(c, "qC"), "QCp1.1");
    client_free(c);
}

/* One who asks and asks and never reads: he is not heard any more, and there
 * is no growth; the caller is told to wait for room, not for requests. */
static void test_deaf(struct fake *f) {
    static char bytes[1 << 14];
    struct client *c = client_gdb(f);
    for (size_t i = 0; i + 15 <= sizeof bytes; i += 15)
        memcpy(bytes + i, "$m1000,10000#00", 15);
    for (size_t i = sizeof bytes / 15 * 15; i < sizeof bytes; i++)
        bytes[i] = '+';
    long before = kilobytes();
    for (int i = 0; i < 3000; i++) {
        send(c->fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        gdb_server_handle(f->server);
    }
    CHECK(kilobytes() - before < 16 * 1024);
    struct pollfd fds[GDB_POLL_MAX];
    unsigned count = gdb_server_poll_fds(f->server, fds, GDB_POLL_MAX);
    CHECK(count == 2 && fds[1].events == POLLOUT);
    client_free(c);
    CHECK(!f->connected);
}

/* Acknowledges as it reads, packet by packet, while more is on its way: a Unix socket
 * holds few hundred such bytes, and who waits for room there does not read. */
static void test_acknowledges(void) {
    char directory[] = "/tmp/stub-XXXXXX", address[64], error[256];
    struct fake *f = fake_new();
    struct gdb_target target = {.ops = &fake_ops, .context = f};
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    CHECK(mkdtemp(directory) != NULL);
    snprintf(address, sizeof address, "unix:%s/s", directory);
    f->server = gdb_server_open(address, &target, error, sizeof error);
    strcpy(name.sun_path, address + 5);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(!connect(fd, (struct sockaddr *)&name, sizeof name));
    CHECK(send(fd, "$qRcmd,666c6f6f64#ca", 20, 0) == 20);
    int taken = 0;
    for (int i = 0; i < 3000; i++) {
        gdb_server_handle(f->server);
        taken += send(fd, "+", 1, MSG_NOSIGNAL) == 1;
    }
    CHECK(taken == 3000);
    close(fd);
    gdb_server_handle(f->server);
    world_close(f);
    CHECK(!rmdir(directory));
}

/* Text for one who does not read is dropped beyond a bound, and that is said. */
static void test_flood(struct fake *f) {
    struct client *c = client_gdb(f);
    long before = kilobytes();
    client_send(c, "qRcmd,666c6f6f64", 16);
    CHECK(kilobytes() - before < 64 * 1024);
    for (int i = 0; i < 100; i++) {
        c->length = 0;
        client_turn(c);
    }
    c->length = 0;
    CHECK_STR(ask(c, "qC"), "QCp1.1");
    ask(c, "qRcmd,68656c6c6f");
    CHECK(strstr(c->received, "6c6f737420686572655d0a") != NULL); /* "lost here]" */
    client_free(c);
}

/* Packets of random bytes and of pieces of right ones. */
static void test_random(struct fake *f) {
    static const char *const pieces[] = {
        "vCont;", "p1.1",   "-1", ":",     ";", ",",    "m",
        "1000",   "qXfer:", "X",  "Z0,",   "H", "p-1.", "ffffffff",
        "g",      "G",      "=",  "qRcmd", "}", "t",    "features:read:target.xml"};
    struct client *c = client_gdb(f);
    srand(1);
    for (int i = 0; i < 20000; i++) {
        char packet[512];
        size_t length = 0;
        for (int parts = rand() % 8; parts >= 0; parts--) {
            const char *piece = pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)];
            length += (size_t)snprintf(packet + length, sizeof packet - length, "%s", piece);
        }
        if (rand() % 4 == 0)
            packet[(size_t)rand() % length] = (char)(rand() % 200 + 40);
        client_send(c, packet, length);
        fake_tick(f);
        if (rand() % 64 == 0)
            client_raw(c, "\x03", 1);
    }
    for (int i = 0; i < 4; i++) {
        fake_tick(f);
        client_turn(c);
    }
    CHECK(f->connected);
    client_free(c);
}

static void test_many_actions(struct fake *f) {
    static char packet[70000];
    struct client *c = client_gdb(f);
    strcpy(packet, "vCont");
    for (size_t i = 5; i + 8 < sizeof packet; i += 7)
        memcpy(packet + i, ";c:p1.1", 8);
    CHECK_STR(ask(c, packet), "E01");
    client_free(c);
}

static void test_second(struct fake *f) {
    struct client *first = client_gdb(f), *others[6];
    for (int i = 0; i < 6; i++)
        others[i] = client_new(f);
    struct pollfd fds[GDB_POLL_MAX];
    CHECK(gdb_server_poll_fds(f->server, fds, GDB_POLL_MAX) == 6);
    client_raw(others[5], "+", 1);
    CHECK_STR(others[5]->received, "");
    client_raw(others[5], "$qSupported:multiprocess+#c6", 28);
    CHECK_STR(others[5]->received,
              "+$E.minikvm: another debugger is connected; detach it first#f6");
    CHECK(client_drain(others[5])); /* nothing more will come */
    CHECK_STR(ask(first, "qC"), "QCp1.1");
    for (int i = 0; i < 6; i++)
        client_free(others[i]);
    CHECK(gdb_server_poll_fds(f->server, fds, GDB_POLL_MAX) == 2);
    client_free(first);
    rest(f);
    first = client_gdb(f);
    CHECK(f->connected);
    client_free(first);
}

/* What poll() has not found is not read, nobody is accepted, and nothing is lost by that. */
static void test_polled(struct fake *f) {
    char bytes[64];
    struct pollfd fds[GDB_POLL_MAX];
    struct client *c = client_gdb(f);
    CHECK(send(c->fd, "$qC#b4", 6, 0) == 6);
    struct pollfd sent = {.fd = c->fd, .events = POLLIN};
    gdb_server_polled(f->server, NULL, 0);
    gdb_server_handle(f->server);
    CHECK(poll(&sent, 1, 0) == 0);
    unsigned count = gdb_server_poll_fds(f->server, fds, GDB_POLL_MAX);
    CHECK(poll(fds, count, 1000) == 1);
    gdb_server_polled(f->server, fds, count);
    gdb_server_handle(f->server);
    CHECK(poll(&sent, 1, 1000) == 1 && recv(c->fd, bytes, sizeof bytes, 0) > 0);
    close(c->fd);
    c->fd = -1;
    gdb_server_handle(f->server);
    CHECK(f->connected);
    CHECK(poll(fds, count, 1000) == 1);
    gdb_server_polled(f->server, fds, count);
    gdb_server_handle(f->server);
    CHECK(!f->connected);
    free(c);
    rest(f);
}

/* --- addresses ----------------------------------------------------------------- */

static void refused(const char *address, const char *part) {
    struct gdb_target target = {.ops = &fake_ops, .context = NULL};
    char error[512] = "";
    CHECK(!gdb_server_open(address, &target, error, sizeof error));
    unit_check(strstr(error, part) != NULL, address, __FILE__, __LINE__);
    if (!strstr(error, part))
        fprintf(stderr, "    got '%s'\n", error);
}

static void test_addresses(struct fake *f) {
    char path[300];
    refused("", "is not an address");
    refused("65536", "is not an address");
    refused("abc", "is not an address");
    refused("1234x", "is not an address");
    refused("::1:1234", "is not an address");
    refused("127.0.0.1:", "is not an address");
    refused("unix:", "path is missing");
    refused("8.8.8.8:0", "choose an address of this computer");
    refused(gdb_server_address(f->server), "in use");
    memset(path, 'a', sizeof path);
    memcpy(path, "unix:", 5);
    path[299] = 0;
    refused(path, "longer than");
    refused("unix:/", "is no socket");
    refused("unix:/nowhere/at/all", "choose a path");
}

static void test_unix(void) {
    char directory[] = "/tmp/stub-XXXXXX", address[64], error[256];
    struct gdb_target target = {.ops = &fake_ops, .context = NULL};
    CHECK(mkdtemp(directory) != NULL);
    snprintf(address, sizeof address, "unix:%s/s", directory);
    struct gdb_server *server = gdb_server_open(address, &target, error, sizeof error);
    CHECK(server != NULL);
    CHECK_STR(gdb_server_address(server), address + 5); /* as gdb takes it */
    refused(address, "another program listens");
    gdb_server_close(server);
    CHECK(access(address + 5, F_OK));
    /* one that was left by a crash */
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(name.sun_path, address + 5);
    CHECK(!bind(fd, (struct sockaddr *)&name, sizeof name));
    close(fd);
    server = gdb_server_open(address, &target, error, sizeof error);
    CHECK(server != NULL);
    gdb_server_close(server);
    CHECK(!rmdir(directory));
}

static void test_ipv6(void) {
    struct gdb_target target = {.ops = &fake_ops, .context = NULL};
    char error[256] = "";
    struct gdb_server *server = gdb_server_open("[::1]:0", &target, error, sizeof error);
    if (server) /* a computer may have none */
        CHECK(!strncmp(gdb_server_address(server), "[::1]:", 6));
    gdb_server_close(server);
}

int main(void) {
    struct gdb_target target;
    struct fake *f = world_open(&target);
    test_endless_packet(f);
    rest(f);
    test_noise(f);
    rest(f);
    test_deaf(f);
    rest(f);
    test_flood(f);
    rest(f);
    test_random(f);
    rest(f);
    test_many_actions(f);
    rest(f);
    test_second(f);
    rest(f);
    test_relay(f);
    test_addresses(f);
    test_unix();
    test_acknowledges();
    test_ipv6();
    rest(f);
    test_polled(f); /* from here on it reads what poll() says */
    world_close(f);
    return unit_end();
}
