/* A session's begin and end, and how it takes and answers a packet; see session.h. */
#include "gdbstub/session.h"

#include <string.h>

#include "gdbstub/extension.h"
#include "gdbstub/files.h"
#include "gdbstub/process.h"
#include "gdbstub/reply.h"
#include "gdbstub/stops.h"
#include "gdbstub/threads.h"

/* --- life --------------------------------------------------------------------------- */

void session_init(struct session *s, const struct gdb_target *target) {
    memset(s, 0, sizeof *s);
    s->target = target;
    framing_init(&s->framing);
    files_init(s);
    extension_open(s);
    buffer_init(&s->tables.text, TABLE_MAX);
    buffer_init(&s->reply, REPLY_MAX);
    buffer_init(&s->console.text, CONSOLE_MAX);
}

void session_free(struct session *s) {
    files_close(s);
    extension_close(s);
    buffer_free(&s->tables.text);
    framing_free(&s->framing);
    buffer_free(&s->reply);
    buffer_free(&s->console.text);
}

static void forget_client(struct session *s) {
    s->client = (struct client){0};
    s->request = (struct request){0};
    s->monitor = (struct monitor){0};
    s->modes = (struct modes){.label = LABEL_ANY};
    s->stops.pending_reply = REPLY_NONE;
    s->stops.has_reported = s->stops.notified = false;
    s->resume.action_count = s->resume.postponed_count = 0;
    s->resume.blind = s->resume.passed_one = false;
    extension_select_present(s);
    files_close(s);
    buffer_free(&s->tables.text);
    buffer_clear(&s->console.text); /* it was for that client */
    s->console.lost = 0;
    framing_free(&s->framing);
    framing_init(&s->framing);
}

/* Interrupts everything that runs: a client may ask about anything at once. */
void session_begin(struct session *s) {
    forget_client(s);
    s->connected = true;
    s->target->ops->session(s->target->context, true);
    processes_update(s);
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        process_attach(s, p);
        p->interrupted = p->running;
        if (p->running)
            s->target->ops->interrupt(s->target->context, p->pid);
    }
}

void session_end(struct session *s) {
    s->connected = false;
    for (size_t i = 0; i < s->process_count; i++)
        if (s->processes[i].attached || s->processes[i].nonstop.hidden)
            process_release(s, &s->processes[i]);
    s->target->ops->session(s->target->context, false);
    forget_client(s);
}

/* --- packets ------------------------------------------------------------------------ */

static void send_reply(struct session *s) {
    if (s->reply.overflow)
        reply_failure(s);
    if (s->stops.pending_reply == REPLY_NONE && !s->request.silent)
        session_send(s, s->reply.data, s->reply.length);
    s->framing.no_ack |= s->request.no_ack_next;
    s->request.no_ack_next = false;
}

/* Does this packet show that the client stops for its user? One that passes over a signal by
 * itself (`handle SIGSEGV nostop` in gdb) resumes at once; to step, it first reads the code and
 * inserts a breakpoint. At a stop that it shows it asks for more. */
static bool is_question(struct cursor packet) {
    static const char *const others[] = {"vCont;", "vStopped", "c", "C", "s", "S",
                                         "bc",     "bs",       "m", "x", "Z", "z"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct cursor rest = packet;
        if (cursor_word(&rest, others[i]))
            return false;
    }
    return true;
}

static void handle_packet(struct session *s) {
    s->request.waits = s->request.silent = false;
    s->resume.looked |= is_question(s->request.packet);
    buffer_clear(&s->reply);
    packets_dispatch(s, s->request.packet);
    send_reply(s);
    if (s->client.non_stop && s->stops.pending_reply != REPLY_MONITOR)
        nonstop_answered(s);
    stops_settle(s);
}

/* When a session begins, its processes may not have stopped yet. */
static bool packet_must_wait(struct session *s) {
    bool asks_all = !cursor_done(&s->request.packet) && *s->request.packet.at == '?';
    if (s->stops.pending_reply == REPLY_MONITOR)
        return true;
    if (s->client.non_stop && !asks_all)
        return nonstop_must_wait(s, packets_is_extension(s, s->request.packet));
    return s->stops.pending_reply != REPLY_NONE || stops_any_runs(s);
}

/* Takes one event from the connection. */
static enum work take_client_event(struct session *s) {
    switch (framing_next(&s->framing, &s->request.packet)) {
    case FRAMING_PACKET:
        reply_log(s, true, s->request.packet.at, cursor_left(&s->request.packet));
        s->request.waits = true;
        s->monitor.abandoned = s->stops.pending_reply == REPLY_MONITOR && !s->client.non_stop;
        if (!s->client.non_stop)
            stops_interrupt(s); /* a client that talks while the target runs wants it to stop */
        return WORK_MORE;
    case FRAMING_INTERRUPT:
        reply_log(s, true, "\x03", 1);
        if (!s->client.non_stop || s->stops.pending_reply == REPLY_MONITOR)
            stops_interrupt(s);
        return WORK_MORE;
    case FRAMING_BROKEN: return WORK_END;
    case FRAMING_NOTHING: break;
    }
    return WORK_NONE;
}

enum work session_step(struct session *s) {
    size_t waiting;
    framing_output(&s->framing, &waiting);
    if (waiting)
        return WORK_NONE;
    enum work work = s->request.waits ? WORK_MORE : take_client_event(s);
    stops_settle(s);
    if (s->request.waits && packet_must_wait(s))
        return WORK_NONE;
    if (s->request.waits)
        handle_packet(s);
    return s->request.closes ? WORK_END : work;
}
