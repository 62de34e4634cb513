/* Connections: listening, accepting, reading and writing without waiting.
 *
 * Rule: nothing here blocks, and no error of a peer becomes a signal (SIGPIPE).
 * Errors of the user (a bad address, a port in use) become a sentence that says
 * what, why and what to do.
 */
#ifndef GDBSTUB_TRANSPORT_H
#define GDBSTUB_TRANSPORT_H

#include "gdbstub/peer.h"

#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

struct listener {
    int fd; /* -1: stdin and stdout are the only connection */
    bool stdio;
    bool exhausted;    /* accept() found no free descriptor; poll() would return at once */
    char address[256]; /* what it really listens on, as gdb's `target remote` takes it */
    char path[108];    /* of a Unix socket of ours, "" for none */
    bool left;         /* the caller removes it: gdb_server_leave_socket() */
    struct stat inode; /* of that, so that only ours is removed */
    bool tcp;
    bool loopback;      /* it is reached from this computer only */
    struct peers peers; /* of TCP */
};

struct connection {
    int in, out; /* -1: none */
    bool pipe;   /* stdin and stdout, of whatever kind they are … */
    bool socket; /* … sockets can be asked not to wait */
};

/* fstat() by the call that takes no path: a sandbox can let it through. */
static inline int stat_of(int fd, struct stat *about) { return (int)syscall(SYS_fstat, fd, about); }
/* false, with a sentence in error. */
bool listener_open(struct listener *, const char *address, char *error, size_t size);
void listener_close(struct listener *);
/* false: no connection is waiting. */
bool listener_accept(struct listener *, struct connection *);
struct connection connection_of_stdio(void);

/* Bytes done, 0 when it would have to wait, -1 when the peer is gone. */
ssize_t connection_read(struct connection *, void *to, size_t size);
ssize_t connection_write(struct connection *, const void *from, size_t size);
/* No more will be written; the peer may still. */
void connection_finish(struct connection *);
void connection_close(struct connection *);

#endif
