/* Who is at the other end of a TCP connection; see peer.h. */
#include "gdbstub/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

void peers_open(struct peers *p) {
    const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
    p->users[0] = 0;
    p->users[1] = geteuid();
    p->users[2] = sudo && *sudo ? strtol(sudo, NULL, 10) : 0;
    p->tables[0] = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC);
    p->tables[1] = open("/proc/net/tcp6", O_RDONLY | O_CLOEXEC);
}

void peers_close(struct peers *p) {
    for (int i = 0; i < 2; i++)
        if (p->tables[i] >= 0)
            close(p->tables[i]);
    p->tables[0] = p->tables[1] = -1;
}

bool peers_are_known(const struct peers *p) { return p->tables[0] >= 0; }

/* --- addresses ---------------------------------------------------------------------- */

/* An end of a connection; of IPv4 words[3] alone is used, as in ::ffff:a.b.c.d. */
struct end {
    uint32_t words[4]; /* as they lie in memory */
    unsigned port;
    bool ipv4;
};

static struct end end_of(const struct sockaddr_storage *a) {
    struct end e = {.port = 0};
    if (a->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)a;
        e.ipv4 = true;
        e.words[3] = in->sin_addr.s_addr;
        e.port = ntohs(in->sin_port);
    } else if (a->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)a;
        e.ipv4 = IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);
        memcpy(e.words, &in->sin6_addr, sizeof e.words);
        e.port = ntohs(in->sin6_port);
    }
    return e;
}

static bool is_loopback(const struct end *e) {
    const uint32_t one[4] = {0, 0, 0, htonl(1)};
    return e->ipv4 ? ntohl(e->words[3]) >> 24 == 127 : !memcmp(e->words, one, sizeof one);
}

bool peer_is_loopback(const struct sockaddr_storage *a) {
    struct end e = end_of(a);
    return is_loopback(&e);
}

/* "ADDRESS:PORT" as the tables write it: each word of four bytes as the host's number. */
static int spell_address(char *out, size_t size, const struct end *e, bool wide) {
    const uint32_t *w = e->words;
    if (!wide)
        return snprintf(out, size, "%08X:%04X", w[3], e->port);
    uint32_t mapped = e->ipv4 ? htonl(0xffff) : w[2];
    return snprintf(out, size, "%08X%08X%08X%08X:%04X", w[0], w[1], mapped, w[3], e->port);
}

/* --- the tables ------------------------------------------------------------------------ */

enum { OWNER_UNKNOWN = -1 };

/* "sl: LOCAL REMOTE st tx:rx tr:when retransmits uid timeout inode …". A socket that
 * its process has closed already has no inode, and its user is not said. */
static int64_t owner_in_line(const char *line, const char *ends) {
    unsigned long uid, inode;
    const char *at = strstr(line, ends);
    if (!at || sscanf(at + strlen(ends), " %*x %*x:%*x %*x:%*x %*x %lu %*d %lu", &uid, &inode) != 2)
        return OWNER_UNKNOWN;
    return inode ? (int64_t)uid : OWNER_UNKNOWN;
}

/* Looks at whole lines only; *length: how much of the last one is left over. */
static int64_t owner_in_lines(char *text, size_t *length, const char *ends) {
    int64_t owner = OWNER_UNKNOWN;
    char *line = text, *end;
    while (owner < 0 && (end = memchr(line, '\n', (size_t)(text + *length - line)))) {
        *end = 0;
        owner = owner_in_line(line, ends);
        line = end + 1;
    }
    *length -= (size_t)(line - text);
    memmove(text, line, *length);
    return owner;
}

static int64_t owner_in_table(int table, const char *ends) {
    char text[1 << 14];
    size_t length = 0;
    int64_t owner = OWNER_UNKNOWN;
    ssize_t got = 1;
    for (off_t at = 0; owner < 0 && got > 0 && length < sizeof text; at += got) {
        got = pread(table, text + length, sizeof text - length, at);
        length += got > 0 ? (size_t)got : 0;
        owner = owner_in_lines(text, &length, ends);
    }
    return owner;
}

/* In the table of sockets that the peer's own socket is in, which may be another than
 * ours is in: ours may serve both families. */
static int64_t owner_of(const struct peers *p, const struct end *peer, const struct end *ours) {
    int64_t owner = OWNER_UNKNOWN;
    for (int wide = peer->ipv4 ? 0 : 1; wide < 2 && owner < 0; wide++) {
        char ends[100];
        int n = spell_address(ends, sizeof ends, peer, wide);
        ends[n++] = ' ';
        spell_address(ends + n, sizeof ends - (size_t)n, ours, wide);
        if (p->tables[wide] >= 0)
            owner = owner_in_table(p->tables[wide], ends);
    }
    return owner;
}

/* --- the answer ---------------------------------------------------------------------------- */

static bool may_debug(const struct peers *p, int64_t uid) {
    return uid == p->users[0] || uid == p->users[1] || uid == p->users[2];
}

/* A line may be missed when the table changes as it is read. */
bool peer_is_ours(const struct peers *p, int fd) {
    enum { TRIES = 3 };
    struct sockaddr_storage theirs = {0}, ours = {0};
    socklen_t their_length = sizeof theirs, our_length = sizeof ours;
    int64_t owner = OWNER_UNKNOWN;
    if (!peers_are_known(p))
        return true;
    if (getpeername(fd, (struct sockaddr *)&theirs, &their_length) ||
        getsockname(fd, (struct sockaddr *)&ours, &our_length))
        return false; /* it is gone already */
    struct end peer = end_of(&theirs), self = end_of(&ours);
    for (int i = 0; i < TRIES && owner < 0; i++)
        owner = owner_of(p, &peer, &self);
    return owner >= 0 ? may_debug(p, owner) : !is_loopback(&peer);
}
