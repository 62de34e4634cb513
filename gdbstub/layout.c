/* Which layout of the registers a client believes in; see layout.h. */
#include "gdbstub/layout.h"

#include <string.h>

#include "gdbstub/threads.h"

/* --- registers of a layout ------------------------------------------------------------- */

size_t register_size(const struct gdb_register *r) {
    size_t size = (r->bits + 7) / 8;
    return size < GDB_REGISTER_MAX ? size : GDB_REGISTER_MAX;
}

size_t registers_size(const struct gdb_description *d) {
    size_t size = 0;
    for (unsigned i = 0; i < d->count && d->registers[i].in_g; i++)
        size += register_size(&d->registers[i]);
    return size;
}

/* NULL: unavailable. */
void register_write_value(struct buffer *b, const uint8_t *value, size_t size) {
    if (value) {
        buffer_hex(b, value, size);
        return;
    }
    char *room = buffer_extend(b, 2 * size);
    if (room)
        memset(room, 'x', 2 * size);
}

void register_write_hex(struct session *s, struct buffer *b, struct gdb_thread thread,
                        const struct gdb_description *d, unsigned number) {
    uint8_t value[GDB_REGISTER_MAX] = {0};
    bool known = s->target->ops->read_register(s->target->context, thread, d, number, value);
    register_write_value(b, known ? value : NULL, register_size(&d->registers[number]));
}

unsigned register_pc_number(const struct gdb_description *d) {
    unsigned i = 0;
    while (i < d->count && (!d->registers[i].type || strcmp(d->registers[i].type, "code_ptr")))
        i++;
    return i;
}

/* --- which layout the client believes in ------------------------------------------------ */

const struct gdb_description *layout_current(struct session *s, struct gdb_thread thread) {
    return s->target->ops->describe(s->target->context, thread);
}

/* Is it in 64-bit code's layout? gdb takes no description of the one word size for a file
 * of the other. */
static bool is_wide(const struct gdb_description *d) {
    return !strcmp(d->architecture, "i386:x86-64");
}

/* A client that has accepted one layout accepts another of the same word size. */
void layout_doubt(struct process *p, const struct gdb_description *next) {
    if (!p->mode.described || is_wide(p->mode.described) != is_wide(next))
        p->mode.trust = TRUST_NONE;
}

bool layout_needs_exec(const struct session *s, const struct process *p) {
    bool sure = p->mode.announced && p->mode.exec_file == EXEC_NEUTRAL;
    return s->client.features.exec_events && !s->modes.own_description && process_present(p) &&
           !sure;
}

/* gdb takes no description of a word size that its file's architecture does not have, and
 * falls back on that architecture's own layout. Of a file that it has not from us we do
 * not know. So the first `g` is answered with so little, and that unavailable, that no layout
 * has the program counter in it; which one gdb believes in shows in the number under
 * which it then asks for that. The `g`s that follow must be no longer, up to the exec. */
static bool is_unsure(struct session *s, const struct process *p) {
    return p && s->client.features.xml && layout_needs_exec(s, p);
}

void layout_register_asked(struct session *s, struct gdb_thread thread, uint64_t number) {
    struct process *p = process_find(s, thread.pid);
    if (!is_unsure(s, p) || p->mode.belief != BELIEF_PROBED)
        return;
    const struct gdb_description *wide =
        s->target->ops->description_of(s->target->context, "i386:x86-64");
    p->mode.belief = number == register_pc_number(wide) ? BELIEF_WIDE : BELIEF_NARROW;
}

bool layout_rejected(struct session *s, struct gdb_thread thread) {
    const struct process *p = process_find(s, thread.pid);
    return is_unsure(s, p) && p->mode.belief >= BELIEF_NARROW &&
           layout_believed(s, thread) != p->mode.described;
}

bool layout_probes(struct session *s, struct gdb_thread thread, size_t *room) {
    struct process *p = process_find(s, thread.pid);
    *room = SIZE_MAX;
    if (!is_unsure(s, p))
        return false;
    *room = sizeof(uint64_t); /* rax, or eax and ecx */
    if (p->mode.belief == BELIEF_NONE)
        p->mode.belief = BELIEF_PROBED;
    return p->mode.belief == BELIEF_PROBED;
}

const struct gdb_description *layout_believed(struct session *s, struct gdb_thread thread) {
    struct process *p = process_find(s, thread.pid);
    const struct gdb_description *d =
        p && p->mode.described ? p->mode.described : layout_current(s, thread);
    if (p && s->modes.own_description)
        p->mode.described = d; /* and stays */
    if (!is_unsure(s, p) || p->mode.belief < BELIEF_NARROW ||
        is_wide(d) == (p->mode.belief == BELIEF_WIDE))
        return d;
    return s->target->ops->description_of(s->target->context, is_wide(d) ? "i386" : "i386:x86-64");
}

/* Having read the registers, gdb looks at the code that they point to: when that is where the pc
 * is, it has understood them. */
void layout_registers_read(struct session *s, struct gdb_thread thread) {
    struct process *p = process_find(s, thread.pid);
    if (p && p->mode.trust == TRUST_NONE)
        p->mode.trust = TRUST_NEXT_READ;
}

void layout_memory_read(struct session *s, struct gdb_thread thread, uint64_t address,
                        uint64_t length) {
    struct process *p = process_find(s, thread.pid);
    uint64_t pc;
    if (!p || p->mode.trust != TRUST_NEXT_READ)
        return;
    bool there = register_pc(s, thread, &pc) && pc - address < length;
    p->mode.trust = there ? TRUST_PROVEN : TRUST_NONE;
}

bool register_pc(struct session *s, struct gdb_thread thread, uint64_t *pc) {
    const struct gdb_description *d = layout_believed(s, thread);
    uint8_t value[GDB_REGISTER_MAX] = {0};
    unsigned number = register_pc_number(d);
    if (number == d->count ||
        !s->target->ops->read_register(s->target->context, thread, d, number, value))
        return false;
    *pc = 0;
    for (unsigned i = 0; i < 8; i++)
        *pc |= (uint64_t)value[i] << 8 * i;
    return true;
}
