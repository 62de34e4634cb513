/* Non-stop: each process stops and goes on by itself (GDB manual, "Remote
 * Non-Stop" and "Notification Packets").
 *
 *     -> vCont;c:p1.1   <- OK                 at once
 *                       <- %Stop:T05…         whenever it stops
 *     -> vStopped       <- the next stop, or OK
 *
 * Rule: one notification is on its way at a time; the stops behind it wait for
 * vStopped. A packet about a process that runs is held, the process paused, and
 * let go again once the packet is answered: so it too finds its process still.
 */
#include "gdbstub/extension.h"

/* --- what is told ---------------------------------------------------------------- */

static bool tellable(const struct process *p) {
    return p->attached && (p->exec_due || p->library_due || (p->has_pending && !p->following));
}

static struct process *next_told(struct session *s) {
    struct process *first = NULL;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (tellable(p) && (!first || p->order < first->order))
            first = p;
    }
    return first;
}

/* The next stop into `reply`. false: there is none. */
static bool write_next(struct session *s) {
    struct process *p = next_told(s);
    if (!p)
        return false;
    if (p->exec_due) {
        p->exec_due = false;
        follow_tell(s, p);
        return true;
    }
    if (p->library_due) {
        p->library_due = false;
        follow_library(s, p);
        return true;
    }
    struct gdb_stop stop = p->pending;
    p->has_pending = false;
    if (p->told && follow_instead(s, &stop))
        return true;
    stops_write(s, &stop);
    if (p->ended)
        p->attached = false;
    return true;
}

void nonstop_settle(struct session *s) {
    if (s->notified || !next_told(s))
        return;
    buffer_clear(&s->reply);
    buffer_text(&s->reply, "Stop:");
    s->notified = write_next(s);
    session_notify(s, s->reply.data, s->reply.length);
}

static void still(struct session *s, struct process *p, int signal) {
    p->pending = (struct gdb_stop){.thread = {p->pid, 1}, .status = signal};
    p->has_pending = true;
    p->order = s->stops++;
}

/* gdb 13 fails on an assertion of its own (remote_target::wait) when two processes
 * tell of a stop while it connects, and takes one that tells it later for running.
 * So it sees the first only; the others stand still, and `attach N` takes them. */
static void hide_others(struct session *s) {
    for (size_t i = 1; i < s->process_count; i++) {
        s->processes[i].hidden = s->processes[i].attached;
        s->processes[i].attached = false;
    }
}

/* The client connects: its process has stopped, and says so. It has read no
 * description yet; that comes by an exec when it first goes on. */
void nonstop_status(struct session *s) {
    struct gdb_thread list[THREADS_MAX];
    size_t count = threads_list(s, list);
    for (size_t i = 0; i < count; i++) {
        struct process *p = process_find(s, list[i].pid);
        if (!p->has_pending)
            still(s, p, GDB_SIGNAL_TRAP);
    }
    packet_stopped(s, (struct cursor){NULL, NULL});
}

void nonstop_attach(struct session *s, struct process *p) {
    if (p->running)
        s->target->ops->interrupt(s->target->context, p->pid);
    else
        still(s, p, GDB_SIGNAL_0);
    p->stopping = p->running;
    reply_ok(s);
}

void packet_stopped(struct session *s, struct cursor arguments) {
    (void)arguments;
    s->notified = write_next(s);
    if (!s->notified)
        reply_ok(s);
}

/* --- stops ------------------------------------------------------------------------ */

void nonstop_note(struct session *s, struct process *p, const struct gdb_stop *stop, bool ours) {
    bool plain = stop->kind == GDB_STOPPED && !stop->has_breakpoint;
    p->paused = p->paused && ours;
    if (ours)
        return;
    p->pending = *stop;
    if (plain && p->stopping && stop->status == GDB_SIGNAL_INT)
        p->pending.status = GDB_SIGNAL_0; /* as vCont;t wanted */
    if (plain && p->stepped && p->forgotten && stop->status == GDB_SIGNAL_TRAP)
        p->pending.status = GDB_SIGNAL_0; /* gdb has forgotten the step at an exec */
    p->stopping = p->forgotten = false;
    p->has_pending = true;
    p->order = s->stops++;
}

/* --- resuming ------------------------------------------------------------------------ */

/* A client that says anew what it understands may no longer want the exec. */
static void let_go(struct session *s, struct process *p, const struct gdb_action *action) {
    p->running = true;
    p->exec_due = p->library_due = false;
    p->stepped = action->how != GDB_CONTINUE;
    p->latest = *action;
    s->target->ops->resume(s->target->context, action);
}

/* See follow.c. What the user wanted first waits for the exec that brings the
 * description. */
static void go(struct session *s, struct process *p, struct gdb_action action) {
    bool was = p->following;
    bool automatic = p->following == FOLLOW_LIBRARY || (action.how == GDB_CONTINUE && !action.signal);
    p->library_due = p->following == FOLLOW_EXEC && automatic && p->has_saved &&
                     p->libraries != libraries_mark(s, p->pid);
    p->following = FOLLOW_NOTHING;
    if (p->library_due || (was && automatic && p->has_pending))
        return; /* that is told now */
    if (was && automatic && p->has_saved) {
        action = p->saved;
        p->forgotten = true;
    } else if (follow_owes_exec(s, p)) {
        p->saved = action;
        p->has_saved = p->exec_due = true;
        return;
    }
    p->has_saved = false;
    if (was)
        p->has_pending = false;
    if (!p->has_pending)
        let_go(s, p, &action);
}

static void stop(struct session *s, struct process *p) {
    if (!p->running || p->stopping)
        return;
    p->stopping = true;
    s->target->ops->interrupt(s->target->context, p->pid);
}

/* false: the wishes select nobody. */
bool nonstop_resume(struct session *s) {
    struct gdb_thread list[THREADS_MAX];
    size_t count = threads_list(s, list);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        struct process *p = process_find(s, list[i].pid);
        const struct resume_action *resume_action = action_for(s, list[i]);
        any |= resume_action != NULL;
        if (!resume_action || (p->running && !resume_action->stay))
            continue;
        struct gdb_action action = resume_action->action;
        action.thread = list[i];
        if (resume_action->stay)
            stop(s, p);
        else
            go(s, p, action);
    }
    return any;
}

/* --- packets -------------------------------------------------------------------------- */

/* Back in all-stop all are there, and all stand still before the next packet. */
static void end_nonstop(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        p->attached |= p->hidden;
        p->hidden = p->stopping = p->exec_due = p->library_due = p->has_saved = p->forgotten = false;
        p->interrupted = p->attached && p->running;
        if (p->interrupted)
            s->target->ops->interrupt(s->target->context, p->pid);
    }
    s->notified = false;
}

void packet_nonstop(struct session *s, struct cursor arguments) {
    bool on = cursor_char(&arguments, '1');
    if ((!on && !cursor_char(&arguments, '0')) || !cursor_done(&arguments)) {
        reply_failure(s);
        return;
    }
    if (on && !s->non_stop)
        hide_others(s);
    if (!on && s->non_stop)
        end_nonstop(s);
    s->non_stop = on;
    reply_ok(s);
}

void packet_ctrl_c(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct process *chosen = NULL;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (p->attached && p->running && (!chosen || p->pid == s->general.pid))
            chosen = p;
    }
    if (chosen && !chosen->stopping)
        s->target->ops->interrupt(s->target->context, chosen->pid);
    reply_ok(s);
}

/* --- packets about a process that runs ---------------------------------------------------- */

static bool wants_stillness(struct cursor packet) {
    static const char *const texts[] = {
        "g", "G", "p", "P", "m", "M", "x", "X", "Z", "z", "qXfer:features", "qXfer:osdata",
        "qXfer:libraries", "qSearch", "qCRC", "qRcmd", "qHostInfo", "qProcessInfo"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct cursor rest = packet;
        if (cursor_word(&rest, texts[i]))
            return true;
    }
    return false;
}

/* The process that this packet is about and that must stand still for it: for packets of
 * the extension, and while one of its frames is looked at, the extension's. */
static struct process *process_concerned(struct session *s) {
    struct gdb_thread thread;
    struct process *subject = process_find(s, extension_subject(s));
    bool extension = packets_is_extension(s, s->packet);
    if (process_present(subject) && (extension || extension_frame_selected(s)))
        return subject;
    if ((!extension && !wants_stillness(s->packet)) || !thread_current(s, &thread))
        return NULL;
    return process_find(s, thread.pid);
}

bool nonstop_must_wait(struct session *s) {
    struct process *p = process_concerned(s);
    if (!p || !p->running)
        return false;
    if (!p->interrupted && !p->stopping) {
        p->interrupted = p->paused = true;
        s->target->ops->interrupt(s->target->context, p->pid);
    }
    return p->running;
}

void nonstop_answered(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        bool goes_on = p->paused && !p->running && process_present(p);
        p->paused = false;
        if (goes_on)
            let_go(s, p, &p->latest);
    }
}
