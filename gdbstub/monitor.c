/* Monitor commands (GDB manual, "General Query Packets": qRcmd). A command may end later, on
 * the target's thread: its reply is then pending.
 */
#include <stdarg.h>

#include "gdbstub/console.h"
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/stops.h"
#include "gdbstub/threads.h"

struct gdb_out {
    struct session *session;
    int later; /* the process that it goes on about */
};

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

void gdb_monitor_later(struct gdb_out *out, int pid) { out->later = pid; }

/* After a Ctrl-C gdb no longer waits for this reply and sends something else: it would
 * take the reply for the answer to that. */
void monitor_done(struct session *s) {
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
