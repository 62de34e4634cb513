/* Near transfers of control: Jcc, JMP, CALL, RET, LOOP, JCXZ, BOUND, INTO, and
 * the instructions that only raise something.
 *
 * Rule: the target is held against CS's limit before anything is changed.
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/mode.h"

ALWAYS uint64_t target_of(struct soft *s, const struct op *op, uint64_t target) {
    target &= op->wide == 2 ? 0xFFFF : 0xFFFFFFFF;
    if (UNLIKELY(target > s->seg[S_CS].k.limit))
        raise_gp0(s);
    return target;
}

ALWAYS const struct op *branch(struct soft *s, const struct op *op) {
    return leave(s, op, target_of(s, op, after(s, op) + (uint64_t)op->imm));
}

#define JCC(cc)                                                                                    \
    static const struct op *jcc_##cc(struct soft *s, const struct op *op) {                        \
        return condition(s, 0x##cc) ? branch(s, op) : op + 1;                                      \
    }
JCC(0) JCC(1) JCC(2) JCC(3) JCC(4) JCC(5) JCC(6) JCC(7)
JCC(8) JCC(9) JCC(a) JCC(b) JCC(c) JCC(d) JCC(e) JCC(f)

op_fn *const jcc[16] = {jcc_0, jcc_1, jcc_2, jcc_3, jcc_4, jcc_5, jcc_6, jcc_7,
                        jcc_8, jcc_9, jcc_a, jcc_b, jcc_c, jcc_d, jcc_e, jcc_f};

const struct op *jmp(struct soft *s, const struct op *op) {
    return branch(s, op);
}

const struct op *jmp_e(struct soft *s, const struct op *op) {
    return leave(s, op, target_of(s, op, get_e(s, op, op->wide, op->memory)));
}

const struct op *call(struct soft *s, const struct op *op) {
    uint64_t target = target_of(s, op, after(s, op) + (uint64_t)op->imm);
    push(s, op->wide, after(s, op));
    return leave(s, op, target);
}

const struct op *call_e(struct soft *s, const struct op *op) {
    uint64_t target = target_of(s, op, get_e(s, op, op->wide, op->memory));
    push(s, op->wide, after(s, op));
    return leave(s, op, target);
}

/* With or without an immediate to release. */
const struct op *ret(struct soft *s, const struct op *op) {
    uint64_t target = target_of(s, op, peek(s, op->wide, 0));
    set_sp(s, sp_plus(s, op->wide + (op->imm & 0xFFFF)));
    return leave(s, op, target);
}

/* --- counted by CX or ECX, as the address size says --- */

static uint64_t count_left(struct soft *s, const struct op *op) {
    return (s->r[R_CX] - 1) & op->mask;
}

static const struct op *loop_if(struct soft *s, const struct op *op, bool also) {
    uint64_t left = count_left(s, op), target = after(s, op);
    if (left && also)
        target = target_of(s, op, target + (uint64_t)op->imm);
    s->r[R_CX] = (s->r[R_CX] & ~(uint64_t)op->mask) | left;
    return left && also ? leave(s, op, target) : op + 1;
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
    return s->r[R_CX] & op->mask ? op + 1 : branch(s, op);
}

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

/* The instructions by which software finds out whether there is an x87: a part without
 * one does not fault on them (Intel AP-485), and what it stores is an open bus. */
static bool x87_asked_for(const struct op *op) {
    bool control = !op->memory && op->opcode == 0xDB && op->reg == 4; /* FNINIT, FNCLEX … */
    bool status_ax = !op->memory && op->opcode == 0xDF && op->reg == 4 && op->rm == REG(R_AX);
    bool stores = op->memory && op->reg == 7 && (op->opcode == 0xD9 || op->opcode == 0xDD);
    return (control && op->rm <= REG(4)) || status_ax || stores; /* FNSTSW, FNSTCW */
}

/* x87 without an x87, as CPUID says: #NM if the system emulates it (2.5, CR0.EM and TS). */
const struct op *x87(struct soft *s, const struct op *op) {
    if (s->cr0 & (CR0_EM | CR0_TS))
        raise_plain(s, VECTOR_NM);
    if (!x87_asked_for(op) && s->cpu->had_fpu)
        leave_with(s, CPU_EXIT_CANNOT, "the guest uses the FPU, which the built-in CPU does not have; "
                                       "KVM, where it began, has one");
    if (!x87_asked_for(op))
        raise_plain(s, VECTOR_UD);
    if (op->memory)
        store(s, op->seg, address(s, op), 2, 0xFFFF);
    else if (op->opcode == 0xDF)
        set_reg(s, REG(R_AX), 2, 0xFFFF);
    return op + 1;
}

const struct op *fwait(struct soft *s, const struct op *op) {
    if ((s->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
        raise_plain(s, VECTOR_NM);
    return op + 1;
}
