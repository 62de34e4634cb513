/* Resuming: vCont and the older c, C, s, S (GDB manual, "Packets": vCont).
 *
 * Rule: the whole packet is parsed into actions before anything runs. For each
 * thread the first action that selects it counts; a thread with none stays stopped.
 */
#include "gdbstub/console.h"
#include "gdbstub/extension.h"
#include "gdbstub/layout.h"
#include "gdbstub/modes.h"
#include "gdbstub/reply.h"
#include "gdbstub/resume.h"
#include "gdbstub/stops.h"
#include "gdbstub/threads.h"

/* A pending stop by a signal that is to be passed is not reported: the guest gets the signal. */
static int passed_signal(const struct session *s, const struct process *p) {
    const struct gdb_stop *stop = &p->pending;
    bool plain = p->has_pending && stop->kind == GDB_STOPPED && !stop->has_breakpoint;
    bool known = stop->status > 0 && stop->status < SIGNALS_MAX;
    return plain && known && s->client.passed[stop->status] ? stop->status : 0;
}

/* Marks the processes that the actions resume. Returns how many, and whether one has a
 * stop that must be reported first. */
static size_t mark_resumed(struct session *s, const struct gdb_thread *list, size_t count,
                           bool *news) {
    size_t marked = 0;
    *news = false;
    for (size_t i = 0; i < s->process_count; i++)
        s->processes[i].resumed = false;
    for (size_t i = 0; i < count; i++) {
        struct process *p = process_find(s, list[i].pid);
        if (!action_for(s, list[i]))
            continue;
        marked += !p->resumed;
        p->resumed = true;
        *news |= p->has_pending && !passed_signal(s, p);
    }
    return marked;
}

/* A process that ended while another's stop was reported has no threads left that an
 * action could select, but its end must still be reported. */
static bool has_unreported_end(struct session *s) {
    bool found = false;
    for (size_t i = 0; i < s->process_count; i++) {
        struct process *p = &s->processes[i];
        if (!p->attached || !p->ended || !p->has_pending)
            continue;
        p->resumed = found = true;
    }
    return found;
}

static void resume_all(struct session *s) {
    struct gdb_thread list[THREADS_MAX];
    s->resume.blind = !s->resume.looked;
    s->resume.looked = s->resume.passed_one = false;
    if (s->client.non_stop) {
        if (nonstop_resume(s))
            reply_ok(s);
        else
            reply_failure(s);
        return;
    }
    extension_select_present(s);
    stops_release_others(s);
    if (modes_resume(s))
        return;
    size_t count = threads_list(s, list);
    bool news;
    size_t marked = mark_resumed(s, list, count, &news);
    bool ended = has_unreported_end(s);
    if (!marked && !ended) {
        reply_failure(s);
        return;
    }
    s->stops.pending_reply = REPLY_RESUME;
    s->stops.has_reported = false;
    for (size_t i = 0; i < count && !news && !ended; i++) {
        struct process *p = process_find(s, list[i].pid);
        const struct resume_action *resume_action = action_for(s, list[i]);
        if (!resume_action)
            continue;
        int signal = list[i].tid == p->pending.thread.tid ? passed_signal(s, p) : 0;
        if (signal)
            p->has_pending = false;
        resume_thread(s, list[i], resume_action, signal);
    }
    console_flush(s);
}

/* --- vCont ------------------------------------------------------------------------ */

static bool parse_signal(struct cursor *c, int *signal) {
    uint64_t number;
    if (!cursor_number(c, &number) || number >= SIGNALS_MAX)
        return false;
    *signal = (int)number;
    return true;
}

static bool parse_bounds(struct cursor *c, struct gdb_action *action) {
    return cursor_number(c, &action->start) && cursor_char(c, ',') &&
           cursor_number(c, &action->end);
}

/* The letter and its arguments. */
static bool parse_action(struct cursor *c, struct resume_action *resume_action) {
    static const struct {
        char letter;
        enum gdb_resume how;
        bool signal, bounds, stay;
    } actions[] = {
        {.letter = 'c', .how = GDB_CONTINUE},
        {.letter = 'C', .how = GDB_CONTINUE, .signal = true},
        {.letter = 's', .how = GDB_STEP},
        {.letter = 'S', .how = GDB_STEP, .signal = true},
        {.letter = 'r', .how = GDB_RANGE, .bounds = true},
        {.letter = 't', .stay = true},
    };
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (!cursor_char(c, actions[i].letter))
            continue;
        resume_action->action.how = actions[i].how;
        resume_action->stay = actions[i].stay;
        return (!actions[i].signal || parse_signal(c, &resume_action->action.signal)) &&
               (!actions[i].bounds || parse_bounds(c, &resume_action->action));
    }
    return false;
}

static bool parse_resume_action(struct session *s, struct cursor *c,
                                struct resume_action *resume_action) {
    *resume_action = (struct resume_action){.who = {ALL, ALL}};
    return parse_action(c, resume_action) &&
           (!cursor_char(c, ':') || thread_parse(s, c, &resume_action->who));
}

void packet_vcont(struct session *s, struct cursor arguments) {
    s->resume.action_count = 0;
    do {
        if (s->resume.action_count == ACTIONS_MAX ||
            !parse_resume_action(s, &arguments, &s->resume.actions[s->resume.action_count])) {
            reply_failure(s);
            return;
        }
        s->resume.action_count++;
    } while (cursor_char(&arguments, ';'));
    if (cursor_done(&arguments))
        resume_all(s);
    else
        reply_failure(s);
}

void packet_vcont_ask(struct session *s, struct cursor arguments) {
    (void)arguments;
    buffer_text(&s->reply, "vCont;c;C;s;S;t;r");
}

/* --- c C s S ------------------------------------------------------------------------ */

/* Continues from another address; in non-stop only a stopped process can. */
static bool jump(struct session *s, struct gdb_thread thread, struct cursor arguments) {
    uint64_t address;
    const struct process *p = process_find(s, thread.pid);
    return cursor_number(&arguments, &address) && cursor_done(&arguments) && p && !p->running &&
           register_set_pc(s, thread, address);
}

/* c, C, s, S resume the threads of the last Hc; a step without such a thread steps the
 * current one. */
static void resume_plainly(struct session *s, struct cursor arguments, enum gdb_resume how,
                           bool signal) {
    struct resume_action *resume_action = &s->resume.actions[0];
    struct gdb_thread current;
    *resume_action = (struct resume_action){.who = s->client.resuming, .action = {.how = how}};
    s->resume.action_count = 1;
    bool chosen = s->client.resuming.pid > 0 && s->client.resuming.tid > 0;
    if (chosen)
        current = (struct gdb_thread){s->client.resuming.pid, s->client.resuming.tid};
    bool good = chosen ? thread_exists(s, current) : thread_current(s, &current);
    if (good && how == GDB_STEP)
        resume_action->who = (struct selection){current.pid, current.tid};
    if (good && signal)
        good = parse_signal(&arguments, &resume_action->action.signal) &&
               (cursor_done(&arguments) || cursor_char(&arguments, ';'));
    if (good && !cursor_done(&arguments))
        good = jump(s, current, arguments);
    if (good)
        resume_all(s);
    else
        reply_failure(s);
}

void packet_continue(struct session *s, struct cursor arguments) {
    resume_plainly(s, arguments, GDB_CONTINUE, false);
}

void packet_continue_signal(struct session *s, struct cursor arguments) {
    resume_plainly(s, arguments, GDB_CONTINUE, true);
}

void packet_step(struct session *s, struct cursor arguments) {
    resume_plainly(s, arguments, GDB_STEP, false);
}

void packet_step_signal(struct session *s, struct cursor arguments) {
    resume_plainly(s, arguments, GDB_STEP, true);
}

/* --- bs bc ("Reverse Execution") ------------------------------------------------------- */

/* bs and bc name no thread: the current one goes back. */
static void reverse(struct session *s, enum gdb_resume how) {
    struct gdb_thread current;
    if (!thread_current(s, &current)) {
        reply_failure(s);
        return;
    }
    s->resume.actions[0] =
        (struct resume_action){.who = {current.pid, current.tid}, .action = {.how = how}};
    s->resume.action_count = 1;
    resume_all(s);
}

void packet_reverse_step(struct session *s, struct cursor arguments) {
    (void)arguments;
    reverse(s, GDB_REVERSE_STEP);
}

void packet_reverse_continue(struct session *s, struct cursor arguments) {
    (void)arguments;
    reverse(s, GDB_REVERSE_CONTINUE);
}
