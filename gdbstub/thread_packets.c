/* Packets that choose and list threads: H, T, qC, qfThreadInfo, qThreadExtraInfo (GDB manual,
 * "Packets", "General Query Packets").
 */
#include "gdbstub/modes.h"
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

#include <string.h>

void packet_thread(struct session *s, struct cursor arguments) {
    bool general = cursor_char(&arguments, 'g');
    struct selection who;
    if ((!general && !cursor_char(&arguments, 'c')) || !thread_parse(s, &arguments, &who) ||
        !cursor_done(&arguments)) {
        reply_failure(s);
        return;
    }
    struct gdb_thread thread;
    if (who.tid > 0 && !thread_select(s, who, &thread)) {
        reply_failure(s);
        return;
    }
    *(general ? &s->client.general : &s->client.resuming) = who;
    s->modes.asked_about = 0;
    reply_ok(s);
}

void packet_alive(struct session *s, struct cursor arguments) {
    struct selection who;
    struct gdb_thread thread;
    if (thread_parse(s, &arguments, &who) && cursor_done(&arguments) &&
        thread_select(s, who, &thread))
        reply_ok(s);
    else
        reply_failure(s);
}

void packet_current(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct gdb_thread thread;
    if (!thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    buffer_text(&s->reply, "QC");
    thread_write(s, &s->reply, thread);
}

void packet_threads_first(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct gdb_thread list[THREADS_MAX];
    modes_threads_listed(s);
    size_t count = threads_list(s, list);
    buffer_char(&s->reply, count ? 'm' : 'l');
    for (size_t i = 0; i < count; i++) {
        if (i)
            buffer_char(&s->reply, ',');
        thread_write(s, &s->reply, list[i]);
    }
}

/* The first part held them all. */
void packet_threads_more(struct session *s, struct cursor arguments) {
    (void)arguments;
    buffer_char(&s->reply, 'l');
}

void packet_thread_extra(struct session *s, struct cursor arguments) {
    struct selection who;
    struct gdb_thread thread;
    if (!thread_parse(s, &arguments, &who) || !thread_select(s, who, &thread)) {
        reply_failure(s);
        return;
    }
    char extra[256] = "";
    s->target->ops->thread_extra(s->target->context, thread, extra, sizeof extra);
    buffer_hex(&s->reply, extra, strnlen(extra, sizeof extra));
}
