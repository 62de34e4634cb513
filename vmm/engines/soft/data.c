/* Moving data: MOV, XCHG, LEA, the stack, segment registers, flags, and the
 * conversions.
 */
#include "vmm/engines/soft/branch.h"
#include "vmm/engines/soft/handlers.h"

ALWAYS const struct op *mov_eg(struct soft *s, const struct op *op, unsigned size, struct e e) {
    write_e(s, op, size, e, get_reg(s, op->reg, size));
    return done(s, op, e);
}
FAMILY_WRITES(mov_eg)

ALWAYS const struct op *mov_ge(struct soft *s, const struct op *op, unsigned size, struct e e) {
    set_reg(s, op->reg, size, read_e(s, op, size, e));
    return done(s, op, e);
}
FAMILY_READS(mov_ge)

ALWAYS const struct op *mov_ei(struct soft *s, const struct op *op, unsigned size, struct e e) {
    write_e(s, op, size, e, (uint64_t)op->imm);
    return done(s, op, e);
}
FAMILY_WRITES(mov_ei)

/* MOVZX, MOVSX: size is the source's, wide the destination's. */
ALWAYS const struct op *movzx(struct soft *s, const struct op *op, unsigned size, struct e e) {
    set_wide_reg(s, op->reg, op->wide, read_e(s, op, size, e));
    return done(s, op, e);
}
FAMILY_READS(movzx)

ALWAYS const struct op *movsx(struct soft *s, const struct op *op, unsigned size, struct e e) {
    set_wide_reg(s, op->reg, op->wide, extend(read_e(s, op, size, e), size));
    return done(s, op, e);
}
FAMILY_READS(movsx)

ALWAYS const struct op *xchg(struct soft *s, const struct op *op, unsigned size, struct e e) {
    uint64_t a = read_e(s, op, size, e);
    write_e(s, op, size, e, get_reg(s, op->reg, size));
    set_reg(s, op->reg, size, a);
    return done(s, op, e);
}
FAMILY_WRITES(xchg)

/* With AX itself it is NOP, which leaves the upper half of RAX alone. */
ALWAYS const struct op *xchg_ax(struct soft *s, const struct op *op, unsigned size, struct e e) {
    return op->rm == REG(R_AX) ? done(s, op, e) : xchg(s, op, size, e);
}
FAMILY_WIDE(xchg_ax)

ALWAYS const struct op *lea(struct soft *s, const struct op *op, unsigned size, struct e e) {
    set_reg(s, op->reg, size, address_in(s, op, e.place));
    return done(s, op, e);
}
FAMILY_ADDRESS(lea)

const struct op *xlat(struct soft *s, const struct op *op) {
    uint64_t at = (s->r[R_BX] + (uint8_t)s->r[R_AX]) & op->mask;
    set_reg(s, REG(R_AX), 1, load(s, op->seg, at, 1));
    return op + 1;
}

static const struct op *cmov_from_memory(struct soft *s, const struct op *op, bool moves) {
    uint64_t e = get_e(s, op, op->size, true);
    set_reg(s, op->reg, op->size, moves ? e : get_reg(s, op->reg, op->size));
    return op + 1;
}

/* The source is read, and the destination written, whether or not the condition holds. */
ALWAYS const struct op *cmov(struct soft *s, const struct op *op, bool moves) {
    if (op->memory)
        return cmov_from_memory(s, op, moves);
    uint64_t old = get_reg(s, op->reg, 8), e = get_reg(s, op->rm, 8);
    set_wide_reg(s, op->reg, op->size, moves ? e : old);
    return next_op(s, op);
}

static const struct op *set_in_memory(struct soft *s, const struct op *op, bool is) {
    store(s, op->seg, address(s, op), 1, is);
    return op + 1;
}

ALWAYS const struct op *set(struct soft *s, const struct op *op, bool is) {
    if (op->memory)
        return set_in_memory(s, op, is);
    set_reg(s, op->rm, 1, is);
    return next_op(s, op);
}

#define CONDITIONAL(name, all, cc)                                                                 \
    static const struct op *name##_##cc(struct soft *s, const struct op *op) {                     \
        return name(s, op, condition(s, 0x##cc));                                                  \
    }
#define CONDITIONAL_NAME(name, all, cc) name##_##cc,
SIXTEEN(CONDITIONAL, cmov, )
SIXTEEN(CONDITIONAL, set, )
op_fn *const cmovcc[16] = {SIXTEEN(CONDITIONAL_NAME, cmov, )};
op_fn *const setcc[16] = {SIXTEEN(CONDITIONAL_NAME, set, )};

const struct op *cbw(struct soft *s, const struct op *op) {
    set_reg(s, REG(R_AX), op->wide, extend(s->r[R_AX], op->wide / 2));
    return next_op(s, op);
}

const struct op *cwd(struct soft *s, const struct op *op) {
    set_reg(s, REG(R_DX), op->wide, extend(s->r[R_AX], op->wide) >> 63 ? ~0ull : 0);
    return next_op(s, op);
}

/* --- the stack --- */

ALWAYS const struct op *push_e(struct soft *s, const struct op *op, unsigned size, struct e e) {
    push_to(s, size, e, get_e(s, op, size, e.place == SLOW && op->memory));
    return done(s, op, e);
}
FAMILY_STACK(push_e, find_to_push)

ALWAYS const struct op *push_i(struct soft *s, const struct op *op, unsigned size, struct e e) {
    push_to(s, size, e, (uint64_t)op->imm);
    return done(s, op, e);
}
FAMILY_STACK(push_i, find_to_push)

/* An address that uses ESP sees it after the pop (Vol. 2B, POP). */
static const struct op *pop_to_memory(struct soft *s, const struct op *op) {
    uint64_t value = peek(s, op->size, 0), old = s->r[R_SP];
    set_sp(s, sp_plus(s, op->size));
    uint64_t after_pop = s->r[R_SP], at = address(s, op);
    s->r[R_SP] = old;
    store(s, op->seg, at, op->size, value);
    s->r[R_SP] = after_pop;
    return op + 1;
}

ALWAYS const struct op *pop_e(struct soft *s, const struct op *op, unsigned size, struct e e) {
    if (e.place == SLOW && op->memory)
        return pop_to_memory(s, op);
    uint64_t value = top_of_stack(s, size, e);
    move_sp(s, size, e, size);
    set_reg(s, op->rm, size, value);
    return done(s, op, e);
}
FAMILY_STACK(pop_e, find_to_pop)

/* In real and virtual-8086 mode SP = 7, 9 … 15 is #GP (Vol. 2B, PUSHA); a stack that ends
 * otherwise is #SS there too. */
const struct op *pusha(struct soft *s, const struct op *op) {
    unsigned size = op->wide;
    uint64_t sp = sp_plus(s, 0);
    if (!s->protected && sp & 1 && sp >= 7 && sp <= 15)
        raise_gp0(s);
    for (unsigned n = 1; n <= 8; n++)
        check_write(s, S_SS, sp_plus(s, -(int64_t)(n * size)), size);
    for (unsigned n = 0; n < 8; n++)
        store(s, S_SS, sp_plus(s, -(int64_t)((n + 1) * size)), size, s->r[n]);
    set_sp(s, sp_plus(s, -(int64_t)(8 * size)));
    return op + 1;
}

const struct op *popa(struct soft *s, const struct op *op) {
    unsigned size = op->wide;
    uint64_t value[8];
    for (unsigned n = 8; n--;) /* from the top of the stack: it tells which page is missing */
        value[n] = peek(s, size, (7 - n) * size);
    for (unsigned n = 0; n < 8; n++)
        if (n != R_SP)
            set_reg(s, REG(n), size, value[n]);
    set_sp(s, sp_plus(s, 8 * size));
    return op + 1;
}

/* One run over ENTER's stack accesses: `real` does them, else they are only
 * checked. Returns where SP and BP point after the pushes. */
static uint64_t enter_frame(struct soft *s, unsigned size, unsigned level, bool real) {
    uint64_t bp = s->r[R_BP], sp = s->r[R_SP], frame = 0;
    for (unsigned n = 0; n <= level; n++) {
        uint64_t value = s->r[R_BP];
        if (n && n < level) {
            bp -= size;
            value = load(s, S_SS, bp & s->stack_mask, size);
        } else if (n) {
            value = frame;
        }
        sp -= size;
        if (!n)
            frame = (s->r[R_SP] & ~s->stack_mask) | (sp & s->stack_mask);
        if (real)
            store(s, S_SS, sp & s->stack_mask, size, value);
        else
            check_write(s, S_SS, sp & s->stack_mask, size);
    }
    return frame;
}

const struct op *enter(struct soft *s, const struct op *op) {
    unsigned size = op->wide, level = op->imm >> 16 & 31, room = op->imm & 0xFFFF;
    uint64_t end = (s->r[R_SP] - (level + 1) * size - room) & s->stack_mask;
    enter_frame(s, size, level, false);
    check_write(s, S_SS, end, 1);
    uint64_t frame = enter_frame(s, size, level, true);
    set_reg(s, REG(R_BP), size, frame);
    set_sp(s, end);
    return op + 1;
}

/* In real and virtual-8086 mode a BP at the edge of the 64 KiB is #GP, not #SS (Vol. 2A,
 * LEAVE). */
const struct op *leave_frame(struct soft *s, const struct op *op) {
    uint64_t bp = s->r[R_BP] & s->stack_mask;
    if (!s->protected && bp + op->wide > 0x10000)
        raise_gp0(s);
    uint64_t value = load(s, S_SS, bp, op->wide);
    set_sp(s, bp + op->wide);
    set_reg(s, REG(R_BP), op->wide, value);
    return op + 1;
}

/* --- segment registers --- */

static void shadow_after_ss(struct soft *s, unsigned seg) {
    if (seg == S_SS) {
        s->shadow_ss = true;
        pend(s, PENDING_CHECK);
    }
}

/* To memory always 16 bits, to a register zero-extended. */
const struct op *mov_es(struct soft *s, const struct op *op) {
    put_e(s, op, op->memory ? 2 : op->wide, op->memory, s->seg[op->reg].k.selector);
    return op + 1;
}

const struct op *mov_se(struct soft *s, const struct op *op) {
    segment_load(s, op->reg, (uint16_t)get_e(s, op, 2, op->memory));
    shadow_after_ss(s, op->reg);
    return op + 1;
}

const struct op *push_s(struct soft *s, const struct op *op) {
    push(s, op->wide, s->seg[op->reg].k.selector);
    return op + 1;
}

/* SP moves with the width of the old stack: both are changed after all checks. */
const struct op *pop_s(struct soft *s, const struct op *op) {
    uint64_t sp = sp_plus(s, op->wide), mask = s->stack_mask;
    segment_load(s, op->reg, (uint16_t)peek(s, 2, 0));
    s->r[R_SP] = (s->r[R_SP] & ~mask) | sp;
    shadow_after_ss(s, op->reg);
    return op + 1;
}

/* LES, LDS, LSS, LFS, LGS; op->imm is the segment register. */
static const struct op *load_far(struct soft *s, const struct op *op, unsigned seg) {
    unsigned size = far_offset_size(s, op);
    uint64_t at = address(s, op), offset = load(s, op->seg, at, size);
    uint64_t selector = load(s, op->seg, (at + size) & op->mask, 2);
    segment_load(s, seg, (uint16_t)selector);
    set_reg(s, op->reg, op->size, offset);
    return op + 1;
}

const struct op *les(struct soft *s, const struct op *op) {
    return load_far(s, op, S_ES);
}
const struct op *lds(struct soft *s, const struct op *op) {
    return load_far(s, op, S_DS);
}
const struct op *lss(struct soft *s, const struct op *op) {
    return load_far(s, op, S_SS);
}
const struct op *lfs(struct soft *s, const struct op *op) {
    return load_far(s, op, S_FS);
}
const struct op *lgs(struct soft *s, const struct op *op) {
    return load_far(s, op, S_GS);
}

/* --- flags --- */

uint32_t flags_get(const struct soft *s) {
    return s->flags | 2 | (get_cf(s) ? FLAG_CF : 0) | (get_pf(s) ? FLAG_PF : 0) |
           (get_af(s) ? FLAG_AF : 0) | (get_zf(s) ? FLAG_ZF : 0) | (get_sf(s) ? FLAG_SF : 0) |
           (get_of(s) ? FLAG_OF : 0);
}

void flags_set(struct soft *s, uint32_t flags) {
    s->flags = flags & ~(uint32_t)(FLAGS_ALU | 2);
    set_carries(s, flags & FLAG_CF, flags & FLAG_OF, flags & FLAG_AF);
    set_zf_sf_pf(s, flags & FLAG_ZF, flags & FLAG_SF, flags & FLAG_PF);
}

/* In virtual-8086 mode PUSHF and POPF need IOPL 3 (20.2.7). */
static void need_iopl3_in_vm86(struct soft *s) {
    if (vm86(s) && iopl(s) < 3)
        raise_gp0(s);
}

const struct op *pushf(struct soft *s, const struct op *op) {
    need_iopl3_in_vm86(s);
    push(s, op->wide, flags_get(s) & ~(uint32_t)(FLAG_VM | FLAG_RF));
    return op + 1;
}

/* Which flags POPF and IRET may change at this privilege (Vol. 2B, POPF). */
uint32_t flags_allowed(const struct soft *s, unsigned size) {
    uint32_t mask = FLAGS_ALU | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_AC | FLAG_ID;
    if (s->cpl == 0)
        mask |= FLAG_IOPL;
    if (s->cpl <= iopl(s))
        mask |= FLAG_IF;
    return size == 2 ? mask & 0xFFFF : mask;
}

const struct op *popf(struct soft *s, const struct op *op) {
    need_iopl3_in_vm86(s);
    uint32_t mask = flags_allowed(s, op->wide), old = flags_get(s);
    uint32_t value = (uint32_t)pop(s, op->wide);
    flags_set(s, (old & ~(mask | FLAG_RF)) | (value & mask));
    flags_changed(s);
    return op + 1;
}

const struct op *lahf(struct soft *s, const struct op *op) {
    set_reg(s, REG(R_AX) + 1, 1, flags_get(s));
    return next_op(s, op);
}

const struct op *sahf(struct soft *s, const struct op *op) {
    uint32_t mask = FLAG_SF | FLAG_ZF | FLAG_AF | FLAG_PF | FLAG_CF;
    flags_set(s, (flags_get(s) & ~mask) | (get_reg(s, REG(R_AX) + 1, 1) & mask));
    return next_op(s, op);
}

const struct op *cmc(struct soft *s, const struct op *op) {
    set_cf(s, !get_cf(s));
    return next_op(s, op);
}
const struct op *clc(struct soft *s, const struct op *op) {
    set_cf(s, false);
    return next_op(s, op);
}
const struct op *stc(struct soft *s, const struct op *op) {
    set_cf(s, true);
    return next_op(s, op);
}
const struct op *cld(struct soft *s, const struct op *op) {
    s->flags &= ~(uint32_t)FLAG_DF;
    return next_op(s, op);
}
const struct op *std_(struct soft *s, const struct op *op) {
    s->flags |= FLAG_DF;
    return next_op(s, op);
}
const struct op *salc(struct soft *s, const struct op *op) {
    set_reg(s, REG(R_AX), 1, get_cf(s) ? 0xFF : 0);
    return next_op(s, op);
}

const struct op *nop(struct soft *s, const struct op *op) {
    (void)s;
    return next_op(s, op);
}
