/* Breakpoints and watchpoints: Z, z, and what gdb hangs on a breakpoint (GDB
 * manual, "Packets": Z0).
 *
 *     Z0,ADDRESS,KIND;X4,22012722…;cmds:0,X28,…
 *                     conditions        commands
 *
 * Rule: an expression is checked before the target gets the breakpoint, and can then
 * be run on any thread. In doubt the guest stops: gdb evaluates the condition again.
 */
#include "gdbstub/agent/agent.h"
#include "gdbstub/breakpoints.h"
#include "gdbstub/hex.h"
#include "gdbstub/layout.h"
#include "gdbstub/modes.h"
#include "gdbstub/packets.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRAM_MAX = 4096 /* bytes of all expressions of one point */, EXPRESSIONS_MAX = 32 };

struct expression {
    uint16_t start;
    bool command;
    bool doubtful; /* gdb may have meant something else: it is asked at each hit */
};

struct gdb_program {
    const struct program_hooks *hooks; /* instead of expressions; else NULL */
    void *context;
    const struct gdb_description *layout;
    bool persists;
    unsigned count;
    size_t length;
    struct expression list[EXPRESSIONS_MAX];
    uint8_t code[PROGRAM_MAX]; /* as much as is used is allocated */
};

/* --- running ---------------------------------------------------------------------- */

bool gdb_program_stops(const struct gdb_program *program, const struct gdb_agent_host *host) {
    bool conditional = false, met = false, commands = false;
    int64_t value;
    if (program->hooks) {
        program->hooks->hit(program->context, host);
        return false;
    }
    for (unsigned i = 0; i < program->count && !met; i++) {
        if (program->list[i].command)
            continue;
        conditional = true;
        met = program->list[i].doubtful ||
              !gdb_agent_eval(program->code + program->list[i].start, host, &value) || value;
    }
    for (unsigned i = 0; i < program->count && (met || !conditional); i++) {
        if (!program->list[i].command)
            continue;
        commands = true;
        if (!gdb_agent_eval(program->code + program->list[i].start, host, &value))
            return true;
    }
    return (met || !conditional) && !commands;
}

bool gdb_program_follows(const struct gdb_program *program) {
    return program->hooks && program->hooks->follows(program->context);
}

void gdb_program_stepped(const struct gdb_program *program, const struct gdb_agent_host *host) {
    if (program->hooks)
        program->hooks->step(program->context, host);
}

bool gdb_program_persists(const struct gdb_program *program) {
    return program->hooks ? program->hooks->persists(program->context) : program->persists;
}

const struct gdb_description *gdb_program_layout(const struct gdb_program *program) {
    return program->hooks ? program->hooks->layout(program->context) : program->layout;
}

void gdb_program_free(struct gdb_program *program) { free(program); }

/* --- reading ------------------------------------------------------------------------ */

static const char malformed[] = "a condition or command is malformed";
static const char too_long[] = "too many or too long conditions for one place (4096 bytes at most)";

const char *expression_parse(struct cursor *c, uint8_t *code, size_t room, uint64_t *length) {
    if (!cursor_char(c, 'X') || !cursor_number(c, length) || !cursor_char(c, ',') ||
        *length > cursor_left(c) / 2)
        return malformed;
    if (*length > room)
        return too_long;
    if (!hex_decode(code, c->at, (size_t)*length))
        return malformed;
    c->at += 2 * *length;
    return gdb_agent_check(code, (size_t)*length);
}

static const char *parse_expression(struct cursor *c, struct gdb_program *p, bool command) {
    uint64_t length;
    if (p->count == EXPRESSIONS_MAX)
        return too_long;
    const char *error =
        expression_parse(c, p->code + p->length, sizeof p->code - p->length, &length);
    if (error)
        return error;
    p->list[p->count++] = (struct expression){(uint16_t)p->length, command, false};
    p->length += length;
    return NULL;
}

/* Everything that follows the kind. */
static const char *parse_program(struct cursor *c, struct gdb_program *p) {
    const char *error = NULL;
    bool command = false;
    while (!error && !cursor_done(c)) {
        uint64_t persists = 0;
        while (cursor_char(c, ';'))
            ;
        if (cursor_word(c, "cmds:")) {
            command = true;
            if (!cursor_number(c, &persists) || !cursor_char(c, ','))
                return malformed;
            p->persists |= persists != 0;
        }
        error = parse_expression(c, p, command);
    }
    return error;
}

/* NULL: no memory. */
static struct gdb_program *used_part(const struct gdb_program *all) {
    size_t size = offsetof(struct gdb_program, code) + all->length;
    struct gdb_program *program = malloc(size);
    if (program)
        memcpy(program, all, size);
    return program;
}

struct asked {
    const struct gdb_target *target;
    int pid;
};

static bool is_label(void *context, uint64_t address) {
    const struct asked *a = context;
    return a->target->ops->is_label(a->target->context, a->pid, address);
}

static void mark_doubtful(struct session *s, struct gdb_program *p, int pid) {
    struct asked asked = {s->target, pid};
    for (unsigned i = 0; i < p->count && s->target->ops->is_label; i++) {
        size_t end = i + 1 < p->count ? p->list[i + 1].start : p->length;
        p->list[i].doubtful =
            !p->list[i].command && gdb_agent_doubtful(p->code + p->list[i].start,
                                                      end - p->list[i].start, is_label, &asked);
    }
}

/* NULL with a sentence. */
static struct gdb_program *make_program(struct session *s, struct cursor *c,
                                        struct gdb_thread thread, const char **error) {
    struct gdb_program all = {.layout = layout_believed(s, thread)};
    *error = parse_program(c, &all);
    if (*error)
        return NULL;
    mark_doubtful(s, &all, thread.pid);
    struct gdb_program *program = used_part(&all);
    if (!program)
        *error = "no memory for a breakpoint's condition";
    return program;
}

struct gdb_program *program_of_hooks(const struct program_hooks *hooks, void *context) {
    struct gdb_program all = {.hooks = hooks, .context = context};
    return used_part(&all);
}

/* --- packets --------------------------------------------------------------------------- */

struct place {
    uint64_t type, address, kind;
    struct gdb_thread thread;
};

/* "TYPE,ADDRESS,KIND" */
static bool parse_place(struct session *s, struct cursor *c, struct place *place) {
    return cursor_number(c, &place->type) && cursor_char(c, ',') &&
           cursor_range(c, &place->address, &place->kind) && thread_current(s, &place->thread);
}

static const char *insert_program(struct session *s, const struct place *at,
                                  struct gdb_program *program) {
    const char *error =
        s->target->ops->insert(s->target->context, at->thread.pid, (enum gdb_bp_kind)at->type,
                               at->address, at->kind, program);
    if (error)
        gdb_program_free(program);
    else
        modes_breakpoint_inserted(s, at->thread.pid, (enum gdb_bp_kind)at->type, at->address);
    return error;
}

void packet_insert(struct session *s, struct cursor arguments) {
    struct place place;
    struct gdb_program *program = NULL;
    const char *error = NULL;
    if (!parse_place(s, &arguments, &place)) {
        reply_failure(s);
        return;
    }
    if (place.type > GDB_AWATCH)
        return; /* unknown, says the empty reply */
    bool more = !cursor_done(&arguments);
    if (more && (place.type > GDB_HWBREAK || *arguments.at != ';')) {
        reply_failure(s);
        return;
    }
    if (more)
        program = make_program(s, &arguments, place.thread, &error);
    reply_result(s, error ? error : insert_program(s, &place, program));
}

void packet_remove(struct session *s, struct cursor arguments) {
    struct place place;
    if (!parse_place(s, &arguments, &place) || !cursor_done(&arguments))
        reply_failure(s);
    else if (place.type <= GDB_AWATCH)
        reply_result(s, s->target->ops->remove(s->target->context, place.thread.pid,
                                               (enum gdb_bp_kind)place.type, place.address,
                                               place.kind));
}
