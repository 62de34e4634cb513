/* Connections; see transport.h. */
#include "gdbstub/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 8 };

struct failure {
    char *text;
    size_t size;
};
#define FAIL(failure, ...) (snprintf((failure)->text, (failure)->size, __VA_ARGS__), false)

/* --- TCP ------------------------------------------------------------------------- */

struct tcp_name {
    char host[128], port[16];
};

static bool is_port(const char *text) {
    size_t digits = strspn(text, "0123456789");
    unsigned value = 0;
    for (size_t i = 0; i < digits && i < 6; i++)
        value = value * 10 + (unsigned)(text[i] - '0');
    return digits > 0 && digits < 6 && !text[digits] && value <= 65535;
}

/* "[HOST:]PORT", the host of an IPv6 address in brackets. */
static bool split_tcp(const char *address, struct tcp_name *name, struct failure *f) {
    const char *colon = strrchr(address, ':'), *port = colon ? colon + 1 : address;
    size_t length = colon ? (size_t)(colon - address) : 0;
    const char *host = address;
    bool bracketed = length >= 2 && host[0] == '[' && host[length - 1] == ']';
    if (bracketed) {
        host++;
        length -= 2;
    }
    bool bare_ipv6 = !bracketed && length && memchr(host, ':', length);
    if (!is_port(port) || bare_ipv6 || length >= sizeof name->host)
        return FAIL(
            f,
            "cannot listen on '%.100s': it is not an address; write [HOST:]PORT with a port of "
            "0 to 65535 (IPv6: [::1]:1234), unix:PATH or -",
            address);
    memcpy(name->host, host, length);
    name->host[length] = 0;
    if (!length)
        strcpy(name->host, "127.0.0.1");
    snprintf(name->port, sizeof name->port, "%s", port);
    return true;
}

static int listen_at(const struct addrinfo *info) {
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!bind(fd, info->ai_addr, info->ai_addrlen) && !listen(fd, BACKLOG))
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static void name_tcp(struct listener *l) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    char host[128], port[16];
    if (getsockname(l->fd, (struct sockaddr *)&address, &length) ||
        getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return;
    const char *format = address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s";
    l->loopback = peer_is_loopback(&address);
    snprintf(l->address, sizeof l->address, format, host, port);
}

static const char *tcp_advice(int reason) {
    switch (reason) {
    case EADDRINUSE:
        return "end the program that uses the port, or choose another one (0: any free one)";
    case EACCES: return "choose a port from 1024 on";
    default: return "choose an address of this computer, such as 127.0.0.1";
    }
}

static bool open_tcp(struct listener *l, const char *address, struct failure *f) {
    struct tcp_name name;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found;
    if (!split_tcp(address, &name, f))
        return false;
    int reason = getaddrinfo(name.host, name.port, &hints, &found);
    if (reason)
        return FAIL(f,
                    "cannot listen on '%s': host '%s': %s; use 127.0.0.1 or another address "
                    "of this computer",
                    address, name.host, gai_strerror(reason));
    for (struct addrinfo *info = found; info && l->fd < 0; info = info->ai_next)
        l->fd = listen_at(info);
    reason = errno;
    freeaddrinfo(found);
    if (l->fd < 0)
        return FAIL(f, "cannot listen on %s port %s: %s; %s", name.host, name.port,
                    strerror(reason), tcp_advice(reason));
    l->tcp = true;
    peers_open(&l->peers);
    name_tcp(l);
    return true;
}

/* --- Unix sockets ---------------------------------------------------------------- */

static bool somebody_listens(const struct sockaddr_un *name) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused =
        connect(fd, (const struct sockaddr *)name, sizeof *name) && errno == ECONNREFUSED;
    close(fd);
    return !refused;
}

/* A socket that a crashed server has left is replaced, nothing else is. */
static bool make_way(const struct sockaddr_un *name, struct failure *f) {
    struct stat found;
    const char *path = name->sun_path;
    if (lstat(path, &found))
        return true; /* bind() tells why if this is more than "not there" */
    if (!S_ISSOCK(found.st_mode))
        return FAIL(f,
                    "cannot listen on unix:%s: the file exists and is no socket; remove it or "
                    "choose another path",
                    path);
    if (somebody_listens(name))
        return FAIL(f,
                    "cannot listen on unix:%s: another program listens there; end it or choose "
                    "another path",
                    path);
    unlink(path);
    return true;
}

/* Who debugs a guest owns it, so nobody else may connect. On Linux the socket's own mode
 * is what bind() makes the file with (unix_bind); what the umask took from that the owner
 * gets back, before anybody could connect. */
static bool listen_unix(struct listener *l, const struct sockaddr_un *name) {
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0 || fchmod(l->fd, 0600) ||
        bind(l->fd, (const struct sockaddr *)name, sizeof *name))
        return false;
    strcpy(l->path, name->sun_path); /* from here on it is ours to remove */
    return !lstat(l->path, &l->inode) && !chmod(l->path, 0600) && !listen(l->fd, BACKLOG);
}

static bool open_unix(struct listener *l, const char *path, struct failure *f) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (!*path)
        return FAIL(f, "cannot listen on 'unix:': the path is missing; write unix:PATH");
    if (strlen(path) >= sizeof name.sun_path)
        return FAIL(f,
                    "cannot listen on unix:%.40s...: the path is longer than %zu bytes; choose "
                    "a shorter one",
                    path, sizeof name.sun_path - 1);
    strcpy(name.sun_path, path);
    if (!make_way(&name, f))
        return false;
    if (!listen_unix(l, &name))
        return FAIL(f,
                    "cannot listen on unix:%s: %s; choose a path in a directory where you may "
                    "write",
                    path, strerror(errno));
    char *whole = realpath(path, NULL); /* gdb may be started elsewhere */
    snprintf(l->address, sizeof l->address, "%s", whole ? whole : path);
    free(whole);
    return true;
}

/* --- listeners ------------------------------------------------------------------- */

static void open_stdio(struct listener *l) {
    struct sigaction pipe;
    l->stdio = true;
    strcpy(l->address, "stdin and stdout");
    /* write() has no MSG_NOSIGNAL. */
    if (!sigaction(SIGPIPE, NULL, &pipe) && pipe.sa_handler == SIG_DFL)
        signal(SIGPIPE, SIG_IGN);
}

bool listener_open(struct listener *l, const char *address, char *error, size_t size) {
    struct failure failure = {error, size};
    bool good = true;
    *l = (struct listener){.fd = -1, .peers = {.tables = {-1, -1}}};
    if (!strcmp(address, "-"))
        open_stdio(l);
    else if (!strncmp(address, "unix:", 5))
        good = open_unix(l, address + 5, &failure);
    else
        good = open_tcp(l, address, &failure);
    if (!good)
        listener_close(l);
    return good;
}

void listener_close(struct listener *l) {
    struct stat found;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    peers_close(&l->peers);
    if (*l->path && !l->left && !lstat(l->path, &found) && found.st_ino == l->inode.st_ino &&
        found.st_dev == l->inode.st_dev)
        unlink(l->path);
    *l->path = 0;
}

bool listener_accept(struct listener *l, struct connection *c) {
    int fd, on = 1;
    do
        fd = l->fd < 0 ? -1 : accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (l->fd >= 0 && fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    l->exhausted = fd < 0 && (errno == EMFILE || errno == ENFILE);
    if (fd < 0)
        return false;
    /* Packets are small and each waits for its answer. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *c = (struct connection){.in = fd, .out = fd, .socket = true};
    return true;
}

/* --- connections ----------------------------------------------------------------- */

static bool is_socket(int fd) {
    struct stat about;
    return !stat_of(fd, &about) && S_ISSOCK(about.st_mode);
}

/* gdb's own pipe, of `target remote | PROGRAM`, is a pair of sockets. */
struct connection connection_of_stdio(void) {
    return (struct connection){.in = STDIN_FILENO,
                               .out = STDOUT_FILENO,
                               .pipe = true,
                               .socket = is_socket(STDIN_FILENO) && is_socket(STDOUT_FILENO)};
}

/* stdin and stdout are shared with other programs, so they are not made
 * non-blocking; they are asked instead. */
static bool ready(int fd, short events) {
    struct pollfd p = {.fd = fd, .events = events};
    int found;
    do
        found = poll(&p, 1, 0);
    while (found < 0 && errno == EINTR);
    return found > 0;
}

static ssize_t result(ssize_t done) {
    if (done >= 0)
        return done;
    bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return later ? 0 : -1;
}

ssize_t connection_read(struct connection *c, void *to, size_t size) {
    ssize_t done;
    if (!c->socket && !ready(c->in, POLLIN))
        return 0;
    do
        done = c->socket ? recv(c->in, to, size, MSG_DONTWAIT) : read(c->in, to, size);
    while (done < 0 && errno == EINTR);
    return done ? result(done) : -1; /* end of file: the peer is gone */
}

ssize_t connection_write(struct connection *c, const void *from, size_t size) {
    ssize_t done;
    if (!c->socket && !ready(c->out, POLLOUT))
        return 0;
    if (!c->socket && size > PIPE_BUF)
        size = PIPE_BUF; /* so much can be written once poll() says so */
    do
        done = c->socket ? send(c->out, from, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                         : write(c->out, from, size);
    while (done < 0 && errno == EINTR);
    return result(done);
}

void connection_finish(struct connection *c) {
    if (!c->pipe && c->out >= 0)
        shutdown(c->out, SHUT_WR);
}

void connection_close(struct connection *c) {
    if (!c->pipe && c->in >= 0)
        close(c->in);
    *c = (struct connection){.in = -1, .out = -1};
}
