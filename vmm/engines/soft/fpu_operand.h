/* Memory operands of more than eight bytes, and areas: made of pieces of eight bytes.
 *
 * Rule: an area that is written is checked as a whole before its first byte.
 */
#ifndef MINIKVM_SOFT_FPU_OPERAND_H
#define MINIKVM_SOFT_FPU_OPERAND_H

#include "vmm/engines/soft/access.h"

/* Where the memory operand is on the host, if all of it can be read (written) there without a
 * further look; else NULL. */
ALWAYS void *operand_to_read(const struct soft *s, const struct op *op, unsigned size) {
    return fast_read(s, op->seg, address(s, op), size, op->place != MEMORY);
}

ALWAYS void *operand_to_write(const struct soft *s, const struct op *op, unsigned size) {
    return fast_write(s, op->seg, address(s, op), size, op->place != MEMORY);
}

/* At once, or in pieces that begin at multiples of eight. */
static inline void load_pieces(struct soft *s, unsigned seg, uint64_t at, void *to, unsigned size) {
    for (unsigned n = 0; n < size; n += 8) {
        unsigned piece = size - n < 8 ? size - n : 8;
        uint64_t value = load(s, seg, at + n, piece);
        memcpy((uint8_t *)to + n, &value, piece);
    }
}

static inline void store_pieces(struct soft *s, unsigned seg, uint64_t at, const void *from,
                                unsigned size) {
    for (unsigned n = 0; n < size; n += 8) {
        unsigned piece = size - n < 8 ? size - n : 8;
        store(s, seg, at + n, piece, fetch_host((const uint8_t *)from + n, piece));
    }
}

ALWAYS void operand_load(struct soft *s, unsigned seg, uint64_t at, void *to, unsigned size) {
    const void *host = fast_read(s, seg, at, size, false);
    if (LIKELY(host))
        memcpy(to, host, size);
    else
        load_pieces(s, seg, at, to, size);
}

ALWAYS void operand_store(struct soft *s, unsigned seg, uint64_t at, const void *from,
                          unsigned size) {
    void *host = fast_write(s, seg, at, size, false);
    if (LIKELY(host))
        memcpy(host, from, size);
    else
        store_pieces(s, seg, at, from, size);
}

/* It can be written: else the fault that writing it would raise. */
ALWAYS void operand_check(struct soft *s, unsigned seg, uint64_t at, unsigned size) {
    if (UNLIKELY(!fast_write(s, seg, at, size, false)))
        check_write_area(s, seg, at, size, size < 8 ? size : 8);
}

#endif
