/* `?`, `!`, vAttach, D, k, vKill, R, vRun (GDB manual, "Packets"). */
#include "gdbstub/extension.h"
#include "gdbstub/files.h"
#include "gdbstub/process.h"
#include "gdbstub/reply.h"
#include "gdbstub/stops.h"
#include "gdbstub/threads.h"

#include <limits.h>

/* "PID" and nothing behind it, of a process that exists. */
static struct process *parse_process(struct session *s, struct cursor *c) {
    uint64_t pid;
    if (!cursor_number(c, &pid) || pid > INT_MAX || !cursor_done(c))
        return NULL;
    return process_get(s, (int)pid);
}

static const char no_such_process[] = "there is no such process; `info inferiors` lists them";

void packet_status(struct session *s, struct cursor arguments) {
    (void)arguments;
    s->modes.own_description =
        s->client.features.xml && s->client.features.exec_events && !s->modes.asked_description;
    if (s->client.non_stop) {
        nonstop_status(s);
        return;
    }
    if (s->target->ops->takes_text)
        s->target->ops->takes_text(s->target->context);
    stops_pend_status(s);
}

void packet_extended(struct session *s, struct cursor arguments) {
    (void)arguments;
    s->client.extended = true;
    reply_ok(s);
}

void packet_attached(struct session *s, struct cursor arguments) {
    (void)arguments;
    buffer_char(&s->reply, '1');
}

/* The answer is the stop of this process, not of another one. */
void packet_vattach(struct session *s, struct cursor arguments) {
    struct process *p = parse_process(s, &arguments);
    if (!p || !s->target->ops->alive(s->target->context, p->pid)) {
        reply_error(s, no_such_process);
        return;
    }
    if (process_present(p)) {
        reply_error(s, "this process is attached already; choose it with `inferior N`");
        return;
    }
    process_attach(s, p);
    p->mode.reads = true;
    if (s->client.non_stop) {
        nonstop_attach(s, p);
        return;
    }
    stops_pend_status(s);
    for (size_t i = 0; i < s->process_count; i++)
        s->processes[i].resumed = &s->processes[i] == p;
    s->client.general = (struct selection){p->pid, ANY};
    s->stops.has_reported = false;
}

static void release_all(struct session *s) {
    for (size_t i = 0; i < s->process_count; i++)
        if (s->processes[i].attached)
            process_release(s, &s->processes[i]);
}

void packet_detach(struct session *s, struct cursor arguments) {
    if (cursor_done(&arguments)) {
        release_all(s);
        reply_ok(s);
        return;
    }
    struct process *p = cursor_char(&arguments, ';') ? parse_process(s, &arguments) : NULL;
    if (!process_present(p)) {
        reply_error(s, no_such_process);
        return;
    }
    process_release(s, p);
    reply_ok(s);
}

/* No reply. In extended mode the connection stays open, so that vRun can follow. */
void packet_kill(struct session *s, struct cursor arguments) {
    (void)arguments;
    for (size_t i = 0; i < s->process_count; i++)
        if (process_present(&s->processes[i]))
            process_kill(s, &s->processes[i]);
    s->request.silent = true;
    s->request.closes = s->over = !s->client.extended;
}

void packet_vkill(struct session *s, struct cursor arguments) {
    struct process *p = parse_process(s, &arguments);
    if (!process_present(p)) {
        reply_error(s, no_such_process);
        return;
    }
    process_kill(s, p);
    reply_ok(s);
}

/* "R XX"; no reply, so an error shows only in what the client reads next. */
void packet_restart(struct session *s, struct cursor arguments) {
    (void)arguments;
    s->request.silent = true;
    processes_update(s);
    for (size_t i = 0; i < s->process_count; i++)
        process_restart(s, &s->processes[i], "");
}

static struct process *first_absent(struct session *s, bool hidden) {
    for (size_t i = 0; i < s->process_count; i++)
        if (!process_present(&s->processes[i]) && s->processes[i].nonstop.hidden == hidden)
            return &s->processes[i];
    return NULL;
}

/* vRun names no process: it is the first that has ended or was detached, else the first
 * that gdb does not know of, else the current one. */
static struct process *process_to_run(struct session *s) {
    struct gdb_thread current;
    processes_update(s);
    struct process *p = first_absent(s, false);
    if (!p)
        p = first_absent(s, true);
    return p || !thread_current(s, &current) ? p : process_find(s, current.pid);
}

void packet_vrun(struct session *s, struct cursor arguments) {
    char image[4096];
    struct cursor name = cursor_until(&arguments, ';');
    if (!cursor_hex_text(&name, image, sizeof image)) {
        reply_failure(s);
        return;
    }
    if (!cursor_done(&arguments)) {
        reply_error(s, "a guest takes no arguments; `set args` to nothing and run again");
        return;
    }
    struct process *p = process_to_run(s);
    /* After an exec gdb takes its label for the program's file. */
    const char *file = file_is_label(image) ? "" : image;
    const char *error = p ? process_restart(s, p, file) : no_such_process;
    if (error) {
        reply_error(s, error);
        return;
    }
    s->client.general = (struct selection){p->pid, ANY};
    if (s->client.non_stop) /* the others may run: only this one's stop is the answer */
        stops_write(s, &(struct gdb_stop){.thread = {p->pid, 1}, .status = GDB_SIGNAL_TRAP});
    else
        stops_pend_status(s);
}
