/* Processes and threads: ids, lists, and which one a packet is about
 * (GDB manual, "Packets": thread-id). The packets about them: thread_packets.c.
 *
 * Rule: a client sees the threads of the processes that it debugs and that
 * live; any other id is an error.
 */
#include "gdbstub/packets.h"
#include "gdbstub/threads.h"

#include <limits.h>
#include <string.h>

/* --- processes ------------------------------------------------------------ */

struct process *process_find(struct session *s, int pid) {
    for (size_t i = 0; i < s->process_count; i++)
        if (s->processes[i].pid == pid)
            return &s->processes[i];
    return NULL;
}

static struct process *process_add(struct session *s, int pid) {
    struct process *process = process_find(s, pid);
    if (process || s->process_count == PROCESSES_MAX)
        return process;
    process = &s->processes[s->process_count++];
    *process = (struct process){.pid = pid};
    return process;
}

void processes_update(struct session *s) {
    struct gdb_thread all[THREADS_MAX];
    size_t count = s->target->ops->threads(s->target->context, all, THREADS_MAX);
    for (size_t i = 0; i < count && i < THREADS_MAX; i++)
        process_add(s, all[i].pid);
}

struct process *process_get(struct session *s, int pid) {
    processes_update(s);
    return process_find(s, pid);
}

bool process_present(const struct process *process) {
    return process && process->attached && !process->ended;
}

/* --- threads ---------------------------------------------------------------- */

size_t threads_list(struct session *s, struct gdb_thread *list) {
    struct gdb_thread all[THREADS_MAX];
    size_t known = 0, count = s->target->ops->threads(s->target->context, all, THREADS_MAX);
    for (size_t i = 0; i < count && i < THREADS_MAX; i++)
        if (process_present(process_find(s, all[i].pid)))
            list[known++] = all[i];
    return known;
}

bool thread_matches(struct selection who, struct gdb_thread thread) {
    bool pid = who.pid == ALL || who.pid == ANY || who.pid == thread.pid;
    bool tid = who.tid == ALL || who.tid == ANY || who.tid == thread.tid;
    return pid && tid;
}

bool thread_select(struct session *s, struct selection who, struct gdb_thread *thread) {
    struct gdb_thread list[THREADS_MAX];
    size_t count = threads_list(s, list);
    for (size_t i = 0; i < count; i++) {
        if (!thread_matches(who, list[i]))
            continue;
        *thread = list[i];
        return true;
    }
    return false;
}

bool thread_exists(struct session *s, struct gdb_thread thread) {
    return thread_select(s, (struct selection){thread.pid, thread.tid}, &thread);
}

bool thread_current(struct session *s, struct gdb_thread *thread) {
    struct selection whole = {s->client.general.pid, ANY}, any = {ANY, ANY};
    return thread_select(s, s->client.general, thread) || thread_select(s, whole, thread) ||
           thread_select(s, any, thread);
}

bool thread_first(struct session *s, int pid, struct gdb_thread *thread) {
    return thread_select(s, (struct selection){pid, ANY}, thread);
}

int thread_core(struct session *s, struct gdb_thread thread) {
    return s->target->ops->core ? s->target->ops->core(s->target->context, thread) : -1;
}

/* --- ids as text ---------------------------------------------------------------- */

static bool parse_id(struct cursor *c, int *id) {
    uint64_t number;
    if (cursor_char(c, '-')) {
        *id = ALL;
        return cursor_char(c, '1');
    }
    if (!cursor_number(c, &number) || number > INT_MAX)
        return false;
    *id = (int)number;
    return true;
}

bool thread_parse(struct session *s, struct cursor *c, struct selection *who) {
    if (cursor_char(c, 'p')) {
        who->tid = ALL; /* "pN" is all of process N */
        return parse_id(c, &who->pid) && (!cursor_char(c, '.') || parse_id(c, &who->tid));
    }
    if (!parse_id(c, &who->tid))
        return false;
    /* Without a process: the current one's thread, or all there are. */
    struct gdb_thread current;
    bool one = who->tid != ALL && who->tid != ANY;
    who->pid = one && thread_current(s, &current) ? current.pid : who->tid;
    return true;
}

void thread_write(struct session *s, struct buffer *b, struct gdb_thread thread) {
    if (s->client.features.multiprocess)
        buffer_printf(b, "p%x.%x", (unsigned)thread.pid, (unsigned)thread.tid);
    else
        buffer_printf(b, "%x", (unsigned)thread.tid);
}
