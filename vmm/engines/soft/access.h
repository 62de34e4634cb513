/* Operands: registers, and memory by the fast path.
 *
 * An access is fast when its offset is below the segment's read_end (write_end), which in
 * flat memory (segment.c) need not be asked, and the TLB has its page for this use.
 * Everything else (limits and rights, page walks, accesses over two pages, watched pages,
 * pages with code, open bus) goes through access.c, which gives the same result slowly.
 *
 * Rule: size and place are constants where it matters; the compiler then leaves one move.
 */
#ifndef MINIKVM_SOFT_ACCESS_H
#define MINIKVM_SOFT_ACCESS_H

#include <string.h>

#include "vmm/engines/soft/state.h"
#include "vmm/x86/mode.h"

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
    uint8_t *at = (uint8_t *)s->r + offset;
    switch (size) {
    case 1: store_host(at, 1, value); break;
    case 2: store_host(at, 2, value); break;
    case 4: store_host(at, 8, (uint32_t)value); break; /* Vol. 1 §3.4.1.1 */
    default: store_host(at, 8, value); break;
    }
}

/* Of a size that is no constant, and never a byte. */
ALWAYS void set_wide_reg(struct soft *s, unsigned offset, unsigned size, uint64_t value) {
    if (size == 2)
        set_reg(s, offset, 2, value);
    else
        set_reg(s, offset, 8, size == 4 ? (uint32_t)value : value);
}

/* A general register by its number. */
#define REG(n) ((unsigned)(n)*8u)

/* CX, SI and DI are as wide as an address: a new value of 16 bits leaves the rest, one of 32
 * clears it. */
ALWAYS void set_counter(struct soft *s, const struct op *op, unsigned n, uint64_t value) {
    uint64_t kept = op->mask == 0xFFFF ? s->r[n] & ~op->mask : 0;
    s->r[n] = kept | (value & op->mask);
}

/* --- memory --- */

/* Most addresses have no index. */
ALWAYS uint64_t address_in(const struct soft *s, const struct op *op, enum place place) {
    uint64_t at = s->r[op->base] + op->disp;
    if (place == FLAT_INDEXED || (place != FLAT && op->index_reg != R_ZERO))
        at += s->r[op->index_reg] << op->scale;
    return at & op->mask;
}
ALWAYS uint64_t address(const struct soft *s, const struct op *op) {
    return address_in(s, op, SLOW);
}

ALWAYS struct tlb_entry *tlb_slot(const struct soft *s, uint64_t linear) {
    return &s->tlb[(linear >> 12) & (TLB_SIZE - 1)];
}

/* Both bytes' pages must be the entry's: one compare also finds what crosses. */
ALWAYS bool tlb_holds(uint64_t tag, uint64_t linear, unsigned size) {
    return tag == ((linear + size - 1) & ~0xFFFull);
}

/* Never NULL, which is said to the compiler: it would look. */
ALWAYS void *on_host(const struct tlb_entry *e, uint64_t linear) {
    void *at = (void *)(e->host + linear);
    if (!at)
        __builtin_unreachable();
    return at;
}

/* Where on the host the fast path may read (write) these bytes, or NULL. */
ALWAYS void *fast_read(const struct soft *s, unsigned seg, uint64_t offset, unsigned size,
                       bool flat) {
    uint64_t linear = flat ? offset : s->seg[seg].base + offset;
    const struct tlb_entry *e = tlb_slot(s, linear);
    bool fits = flat || LIKELY(offset + size <= s->seg[seg].read_end);
    return fits && LIKELY(tlb_holds(e->read, linear, size)) ? on_host(e, linear) : NULL;
}
ALWAYS void *fast_write(const struct soft *s, unsigned seg, uint64_t offset, unsigned size,
                        bool flat) {
    uint64_t linear = flat ? offset : s->seg[seg].base + offset;
    const struct tlb_entry *e = tlb_slot(s, linear);
    bool fits = flat || LIKELY(offset + size <= s->seg[seg].write_end);
    return fits && LIKELY(tlb_holds(e->write, linear, size)) ? on_host(e, linear) : NULL;
}

ALWAYS uint64_t load(struct soft *s, unsigned seg, uint64_t offset, unsigned size) {
    const void *host = fast_read(s, seg, offset, size, false);
    return LIKELY(host) ? fetch_host(host, size) : read_slow(s, seg, offset, size);
}

/* A load that faults as the store to come would. */
ALWAYS uint64_t load_rw(struct soft *s, unsigned seg, uint64_t offset, unsigned size) {
    const void *host = fast_write(s, seg, offset, size, false);
    return LIKELY(host) ? fetch_host(host, size) : read_for_write_slow(s, seg, offset, size);
}

ALWAYS void store(struct soft *s, unsigned seg, uint64_t offset, unsigned size, uint64_t value) {
    void *host = fast_write(s, seg, offset, size, false);
    if (LIKELY(host))
        store_host(host, size, value);
    else
        write_slow(s, seg, offset, size, value);
}

/* --- the operand E, for handlers that are not made for each size and place --- */
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

/* --- the stack: SP or ESP as SS.B says, RSP in 64-bit code --- */
ALWAYS void set_sp(struct soft *s, uint64_t value) {
    s->r[R_SP] = (s->r[R_SP] & s->stack_kept) | (value & s->stack_mask);
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

/* --- the end of an instruction --- */

/* Hands on to an op by a sibling call (gcc -O2), past the loop in soft.c. Not what may have set
 * `pending`, which does all that is not fast: it returns the op, and the loop looks. */
ALWAYS const struct op *hand_on(struct soft *s, const struct op *to) {
    s->op = to;
    return to->run(s, to);
}
/* The asm has the compiler move the pointer: it would keep both, with two more instructions. */
ALWAYS const struct op *next_op(struct soft *s, const struct op *op) {
    op++;
    __asm__("" : "+r"(op));
    return hand_on(s, op);
}

/* Ends a block where b is to follow, if that is what runs at its ip now, and it is not the
 * loop's turn; else nothing is done: NULL. */
ALWAYS const struct op *enter_block(struct soft *s, const struct op *op, const struct block *b) {
    uint64_t ticks = s->ticks + op[1].index; /* the end of a block has one, too */
    if (UNLIKELY(b->epoch != s->epoch || ticks > s->turn_end))
        return NULL;
    s->ticks = ticks;
    s->ip = b->ip;
    return b->ops;
}

/* The last block that was found at such an ip. */
ALWAYS const struct block **jump_slot(struct soft *s, uint64_t ip) {
    return &s->jumps[(ip ^ ip >> 11) & (JUMPS - 1)];
}

/* The same for the block at ip, if it is known. */
ALWAYS const struct op *enter_at(struct soft *s, const struct op *op, uint64_t ip) {
    const struct block *b = *jump_slot(s, ip);
    return LIKELY(b->ip == ip) ? enter_block(s, op, b) : NULL;
}

/* Goes on after one whose E may be in memory, however that went. */
ALWAYS const struct op *next_op_after_e(struct soft *s, const struct op *op) {
    return op->memory ? op + 1 : next_op(s, op);
}

/* --- what an instruction may ask for --- */

static inline void need_ring0(struct soft *s) {
    if (s->cpl)
        raise_gp0(s);
}

static inline void need_feature(struct soft *s, enum cpuid_feature f) {
    if (!has_feature(s, f))
        raise_plain(s, VECTOR_UD);
}

/* What tells a user of the system's tables. */
static inline void need_umip(struct soft *s) {
    if (s->cpl && s->cr4 & CR4_UMIP)
        raise_gp0(s);
}

#endif
