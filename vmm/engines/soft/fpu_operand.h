/* Memory operands of more than eight bytes, and areas: made of pieces of eight bytes.
 *
 * Rule: an area that is written is checked as a whole before its first byte.
 */
#ifndef MINIKVM_SOFT_FPU_OPERAND_H
#define MINIKVM_SOFT_FPU_OPERAND_H

#include "vmm/engines/soft/access.h"

/* Where the memory operand is in the host, if it can be read (written) there without a further
 * look; else NULL. */
ALWAYS void *operand_to_read(const struct soft *s, const struct op *op, unsigned size) {
    uint64_t at = address(s, op), linear = s->seg[op->seg].base + at;
    const struct tlb_entry *e = tlb_slot(s, linear);
    if (LIKELY(at + size <= s->seg[op->seg].read_end && tlb_holds(e->read, linear, size)))
        return (void *)(e->host + linear);
    return NULL;
}

ALWAYS void *operand_to_write(const struct soft *s, const struct op *op, unsigned size) {
    uint64_t at = address(s, op), linear = s->seg[op->seg].base + at;
    const struct tlb_entry *e = tlb_slot(s, linear);
    if (LIKELY(at + size <= s->seg[op->seg].write_end && tlb_holds(e->write, linear, size)))
        return (void *)(e->host + linear);
    return NULL;
}

/* All sizes are constants or come from a table; pieces begin at multiples of eight. */
ALWAYS void operand_load(struct soft *s, unsigned seg, uint64_t at, void *to, unsigned size) {
    for (unsigned n = 0; n < size; n += 8) {
        unsigned piece = size - n < 8 ? size - n : 8;
        uint64_t value = load(s, seg, at + n, piece);
        memcpy((uint8_t *)to + n, &value, piece);
    }
}

ALWAYS void operand_store(struct soft *s, unsigned seg, uint64_t at, const void *from,
                          unsigned size) {
    for (unsigned n = 0; n < size; n += 8) {
        unsigned piece = size - n < 8 ? size - n : 8;
        store(s, seg, at + n, piece, fetch_host((const uint8_t *)from + n, piece));
    }
}

/* It can be written: else the fault that writing it would raise. */
ALWAYS void operand_check(struct soft *s, unsigned seg, uint64_t at, unsigned size) {
    uint64_t linear = s->seg[seg].base + at;
    if (UNLIKELY(at + size > s->seg[seg].write_end ||
                 !tlb_holds(tlb_slot(s, linear)->write, linear, size)))
        check_write_area(s, seg, at, size, size < 8 ? size : 8);
}

#endif
