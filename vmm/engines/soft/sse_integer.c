/* MMX and SSE on integers: arithmetic, comparison, packing, shifting (Vol. 1 chapters 9, 11). */
#include "vmm/engines/soft/sse.h"

#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/sse_handlers.h"
#include "vmm/engines/soft/sse_immediate.h"

BOTH(paddb, 8)
BOTH(paddw, 8)
BOTH(paddd, 8)
BOTH(paddq, 8)
BOTH(paddsb, 8)
BOTH(paddsw, 8)
BOTH(paddusb, 8)
BOTH(paddusw, 8)
BOTH(psubb, 8)
BOTH(psubw, 8)
BOTH(psubd, 8)
BOTH(psubq, 8)
BOTH(psubsb, 8)
BOTH(psubsw, 8)
BOTH(psubusb, 8)
BOTH(psubusw, 8)
BOTH(pmullw, 8)
BOTH(pmulhw, 8)
BOTH(pmulhuw, 8)
BOTH(pmuludq, 8)
BOTH(pmaddwd, 8)
BOTH(psadbw, 8)
BOTH(pavgb, 8)
BOTH(pavgw, 8)
BOTH(pminub, 8)
BOTH(pmaxub, 8)
BOTH(pminsw, 8)
BOTH(pmaxsw, 8)
BOTH(pcmpeqb, 8)
BOTH(pcmpeqw, 8)
BOTH(pcmpeqd, 8)
BOTH(pcmpgtb, 8)
BOTH(pcmpgtw, 8)
BOTH(pcmpgtd, 8)
BOTH(pand, 8)
BOTH(pandn, 8)
BOTH(por, 8)
BOTH(pxor, 8)

/* --- packing: the MMX one takes four and four where the XMM one takes eight and eight --- */
BOTH_BY(packsswb, "punpcklqdq %1, %0\n\tpacksswb %0, %0")
BOTH_BY(packssdw, "punpcklqdq %1, %0\n\tpackssdw %0, %0")
BOTH_BY(packuswb, "punpcklqdq %1, %0\n\tpackuswb %0, %0")
BOTH(punpcklbw, 4)
BOTH(punpcklwd, 4)
BOTH(punpckldq, 4)
BOTH_BY(punpckhbw, "punpcklbw %1, %0\n\tpsrldq $8, %0")
BOTH_BY(punpckhwd, "punpcklwd %1, %0\n\tpsrldq $8, %0")
BOTH_BY(punpckhdq, "punpckldq %1, %0\n\tpsrldq $8, %0")
PLAIN(punpcklqdq, 16)
PLAIN(punpckhqdq, 16)
PLAIN(unpcklps, 16)
PLAIN(unpckhps, 16)
PLAIN(unpcklpd, 16)
PLAIN(unpckhpd, 16)

/* --- shifts, by a register or memory and by an immediate, whose register is in ModRM's rm --- */

NOINLINE const struct op *sse_shift_carefully(struct soft *s, const struct op *op, plain_fn *run) {
    need_sse(s);
    vector *w = &s->fpu.xmm[op->rm].v;
    *w = run(*w, low_quadword((uint8_t)op->imm));
    return op + 1;
}

ALWAYS const struct op *sse_shift(struct soft *s, const struct op *op, plain_fn *run) {
    if (UNLIKELY(!s->sse_ready))
        return sse_shift_carefully(s, op, run);
    vector *w = &s->fpu.xmm[op->rm].v;
    *w = run(*w, low_quadword((uint8_t)op->imm));
    return next_op(s, op);
}

NOINLINE const struct op *mmx_shift_carefully(struct soft *s, const struct op *op, plain_fn *run) {
    need_mmx(s);
    begin_mmx(s);
    vector q = run(low_quadword(get_mm(s, op->rm)), low_quadword((uint8_t)op->imm));
    set_mm(s, op->rm, quadword_of(q));
    return op + 1;
}

ALWAYS const struct op *mmx_shift(struct soft *s, const struct op *op, plain_fn *run) {
    if (UNLIKELY(!s->mmx_ready))
        return mmx_shift_carefully(s, op, run);
    vector q = run(low_quadword(*ready_mm(s, op->rm)), low_quadword((uint8_t)op->imm));
    set_mm(s, op->rm, quadword_of(q));
    return next_op(s, op);
}

#define SHIFT(name)                                                                                \
    BOTH(name, 8)                                                                                  \
    HANDLER(sse_##name##_i, sse_shift(s, op, do_##name))                                    \
    HANDLER(mmx_##name##_i, mmx_shift(s, op, do_##name))

SHIFT(psllw)
SHIFT(pslld)
SHIFT(psllq)
SHIFT(psrlw)
SHIFT(psrld)
SHIFT(psrlq)
SHIFT(psraw)
SHIFT(psrad)

/* By bytes. */
#define SHIFT_BYTES(name)                                                                          \
    IMMEDIATES(name, "%xmm0")                                                                      \
    HANDLER(sse_##name##_i, sse_shift(s, op, with_immediate(with_##name, op)))

SHIFT_BYTES(pslldq)
SHIFT_BYTES(psrldq)

/* --- shuffles --- */
PLAIN_IMMEDIATE(pshufd, 16)
PLAIN_IMMEDIATE(pshufhw, 16)
PLAIN_IMMEDIATE(pshuflw, 16)
PLAIN_IMMEDIATE(shufps, 16)
PLAIN_IMMEDIATE(shufpd, 16)

/* As PSHUFLW. */
const struct op *mmx_pshufw(struct soft *s, const struct op *op) {
    need_mmx(s);
    vector q = low_quadword(get_q(s, op, 8));
    begin_mmx(s);
    set_mm(s, op->reg, quadword_of(with_immediate(with_pshuflw, op)(q, q)));
    return op + 1;
}

/* --- one word --- */

static uint64_t word_of_e(struct soft *s, const struct op *op) {
    return op->memory ? load(s, op->seg, address(s, op), 2) : get_reg(s, op->rm, 2);
}

const struct op *sse_pinsrw(struct soft *s, const struct op *op) {
    need_sse(s);
    uint64_t word = word_of_e(s, op);
    s->fpu.xmm[op->reg].w[op->imm & 7] = (uint16_t)word;
    return next_op_after_e(s, op);
}

const struct op *mmx_pinsrw(struct soft *s, const struct op *op) {
    need_mmx(s);
    uint64_t word = word_of_e(s, op), mask = 0xFFFF;
    unsigned shift = (op->imm & 3) * 16;
    begin_mmx(s);
    set_mm(s, op->reg, (get_mm(s, op->reg) & ~(mask << shift)) | word << shift);
    return op + 1;
}

const struct op *sse_pextrw(struct soft *s, const struct op *op) {
    need_sse(s);
    set_reg(s, op->reg, 4, s->fpu.xmm[op->rm].w[op->imm & 7]);
    return next_op_after_e(s, op);
}

const struct op *mmx_pextrw(struct soft *s, const struct op *op) {
    need_mmx(s);
    begin_mmx(s);
    set_reg(s, op->reg, 4, get_mm(s, op->rm) >> 16 * (op->imm & 3) & 0xFFFF);
    return op + 1;
}

/* --- signs to a general register --- */

#define SIGNS(name)                                                                                \
    ALWAYS uint32_t do_##name(vector w) {                                                          \
        uint32_t bits;                                                                             \
        __asm__(#name " %1, %0" : "=r"(bits) : "x"(w));                                            \
        return bits;                                                                               \
    }
typedef uint32_t signs_fn(vector);

ALWAYS const struct op *sse_signs(struct soft *s, const struct op *op,
                                  signs_fn *run) {
    need_sse(s);
    set_reg(s, op->reg, 4, run(s->fpu.xmm[op->rm].v));
    return next_op_after_e(s, op);
}

SIGNS(pmovmskb)
SIGNS(movmskps)
SIGNS(movmskpd)
HANDLER(sse_pmovmskb, sse_signs(s, op, do_pmovmskb))
HANDLER(sse_movmskps, sse_signs(s, op, do_movmskps))
HANDLER(sse_movmskpd, sse_signs(s, op, do_movmskpd))

const struct op *mmx_pmovmskb(struct soft *s, const struct op *op) {
    need_mmx(s);
    begin_mmx(s);
    set_reg(s, op->reg, 4, do_pmovmskb(low_quadword(get_mm(s, op->rm))));
    return op + 1;
}
