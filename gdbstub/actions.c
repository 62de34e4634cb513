/* The actions of the latest resume, and what runs by them; see resume.h. */
#include "gdbstub/resume.h"

#include "gdbstub/threads.h"

const struct resume_action *action_for(const struct session *s, struct gdb_thread thread) {
    for (size_t i = 0; i < s->resume.action_count; i++)
        if (thread_matches(s->resume.actions[i].who, thread))
            return s->resume.actions[i].stay && !s->client.non_stop ? NULL : &s->resume.actions[i];
    return NULL;
}

void resume_thread(struct session *s, struct gdb_thread thread,
                   const struct resume_action *resume_action, int signal) {
    struct gdb_action action = resume_action->action;
    action.thread = thread;
    if (signal)
        action.signal = signal;
    struct process *p = process_find(s, thread.pid);
    p->running = true;
    p->stepped = action.how != GDB_CONTINUE && action.how != GDB_REVERSE_CONTINUE;
    s->target->ops->resume(s->target->context, &action);
}

void resume_again(struct session *s, struct gdb_thread who, int signal) {
    struct gdb_thread list[THREADS_MAX];
    size_t count = threads_list(s, list);
    for (size_t i = 0; i < count; i++) {
        const struct resume_action *resume_action =
            list[i].pid == who.pid ? action_for(s, list[i]) : NULL;
        if (resume_action)
            resume_thread(s, list[i], resume_action, list[i].tid == who.tid ? signal : 0);
    }
}
