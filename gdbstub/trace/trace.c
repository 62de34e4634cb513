/* The run of a trace: tracepoints are hit and collect; see trace.h. */
#include "gdbstub/layout.h"
#include "gdbstub/trace/trace.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- life ----------------------------------------------------------------------------- */

static uint64_t microseconds_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void trace_init(struct trace *t) {
    *t = (struct trace){.selected = -1, .frames = {.size = FRAMES_SIZE}};
    buffer_init(&t->defined, TRACE_DEFINED_MAX);
    buffer_init(&t->blocks, FRAMES_SIZE);
}

static void free_items(struct trace_item *item) {
    while (item) {
        struct trace_item *next = item->next;
        free(item);
        item = next;
    }
}

void tracepoint_clear(struct tracepoint *p) {
    free_items(p->condition);
    free_items(p->at_hit.first);
    free_items(p->at_step.first);
    p->condition = NULL;
    p->at_hit = p->at_step = (struct collection){0};
    p->whole = false;
}

void trace_clear(struct trace *t) {
    struct frames frames = t->frames;
    bool disconnected = t->disconnected;
    for (size_t i = 0; i < t->point_count; i++) {
        tracepoint_clear(t->tracepoints[i]);
        free(t->tracepoints[i]);
    }
    buffer_free(&t->defined);
    buffer_free(&t->blocks);
    frames_clear(&frames);
    trace_init(t);
    t->frames = frames;
    t->disconnected = disconnected;
}

void trace_free(struct trace *t) { trace_clear(t); }

void trace_begin(struct trace *t) {
    frames_clear(&t->frames);
    for (size_t i = 0; i < t->point_count; i++)
        t->tracepoints[i]->hits = t->tracepoints[i]->usage = t->tracepoints[i]->left = 0;
    for (size_t i = 0; i < t->variable_count; i++)
        t->variables[i].value = t->variables[i].initial;
    t->blocks.limit = t->frames.size;
    t->running = true;
    t->end = TRACE_UNKNOWN;
    t->end_number = 0;
    t->error = NULL;
    t->started = microseconds_now();
    t->stopped = 0;
}

void trace_finish(struct trace *t, enum trace_end end, unsigned number, const char *error) {
    if (!t->running)
        return;
    t->running = false;
    t->end = end;
    t->end_number = number;
    t->error = error;
    t->stopped = microseconds_now();
}

struct trace_variable *trace_variable(struct trace *t, uint64_t number) {
    for (size_t i = 0; i < t->variable_count; i++)
        if (t->variables[i].number == number)
            return &t->variables[i];
    return NULL;
}

/* --- what an expression of ours can reach ------------------------------------------------ */

struct collector {
    struct trace *trace;
    const struct gdb_agent_host *target;
    uint64_t left; /* bytes that may still be looked at for this frame */
};

static bool collect_register(void *context, unsigned number, uint64_t *value) {
    const struct collector *c = context;
    return c->target->read_register(c->target->context, number, value);
}

static bool read_target_memory(void *context, uint64_t address, void *to, size_t length) {
    const struct collector *c = context;
    return c->target->read_memory(c->target->context, address, to, length);
}

static bool variable_by_number(void *context, unsigned number, int64_t *value,
                               enum agent_variable how) {
    const struct collector *c = context;
    struct trace_variable *v = trace_variable(c->trace, number);
    if (!v)
        return false;
    if (how == AGENT_SET)
        v->value = *value;
    *value = v->value;
    if (how == AGENT_COLLECT)
        frame_put_variable(&c->trace->blocks, number, v->value);
    return true;
}

/* Memory that is not there is not collected: gdb shows it as unavailable. */
static bool collect_memory(void *context, uint64_t address, uint64_t length) {
    struct collector *c = context;
    uint8_t bytes[4096];
    c->trace->blocks.overflow |= length > c->left;
    while (length && !c->trace->blocks.overflow) {
        size_t part = sizeof bytes - address % sizeof bytes;
        part = length < part ? (size_t)length : part;
        if (c->target->read_memory(c->target->context, address, bytes, part))
            frame_put_memory(&c->trace->blocks, address, bytes, part);
        c->left -= part;
        address += part;
        length -= part;
    }
    return true;
}

static bool evaluate(struct collector *c, const struct trace_item *item, int64_t *value) {
    struct gdb_agent_host host = {.context = c,
                                  .read_register = collect_register,
                                  .read_memory = read_target_memory,
                                  .variable = variable_by_number,
                                  .collect = collect_memory};
    return gdb_agent_eval(item->code, &host, value);
}

/* --- a frame ------------------------------------------------------------------------------ */

/* All of a g packet, as trace files want it, and those beyond it that were asked for. */
static void collect_registers(struct collector *c, const struct gdb_description *d,
                              const uint64_t *mask) {
    buffer_char(&c->trace->blocks, 'R');
    for (unsigned i = 0; i < d->count && i < TRACE_REGISTERS_MAX; i++) {
        uint8_t value[GDB_REGISTER_MAX] = {0};
        size_t size = register_size(&d->registers[i]);
        bool in_g = d->registers[i].in_g;
        if (!in_g && !(mask[i / 64] >> i % 64 & 1))
            continue;
        bool known = c->target->read_whole(c->target->context, i, value);
        if (in_g)
            buffer_append(&c->trace->blocks, value, size);
        else if (known)
            frame_put_register(&c->trace->blocks, (uint16_t)i, value, size);
    }
}

static bool collect_item(struct collector *c, const struct trace_item *item) {
    uint64_t start = 0;
    int64_t ignored;
    if (item->expression)
        return evaluate(c, item, &ignored);
    if (item->base >= 0 && !collect_register(c, (unsigned)item->base, &start))
        return false;
    return collect_memory(c, start + item->offset, item->length);
}

static void collect_all(struct collector *c, struct tracepoint *p, const struct collection *what) {
    struct trace *t = c->trace;
    struct frame head = {.tracepoint = p->number, .layout = p->layout};
    buffer_clear(&t->blocks);
    collect_register(c, register_pc_number(p->layout), &head.pc);
    if (what->registers)
        collect_registers(c, p->layout, what->mask);
    for (const struct trace_item *i = what->first; i && !t->blocks.overflow; i = i->next)
        if (!collect_item(c, i)) {
            trace_finish(t, TRACE_ERROR, p->number, "an expression to collect failed");
            break;
        }
    if (frames_add(&t->frames, &head, &t->blocks))
        p->usage += t->blocks.length;
    else
        trace_finish(t, TRACE_FULL, p->number, NULL);
}

/* --- hits ---------------------------------------------------------------------------------- */

static bool holds(struct collector *c, const struct tracepoint *p) {
    int64_t value = 1;
    if (p->condition && !evaluate(c, p->condition, &value)) {
        trace_finish(c->trace, TRACE_ERROR, p->number, "its condition failed");
        return false;
    }
    return value;
}

void trace_hit(struct trace *t, struct tracepoint *p, const struct gdb_agent_host *host) {
    struct collector c = {t, host, t->frames.size};
    if (!t->running || !p->enabled || !holds(&c, p))
        return;
    p->hits++;
    p->left = p->steps;
    collect_all(&c, p, &p->at_hit);
    if (p->passes && p->hits >= p->passes)
        trace_finish(t, TRACE_PASSED, p->number, NULL);
}

void trace_step(struct trace *t, struct tracepoint *p, const struct gdb_agent_host *host) {
    struct collector c = {t, host, t->frames.size};
    if (!trace_follows(t, p))
        return;
    p->left--;
    collect_all(&c, p, &p->at_step);
}

bool trace_follows(const struct trace *t, const struct tracepoint *p) {
    return t->running && p->left;
}

/* "NUMBER:ADDRESS:" */
bool trace_parse_place(struct cursor *c, uint64_t *number, uint64_t *address) {
    return cursor_number(c, number) && cursor_char(c, ':') && cursor_number(c, address) &&
           (cursor_done(c) || cursor_char(c, ':'));
}

struct tracepoint *trace_parse_point(struct session *s, struct cursor *c) {
    uint64_t number, address;
    if (!trace_parse_place(c, &number, &address))
        return NULL;
    for (size_t i = 0; i < trace_of(s)->point_count; i++)
        if (trace_of(s)->tracepoints[i]->number == number &&
            trace_of(s)->tracepoints[i]->address == address)
            return trace_of(s)->tracepoints[i];
    return NULL;
}
