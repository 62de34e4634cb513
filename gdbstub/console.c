/* Text for the user: O packets and monitor commands (GDB manual, "Stop Reply
 * Packets": O, and "General Query Packets": qRcmd).
 *
 * Rule: an O packet may be sent only while gdb waits for a stop or for the end
 * of a monitor command; text that comes at another time is kept. Text is bounded
 * both ways: what exceeds the bound is dropped and counted, never waited for.
 */
#include "gdbstub/console.h"
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"

#include <stdio.h>

/* Text that waits for a client that reads slowly; the rest of the output's room stays
 * free for replies. */
enum { BACKLOG_MAX = FRAMING_OUT_MAX / 2, CHUNK = (FRAMING_PACKET_SIZE - 2) / 2 };

static bool allowed(const struct session *s) {
    return s->connected && ((s->monitor.active && !s->monitor.abandoned) ||
                            (!s->client.non_stop && s->stops.pending_reply == REPLY_RESUME));
}

static void send_chunk(struct session *s, const char *text, size_t length) {
    struct buffer packet;
    buffer_init(&packet, FRAMING_PACKET_SIZE);
    buffer_char(&packet, 'O');
    buffer_hex(&packet, text, length);
    if (!packet.overflow)
        session_send(s, packet.data, packet.length);
    buffer_free(&packet);
}

static void send_text(struct session *s, const char *text, size_t length) {
    while (length) {
        size_t part = length < CHUNK ? length : CHUNK, waiting;
        framing_output(&s->framing, &waiting);
        if (waiting > BACKLOG_MAX) {
            s->console.lost += length;
            return;
        }
        send_chunk(s, text, part);
        s->push(s->push_context);
        text += part;
        length -= part;
    }
}

static void keep_text(struct session *s, const char *text, size_t length) {
    size_t room = s->console.text.limit - s->console.text.length;
    size_t part = length < room ? length : room;
    buffer_append(&s->console.text, text, part);
    s->console.lost += length - part;
}

void console_flush(struct session *s) {
    if (!allowed(s))
        return;
    char note[80];
    size_t lost = s->console.lost;
    s->console.lost = 0;
    send_text(s, s->console.text.data, s->console.text.length);
    buffer_clear(&s->console.text);
    int length = snprintf(note, sizeof note, "[%zu bytes of text were lost here]\n", lost);
    if (lost)
        send_text(s, note, (size_t)length);
}

void console_text(struct session *s, const char *text, size_t length) {
    console_flush(s);
    if (allowed(s))
        send_text(s, text, length);
    else
        keep_text(s, text, length);
}
