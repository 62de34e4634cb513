/* Memory operands of more than eight bytes, and areas: made of pieces of eight bytes.
 *
 * Rule: an area that is written is checked as a whole before its first byte.
 */
#ifndef MINIKVM_SOFT_FPU_OPERAND_H
#define MINIKVM_SOFT_FPU_OPERAND_H

#include "vmm/engines/soft/access.h"

/* Where memory is in the host, if all of it can be read (written) there without a further look;
 * else NULL. */
ALWAYS void *host_to_read(const struct soft *s, unsigned seg, uint64_t at, unsigned size) {
    uint64_t linear = s->seg[seg].base + at;
    const struct tlb_entry *e = tlb_slot(s, linear);
    if (LIKELY(at + size <= s->seg[seg].read_end && tlb_holds(e->read, linear, size)))
        return (void *)(e->host + linear);
    return NULL;
}

ALWAYS void *host_to_write(const struct soft *s, unsigned seg, uint64_t at, unsigned size) {
    uint64_t linear = s->seg[seg].base + at;
    const struct tlb_entry *e = tlb_slot(s, linear);
    if (LIKELY(at + size <= s->seg[seg].write_end && tlb_holds(e->write, linear, size)))
        return (void *)(e->host + linear);
    return NULL;
}

/* Likewise the memory operand. */
ALWAYS void *operand_to_read(const struct soft *s, const struct op *op, unsigned size) {
    return host_to_read(s, op->seg, address(s, op), size);
}

ALWAYS void *operand_to_write(const struct soft *s, const struct op *op, unsigned size) {
    return host_to_write(s, op->seg, address(s, op), size);
}

/* At once, or in pieces that begin at multiples of eight. */
static inline void operand_load(struct soft *s, unsigned seg, uint64_t at, void *to,
                                unsigned size) {
    const void *host = host_to_read(s, seg, at, size);
    if (LIKELY(host)) {
        memcpy(to, host, size);
        return;
    }
    for (unsigned n = 0; n < size; n += 8) {
        unsigned piece = size - n < 8 ? size - n : 8;
        uint64_t value = load(s, seg, at + n, piece);
        memcpy((uint8_t *)to + n, &value, piece);
    }
}

static inline void operand_store(struct soft *s, unsigned seg, uint64_t at, const void *from,
                                 unsigned size) {
    void *host = host_to_write(s, seg, at, size);
    if (LIKELY(host)) {
        memcpy(host, from, size);
        return;
    }
    for (unsigned n = 0; n < size; n += 8) {
        unsigned piece = size - n < 8 ? size - n : 8;
        store(s, seg, at + n, piece, fetch_host((const uint8_t *)from + n, piece));
    }
}

/* It can be written: else the fault that writing it would raise. */
ALWAYS void operand_check(struct soft *s, unsigned seg, uint64_t at, unsigned size) {
    if (UNLIKELY(!host_to_write(s, seg, at, size)))
        check_write_area(s, seg, at, size, size < 8 ? size : 8);
}

#endif
