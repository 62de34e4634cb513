/* Near transfers of control: Jcc, JMP, CALL, RET, LOOP, JCXZ, BOUND, INTO, and
 * the instructions that only raise something.
 *
 * Rule: the target is held against CS's limit before anything is changed.
 */
#include "vmm/engines/soft/family.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/mode.h"

ALWAYS uint64_t target_of(struct soft *s, uint64_t target, unsigned size) {
    target &= mask_of(size);
    if (UNLIKELY(!ip_exists(s, target)))
        raise_gp0(s);
    return target;
}

ALWAYS const struct op *branch(struct soft *s, const struct op *op, unsigned size) {
    return leave(s, op, target_of(s, after(s, op) + (uint64_t)op->imm, size));
}

#define JCC(cc)                                                                                    \
    ALWAYS const struct op *jcc_##cc(struct soft *s, const struct op *op, unsigned size,           \
                                     struct e e) {                                                \
        (void)e;                                                                              \
        return condition(s, 0x##cc) ? branch(s, op, size) : next_op(s, op);                 \
    }                                                                                              \
    FAMILY_WIDE(jcc_##cc)
JCC(0) JCC(1) JCC(2) JCC(3) JCC(4) JCC(5) JCC(6) JCC(7)
JCC(8) JCC(9) JCC(a) JCC(b) JCC(c) JCC(d) JCC(e) JCC(f)

ALWAYS const struct op *jmp(struct soft *s, const struct op *op, unsigned size, struct e e) {
    (void)e;
    return branch(s, op, size);
}
FAMILY_WIDE(jmp)

ALWAYS const struct op *jmp_e(struct soft *s, const struct op *op, unsigned size, struct e e) {
    return leave(s, op, target_of(s, read_e(s, op, size, e), size));
}
FAMILY_READS(jmp_e)

ALWAYS const struct op *call(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t target = target_of(s, after(s, op) + (uint64_t)op->imm, size);
    push_to(s, size, e, after(s, op));
    return leave(s, op, target);
}
FAMILY_STACK(call, find_to_push)

ALWAYS const struct op *call_e(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t target = target_of(s, get_e(s, op, size, e.place == SLOW && op->memory), size);
    push_to(s, size, e, after(s, op));
    return leave(s, op, target);
}
FAMILY_STACK(call_e, find_to_push)

/* With or without an immediate to release. */
ALWAYS const struct op *ret(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t target = target_of(s, top_of_stack(s, size, e), size);
    move_sp(s, e, size + (op->imm & 0xFFFF));
    return leave(s, op, target);
}
FAMILY_STACK(ret, find_to_pop)

/* --- counted by CX, ECX or RCX, as the address size says --- */

ALWAYS const struct op *loop_if(struct soft *s, const struct op *op, unsigned size, bool also) {
    uint64_t left = (s->r[R_CX] - 1) & op->mask, target = 0;
    if (left && also)
        target = target_of(s, after(s, op) + (uint64_t)op->imm, size);
    set_counter(s, op, R_CX, left);
    return left && also ? leave(s, op, target) : next_op(s, op);
}

#define LOOP(name, also)                                                                           \
    ALWAYS const struct op *name(struct soft *s, const struct op *op, unsigned size,               \
                                 struct e e) {                                                    \
        (void)e;                                                                              \
        return loop_if(s, op, size, also);                                                         \
    }                                                                                              \
    FAMILY_WIDE(name)
LOOP(loop, true)
LOOP(loope, get_zf(s))
LOOP(loopne, !get_zf(s))

ALWAYS const struct op *jcxz(struct soft *s, const struct op *op, unsigned size, struct e e) {
    (void)e;
    return s->r[R_CX] & op->mask ? next_op(s, op) : branch(s, op, size);
}
FAMILY_WIDE(jcxz)

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
