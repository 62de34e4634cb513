/* Connections that have not shown yet that a debugger is behind them, and those that
 * came while another debugger was there.
 *
 * A port scan, a second program that looks whether a socket is in use, or a browser
 * that a web page has sent here are connections, too. None of them may stop a guest,
 * set it free or have a command carried out.
 *
 * Rule: the target is not called before a whole packet with a right checksum has
 * come, with nothing ahead of it but what a debugger sends between packets.
 */
#ifndef GDBSTUB_STRANGERS_H
#define GDBSTUB_STRANGERS_H

#include "gdbstub/framing.h"
#include "gdbstub/transport.h"

enum { STRANGERS_MAX = 4 };

struct stranger {
    struct connection connection;
    const char *refusal; /* what its first packet is answered; NULL: it may become the client */
    bool refused;        /* the answer was sent; its bytes are discarded until it closes */
    size_t length;
    char bytes[FRAMING_ROOM]; /* all that it has sent, to be handed to the client's framing */
};

struct strangers {
    struct stranger list[STRANGERS_MAX];
    unsigned next; /* the slot that is used next: the oldest one */
};

void strangers_init(struct strangers *);
void strangers_close(struct strangers *);
/* The oldest one makes way. */
void strangers_add(struct strangers *, struct connection, const char *refusal);
/* Reads without waiting. true: its first packet is here, and it is not refused. */
bool stranger_read(struct stranger *);
/* The answer to its first packet, an error with this sentence. */
void stranger_refuse(struct stranger *, const char *sentence);

#endif
