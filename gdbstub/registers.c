/* Registers: g, G, p, P, and those sent along with a stop.
 *
 * Rule: the layout is the one last served to this client for the process, even
 * when the CPU has changed its mode since; gdb would take any other for an
 * error ("Remote 'g' packet reply is too long"). gdb reads a new description
 * when it wants one.
 */
#include "gdbstub/extension.h"
#include "gdbstub/hex.h"
#include "gdbstub/layout.h"
#include "gdbstub/reply.h"
#include "gdbstub/threads.h"

#include <string.h>

/* How many registers a client knows by the numbers of `d`. One with a description of its
 * own: only those that stand first in every description, before the x87's. One that has
 * rejected ours: gdb's own, which `g` has. */
static unsigned known_count(struct session *s, struct gdb_thread thread,
                            const struct gdb_description *d) {
    enum { X87_BITS = 80 };
    bool rejected = layout_rejected(s, thread);
    unsigned count = 0;
    while (count < d->count &&
           (!s->modes.own_description || d->registers[count].bits != X87_BITS) &&
           (!rejected || d->registers[count].in_g))
        count++;
    return count;
}

static bool set(struct session *s, struct gdb_thread thread, const struct gdb_description *d,
                unsigned number, const uint8_t *value) {
    return !extension_frame_selected(s) &&
           s->target->ops->write_register(s->target->context, thread, d, number, value);
}

bool register_set_pc(struct session *s, struct gdb_thread thread, uint64_t pc) {
    const struct gdb_description *d = layout_believed(s, thread);
    uint8_t value[GDB_REGISTER_MAX] = {0};
    unsigned number = register_pc_number(d);
    for (unsigned i = 0; i < 8; i++)
        value[i] = (uint8_t)(pc >> 8 * i);
    return number < d->count && set(s, thread, d, number, value);
}

/* As the client sees it: now, or in the trace frame that it looks at. */
static void write_seen(struct session *s, struct gdb_thread thread, const struct gdb_description *d,
                       unsigned number) {
    uint8_t value[GDB_REGISTER_MAX] = {0};
    if (!extension_frame_selected(s)) {
        register_write_hex(s, &s->reply, thread, d, number);
        return;
    }
    bool known = s->extension->read_register(s->extension_state, d, number, value);
    register_write_value(&s->reply, known ? value : NULL, register_size(&d->registers[number]));
}

void packet_g(struct session *s, struct cursor arguments) {
    (void)arguments;
    struct gdb_thread thread;
    if (!thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    const struct gdb_description *d = layout_believed(s, thread);
    unsigned count = known_count(s, thread, d);
    size_t room;
    bool probe = layout_probes(s, thread, &room);
    layout_registers_read(s, thread);
    for (unsigned i = 0; i < count && d->registers[i].in_g; i++) {
        size_t size = register_size(&d->registers[i]);
        if (size > room)
            return;
        room -= size;
        if (probe)
            register_write_value(&s->reply, NULL, size);
        else
            write_seen(s, thread, d, i);
    }
}

/* A register of 'x's is one that the client does not know either. */
static bool is_unavailable(const char *text, size_t size) {
    for (size_t i = 0; i < 2 * size; i++)
        if (text[i] != 'x')
            return false;
    return true;
}

/* Clients send all of g to change one: what is not changed is not written, which for the
 * pc would mean a jump. */
static bool is_as_it_is(struct session *s, struct gdb_thread thread,
                        const struct gdb_description *d, unsigned number, const uint8_t *value) {
    uint8_t now[GDB_REGISTER_MAX] = {0};
    return !extension_frame_selected(s) &&
           s->target->ops->read_register(s->target->context, thread, d, number, now) &&
           !memcmp(now, value, register_size(&d->registers[number]));
}

/* Looks at all the values; with `write`, stores them too. So nothing is stored
 * of a packet that is wrong at its end. */
static bool all_of_g(struct session *s, struct gdb_thread thread, const struct gdb_description *d,
                     const char *text, bool write) {
    for (unsigned i = 0; i < d->count && d->registers[i].in_g; i++) {
        uint8_t value[GDB_REGISTER_MAX] = {0};
        size_t size = register_size(&d->registers[i]);
        bool skip = is_unavailable(text, size);
        if (!skip && !hex_decode(value, text, size))
            return false;
        if (!skip && write && !is_as_it_is(s, thread, d, i, value) && !set(s, thread, d, i, value))
            return false;
        text += 2 * size;
    }
    return true;
}

void packet_G(struct session *s, struct cursor arguments) {
    struct gdb_thread thread;
    if (!thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    const struct gdb_description *d = layout_believed(s, thread);
    if (cursor_left(&arguments) == 2 * registers_size(d) &&
        all_of_g(s, thread, d, arguments.at, false) && all_of_g(s, thread, d, arguments.at, true))
        reply_ok(s);
    else
        reply_failure(s);
}

void packet_p(struct session *s, struct cursor arguments) {
    struct gdb_thread thread;
    uint64_t number;
    if (!cursor_number(&arguments, &number) || !cursor_done(&arguments) ||
        !thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    layout_register_asked(s, thread, number);
    const struct gdb_description *d = layout_believed(s, thread);
    if (number < known_count(s, thread, d))
        write_seen(s, thread, d, (unsigned)number);
    else if (number < d->count || s->modes.own_description)
        buffer_text(&s->reply, "xx"); /* unavailable, however wide it is */
    else
        reply_failure(s);
}

static void refuse_register(struct session *s, const struct gdb_description *d, uint64_t number) {
    const struct gdb_target_ops *ops = s->target->ops;
    const char *why = ops->read_only && number < d->count
                          ? ops->read_only(s->target->context, d, (unsigned)number)
                          : NULL;
    if (why)
        reply_error(s, why);
    else
        reply_failure(s);
}

void packet_P(struct session *s, struct cursor arguments) {
    struct gdb_thread thread;
    uint64_t number;
    uint8_t value[GDB_REGISTER_MAX] = {0};
    if (!cursor_number(&arguments, &number) || !cursor_char(&arguments, '=') ||
        !thread_current(s, &thread)) {
        reply_failure(s);
        return;
    }
    const struct gdb_description *d = layout_believed(s, thread);
    if (number < d->count && number >= known_count(s, thread, d)) {
        reply_error(s, "this client numbers registers by a description of its own; "
                       "`unset tdesc filename` reads the one of this machine");
        return;
    }
    size_t size = number < d->count ? register_size(&d->registers[number]) : 0;
    if (size && cursor_left(&arguments) == 2 * size && hex_decode(value, arguments.at, size) &&
        set(s, thread, d, (unsigned)number, value))
        reply_ok(s);
    else
        refuse_register(s, d, number);
}
