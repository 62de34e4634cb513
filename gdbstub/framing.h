/* Framing: bytes of a connection on one side, packets on the other
 * (GDB manual, "Overview" and "Packet Acknowledgment").
 *
 *     $ payload # checksum        + got it    - send it again    \x03 interrupt
 *
 * A client that is known to be gdb gets long packets with run-length encoding.
 *
 * Rule: no system calls here, and no growth: input has a fixed room, and a
 * packet that does not end within it breaks the connection. The owner takes no event
 * while output waits for the client, so output is bounded as well.
 */
#ifndef GDBSTUB_FRAMING_H
#define GDBSTUB_FRAMING_H

#include "gdbstub/buffer.h"
#include "gdbstub/cursor.h"

/* The largest packet that we accept and send, as told in qSupported. */
#define FRAMING_PACKET_SIZE 0x20000
/* Twice that: room for packets that wait behind the one in work. */
#define FRAMING_ROOM (2 * FRAMING_PACKET_SIZE)
/* Output that a client did not read yet; mostly a monitor command's text. */
#define FRAMING_OUT_MAX (4u << 20)

enum framing_event {
    FRAMING_NOTHING,   /* more bytes are needed */
    FRAMING_PACKET,    /* a whole packet with a right checksum */
    FRAMING_INTERRUPT, /* \x03 between packets ("Interrupts") */
    FRAMING_BROKEN,    /* hopeless, or not this protocol: close the connection */
};

struct framing {
    char in[FRAMING_ROOM];          /* raw bytes from the client, [in_start, in_end) not yet used */
    char payload[FRAMING_ROOM + 1]; /* of the latest packet, unescaped, NUL behind it */
    size_t in_start, in_scanned, in_end;
    struct buffer out;
    size_t out_sent;                /* out[0 … out_sent) left already */
    size_t last_start, last_length; /* of the latest packet in out, to send it again */
    bool no_ack;                    /* QStartNoAckMode is in force */
    bool runs;                      /* the client reads run-length encoding */
    bool lost;                      /* there was no memory for an answer: broken */
    bool broke;                     /* the latest byte was a BREAK: a 'g' may follow */
};

/* May a client send this byte between packets? Acknowledgments, an interrupt, telnet's
 * BREAK and line ends. After any other byte the peer is taken for one that speaks another
 * protocol, and no packet of its is handled. */
bool framing_is_between_packets(char);

void framing_init(struct framing *);
void framing_free(struct framing *);

/* Where the owner may put bytes from the client, and how many fit. */
char *framing_room(struct framing *, size_t *size);
void framing_received(struct framing *, size_t size);
/* Takes the next event; of a FRAMING_PACKET, *packet is valid until the next. */
enum framing_event framing_next(struct framing *, struct cursor *packet);

/* Frames a payload, which must hold no raw $ or #. */
void framing_send(struct framing *, const char *payload, size_t length);
/* The same as a notification, which is never sent again. */
void framing_notify(struct framing *, const char *payload, size_t length);
/* What the owner is to write, NULL when there is nothing. */
const char *framing_output(const struct framing *, size_t *size);
void framing_sent(struct framing *, size_t size);

#endif
