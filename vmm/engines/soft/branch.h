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

/* For each condition. */
#define SIXTEEN(DO, name, size)                                                                    \
    DO(name, size, 0) DO(name, size, 1) DO(name, size, 2) DO(name, size, 3)                        \
    DO(name, size, 4) DO(name, size, 5) DO(name, size, 6) DO(name, size, 7)                        \
    DO(name, size, 8) DO(name, size, 9) DO(name, size, a) DO(name, size, b)                        \
    DO(name, size, c) DO(name, size, d) DO(name, size, e) DO(name, size, f)

ALWAYS uint64_t target_of(struct soft *s, uint64_t target, unsigned size) {
    target &= mask_of(size);
    if (UNLIKELY(!ip_exists(s, target)))
        raise_gp0(s);
    return target;
}

/* The block that was there last time, or NULL if it is not what runs there now. */
ALWAYS const struct op *enter_target(struct soft *s, const struct op *op) {
    return enter_block(s, op, op->target);
}

const struct op *branch_slowly(struct soft *, const struct op *);

ALWAYS const struct op *branch(struct soft *s, const struct op *op) {
    const struct op *to = enter_target(s, op);
    return LIKELY(to) ? hand_on(s, to) : branch_slowly(s, op);
}

ALWAYS const struct op *branch_if(struct soft *s, const struct op *op, unsigned condition_code) {
    return condition(s, condition_code) ? branch(s, op) : next_op(s, op);
}

/* What is asked after a comparison, after TEST, and after INC and DEC: the others of the
 * sixteen are not worth a handler. */
#define AFTER_CMP(DO, name, size)                                                                  \
    AFTER_TEST(DO, name, size)                                                                     \
    DO(name, size, 2) DO(name, size, 3) DO(name, size, 6) DO(name, size, 7)                        \
    DO(name, size, c) DO(name, size, d)
#define AFTER_TEST(DO, name, size)                                                                 \
    AFTER_STEP(DO, name, size) DO(name, size, e) DO(name, size, f)
#define AFTER_STEP(DO, name, size)                                                                 \
    DO(name, size, 4) DO(name, size, 5) DO(name, size, 8) DO(name, size, 9)

/* Of a family's handlers for registers: one for each size and these conditions of the jump. */
#define PAIR(name, size, cc)                                                                       \
    static const struct op *name##_##size##_j##cc(struct soft *s, const struct op *op) {           \
        op = name(s, op, size, (struct e){.place = REGISTER, .paired = true});                     \
        return branch_if(s, op, 0x##cc);                                                           \
    }
#define PAIR_NAME(name, size, cc) [0x##cc] = name##_##size##_j##cc,
#define PAIRS(name, after)                                                                         \
    after(PAIR, name, 1) after(PAIR, name, 2) after(PAIR, name, 4) after(PAIR, name, 8)            \
    op_fn *const name##_pairs[4][16] = {                                                           \
        {after(PAIR_NAME, name, 1)}, {after(PAIR_NAME, name, 2)},                                  \
        {after(PAIR_NAME, name, 4)}, {after(PAIR_NAME, name, 8)}};

#endif
