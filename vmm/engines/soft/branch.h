/* Jumps to a constant place, and pairs: a comparison with the jump after it as one handler.
 *
 * The op of such a jump remembers the block that it went to, which saves finding it again.
 *
 * Rule: a pair is two instructions still. Nothing can come between them: what could stop
 * there ends the block, or has it done one instruction at a time.
 */
#ifndef MINIKVM_SOFT_BRANCH_H
#define MINIKVM_SOFT_BRANCH_H

#include "vmm/engines/soft/family.h"
#include "vmm/engines/soft/flags.h"

#define SIXTEEN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7)                                \
                    DO(8) DO(9) DO(a) DO(b) DO(c) DO(d) DO(e) DO(f)

ALWAYS uint64_t target_of(struct soft *s, uint64_t target, unsigned size) {
    target &= mask_of(size);
    if (UNLIKELY(!ip_exists(s, target)))
        raise_gp0(s);
    return target;
}

/* The block that was there last time, or NULL if it is not what runs there now. An address
 * that has to be cut is no block's. */
ALWAYS const struct op *enter_target(struct soft *s, const struct op *op) {
    return op->target ? enter_block(s, op, op->target, after(s, op) + (uint64_t)op->imm) : NULL;
}

const struct op *branch_slowly(struct soft *, const struct op *);

ALWAYS const struct op *branch(struct soft *s, const struct op *op) {
    const struct op *to = enter_target(s, op);
    return LIKELY(to) ? to : branch_slowly(s, op);
}

ALWAYS const struct op *branch_if(struct soft *s, const struct op *op, unsigned condition_code) {
    return condition(s, condition_code) ? branch(s, op) : next_op(s, op);
}

/* Of a family's handlers for registers: one for each size and condition of the jump. */
#define PAIR(name, size, cc)                                                                       \
    static const struct op *name##_##size##_j##cc(struct soft *s, const struct op *op) {           \
        s->op = op = name(s, op, size, (struct e){.place = REGISTER, .paired = true});             \
        return branch_if(s, op, 0x##cc);                                                           \
    }
#define PAIRS(name)                                                                                \
    PAIRS_OF(name, 1) PAIRS_OF(name, 2) PAIRS_OF(name, 4) PAIRS_OF(name, 8)                        \
    op_fn *const name##_pairs[4][16] = {PAIRS_ROW(name, 1), PAIRS_ROW(name, 2),                    \
                                        PAIRS_ROW(name, 4), PAIRS_ROW(name, 8)};
#define PAIRS_OF(name, size)                                                                       \
    PAIR(name, size, 0) PAIR(name, size, 1) PAIR(name, size, 2) PAIR(name, size, 3)                \
    PAIR(name, size, 4) PAIR(name, size, 5) PAIR(name, size, 6) PAIR(name, size, 7)                \
    PAIR(name, size, 8) PAIR(name, size, 9) PAIR(name, size, a) PAIR(name, size, b)                \
    PAIR(name, size, c) PAIR(name, size, d) PAIR(name, size, e) PAIR(name, size, f)
#define PAIRS_ROW(name, size)                                                                      \
    {name##_##size##_j0, name##_##size##_j1, name##_##size##_j2, name##_##size##_j3,               \
     name##_##size##_j4, name##_##size##_j5, name##_##size##_j6, name##_##size##_j7,               \
     name##_##size##_j8, name##_##size##_j9, name##_##size##_ja, name##_##size##_jb,               \
     name##_##size##_jc, name##_##size##_jd, name##_##size##_je, name##_##size##_jf}

#endif
