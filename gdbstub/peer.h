/* Whose connection is it? On a computer with several users a port on 127.0.0.1 is
 * everybody's. Linux says in /proc/net/tcp and tcp6 which user made a socket
 * (Documentation/networking/proc_net_tcp.rst).
 *
 * Rule: a peer on this computer is ours if its socket is there and belongs to us, to
 * root, or to the user for whom sudo has started us. One whose socket is not there (any
 * more) is not. From another computer only those come for whom an address was opened
 * that is not the loopback's; nothing is known of them.
 */
#ifndef GDBSTUB_PEER_H
#define GDBSTUB_PEER_H

#include <stdbool.h>
#include <stdint.h>

struct sockaddr_storage;

struct peers {
    int tables[2];    /* the two files, -1: there is none; open, for a sandbox may come */
    int64_t users[3]; /* who may debug */
};

void peers_open(struct peers *);
void peers_close(struct peers *);
/* Is the peer of this connected TCP socket ours? true also where that cannot be known. */
bool peer_is_ours(const struct peers *, int fd);
bool peer_is_loopback(const struct sockaddr_storage *);
/* Can it be known of those on this computer? */
bool peers_are_known(const struct peers *);

#endif
