/* Operands: registers, and memory by the fast path.
 *
 * An access is fast when its offset is below the segment's read_end (write_end)
 * and the TLB has its page for this use. Everything else (limits and rights, page
 * walks, accesses over two pages, watched pages, pages with code, open bus)
 * goes through access.c, which gives the same result slowly.
 *
 * Rule: size is a constant where it matters; the compiler then leaves one move.
 */
#ifndef MINIKVM_SOFT_ACCESS_H
#define MINIKVM_SOFT_ACCESS_H

#include <string.h>

#include "vmm/engines/soft/state.h"

ALWAYS uint64_t fetch_host(const void *from, unsigned size) {
    uint8_t b;
    uint16_t w;
    uint32_t d;
    uint64_t q;
    switch (size) {
    case 1: memcpy(&b, from, 1); return b;
    case 2: memcpy(&w, from, 2); return w;
    case 4: memcpy(&d, from, 4); return d;
    default: memcpy(&q, from, 8); return q;
    }
}

ALWAYS void store_host(void *to, unsigned size, uint64_t value) {
    memcpy(to, &value, size); /* the host is an x86, too */
}

/* --- registers, by the byte offsets that decode.c makes --- */
ALWAYS uint64_t get_reg(const struct soft *s, unsigned offset, unsigned size) {
    return fetch_host((const uint8_t *)s->r + offset, size);
}

ALWAYS void set_reg(struct soft *s, unsigned offset, unsigned size, uint64_t value) {
    if (size == 4)
        store_host((uint8_t *)s->r + offset, 8, (uint32_t)value); /* Vol. 1 §3.4.1.1 */
    else if (size == 1)
        store_host((uint8_t *)s->r + offset, 1, value);
    else
        store_host((uint8_t *)s->r + offset, 2, value);
}

/* A general register by its number. */
#define REG(n) ((unsigned)(n)*8u)

/* --- memory --- */
ALWAYS uint64_t address(const struct soft *s, const struct op *op) {
    return (s->r[op->base] + (s->r[op->index_reg] << op->scale) + op->disp) & op->mask;
}

ALWAYS struct tlb_entry *tlb_slot(const struct soft *s, uint64_t linear) {
    return &s->tlb[(linear >> 12) & (TLB_SIZE - 1)];
}

/* Both bytes' pages must be the entry's: one compare also finds what crosses. */
ALWAYS bool tlb_holds(uint64_t tag, uint64_t linear, unsigned size) {
    return tag == ((linear + size - 1) & ~0xFFFull);
}

ALWAYS uint64_t load(struct soft *s, unsigned seg, uint64_t offset, unsigned size) {
    uint64_t linear = (uint32_t)(s->seg[seg].k.base + offset);
    const struct tlb_entry *e = tlb_slot(s, linear);
    if (LIKELY(offset + size <= s->seg[seg].read_end && tlb_holds(e->read, linear, size)))
        return fetch_host((const void *)(e->host + linear), size);
    return read_slow(s, seg, offset, size);
}

/* A load that faults as the store to come would. */
ALWAYS uint64_t load_rw(struct soft *s, unsigned seg, uint64_t offset, unsigned size) {
    uint64_t linear = (uint32_t)(s->seg[seg].k.base + offset);
    const struct tlb_entry *e = tlb_slot(s, linear);
    if (LIKELY(offset + size <= s->seg[seg].write_end && tlb_holds(e->write, linear, size)))
        return fetch_host((const void *)(e->host + linear), size);
    return read_for_write_slow(s, seg, offset, size);
}

ALWAYS void store(struct soft *s, unsigned seg, uint64_t offset, unsigned size, uint64_t value) {
    uint64_t linear = (uint32_t)(s->seg[seg].k.base + offset);
    const struct tlb_entry *e = tlb_slot(s, linear);
    if (LIKELY(offset + size <= s->seg[seg].write_end && tlb_holds(e->write, linear, size)))
        store_host((void *)(e->host + linear), size, value);
    else
        write_slow(s, seg, offset, size, value);
}

/* --- the E operand: register or memory, `memory` and `size` constants --- */
ALWAYS uint64_t get_e(struct soft *s, const struct op *op, unsigned size, bool memory) {
    return memory ? load(s, op->seg, address(s, op), size) : get_reg(s, op->rm, size);
}

/* For one that will be written back with put_e(). */
ALWAYS uint64_t get_e_rw(struct soft *s, const struct op *op, unsigned size, bool memory) {
    return memory ? load_rw(s, op->seg, address(s, op), size) : get_reg(s, op->rm, size);
}

ALWAYS void put_e(struct soft *s, const struct op *op, unsigned size, bool memory, uint64_t value) {
    if (memory)
        store(s, op->seg, address(s, op), size, value);
    else
        set_reg(s, op->rm, size, value);
}

/* --- the stack: SP or ESP as SS.B says --- */
ALWAYS void set_sp(struct soft *s, uint64_t value) {
    s->r[R_SP] = (s->r[R_SP] & ~s->stack_mask) | (value & s->stack_mask);
}

ALWAYS uint64_t sp_plus(const struct soft *s, int64_t delta) {
    return (s->r[R_SP] + (uint64_t)delta) & s->stack_mask;
}

ALWAYS void push(struct soft *s, unsigned size, uint64_t value) {
    uint64_t sp = sp_plus(s, -(int64_t)size);
    store(s, S_SS, sp, size, value);
    set_sp(s, sp);
}

/* Read without moving: `at` bytes above the top. */
ALWAYS uint64_t peek(struct soft *s, unsigned size, int64_t at) {
    return load(s, S_SS, sp_plus(s, at), size);
}

ALWAYS uint64_t pop(struct soft *s, unsigned size) {
    uint64_t value = peek(s, size, 0);
    set_sp(s, sp_plus(s, size));
    return value;
}

/* Handlers for each size of E, in memory or not: BODY(s, op, size, memory) must
 * be ALWAYS inlined. The family's index is family_index(). */
#define FAMILY(name)                                                                               \
    static const struct op *name##_1r(struct soft *s, const struct op *op) {                       \
        return name(s, op, 1, false);                                                              \
    }                                                                                              \
    static const struct op *name##_1m(struct soft *s, const struct op *op) {                       \
        return name(s, op, 1, true);                                                               \
    }                                                                                              \
    static const struct op *name##_2r(struct soft *s, const struct op *op) {                       \
        return name(s, op, 2, false);                                                              \
    }                                                                                              \
    static const struct op *name##_2m(struct soft *s, const struct op *op) {                       \
        return name(s, op, 2, true);                                                               \
    }                                                                                              \
    static const struct op *name##_4r(struct soft *s, const struct op *op) {                       \
        return name(s, op, 4, false);                                                              \
    }                                                                                              \
    static const struct op *name##_4m(struct soft *s, const struct op *op) {                       \
        return name(s, op, 4, true);                                                               \
    }                                                                                              \
    op_fn *const name##_family[6] = {name##_1r, name##_1m, name##_2r,                              \
                                     name##_2m, name##_4r, name##_4m};

static inline unsigned family_index(const struct op *op) {
    return (op->size / 2) * 2 + op->memory;
}

#endif
