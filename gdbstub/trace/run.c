/* A trace begins, ends, and is asked about: QTinit, QTStart, QTStop, qTStatus, QTBuffer
 * and so on (GDB manual, "Tracepoint Packets").
 *
 * Rule: tracepoints are at the target from QTStart on; they are taken out when a packet
 * comes and finds that the run has ended, whatever ended it.
 */
#include <string.h>

#include "gdbstub/breakpoints.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"
#include "gdbstub/trace/packets.h"

/* --- on the target's thread --------------------------------------------------------------- */

static void tracepoint_hit(void *context, const struct gdb_agent_host *host) {
    struct tracepoint *p = context;
    trace_hit(p->trace, p, host);
}

static void tracepoint_step(void *context, const struct gdb_agent_host *host) {
    struct tracepoint *p = context;
    trace_step(p->trace, p, host);
}

static bool follows(const void *context) {
    const struct tracepoint *p = context;
    return trace_follows(p->trace, p);
}

static bool persists(const void *context) {
    const struct tracepoint *p = context;
    return p->trace->disconnected;
}

static const struct gdb_description *layout(const void *context) {
    const struct tracepoint *p = context;
    return p->layout;
}

static const struct program_hooks tracepoint_hooks = {tracepoint_hit, tracepoint_step, follows,
                                                      persists, layout};

/* --- at the target --------------------------------------------------------------------- */

const char *trace_insert(struct session *s, struct tracepoint *p) {
    if (!p || !p->whole || p->inserted)
        return NULL;
    struct gdb_program *program = program_of_hooks(&tracepoint_hooks, p);
    const char *error = program ? s->target->ops->insert(s->target->context, trace_of(s)->pid,
                                                         GDB_TRACE, p->address, p->number, program)
                                : "no memory for a tracepoint";
    if (error)
        gdb_program_free(program);
    p->inserted = !error;
    return error;
}

static void remove_tracepoints(struct session *s) {
    for (size_t i = 0; i < trace_of(s)->point_count; i++) {
        struct tracepoint *p = trace_of(s)->tracepoints[i];
        if (p->inserted)
            s->target->ops->remove(s->target->context, trace_of(s)->pid, GDB_TRACE, p->address,
                                   p->number);
        p->inserted = false;
    }
}

void trace_process_gone(void *state, int pid, const char *why) {
    struct trace *t = state;
    if (pid != t->pid || (!why && t->disconnected))
        return;
    trace_finish(t, why ? TRACE_COMMAND : TRACE_DISCONNECTED, 0, why);
    t->selected = -1;
    for (size_t i = 0; i < t->point_count; i++)
        t->tracepoints[i]->inserted = false;
}

/* --- begin and end -------------------------------------------------------------------------- */

/* Only then may the trace be read and changed: see trace.h. */
static bool stands_still(struct session *s) {
    const struct process *p = process_find(s, trace_of(s)->pid);
    return !p || p->attached || p->ended || !s->target->ops->running(s->target->context, p->pid);
}

bool trace_may_handle(struct session *s) {
    if (!stands_still(s)) {
        reply_error(s, "the traced machine runs on without a debugger; attach to it first");
        return false;
    }
    if (!trace_of(s)->running)
        remove_tracepoints(s);
    return true;
}

void packet_trace_init(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct gdb_thread thread;
    if (!thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    remove_tracepoints(s);
    trace_clear(trace_of(s));
    trace_of(s)->pid = thread.pid;
    reply_ok(s);
}

const char *trace_without_machine(struct session *s) {
    if (!trace_of(s)->pid)
        return "QTinit comes first";
    bool alive = s->target->ops->alive(s->target->context, trace_of(s)->pid);
    return alive ? NULL : "the machine has ended; run it again first";
}

void packet_trace_start(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct trace *t = trace_of(s);
    const char *error = trace_without_machine(s);
    if (!error)
        trace_begin(t);
    for (size_t i = 0; !error && i < t->point_count; i++)
        error = trace_insert(s, t->tracepoints[i]);
    if (error)
        trace_finish(t, TRACE_ERROR, 0, error);
    reply_result(s, error);
}

void packet_trace_stop(struct session *s, struct cursor arguments) {
    (void)arguments;
    trace_finish(trace_of(s), TRACE_COMMAND, 0, NULL);
    remove_tracepoints(s);
    reply_ok(s);
}

/* --- settings --------------------------------------------------------------------------------- */

static bool parse_flag(struct cursor *c, bool *flag) {
    *flag = cursor_char(c, '1');
    return (*flag || cursor_char(c, '0')) && cursor_done(c);
}

void packet_trace_disconnected(struct session *s, struct cursor arguments) {
    bool on;
    if (!parse_flag(&arguments, &on)) {
        reply_failure(s);
        return;
    }
    trace_of(s)->disconnected = on;
    reply_ok(s);
}

void packet_trace_circular(struct session *s, struct cursor arguments) {
    bool on;
    if (!parse_flag(&arguments, &on)) {
        reply_failure(s);
        return;
    }
    trace_of(s)->frames.circular = on;
    reply_ok(s);
}

/* -1: the default. */
void packet_trace_size(struct session *s, struct cursor arguments) {
    uint64_t size = FRAMES_SIZE;
    if (trace_of(s)->running)
        reply_error(s, "a trace is running; tstop it first");
    else if (!cursor_word(&arguments, "-1") && !cursor_number(&arguments, &size))
        reply_failure(s);
    else if (!cursor_done(&arguments) || size > FRAMES_SIZE_MAX)
        reply_error(s, "the trace buffer has at most 64 MiB");
    else {
        trace_of(s)->frames.size = (size_t)size;
        reply_ok(s);
    }
}

/* "user:HEX;notes:HEX;tstop:HEX", any of them. */
void packet_trace_notes(struct session *s, struct cursor arguments) {
    struct trace *t = trace_of(s);
    while (!cursor_done(&arguments)) {
        struct cursor note = cursor_until(&arguments, ';');
        char *to = cursor_word(&note, "user:")    ? t->user
                   : cursor_word(&note, "notes:") ? t->notes
                   : cursor_word(&note, "tstop:") ? t->why
                                                  : NULL;
        char text[TRACE_NOTE_MAX / 2 + 1];
        if (!to || !cursor_hex_text(&note, text, sizeof text)) {
            reply_error(s, "notes are hex, of at most 256 characters");
            return;
        }
        memcpy(to, note.at, cursor_left(&note));
        to[cursor_left(&note)] = 0;
    }
    reply_ok(s);
}

/* --- status --------------------------------------------------------------------------------- */

static void write_end(struct session *s) {
    static const char *const names[] = {[TRACE_NOT_RUN] = "tnotrun",
                                        [TRACE_UNKNOWN] = "tunknown",
                                        [TRACE_COMMAND] = "tstop",
                                        [TRACE_FULL] = "tfull",
                                        [TRACE_DISCONNECTED] = "tdisconnected",
                                        [TRACE_PASSED] = "tpasscount",
                                        [TRACE_ERROR] = "terror"};
    const struct trace *t = trace_of(s);
    buffer_printf(&s->reply, ";%s:", names[t->end]);
    if (t->error)
        buffer_hex(&s->reply, t->error, strlen(t->error));
    else if (t->end == TRACE_COMMAND)
        buffer_text(&s->reply, t->why);
    if (t->error || t->end == TRACE_COMMAND)
        buffer_char(&s->reply, ':');
    buffer_printf(&s->reply, "%x", t->end_number);
}

void packet_trace_status(struct session *s, struct cursor arguments) {
    (void)arguments;
    const struct trace *t = trace_of(s);
    const struct frames *f = &t->frames;
    size_t free = f->used < f->size ? f->size - f->used : 0;
    buffer_printf(&s->reply, "T%d", t->running);
    write_end(s);
    buffer_printf(&s->reply, ";tframes:%zx;tcreated:%llx;tfree:%zx;tsize:%zx", f->count,
                  (unsigned long long)f->created, free, f->size);
    buffer_printf(&s->reply, ";circular:%d;disconn:%d", f->circular, t->disconnected);
    buffer_printf(&s->reply, ";starttime:%llx;stoptime:%llx;username:%s;notes:%s",
                  (unsigned long long)t->started, (unsigned long long)t->stopped, t->user,
                  t->notes);
}

/* "NUMBER:ADDRESS": hits, and bytes of all frames. */
void packet_trace_point_status(struct session *s, struct cursor arguments) {
    const struct tracepoint *p = trace_parse_point(s, &arguments);
    if (p)
        buffer_printf(&s->reply, "V%llx:%llx", (unsigned long long)p->hits,
                      (unsigned long long)p->usage);
    else
        reply_failure(s);
}

/* --- definitions, for the next client ----------------------------------------------------------
 */

static void tell_point(struct session *s, const struct tracepoint *p) {
    buffer_printf(&s->reply, "T%x:%llx:%c:%llx:%llx", p->number, (unsigned long long)p->address,
                  p->enabled ? 'E' : 'D', (unsigned long long)p->steps,
                  (unsigned long long)p->passes);
    if (!p->condition)
        return;
    buffer_printf(&s->reply, ":X%llx,", (unsigned long long)p->condition->length);
    buffer_hex(&s->reply, p->condition->code, (size_t)p->condition->length);
}

/* First the tracepoints, then their actions and sources, a piece at a time. */
void packet_trace_points_more(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct trace *t = trace_of(s);
    if (t->reported_points < t->point_count) {
        tell_point(s, t->tracepoints[t->reported_points++]);
    } else if (t->reported_definitions < t->defined.length) {
        const char *piece = t->defined.data + t->reported_definitions;
        buffer_text(&s->reply, piece);
        t->reported_definitions += strlen(piece) + 1;
    } else {
        buffer_char(&s->reply, 'l');
    }
}

void packet_trace_points_first(struct session *s, struct cursor arguments) {
    trace_of(s)->reported_points = trace_of(s)->reported_definitions = 0;
    packet_trace_points_more(s, arguments);
}

void packet_trace_variables_more(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct trace *t = trace_of(s);
    if (t->reported_variables == t->variable_count) {
        buffer_char(&s->reply, 'l');
        return;
    }
    const struct trace_variable *v = &t->variables[t->reported_variables++];
    buffer_printf(&s->reply, "%x:%llx:%d:%s", v->number, (unsigned long long)v->initial, v->builtin,
                  v->name);
}

void packet_trace_variables_first(struct session *s, struct cursor arguments) {
    trace_of(s)->reported_variables = 0;
    packet_trace_variables_more(s, arguments);
}
