/* What goes to the client: replies, notifications, and a log of both ways; see reply.h. */
#include "gdbstub/reply.h"

#include <string.h>
#include <time.h>

#include "gdbstub/packet_log.h"

/* --- replies ---------------------------------------------------------------------- */

static void reply_text(struct session *s, const char *text) {
    buffer_clear(&s->reply);
    buffer_text(&s->reply, text);
}

void reply_ok(struct session *s) { reply_text(s, "OK"); }

void reply_failure(struct session *s) { reply_text(s, "E01"); }

/* In text these four would be taken for framing ("Overview"). */
void reply_error(struct session *s, const char *sentence) {
    reply_text(s, "E.");
    for (const char *c = sentence; *c; c++)
        buffer_char(&s->reply, strchr("$#}*", *c) ? '.' : *c);
}

void reply_result(struct session *s, const char *sentence) {
    if (sentence)
        reply_error(s, sentence);
    else
        reply_ok(s);
}

/* The largest piece: every byte escaped, it still fits a packet. */
enum { PIECE_MAX = (FRAMING_PACKET_SIZE - 1) / 2 };

void reply_piece(struct session *s, struct cursor range, const struct buffer *document) {
    uint64_t offset, length;
    if (!cursor_range(&range, &offset, &length) || !cursor_done(&range) || document->overflow ||
        offset > document->length) {
        reply_failure(s);
    } else {
        size_t left = document->length - (size_t)offset;
        size_t size = length < PIECE_MAX ? (size_t)length : PIECE_MAX;
        size = size < left ? size : left;
        buffer_char(&s->reply, size < left ? 'm' : 'l');
        if (size)
            buffer_binary(&s->reply, document->data + offset, size);
    }
}

/* --- the link, and a log of it ---------------------------------------------------------- */

static double seconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void session_log(struct session *s, void (*line)(void *context, const char *line), void *context) {
    s->log.line = line;
    s->log.context = context;
    s->log.begun = seconds_now();
}

void reply_log(struct session *s, bool from_client, const char *payload, size_t length) {
    char line[PACKET_LOG_LINE];
    if (!s->log.line)
        return;
    packet_log_line(line, seconds_now() - s->log.begun, s->client.general.pid, from_client, payload,
                    length);
    s->log.line(s->log.context, line);
}

void session_send(struct session *s, const char *payload, size_t length) {
    reply_log(s, false, payload, length);
    framing_send(&s->framing, payload, length);
}

void session_notify(struct session *s, const char *payload, size_t length) {
    reply_log(s, false, payload, length);
    framing_notify(&s->framing, payload, length);
}
