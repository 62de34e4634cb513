/* Instructions that are there once for each size of their operand and each place of it.
 *
 * A body is written once: BODY(s, op, size, e), ALWAYS inlined, where size is a constant and
 * e says where the operand is. A family is its handlers, by family_index(). Those for memory
 * first find it on the host; where the fast path does not hold they leave the instruction to
 * the slow handler of all sizes, which alone can fault or set `pending`.
 *
 * Rule: the fast handlers call nothing, they only go on.
 */
#ifndef MINIKVM_SOFT_FAMILY_H
#define MINIKVM_SOFT_FAMILY_H

#include "vmm/engines/soft/access.h"

/* The operand: for most E, for others what they have on the stack. */
struct e {
    enum place place;
    bool writes; /* it is written, so also a read faults as a write would */
    void *host;  /* where it is in memory, unless that is slow */
    bool paired; /* the handler goes on itself: branch.h */
};

ALWAYS uint64_t read_e(struct soft *s, const struct op *op, unsigned size, struct e e) {
    if (e.place == SLOW)
        return e.writes ? get_e_rw(s, op, size, op->memory) : get_e(s, op, size, op->memory);
    return e.place == REGISTER ? get_reg(s, op->rm, size) : fetch_host(e.host, size);
}

ALWAYS void write_e(struct soft *s, const struct op *op, unsigned size, struct e e,
                    uint64_t value) {
    if (e.place == SLOW)
        put_e(s, op, size, op->memory, value);
    else if (e.place == REGISTER)
        set_reg(s, op->rm, size, value);
    else
        store_host(e.host, size, value);
}

/* The end of a body. */
ALWAYS const struct op *done(struct soft *s, const struct op *op, struct e e) {
    return e.place == SLOW || e.paired ? op + 1 : next_op(s, op);
}

/* --- finding it --- */

/* SP + delta. A flat stack's SP is as wide as the code; and so is what is pushed, but for 16 bits. */
ALWAYS uint64_t stack_at(const struct soft *s, unsigned size, enum place place, int64_t delta) {
    if (place != REGISTER_FLAT || size == 2)
        return sp_plus(s, delta);
    uint64_t sp = s->r[R_SP] + (uint64_t)delta;
    return size == 8 ? sp : (uint32_t)sp;
}

ALWAYS void *find_to_read(struct soft *s, const struct op *op, unsigned size, enum place place) {
    return fast_read(s, op->seg, address_in(s, op, place), size, is_flat(place));
}
ALWAYS void *find_to_write(struct soft *s, const struct op *op, unsigned size, enum place place) {
    return fast_write(s, op->seg, address_in(s, op, place), size, is_flat(place));
}
ALWAYS void *find_to_push(struct soft *s, const struct op *op, unsigned size, enum place place) {
    (void)op;
    return fast_write(s, S_SS, stack_at(s, size, place, -(int64_t)size), size, is_flat(place));
}
ALWAYS void *find_to_pop(struct soft *s, const struct op *op, unsigned size, enum place place) {
    (void)op;
    return fast_read(s, S_SS, stack_at(s, size, place, 0), size, is_flat(place));
}

/* --- on the stack: E is in a register then, unless it is slow --- */

ALWAYS void move_sp(struct soft *s, unsigned size, struct e e, int64_t delta) {
    if (e.place == REGISTER_FLAT)
        s->r[R_SP] = stack_at(s, size, e.place, delta);
    else
        set_sp(s, sp_plus(s, delta));
}

ALWAYS void push_to(struct soft *s, unsigned size, struct e e, uint64_t value) {
    if (e.place == SLOW) {
        push(s, size, value);
        return;
    }
    move_sp(s, size, e, -(int64_t)size);
    store_host(e.host, size, value);
}

ALWAYS uint64_t top_of_stack(struct soft *s, unsigned size, struct e e) {
    return e.place == SLOW ? peek(s, size, 0) : fetch_host(e.host, size);
}

/* --- making a family of a body --- */

#define IN_REGISTER(name, size)                                                                    \
    static const struct op *name##_##size##r(struct soft *s, const struct op *op) {                \
        return name(s, op, size, (struct e){.place = REGISTER});                                   \
    }
#define FOUND(name, suffix, size, where, find)                                                     \
    static const struct op *name##suffix(struct soft *s, const struct op *op) {                    \
        void *host = find(s, op, size, where);                                                     \
        return LIKELY(host) ? name(s, op, size, (struct e){.place = where, .host = host})          \
                            : name##_slow(s, op);                                                  \
    }
#define SLOWLY(name, written)                                                                      \
    static const struct op *name##_slow(struct soft *s, const struct op *op) {                     \
        return name(s, op, op->size, (struct e){SLOW, .writes = written});                         \
    }

/* Of an operand E that is only read, or written too. */
#define FAMILY_SIZE(name, size, find)                                                              \
    IN_REGISTER(name, size)                                                                        \
    FOUND(name, _##size##m, size, MEMORY, find) FOUND(name, _##size##f, size, FLAT, find)          \
    FOUND(name, _##size##x, size, FLAT_INDEXED, find)
#define FAMILY_ROW(name, size)                                                                     \
    name##_##size##r, name##_##size##m, name##_##size##f, name##_##size##x, name##_##size##r
#define FAMILY(name, find, writes)                                                                 \
    SLOWLY(name, writes)                                                                           \
    FAMILY_SIZE(name, 1, find) FAMILY_SIZE(name, 2, find)                                          \
    FAMILY_SIZE(name, 4, find) FAMILY_SIZE(name, 8, find)                                          \
    op_fn *const name##_family[FAMILY_SLOTS] = {FAMILY_ROW(name, 1), FAMILY_ROW(name, 2),          \
                                                FAMILY_ROW(name, 4), FAMILY_ROW(name, 8)};
#define FAMILY_READS(name)  FAMILY(name, find_to_read, false)
#define FAMILY_WRITES(name) FAMILY(name, find_to_write, true)

/* Of what is pushed (find_to_push) or popped; never a byte. In 64-bit code the stack is flat. */
#define FAMILY_STACK(name, find)                                                                   \
    SLOWLY(name, false)                                                                            \
    FOUND(name, _2r, 2, REGISTER, find) FOUND(name, _2f, 2, REGISTER_FLAT, find)                   \
    FOUND(name, _4r, 4, REGISTER, find) FOUND(name, _4f, 4, REGISTER_FLAT, find)                   \
    FOUND(name, _8f, 8, REGISTER_FLAT, find)                                                       \
    op_fn *const name##_family[FAMILY_SLOTS] = {                                                   \
        [PLACES] = name##_2r,   name##_slow, name##_slow, name##_slow, name##_2f,                  \
                   name##_4r,   name##_slow, name##_slow, name##_slow, name##_4f,                  \
                   name##_slow, name##_slow, name##_slow, name##_slow, name##_8f};

/* Of an address that nothing is accessed at, and never a byte. */
#define ADDRESS_AT(name, suffix, size, where)                                                      \
    static const struct op *name##suffix(struct soft *s, const struct op *op) {                    \
        return name(s, op, size, (struct e){.place = where});                                      \
    }
#define ADDRESS_SIZE(name, size)                                                                   \
    ADDRESS_AT(name, _##size##m, size, MEMORY) ADDRESS_AT(name, _##size##f, size, FLAT)            \
    ADDRESS_AT(name, _##size##x, size, FLAT_INDEXED)
#define ADDRESS_ROW(name, size) NULL, name##_##size##m, name##_##size##f, name##_##size##x, NULL
#define FAMILY_ADDRESS(name)                                                                       \
    ADDRESS_SIZE(name, 2) ADDRESS_SIZE(name, 4) ADDRESS_SIZE(name, 8)                              \
    op_fn *const name##_family[FAMILY_SLOTS] = {                                                   \
        [PLACES] = ADDRESS_ROW(name, 2), ADDRESS_ROW(name, 4), ADDRESS_ROW(name, 8)};

/* Of no operand E that is looked at, and never a byte. */
#define ANYWHERE(name) name, name, name, name, name
#define FAMILY_WIDE(name)                                                                          \
    IN_REGISTER(name, 2) IN_REGISTER(name, 4) IN_REGISTER(name, 8)                                 \
    op_fn *const name##_family[FAMILY_SLOTS] = {                                                   \
        [PLACES] = ANYWHERE(name##_2r), ANYWHERE(name##_4r), ANYWHERE(name##_8r)};

#endif
