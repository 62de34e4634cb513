/* Text for the user: O packets and monitor commands (GDB manual, "Stop Reply
 * Packets": O, and "General Query Packets": qRcmd).
 *
 * Rule: an O packet may be sent only while gdb waits for a stop or for the end
 * of a monitor command; text that comes at another time is kept. Text is bounded
 * both ways: what exceeds the bound is dropped and counted, never waited for.
 */
#include "gdbstub/packets.h"

#include <stdio.h>

/* Text that waits for a client that reads slowly; the rest of the output's room stays
 * free for replies. */
enum { BACKLOG_MAX = FRAMING_OUT_MAX / 2, CHUNK = (FRAMING_PACKET_SIZE - 2) / 2 };

struct gdb_out {
    struct session *session;
    int later; /* the process that it goes on about */
};

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

static void keep(struct session *s, const char *text, size_t length) {
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
        keep(s, text, length);
}

/* --- monitor commands --------------------------------------------------------- */

void gdb_print(struct gdb_out *out, const char *format, ...) {
    struct buffer text;
    va_list list;
    buffer_init(&text, FRAMING_OUT_MAX);
    va_start(list, format);
    buffer_vprintf(&text, format, list);
    va_end(list);
    console_text(out->session, text.data, text.length);
    buffer_free(&text);
}

void packet_monitor(struct session *s, struct cursor arguments) {
    char line[4096];
    struct gdb_thread thread = {0, 0};
    struct gdb_out out = {s, 0};
    if (!cursor_hex_text(&arguments, line, sizeof line)) {
        reply_failure(s);
        return;
    }
    thread_current(s, &thread);
    s->monitor.active = true;
    s->monitor.abandoned = false;
    if (!s->target->ops->monitor(s->target->context, thread, line, &out))
        gdb_print(&out, "unknown command, try: monitor help\n");
    s->monitor.active = out.later;
    if (out.later) {
        s->stops.pending_reply = REPLY_MONITOR;
        s->monitor.pid = out.later;
    } else {
        reply_ok(s);
    }
}

void gdb_monitor_later(struct gdb_out *out, int pid) {
    out->later = pid;
}

/* After a Ctrl-C gdb no longer waits for this reply and sends something else: it would
 * take the reply for the answer to that. */
void console_monitor_done(struct session *s) {
    if (s->stops.pending_reply != REPLY_MONITOR)
        return;
    s->stops.pending_reply = REPLY_NONE;
    s->monitor.active = false;
    buffer_clear(&s->reply);
    reply_ok(s);
    if (!s->monitor.abandoned)
        session_send(s, s->reply.data, s->reply.length);
    if (s->client.non_stop)
        nonstop_answered(s);
}
