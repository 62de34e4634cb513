/* Mode following: when the description of a CPU changes, the client is told of
 * an "exec", reads the new description, and then hears of the stop (GDB manual,
 * "Stop Reply Packets": exec).
 *
 *     vCont;s        T05exec:LABEL;      the stop is held back
 *     qXfer:features, Z…, g              gdb's view is made anew
 *     vCont;c        T00                 gdb's own; answered with the stop
 *
 * Rule: exec is told only in place of a stop whose description is not the one
 * told last, and the target moves nowhere until the client itself wants it to.
 * An unwanted stop is worse than none: when the user has taken over in between
 * (`catch exec`), the one that was held back is dropped.
 *
 * A description that gdb has before it reads the symbol file must agree with
 * the file's architecture, or gdb gives up. So the first one is served only
 * after an exec, whose label is a file of no architecture (files.c).
 */
#include "gdbstub/packets.h"

#include <stdio.h>
#include <string.h>

static const struct gdb_description *describe(struct session *s, struct gdb_thread thread) {
    return s->target->ops->describe(s->target->context, thread);
}

static void write_exec(struct session *s, struct gdb_thread thread) {
    char label[LABEL_SIZE];
    file_label(s, thread, label);
    buffer_text(&s->reply, "T05exec:");
    buffer_hex(&s->reply, label, strlen(label));
    buffer_text(&s->reply, ";thread:");
    thread_write(s, &s->reply, thread);
    buffer_char(&s->reply, ';');
}

/* gdb takes all points of an exec'd process for gone and inserts them anew. */
static void tell_exec(struct session *s, struct process *p, struct gdb_thread thread) {
    p->told = describe(s, thread);
    p->following = FOLLOW_EXEC;
    p->libraries = 0;
    s->target->ops->remove_all(s->target->context, p->pid);
    write_exec(s, thread);
}

/* What gdb, whose memory of steps and of watched values an exec wipes out, is to
 * hear afterwards. A watchpoint would not stop it: it compares the value with
 * the one that it has just read. So the stop is a plain one, and says why. */
static struct gdb_stop for_later(struct session *s, const struct process *p, struct gdb_stop stop) {
    char text[160];
    bool watched = stop.has_point && stop.point == GDB_WATCH;
    bool step_end = p->stepped && !stop.has_point && stop.status == GDB_SIGNAL_TRAP;
    if (watched || step_end)
        stop.status = GDB_SIGNAL_0;
    if (watched) {
        stop.has_point = false;
        int length = snprintf(text, sizeof text,
                              "a watchpoint was hit: 0x%llx has been written to\n",
                              (unsigned long long)stop.address);
        console_text(s, text, (size_t)length);
    }
    return stop;
}

/* gdb goes on after it as it did before, with a step too: nothing is lost. */
static bool library_instead(struct session *s, struct process *p, const struct gdb_stop *stop) {
    uint64_t mark = libraries_mark(s, p->pid);
    bool same = p->libraries == mark || s->owed == OWED_STATUS;
    p->libraries = mark;
    if (same || !s->features.exec_events)
        return false;
    p->pending = *stop;
    p->has_pending = true;
    p->following = FOLLOW_LIBRARY;
    buffer_text(&s->reply, "T05library:;thread:");
    thread_write(s, &s->reply, stop->thread);
    buffer_char(&s->reply, ';');
    return true;
}

bool follow_instead(struct session *s, const struct gdb_stop *stop) {
    struct process *p = process_find(s, stop->thread.pid);
    if (!s->features.exec_events || !process_present(p))
        return false;
    if (describe(s, stop->thread) == p->told)
        return library_instead(s, p, stop);
    if (s->owed == OWED_STATUS && !s->greeting) {
        p->told = describe(s, stop->thread); /* vRun, vAttach: gdb reads it by itself */
        return false;
    }
    p->pending = for_later(s, p, *stop);
    p->has_pending = true;
    s->greeting &= s->owed == OWED_STATUS;
    tell_exec(s, p, stop->thread);
    return true;
}

/* --- what comes next ------------------------------------------------------------ */

static struct process *followed(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++)
        if (s->processes[i].following)
            return &s->processes[i];
    return NULL;
}

/* As gdb sends it by itself; a signal or a step is the user's. */
static bool only_continues(const struct session *s) {
    for (size_t i = 0; i < s->wish_count; i++) {
        const struct wish *w = &s->wishes[i];
        bool on = w->action.how == GDB_CONTINUE || w->action.how == GDB_REVERSE_CONTINUE;
        if (w->stay || !on || w->action.signal)
            return false;
    }
    return true;
}

static void drop(struct session *s, struct process *p) {
    p->following = FOLLOW_NOTHING;
    p->has_pending = false;
    s->greeting = s->swallow = false;
    s->saved_count = 0;
}

/* A step that ended at a breakpoint is told as that: for T00 gdb would not look
 * whether one is there. */
void follow_point(struct session *s, int pid, enum gdb_point point, uint64_t address) {
    struct process *p = process_find(s, pid);
    uint64_t pc;
    if (!p || !p->following || !p->has_pending || p->pending.status != GDB_SIGNAL_0 ||
        point > GDB_HWBREAK || !register_pc(s, p->pending.thread, &pc) || pc != address)
        return;
    p->pending.status = GDB_SIGNAL_TRAP;
    p->pending.has_point = true;
    p->pending.point = point;
}

/* gdb lists the threads when it has stopped for the user, and when it connects,
 * before it has read the description. */
void follow_user_looks(struct session *s) {
    struct process *p = followed(s);
    if (!s->non_stop && p && p->following == FOLLOW_EXEC && p->described == p->told)
        drop(s, p);
}

static bool first_thread(struct session *s, int pid, struct gdb_thread *thread) {
    struct gdb_thread list[THREADS_MAX];
    size_t count = threads_list(s, list);
    for (size_t i = 0; i < count; i++) {
        *thread = list[i];
        if (list[i].pid == pid)
            return true;
    }
    return false;
}

void follow_tell(struct session *s, struct process *p) {
    struct gdb_thread thread;
    if (first_thread(s, p->pid, &thread))
        tell_exec(s, p, thread);
}

/* gdb reads a description only for the process that it connects with. The others
 * have their exec at the first resume, one after the other; then comes what the
 * user wanted. false: all have one. */
static bool follow_next(struct session *s) {
    struct gdb_thread thread;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (!process_present(p) || p->told || !first_thread(s, p->pid, &thread))
            continue;
        if (!s->saved_count) {
            memcpy(s->saved, s->wishes, sizeof s->saved);
            s->saved_count = s->wish_count;
        }
        tell_exec(s, p, thread);
        s->general = (struct selection){thread.pid, thread.tid};
        return true;
    }
    return false;
}

static void restore(struct session *s) {
    if (!s->saved_count)
        return;
    memcpy(s->wishes, s->saved, sizeof s->wishes);
    s->wish_count = s->saved_count;
    s->saved_count = 0;
}

bool follow_resume(struct session *s) {
    struct process *p = followed(s);
    bool automatic = (p && p->following == FOLLOW_LIBRARY) || only_continues(s);
    bool swallow = s->swallow;
    if (!s->features.exec_events)
        return false;
    s->swallow = false;
    if (swallow && automatic) {
        s->silent = true;
        return true;
    }
    if (p && !automatic)
        drop(s, p);
    if (p)
        p->following = FOLLOW_NOTHING;
    s->greeting = false;
    if (p && automatic && !s->saved_count)
        return false; /* what was held back is pending, and told now */
    if (follow_next(s))
        return true;
    restore(s);
    return false;
}

/* While it connects, gdb 13 polls for the answer to its automatic vCont;c without
 * waiting, and warns each time that there is none. So that answer is sent before
 * the question, in one write with that to `vCont?`, which gdb asks just before. */
void follow_greet(struct session *s) {
    struct process *p = followed(s);
    if (!s->greeting || !s->link.no_ack || !p || p->described != p->told || !p->has_pending)
        return;
    struct gdb_stop stop = p->pending;
    link_send(&s->link, s->reply.data, s->reply.length);
    p->has_pending = s->greeting = false;
    p->following = FOLLOW_NOTHING;
    p->libraries = libraries_mark(s, p->pid); /* gdb reads them when it connects */
    stops_tell(s, &stop);
    s->silent = s->swallow = true;
}
