/* Mode following: gdb's view of the CPU changes with the CPU's mode.
 *
 * gdb takes the layout of the registers and the disassembler from a description
 * (qXfer:features). It reads one when it connects, attaches or runs a process, and again
 * when a stop reply tells of an exec (GDB manual, "Stop Reply Packets"). The architecture
 * of its exec file, if that has one, overrules the description. So the stub
 * gives gdb an exec file without one, and reports an exec whenever the mode has changed.
 *
 * It connects without a file, and takes ours (exec_file.c). Right from the first prompt:
 *
 *     qXfer:features           the description of now
 *     ?                        T05thread:p1.1;
 *     qXfer:exec-file:1        a path; it opens that for the architecture, of which it
 *     vFile:open               finds none,
 *     vFile:open               and for the symbols
 *
 * It has a file of its own (`file`, `set sysroot /`), or it did not read the description
 * of this process (gdb up to 16 reads only that of the first one): an exec at the first resume,
 * and then what the user wanted.
 *
 *     vCont;s:p1.1             T05exec:LABEL;thread:p1.1;      nothing has moved
 *     vFile, qXfer:features, Z, g                             the view is made anew
 *     vCont;c:p1.-1            T00thread:p1.1;                 gdb's own; the step was done
 *
 * A stop in another mode is reported only after gdb has read the new description:
 *
 *     vCont;s:p1.1             T05exec:LABEL;thread:p1.1;
 *     vFile, qXfer:features, Z, g
 *     vCont;c:p1.-1            T00thread:p1.1;                 gdb's own; nothing has moved
 *
 * In non-stop it is the same for each process by itself (nonstop.c).
 *
 * No exec is reported to a client that does not say exec-events+ (lldb), nor to one with
 * a description of its own (`set tdesc filename`: it has not asked for ours before `?`).
 * Their layout stays the one that they began with.
 *
 * Rule: exec is reported only in place of a stop, or before a resume, when the description that
 * the client knows is not that of the CPU; and the target does not run before the client
 * resumes it. When the user has taken over in between (`catch exec`), the stop that was
 * postponed is dropped: an unexpected stop would be worse than none.
 *
 * Rule: no exec is reported in reply to `?`: gdb 18 fails on an assertion of its own when
 * one is reported while it connects.
 */
#include "gdbstub/console.h"
#include "gdbstub/files.h"
#include "gdbstub/layout.h"
#include "gdbstub/modes.h"
#include "gdbstub/packets.h"
#include "gdbstub/threads.h"

#include <stdio.h>
#include <string.h>

static void write_exec(struct session *s, struct gdb_thread thread) {
    char label[LABEL_SIZE];
    file_label(s, thread, label);
    buffer_text(&s->reply, "T05exec:");
    buffer_hex(&s->reply, label, strlen(label));
    buffer_text(&s->reply, ";thread:");
    thread_write(s, &s->reply, thread);
    buffer_char(&s->reply, ';');
}

/* After an exec gdb takes all breakpoints for gone and inserts them again. */
static void report_exec(struct session *s, struct process *p, struct gdb_thread thread) {
    p->mode.announced = layout_current(s, thread);
    p->mode.exec_file = EXEC_NEUTRAL;
    p->mode.probes += p->mode.belief != BELIEF_NONE;
    p->mode.belief = BELIEF_NONE;
    p->mode.following = FOLLOW_EXEC;
    p->mode.libraries = 0;
    p->mode.lists = true;
    layout_doubt(p, p->mode.announced);
    s->modes.label = LABEL_ARCHITECTURE;
    s->modes.label_pid = p->pid;
    s->modes.asked_about = 0;
    s->target->ops->remove_all(s->target->context, p->pid);
    write_exec(s, thread);
}

/* The stop as it is reported after the exec, which makes gdb forget steps and watched values.
 * A watchpoint would not stop gdb then: it compares the value with the one that it has just
 * read. So it becomes a plain stop, and a line of text gives the reason. */
static struct gdb_stop for_later(struct session *s, const struct process *p, struct gdb_stop stop) {
    char text[160];
    bool watched = stop.has_breakpoint && stop.point == GDB_WATCH;
    bool step_end = p->stepped && !stop.has_breakpoint && stop.status == GDB_SIGNAL_TRAP;
    if (watched || step_end)
        stop.status = GDB_SIGNAL_0;
    if (watched) {
        stop.has_breakpoint = false;
        int length =
            snprintf(text, sizeof text, "a watchpoint was hit: 0x%llx has been written to\n",
                     (unsigned long long)stop.address);
        console_text(s, text, (size_t)length);
    }
    return stop;
}

static void report_library(struct session *s, struct process *p, struct gdb_thread thread) {
    p->mode.following = FOLLOW_LIBRARY;
    p->mode.libraries = libraries_mark(s, p->pid);
    buffer_text(&s->reply, "T05library:;thread:");
    thread_write(s, &s->reply, thread);
    buffer_char(&s->reply, ';');
}

/* An exec empties gdb's list, and so the list comes before it goes on: a breakpoint may be
 * in there. */
bool modes_report_library(struct session *s, struct process *p) {
    struct gdb_thread thread;
    if (p->mode.libraries == libraries_mark(s, p->pid) || !thread_first(s, p->pid, &thread))
        return false;
    report_library(s, p, thread);
    return true;
}

/* After it gdb repeats its resume by itself, a step too, so the stop can follow. */
static bool library_instead(struct session *s, struct process *p, const struct gdb_stop *stop) {
    uint64_t mark = libraries_mark(s, p->pid);
    bool same =
        p->mode.libraries == mark || s->stops.pending_reply == REPLY_STATUS || !p->mode.lists;
    p->mode.lists = true;
    p->mode.libraries = mark;
    if (same || !s->client.features.exec_events)
        return false;
    p->pending = *stop;
    p->has_pending = true;
    report_library(s, p, stop->thread);
    return true;
}

bool modes_report_instead(struct session *s, const struct gdb_stop *stop) {
    struct process *p = process_find(s, stop->thread.pid);
    if (!s->client.features.exec_events || !process_present(p))
        return false;
    if (s->modes.own_description || s->stops.pending_reply == REPLY_STATUS ||
        layout_current(s, stop->thread) == p->mode.announced)
        return library_instead(s, p, stop);
    p->pending = for_later(s, p, *stop);
    p->has_pending = true;
    report_exec(s, p, stop->thread);
    return true;
}

/* --- what comes next ------------------------------------------------------------ */

static struct process *followed(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++)
        if (s->processes[i].mode.following)
            return &s->processes[i];
    return NULL;
}

/* gdb by itself sends only continues; a signal or a step comes from its user. */
static bool only_continues(const struct session *s) {
    for (size_t i = 0; i < s->resume.action_count; i++) {
        const struct resume_action *w = &s->resume.actions[i];
        bool on = w->action.how == GDB_CONTINUE || w->action.how == GDB_REVERSE_CONTINUE;
        if (w->stay || !on || w->action.signal)
            return false;
    }
    return true;
}

static void drop(struct session *s, struct process *p) {
    p->mode.following = FOLLOW_NOTHING;
    p->has_pending = false;
    s->resume.postponed_count = 0;
}

/* A step that ended at a breakpoint is reported as a hit: at T00 gdb would not check
 * whether a breakpoint is there. */
void modes_breakpoint_inserted(struct session *s, int pid, enum gdb_bp_kind point,
                               uint64_t address) {
    struct process *p = process_find(s, pid);
    uint64_t pc;
    if (!p || !p->mode.following || !p->has_pending || p->pending.status != GDB_SIGNAL_0 ||
        point > GDB_HWBREAK || !register_pc(s, p->pending.thread, &pc) || pc != address)
        return;
    p->pending.status = GDB_SIGNAL_TRAP;
    p->pending.has_breakpoint = true;
    p->pending.point = point;
}

/* gdb lists the threads when it has stopped for the user, and when it connects,
 * before it has read the description. */
void modes_threads_listed(struct session *s) {
    struct process *p = followed(s);
    if (!s->client.non_stop && p && p->mode.following == FOLLOW_EXEC &&
        p->mode.described == p->mode.announced)
        drop(s, p);
}

void modes_report_exec(struct session *s, struct process *p) {
    struct gdb_thread thread;
    if (thread_first(s, p->pid, &thread))
        report_exec(s, p, thread);
}

/* Execs that are due are reported at the first resume, one after the other; then the resume
 * itself follows. false: none is due. */
static bool follow_next(struct session *s) {
    struct gdb_thread thread;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (!layout_needs_exec(s, p) || !thread_first(s, p->pid, &thread))
            continue;
        if (!s->resume.postponed_count) {
            memcpy(s->resume.postponed, s->resume.actions, sizeof s->resume.postponed);
            s->resume.postponed_count = s->resume.action_count;
        }
        report_exec(s, p, thread);
        p->forgotten = true;
        s->client.general = (struct selection){thread.pid, thread.tid};
        return true;
    }
    return false;
}

static void restore(struct session *s) {
    if (!s->resume.postponed_count)
        return;
    memcpy(s->resume.actions, s->resume.postponed, sizeof s->resume.actions);
    s->resume.action_count = s->resume.postponed_count;
    s->resume.postponed_count = 0;
}

bool modes_resume(struct session *s) {
    struct process *p = followed(s);
    bool automatic = (p && p->mode.following == FOLLOW_LIBRARY) || only_continues(s);
    if (!s->client.features.exec_events)
        return false;
    for (size_t i = 0; i < s->process_count && !s->resume.postponed_count; i++)
        s->processes[i].forgotten = false;
    if (p && !automatic)
        drop(s, p);
    else if (p && p->mode.following == FOLLOW_EXEC && !p->has_pending && modes_report_library(s, p))
        return true;
    if (p)
        p->mode.following = FOLLOW_NOTHING;
    if (p && automatic && !s->resume.postponed_count)
        return false; /* the postponed stop is pending, and reported now */
    if (follow_next(s))
        return true;
    restore(s);
    return false;
}
