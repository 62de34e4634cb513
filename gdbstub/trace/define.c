/* What a trace is to collect, and where: QTinit, QTDP, QTDPsrc, QTDV, QTro, QTEnable
 * (GDB manual, "Tracepoint Packets").
 *
 *     QTDP:NUMBER:ADDRESS:E:STEPS:PASSES:X3,220127-     enabled, a condition; and more to come:
 *     QTDP:-NUMBER:ADDRESS:R3FFM-1,1000,4X8,2610…-      at a hit
 *     QTDP:-NUMBER:ADDRESS:SR3FF                        at each step after it; that was all
 *
 * Rule: an expression is checked here, once. What was accepted is kept as text, too, for
 * the next client (qTfP); the room for that bounds all that can be defined.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gdbstub/breakpoints.h"
#include "gdbstub/hex.h"
#include "gdbstub/layout.h"
#include "gdbstub/reply.h"
#include "gdbstub/trace/packets.h"

static const char malformed[] = "a tracepoint's definition is malformed";
static const char too_many[] = "too many tracepoints, or too much to collect; delete some";

/* Keeps a piece for qTfP. */
static const char *keep_piece(struct trace *t, const struct tracepoint *p, char kind,
                              struct cursor text) {
    buffer_printf(&t->defined, "%c%x:%llx:", kind, p->number, (unsigned long long)p->address);
    buffer_append(&t->defined, text.at, cursor_left(&text));
    buffer_char(&t->defined, 0);
    return t->defined.overflow ? too_many : NULL;
}

/* --- actions ------------------------------------------------------------------------------ */

static const char *add_item(struct trace_item ***last, const struct trace_item *item,
                            const uint8_t *code) {
    size_t size = code ? (size_t)item->length : 0;
    struct trace_item *copy = malloc(sizeof *copy + size);
    if (!copy)
        return too_many;
    *copy = *item;
    if (size)
        memcpy(copy->code, code, size);
    **last = copy;
    *last = &copy->next;
    return NULL;
}

static const char *parse_trace_expression(struct cursor *c, struct trace_item ***last) {
    uint8_t code[AGENT_LENGTH_MAX];
    struct trace_item item = {.expression = true};
    const char *error = expression_parse(c, code, sizeof code, &item.length);
    return error ? error : add_item(last, &item, code);
}

/* "BASE,OFFSET,LENGTH" */
static const char *parse_memory(struct cursor *c, struct trace_item ***last) {
    struct trace_item item = {.base = -1};
    uint64_t base = 0;
    bool absolute = cursor_word(c, "-1");
    if ((!absolute && (!cursor_number(c, &base) || base >= TRACE_REGISTERS_MAX)) ||
        !cursor_char(c, ',') || !cursor_range(c, &item.offset, &item.length))
        return malformed;
    item.base = absolute ? -1 : (int)base;
    return add_item(last, &item, NULL);
}

/* The lowest digit covers registers 0 to 3; excess bits are ignored. */
static const char *parse_mask(struct cursor *c, struct collection *to) {
    const char *start = c->at;
    while (!cursor_done(c) && hex_digit(*c->at) >= 0)
        c->at++;
    for (const char *at = c->at; at-- > start;) {
        size_t first = 4 * (size_t)(c->at - 1 - at);
        if (first < TRACE_REGISTERS_MAX)
            to->mask[first / 64] |= (uint64_t)hex_digit(*at) << first % 64;
    }
    to->registers = true;
    return c->at > start ? NULL : malformed;
}

static const char *parse_collect_action(struct cursor *c, struct collection *to) {
    struct trace_item **start = &to->first, ***last = to->last ? &to->last : &start;
    const char *error;
    if (!cursor_done(c) && *c->at == 'X')
        error = parse_trace_expression(c, last);
    else if (cursor_char(c, 'M'))
        error = parse_memory(c, last);
    else
        error = cursor_char(c, 'R') ? parse_mask(c, to) : malformed;
    to->last = *last;
    return error;
}

/* Up to the end, or the '-' before it: more is to come. What is not kept is not parsed:
 * so the room for the text bounds what is made of it. */
static const char *parse_actions(struct session *s, struct tracepoint *p, struct cursor *c) {
    bool at_step = cursor_char(c, 'S'), more = cursor_left(c) && c->end[-1] == '-';
    c->end -= more;
    for (const char *at = c->at; at < c->end; at++)
        if (!isalnum((unsigned char)*at) && *at != ',' && *at != '-')
            return malformed;
    const char *error = keep_piece(trace_of(s), p, at_step ? 'S' : 'A', *c);
    while (!error && !cursor_done(c))
        error = parse_collect_action(c, at_step ? &p->at_step : &p->at_hit);
    p->whole = !error && !more;
    return error;
}

/* --- tracepoints ------------------------------------------------------------------------------ */

/* "E:STEPS:PASSES:X…" and perhaps "-" */
static const char *parse_point(struct tracepoint *p, struct cursor *c) {
    struct trace_item **condition = &p->condition;
    p->enabled = cursor_char(c, 'E');
    if ((!p->enabled && !cursor_char(c, 'D')) || !cursor_char(c, ':') ||
        !cursor_number(c, &p->steps) || !cursor_char(c, ':') || !cursor_number(c, &p->passes))
        return malformed;
    if (cursor_word(c, ":F") || cursor_word(c, ":S"))
        return "only plain tracepoints are there: `trace`, not `ftrace` or `strace`";
    const char *error = cursor_char(c, ':') ? parse_trace_expression(c, &condition) : NULL;
    p->whole = !error && !cursor_char(c, '-');
    return error || cursor_done(c) ? error : malformed;
}

/* Forgets what qTfP would tell of it. */
static void forget_definition(struct trace *t, const struct tracepoint *p) {
    char place[32];
    int length =
        snprintf(place, sizeof place, "%x:%llx:", p->number, (unsigned long long)p->address);
    size_t kept = 0, size;
    for (size_t at = 0; at < t->defined.length; at += size) {
        char *piece = t->defined.data + at;
        size = strlen(piece) + 1;
        if (!strncmp(piece + 1, place, (size_t)length))
            continue;
        memmove(t->defined.data + kept, piece, size);
        kept += size;
    }
    t->defined.length = kept;
}

static struct tracepoint *add_tracepoint(struct trace *t, struct cursor place) {
    uint64_t number, address;
    if (t->point_count == TRACEPOINTS_MAX || !trace_parse_place(&place, &number, &address) ||
        !number || number > UINT16_MAX)
        return NULL;
    struct tracepoint *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->trace = t;
    p->number = (unsigned)number;
    p->address = address;
    t->tracepoints[t->point_count++] = p;
    return p;
}

/* Perhaps again: after an exec gdb sends all of them once more, with the new numbers of
 * registers. */
static const char *define(struct session *s, struct cursor *c) {
    struct trace *t = trace_of(s);
    struct cursor place = *c;
    const char *error = trace_without_machine(s);
    if (error)
        return error;
    struct tracepoint *p = trace_parse_point(s, c);
    if (!p)
        p = add_tracepoint(t, place);
    if (!p)
        return too_many;
    *c = place;
    trace_parse_point(s, c);
    tracepoint_clear(p);
    forget_definition(t, p);
    p->layout = layout_believed(s, (struct gdb_thread){t->pid, 1});
    return parse_point(p, c);
}

void packet_trace_point(struct session *s, struct cursor arguments) {
    bool goes_on = cursor_char(&arguments, '-');
    struct cursor place = arguments;
    struct tracepoint *p = goes_on ? trace_parse_point(s, &arguments) : NULL;
    const char *error = !goes_on ? define(s, &arguments)
                        : p      ? parse_actions(s, p, &arguments)
                                 : "there is no such tracepoint";
    if (!error && trace_of(s)->running)
        error = trace_insert(s, trace_parse_point(s, &place));
    reply_result(s, error);
}

/* "NUMBER:ADDRESS:TYPE:START:LENGTH:TEXT"; it is kept, not looked at. */
void packet_trace_source(struct session *s, struct cursor arguments) {
    struct tracepoint *p = trace_parse_point(s, &arguments);
    const struct cursor text = arguments;
    struct cursor type = cursor_until(&arguments, ':');
    uint64_t start, length;
    bool good = p && !cursor_done(&type) && cursor_number(&arguments, &start) &&
                cursor_char(&arguments, ':') && cursor_number(&arguments, &length) &&
                cursor_char(&arguments, ':');
    for (; good && !cursor_done(&type); type.at++)
        good = isalnum((unsigned char)*type.at) || *type.at == '_';
    for (; good && !cursor_done(&arguments); arguments.at++)
        good = hex_digit(*arguments.at) >= 0;
    reply_result(s, good ? keep_piece(trace_of(s), p, 'Z', text) : malformed);
}

static void enable(struct session *s, struct cursor arguments, bool on) {
    struct tracepoint *p = trace_parse_point(s, &arguments);
    if (p)
        p->enabled = on;
    reply_result(s, p ? NULL : "there is no such tracepoint");
}

void packet_trace_enable(struct session *s, struct cursor arguments) { enable(s, arguments, true); }

void packet_trace_disable(struct session *s, struct cursor arguments) {
    enable(s, arguments, false);
}

/* --- variables and ranges ----------------------------------------------------------------------
 */

/* "NUMBER:VALUE:BUILTIN:NAME" */
void packet_trace_variable(struct session *s, struct cursor arguments) {
    struct trace *t = trace_of(s);
    struct trace_variable v = {0};
    uint64_t number, value, builtin;
    char name[TRACE_NAME_MAX];
    bool good = cursor_number(&arguments, &number) && number <= UINT16_MAX &&
                cursor_char(&arguments, ':') && cursor_number(&arguments, &value) &&
                cursor_char(&arguments, ':') && cursor_number(&arguments, &builtin) &&
                cursor_char(&arguments, ':') && cursor_left(&arguments) < sizeof v.name &&
                cursor_hex_text(&arguments, name, sizeof name);
    struct trace_variable *at = good ? trace_variable(t, number) : NULL;
    if (good && !at && t->variable_count < TRACE_VARIABLES_MAX)
        at = &t->variables[t->variable_count++];
    if (!at) {
        reply_error(s, good ? too_many : malformed);
        return;
    }
    v = (struct trace_variable){.number = (unsigned)number,
                                .builtin = builtin,
                                .initial = (int64_t)value,
                                .value = (int64_t)value};
    memcpy(v.name, arguments.at, cursor_left(&arguments));
    *at = v;
    reply_ok(s);
}

/* "START,END:START,END": memory that no program writes; frames show its present content. */
void packet_trace_readonly(struct session *s, struct cursor arguments) {
    struct trace *t = trace_of(s);
    uint64_t start, end;
    t->readonly_count = 0;
    do {
        if (t->readonly_count == TRACE_READONLY_MAX || !cursor_range(&arguments, &start, &end)) {
            reply_failure(s);
            return;
        }
        t->readonly[t->readonly_count].start = start;
        t->readonly[t->readonly_count++].end = end;
    } while (cursor_char(&arguments, ':'));
    reply_result(s, cursor_done(&arguments) ? NULL : malformed);
}
