/* Near transfers of control: Jcc, JMP, CALL, RET, LOOP, JCXZ, BOUND, INTO, and
 * the instructions that only raise something.
 *
 * Rule: the target is held against CS's limit before anything is changed.
 */
#include "vmm/engines/soft/branch.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/mode.h"

const struct op *branch_slowly(struct soft *s, const struct op *op) {
    s->op = op; /* it may be the second of a pair */
    uint64_t target = target_of(s, after(s, op) + (uint64_t)op->imm, op->size);
    return leave_and_remember(s, op, target);
}

/* One for all sizes: a target is cut only where its block is not known. */
#define JCC(name, all, cc)                                                                         \
    static const struct op *name##_##cc(struct soft *s, const struct op *op) {                     \
        return branch_if(s, op, 0x##cc);                                                           \
    }
#define JCC_NAME(name, all, cc) name##_##cc,
SIXTEEN(JCC, jcc, )
op_fn *const jcc[16] = {SIXTEEN(JCC_NAME, jcc, )};

/* The handler that does `first` and the jump `second` after it, or NULL. */
op_fn *pair_of(const struct op *first, const struct op *second) {
    static const struct {
        op_fn *const *family;
        op_fn *const (*pairs)[16];
    } rows[] = {{cmp_eg_family, cmp_eg_pairs},   {cmp_ei_family, cmp_ei_pairs},
                {test_eg_family, test_eg_pairs}, {test_ei_family, test_ei_pairs},
                {inc_family, inc_pairs},         {dec_family, dec_pairs}};
    unsigned cc = second->opcode & 15;
    if (!first->size || first->memory || second->run != jcc[cc])
        return NULL;
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++)
        if (first->run == rows[n].family[family_index(first)])
            return rows[n].pairs[__builtin_ctz(first->size)][cc];
    return NULL;
}

const struct op *jmp(struct soft *s, const struct op *op) {
    return branch(s, op);
}

ALWAYS const struct op *call(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t back = after(s, op), target = 0;
    const struct op *to = e.place == SLOW ? NULL : enter_target(s, op);
    if (UNLIKELY(!to))
        target = target_of(s, back + (uint64_t)op->imm, size);
    push_to(s, size, e, back);
    return LIKELY(to) ? hand_on(s, to) : leave_and_remember(s, op, target);
}
FAMILY_STACK(call, find_to_push)

/* Counted by CX, ECX or RCX, as the address size says. */
static const struct op *loop_if(struct soft *s, const struct op *op, bool also) {
    uint64_t left = (s->r[R_CX] - 1) & op->mask;
    if (left && also)
        target_of(s, after(s, op) + (uint64_t)op->imm, op->size);
    set_counter(s, op, R_CX, left);
    return left && also ? branch(s, op) : next_op(s, op);
}

const struct op *loop(struct soft *s, const struct op *op) {
    return loop_if(s, op, true);
}
const struct op *loope(struct soft *s, const struct op *op) {
    return loop_if(s, op, get_zf(s));
}
const struct op *loopne(struct soft *s, const struct op *op) {
    return loop_if(s, op, !get_zf(s));
}

const struct op *jcxz(struct soft *s, const struct op *op) {
    return s->r[R_CX] & op->mask ? next_op(s, op) : branch(s, op);
}

/* --- and to any other --- */

ALWAYS const struct op *jmp_e(struct soft *s, const struct op *op, unsigned size, struct e e) {
    return leave(s, op, target_of(s, read_e(s, op, size, e), size));
}
FAMILY_READS(jmp_e)

ALWAYS const struct op *call_e(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t target = target_of(s, get_e(s, op, size, e.place == SLOW && op->memory), size);
    push_to(s, size, e, after(s, op));
    return leave(s, op, target);
}
FAMILY_STACK(call_e, find_to_push)

/* With or without an immediate to release. */
ALWAYS const struct op *ret(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t target = top_of_stack(s, size, e);
    const struct op *to = e.place == SLOW ? NULL : enter_at(s, op, target);
    if (UNLIKELY(!to))
        target = target_of(s, target, size);
    move_sp(s, size, e, size + (op->imm & 0xFFFF));
    return LIKELY(to) ? hand_on(s, to) : leave(s, op, target);
}
FAMILY_STACK(ret, find_to_pop)

/* --- raising --- */

const struct op *bound(struct soft *s, const struct op *op) {
    unsigned size = op->size;
    uint64_t at = address(s, op);
    int64_t low = (int64_t)extend(load(s, op->seg, at, size), size);
    int64_t high = (int64_t)extend(load(s, op->seg, (at + size) & op->mask, size), size);
    int64_t index = (int64_t)extend(get_reg(s, op->reg, size), size);
    if (index < low || index > high)
        raise_plain(s, VECTOR_BR);
    return op + 1;
}

const struct op *undefined(struct soft *s, const struct op *op) {
    (void)op;
    raise_plain(s, VECTOR_UD);
}

/* What could not be decoded because it is longer than 15 bytes or runs over
 * CS's limit. */
const struct op *too_long(struct soft *s, const struct op *op) {
    (void)op;
    raise_gp0(s);
}
