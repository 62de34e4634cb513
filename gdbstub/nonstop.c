/* Non-stop: each process stops and runs independently (GDB manual, "Remote
 * Non-Stop" and "Notification Packets").
 *
 *     -> vCont;c:p1.1   <- OK                 at once
 *                       <- %Stop:T05…         whenever it stops
 *     -> vStopped       <- the next stop, or OK
 *
 * Rule: one notification is on its way at a time; the stops behind it wait for
 * vStopped. A packet about a process that runs waits: the process is paused, the
 * packet handled, and the process resumed. So every handler finds it stopped.
 */
#include "gdbstub/extension.h"
#include "gdbstub/files.h"
#include "gdbstub/layout.h"
#include "gdbstub/modes.h"
#include "gdbstub/reply.h"
#include "gdbstub/resume.h"
#include "gdbstub/stops.h"
#include "gdbstub/threads.h"

/* --- which stop is reported ---------------------------------------------------------------- */

static bool is_reportable(const struct process *p) {
    return p->attached && (p->nonstop.exec_due || p->nonstop.library_due ||
                           (p->has_pending && !p->mode.following));
}

static struct process *next_to_report(struct session *s) {
    struct process *first = NULL;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (is_reportable(p) && (!first || p->order < first->order))
            first = p;
    }
    return first;
}

/* The next stop into `reply`. false: there is none. */
static bool write_next(struct session *s) {
    struct process *p = next_to_report(s);
    if (!p)
        return false;
    if (p->nonstop.exec_due) {
        p->nonstop.exec_due = false;
        modes_report_exec(s, p);
        return true;
    }
    if (p->nonstop.library_due) {
        p->nonstop.library_due = false;
        modes_report_library(s, p);
        return true;
    }
    struct gdb_stop stop = p->pending;
    p->has_pending = false;
    if (p->mode.announced && modes_report_instead(s, &stop))
        return true;
    stops_write(s, &stop);
    if (p->ended)
        p->attached = false;
    return true;
}

void nonstop_settle(struct session *s) {
    if (s->stops.notified || !next_to_report(s))
        return;
    buffer_clear(&s->reply);
    buffer_text(&s->reply, "Stop:");
    s->stops.notified = write_next(s);
    session_notify(s, s->reply.data, s->reply.length);
}

static void still(struct session *s, struct process *p, int signal) {
    p->pending = (struct gdb_stop){.thread = {p->pid, 1}, .status = signal};
    p->has_pending = true;
    p->order = s->stops.count++;
}

/* gdb 13 fails on an assertion of its own (remote_target::wait) when two processes
 * report a stop while it connects, and takes one that reports it later for running.
 * So it sees the first only; the others stay stopped until `attach N`. */
static void hide_others(struct session *s) {
    for (size_t i = 1; i < s->process_count; i++) {
        s->processes[i].nonstop.hidden = s->processes[i].attached;
        s->processes[i].attached = false;
    }
}

/* The client connects: the stop of its process is reported. It has not read the
 * description yet; an exec at its first resume makes it do that. */
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
    p->nonstop.stopping = p->running;
    reply_ok(s);
}

void packet_stopped(struct session *s, struct cursor arguments) {
    (void)arguments;
    s->stops.notified = write_next(s);
    if (!s->stops.notified)
        reply_ok(s);
}

/* --- stops ------------------------------------------------------------------------ */

void nonstop_note(struct session *s, struct process *p, const struct gdb_stop *stop, bool ours) {
    bool plain = stop->kind == GDB_STOPPED && !stop->has_breakpoint;
    p->nonstop.paused = p->nonstop.paused && ours;
    if (ours)
        return;
    p->pending = *stop;
    if (plain && p->nonstop.stopping && stop->status == GDB_SIGNAL_INT)
        p->pending.status = GDB_SIGNAL_0; /* as vCont;t wanted */
    if (plain && p->stepped && p->forgotten && stop->status == GDB_SIGNAL_TRAP)
        p->pending.status = GDB_SIGNAL_0; /* gdb has forgotten the step at an exec */
    p->nonstop.stopping = p->forgotten = false;
    p->has_pending = true;
    p->order = s->stops.count++;
}

/* --- resuming ------------------------------------------------------------------------ */

/* Drops what is due: a client that sends qSupported again may not want execs any more. */
static void let_go(struct session *s, struct process *p, const struct gdb_action *action) {
    p->running = true;
    p->nonstop.exec_due = p->nonstop.library_due = false;
    p->stepped = action->how != GDB_CONTINUE;
    p->nonstop.latest = *action;
    s->target->ops->resume(s->target->context, action);
}

/* Resumes, or postpones that until the exec that brings the description (modes.c). */
static void resume_process(struct session *s, struct process *p, struct gdb_action action) {
    bool was = p->mode.following;
    bool automatic =
        p->mode.following == FOLLOW_LIBRARY || (action.how == GDB_CONTINUE && !action.signal);
    p->nonstop.library_due = p->mode.following == FOLLOW_EXEC && automatic &&
                             p->nonstop.has_postponed &&
                             p->mode.libraries != libraries_mark(s, p->pid);
    p->mode.following = FOLLOW_NOTHING;
    if (p->nonstop.library_due || (was && automatic && p->has_pending))
        return; /* that is reported now */
    if (was && automatic && p->nonstop.has_postponed) {
        action = p->nonstop.postponed;
        p->forgotten = true;
    } else if (layout_needs_exec(s, p)) {
        p->nonstop.postponed = action;
        p->nonstop.has_postponed = p->nonstop.exec_due = true;
        return;
    }
    p->nonstop.has_postponed = false;
    if (was)
        p->has_pending = false;
    if (!p->has_pending)
        let_go(s, p, &action);
}

static void stop_process(struct session *s, struct process *p) {
    if (!p->running || p->nonstop.stopping)
        return;
    p->nonstop.stopping = true;
    s->target->ops->interrupt(s->target->context, p->pid);
}

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
            stop_process(s, p);
        else
            resume_process(s, p, action);
    }
    return any;
}

/* --- packets -------------------------------------------------------------------------- */

/* In all-stop every process is visible, and is stopped before the next packet. */
static void end_nonstop(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        p->attached |= p->nonstop.hidden;
        p->nonstop.hidden = p->nonstop.stopping = p->nonstop.exec_due = p->nonstop.library_due =
            p->nonstop.has_postponed = p->forgotten = false;
        p->interrupted = p->attached && p->running;
        if (p->interrupted)
            s->target->ops->interrupt(s->target->context, p->pid);
    }
    s->stops.notified = false;
}

void packet_nonstop(struct session *s, struct cursor arguments) {
    bool on = cursor_char(&arguments, '1');
    if ((!on && !cursor_char(&arguments, '0')) || !cursor_done(&arguments)) {
        reply_failure(s);
        return;
    }
    if (on && !s->client.non_stop)
        hide_others(s);
    if (!on && s->client.non_stop)
        end_nonstop(s);
    s->client.non_stop = on;
    reply_ok(s);
}

void packet_ctrl_c(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct process *chosen = NULL;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (p->attached && p->running && (!chosen || p->pid == s->client.general.pid))
            chosen = p;
    }
    if (chosen && !chosen->nonstop.stopping)
        s->target->ops->interrupt(s->target->context, chosen->pid);
    reply_ok(s);
}

/* --- packets about a process that runs ---------------------------------------------------- */

static bool wants_stillness(struct cursor packet) {
    static const char *const texts[] = {"g",
                                        "G",
                                        "p",
                                        "P",
                                        "m",
                                        "M",
                                        "x",
                                        "X",
                                        "Z",
                                        "z",
                                        "qXfer:features",
                                        "qXfer:osdata",
                                        "qXfer:libraries",
                                        "qSearch",
                                        "qCRC",
                                        "qRcmd",
                                        "qHostInfo",
                                        "qProcessInfo"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct cursor rest = packet;
        if (cursor_word(&rest, texts[i]))
            return true;
    }
    return false;
}

/* The process that this packet is about and that must stand still for it: for packets of
 * the extension, and while one of its frames is looked at, the extension's. */
static struct process *process_concerned(struct session *s, bool extension) {
    struct gdb_thread thread;
    struct process *subject = process_find(s, extension_subject(s));
    if (process_present(subject) && (extension || extension_frame_selected(s)))
        return subject;
    if ((!extension && !wants_stillness(s->request.packet)) || !thread_current(s, &thread))
        return NULL;
    return process_find(s, thread.pid);
}

bool nonstop_must_wait(struct session *s, bool extension) {
    struct process *p = process_concerned(s, extension);
    if (!p || !p->running)
        return false;
    if (!p->interrupted && !p->nonstop.stopping) {
        p->interrupted = p->nonstop.paused = true;
        s->target->ops->interrupt(s->target->context, p->pid);
    }
    return p->running;
}

void nonstop_answered(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        bool goes_on = p->nonstop.paused && !p->running && process_present(p);
        p->nonstop.paused = false;
        if (goes_on)
            let_go(s, p, &p->nonstop.latest);
    }
}
