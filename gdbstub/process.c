/* Attaching, detaching, killing and restarting processes. The packets that ask for it:
 * process_packets.c.
 *
 * Rule: a detached process runs on as if there had never been a debugger; a
 * killed or restarted one is stopped.
 */
#include "gdbstub/extension.h"
#include "gdbstub/process.h"

void process_attach(struct session *s, struct process *p) {
    const struct gdb_target_ops *ops = s->target->ops;
    p->attached = true;
    p->ended = !ops->alive(s->target->context, p->pid);
    p->running = !p->ended && ops->running(s->target->context, p->pid);
    p->has_pending = p->has_pending && !p->running; /* a stop that the target has left is old */
    p->interrupted = p->stepped = p->forgotten = false;
    p->mode = (struct process_mode){.probes = p->mode.probes};
    p->nonstop = (struct process_nonstop){0};
}

void process_release(struct session *s, struct process *p) {
    p->attached = p->running = p->interrupted = p->has_pending = false;
    p->nonstop.hidden = p->nonstop.exec_due = p->nonstop.library_due = p->nonstop.has_postponed =
        false;
    p->mode.following = FOLLOW_NOTHING;
    p->mode.described = p->mode.announced = NULL;
    s->stops.has_reported = false;
    if (!p->ended)
        s->target->ops->detach(s->target->context, p->pid);
    extension_process_gone(s, p->pid, NULL);
}

void process_kill(struct session *s, struct process *p) {
    s->target->ops->kill(s->target->context, p->pid);
    extension_process_gone(s, p->pid, "the machine was killed");
    p->attached = p->nonstop.hidden = p->running = p->interrupted = p->has_pending = false;
    p->ended = true;
    s->stops.has_reported = false;
}

/* Stopped at its first instruction. */
const char *process_restart(struct session *s, struct process *p, const char *image) {
    const char *error = s->target->ops->restart(s->target->context, p->pid, image);
    if (error)
        return error;
    extension_process_gone(s, p->pid, "the machine was started anew");
    p->has_pending = false;
    enum exec_file kept =
        p->mode.exec_file; /* gdb's file stays, but it reads the description anew */
    process_attach(s, p);
    p->mode.exec_file = kept;
    p->mode.reads = true;
    s->stops.has_reported = false;
    return NULL;
}
