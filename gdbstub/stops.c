/* All-stop: many processes stop, one stop is reported (GDB manual, "Stop Reply
 * Packets").
 *
 *     a stop comes        note it as pending
 *     one is news         interrupt all others that still run
 *     all have stopped    report the first; the others stay pending
 *
 * Rule: no stop is lost and none is reported twice. A pending stop is reported at
 * the next resume of its thread, and that resume then runs nothing. Only a stop
 * that our own interrupt has caused is not reported.
 */
#include "gdbstub/console.h"
#include "gdbstub/extension.h"
#include "gdbstub/modes.h"
#include "gdbstub/process.h"
#include "gdbstub/reply.h"
#include "gdbstub/resume.h"
#include "gdbstub/stops.h"
#include "gdbstub/threads.h"

void stops_report(struct session *s, const struct gdb_stop *stop) {
    buffer_clear(&s->reply);
    if (stop->kind == GDB_STOPPED) {
        lldb_report_mode(s, stop->thread);
        if (!modes_report_instead(s, stop))
            stops_write(s, stop);
        /* gdb takes the stopped thread for the one of Hg from now on; Hc stays. */
        s->client.general = (struct selection){stop->thread.pid, stop->thread.tid};
    } else {
        stops_write(s, stop);
    }
    s->stops.reported = *stop;
    s->stops.has_reported = true;
    s->stops.pending_reply = REPLY_NONE;
    session_send(s, s->reply.data, s->reply.length);
}

/* --- which stop is reported --------------------------------------------------------- */

/* The first pending stop that answers the latest resume. */
static struct process *news(struct session *s) {
    struct process *first = NULL;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        bool answers = p->attached && p->resumed && p->has_pending;
        if (answers && (!first || p->order < first->order))
            first = p;
    }
    return first;
}

/* For a client that asks when nothing has happened. */
static void report_state(struct session *s) {
    struct gdb_stop stop = {.kind = GDB_STOPPED, .status = GDB_SIGNAL_TRAP};
    if (s->stops.has_reported && s->stops.pending_reply == REPLY_STATUS)
        stop = s->stops.reported;
    else if (!thread_current(s, &stop.thread))
        stop = (struct gdb_stop){.kind = GDB_EXITED};
    stops_report(s, &stop);
}

static void report_news(struct session *s) {
    struct process *p = news(s);
    if (!p) {
        report_state(s);
        return;
    }
    struct gdb_stop stop = p->pending;
    p->has_pending = false;
    stops_report(s, &stop);
    if (p->ended)
        p->attached = false;
}

/* --- all have stopped ---------------------------------------------------------------- */

static bool runs(const struct process *p) { return p->attached && p->running; }

bool stops_any_runs(const struct session *s) {
    for (size_t i = 0; i < s->process_count; i++)
        if (runs(&s->processes[i]))
            return true;
    return false;
}

static void interrupt_all(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (!runs(p) || p->interrupted)
            continue;
        p->interrupted = true;
        s->target->ops->interrupt(s->target->context, p->pid);
    }
}

void stops_settle(struct session *s) {
    if (s->client.non_stop) {
        nonstop_settle(s);
        return;
    }
    if (s->stops.pending_reply == REPLY_NONE || s->stops.pending_reply == REPLY_MONITOR)
        return;
    if (s->stops.pending_reply == REPLY_STATUS || news(s))
        interrupt_all(s);
    if (stops_any_runs(s))
        return;
    if (s->stops.pending_reply == REPLY_STATUS)
        stops_release_others(s);
    report_news(s);
}

void stops_interrupt(struct session *s) {
    if (s->stops.pending_reply == REPLY_MONITOR)
        s->target->ops->interrupt(s->target->context, s->monitor.pid);
    if (s->stops.pending_reply != REPLY_RESUME)
        return; /* nothing runs, or it is on its way to a stop */
    struct process *chosen = NULL;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (runs(p) && (!chosen || p->pid == s->client.general.pid))
            chosen = p;
    }
    /* Not marked as interrupted: this stop is what the client waits for. */
    if (chosen && !chosen->interrupted)
        s->target->ops->interrupt(s->target->context, chosen->pid);
}

void stops_pend_status(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++)
        s->processes[i].resumed = s->processes[i].attached;
    s->stops.pending_reply = REPLY_STATUS;
}

void stops_release_others(struct session *s) {
    struct gdb_thread list[THREADS_MAX];
    size_t count = s->client.features.multiprocess ? 0 : threads_list(s, list);
    for (size_t i = 0; i < count; i++) {
        struct process *p = process_find(s, list[i].pid);
        if (p->attached && list[i].pid != list[0].pid)
            process_release(s, p);
    }
}

/* --- a stop comes ------------------------------------------------------------------------ */

static bool is_plain_stop(const struct gdb_stop *stop, int signal) {
    return stop->kind == GDB_STOPPED && !stop->has_breakpoint && stop->status == signal;
}

static bool is_passed(const struct session *s, const struct gdb_stop *stop) {
    int signal = stop->status;
    return signal > 0 && signal < SIGNALS_MAX && s->client.passed[signal] &&
           is_plain_stop(stop, signal) && !stop->stuck;
}

/* A client that passes this signal by itself would resume a stuck thread for ever. It does
 * stop at a trap. */
static struct gdb_stop worth_a_stop(const struct session *s, const struct gdb_stop *stop) {
    struct gdb_stop report = *stop;
    if (s->connected && s->resume.blind && stop->stuck && stop->kind == GDB_STOPPED)
        report.status = GDB_SIGNAL_TRAP;
    return report;
}

void stops_note(struct session *s, const struct gdb_stop *noted) {
    struct gdb_stop report = worth_a_stop(s, noted), *stop = &report;
    struct process *p = process_get(s, stop->thread.pid);
    if (!p)
        return;
    bool ours = p->interrupted && is_plain_stop(stop, GDB_SIGNAL_INT);
    p->running = p->interrupted = false;
    p->ended = stop->kind != GDB_STOPPED;
    if (p->ended)
        extension_process_gone(s, p->pid, "the machine has ended");
    if (s->connected && !p->attached && is_plain_stop(stop, GDB_SIGNAL_INT)) {
        /* An interrupt that took effect after the client had detached. */
        s->target->ops->detach(s->target->context, p->pid);
        return;
    }
    if (s->connected && s->client.non_stop) {
        nonstop_note(s, p, stop, ours);
        return;
    }
    if (ours)
        return;
    if (s->stops.pending_reply == REPLY_RESUME && p->attached && !news(s) && is_passed(s, stop)) {
        s->resume.passed_one = true;
        resume_again(s, stop->thread, stop->status);
        return;
    }
    p->pending = *stop;
    if (p->forgotten && p->stepped && is_plain_stop(stop, GDB_SIGNAL_TRAP))
        p->pending.status = GDB_SIGNAL_0; /* gdb has forgotten the step at an exec */
    p->has_pending = true;
    p->order = s->stops.count++;
}
