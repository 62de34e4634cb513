/* Framing; see framing.h. */
#include "gdbstub/framing.h"

#include "gdbstub/hex.h"

#include <string.h>

enum {
    INTERRUPT = 0x03,
    FRAME = 4,   /* $ # and two digits */
    SHORT = 128, /* packets up to here are left as they are, to be read in a log */
    RUN_MIN = 3,
    RUN_MAX = 97,
    RUN_BIAS = 29 /* count + 29 is a printable character */
};
/* gdb's `set remote interrupt-sequence BREAK` over TCP, and BREAK-g with a 'g' behind. */
#define TELNET_BREAK '\xf3'

bool framing_is_between_packets(char c) { return c && strchr("+-\x03\r\n\xff\xf3", c); }

void framing_init(struct framing *l) {
    l->in_start = l->in_scanned = l->in_end = 0;
    l->out_sent = l->last_start = l->last_length = 0;
    l->no_ack = l->runs = l->lost = l->broke = false;
    buffer_init(&l->out, FRAMING_OUT_MAX);
}

void framing_free(struct framing *l) { buffer_free(&l->out); }

/* --- in ------------------------------------------------------------------- */

char *framing_room(struct framing *l, size_t *size) {
    if (l->in_start) {
        memmove(l->in, l->in + l->in_start, l->in_end - l->in_start);
        l->in_end -= l->in_start;
        l->in_scanned -= l->in_start;
        l->in_start = 0;
    }
    *size = sizeof l->in - l->in_end;
    return l->in + l->in_end;
}

void framing_received(struct framing *l, size_t size) { l->in_end += size; }

static void forget(struct framing *l, size_t start) { l->in_start = l->in_scanned = start; }

/* What was sent is dropped before something new is added. */
static void begin_output(struct framing *l) {
    if (l->out_sent < l->out.length)
        return;
    buffer_clear(&l->out);
    l->out_sent = l->last_start = l->last_length = 0;
}

static void put_ack(struct framing *l, char ack) {
    if (l->no_ack)
        return;
    begin_output(l);
    buffer_char(&l->out, ack);
    l->lost |= l->out.overflow;
}

/* The client asks for our latest packet again. Ignored until that was sent in full, or a
 * stream of '-' would make endless output. */
static void resend(struct framing *l) {
    if (!l->no_ack && l->last_length && l->out_sent == l->out.length)
        l->out_sent = l->last_start;
}

/* Copies a payload and returns its checksum, both in one pass. An escape with
 * nothing behind it is dropped: the length in such a packet won't fit then. */
static uint8_t unescape(struct framing *l, const char *from, const char *end,
                        struct cursor *packet) {
    char *to = l->payload;
    uint8_t sum = 0, flip = 0;
    for (; from < end; from++) {
        sum = (uint8_t)(sum + (uint8_t)*from);
        if (*from == '}' && !flip) {
            flip = 0x20;
            continue;
        }
        *to++ = (char)(*from ^ flip);
        flip = 0;
    }
    *to = 0;
    *packet = (struct cursor){l->payload, to};
    return sum;
}

/* in[in_start] is a '$'. Another '$' after it begins a new packet, and the first one
 * was never finished: within a packet it would be escaped. */
static enum framing_event take_packet(struct framing *l, struct cursor *packet) {
    size_t from = l->in_scanned > l->in_start ? l->in_scanned : l->in_start + 1;
    char *hash = memchr(l->in + from, '#', l->in_end - from);
    l->in_scanned = hash ? (size_t)(hash - l->in) : l->in_end;
    if (!hash || l->in_end - l->in_scanned < 3)
        return l->in_start == 0 && l->in_end == sizeof l->in ? FRAMING_BROKEN : FRAMING_NOTHING;
    char *start = (char *)memrchr(l->in + l->in_start, '$', l->in_scanned - l->in_start) + 1;
    uint8_t expected;
    uint8_t sum = unescape(l, start, hash, packet);
    bool right = hex_decode(&expected, hash + 1, 1) && sum == expected;
    forget(l, l->in_scanned + 3);
    /* Without acks nobody could send it again; the checksum is then only for
     * show ("Packet Acknowledgment"). */
    put_ack(l, right ? '+' : '-');
    return right || l->no_ack ? FRAMING_PACKET : FRAMING_NOTHING;
}

/* One byte between packets. */
static enum framing_event take_byte(struct framing *l, char c) {
    bool after_break = l->broke;
    l->broke = c == TELNET_BREAK;
    if (c == INTERRUPT || c == TELNET_BREAK)
        return FRAMING_INTERRUPT;
    if (c == '-')
        resend(l);
    return framing_is_between_packets(c) || (c == 'g' && after_break) ? FRAMING_NOTHING
                                                                      : FRAMING_BROKEN;
}

enum framing_event framing_next(struct framing *l, struct cursor *packet) {
    if (l->lost)
        return FRAMING_BROKEN;
    while (l->in_start < l->in_end) {
        char c = l->in[l->in_start];
        if (c == '$') {
            size_t before = l->in_start;
            enum framing_event event = take_packet(l, packet);
            if (event != FRAMING_NOTHING || l->in_start == before)
                return event;
            continue;
        }
        forget(l, l->in_start + 1);
        enum framing_event event = take_byte(l, c);
        if (event != FRAMING_NOTHING)
            return event;
    }
    return FRAMING_NOTHING;
}

/* --- out ------------------------------------------------------------------ */

/* How often the character is to be repeated, with a count that is none of the framing's
 * characters ("Overview"), nor + and -, which a client that looks for acks could take
 * for one. Less than RUN_MIN is not worth it. */
static size_t run_after(const char *from, const char *end) {
    size_t n = 0, room = (size_t)(end - from) - 1;
    while (n < room && n < RUN_MAX && from[n + 1] == *from)
        n++;
    while (n >= RUN_MIN && strchr("#$+-", (int)(n + RUN_BIAS)))
        n--;
    return n >= RUN_MIN ? n : 0;
}

/* Returns the length. What follows an escape is not repeated: clients differ in
 * whether they undo the run or the escape first. */
static size_t put_runs(char *to, const char *from, size_t length) {
    const char *end = from + length;
    char *start = to;
    bool escaped = false;
    while (from < end) {
        size_t more = escaped || *from == '}' ? 0 : run_after(from, end);
        escaped = !escaped && *from == '}';
        *to++ = *from;
        if (more) {
            *to++ = '*';
            *to++ = (char)(more + RUN_BIAS);
        }
        from += 1 + more;
    }
    return (size_t)(to - start);
}

static size_t put_payload(struct framing *l, char *to, const char *from, size_t length) {
    if (l->runs && length > SHORT)
        return put_runs(to, from, length);
    if (length) /* an empty reply has no bytes to point at */
        memcpy(to, from, length);
    return length;
}

static void put_frame(struct framing *l, char mark, const char *payload, size_t length) {
    begin_output(l);
    char *to = buffer_extend(&l->out, length + FRAME);
    if (!to) {
        l->lost = true;
        return;
    }
    uint8_t sum = 0;
    size_t start = (size_t)(to - l->out.data), sent = put_payload(l, to + 1, payload, length);
    *to++ = mark;
    for (size_t i = 0; i < sent; i++)
        sum = (uint8_t)(sum + (uint8_t)to[i]);
    to[sent] = '#';
    hex_encode(to + sent + 1, &sum, 1);
    l->out.length -= length - sent;
    if (mark == '$') {
        l->last_start = start;
        l->last_length = sent + FRAME;
    }
}

void framing_send(struct framing *l, const char *payload, size_t length) {
    put_frame(l, '$', payload, length);
}

void framing_notify(struct framing *l, const char *payload, size_t length) {
    put_frame(l, '%', payload, length);
}

const char *framing_output(const struct framing *l, size_t *size) {
    *size = l->out.length - l->out_sent;
    return *size ? l->out.data + l->out_sent : NULL;
}

void framing_sent(struct framing *l, size_t size) { l->out_sent += size; }
