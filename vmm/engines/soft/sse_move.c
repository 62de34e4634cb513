/* MMX and SSE: moves. Those that bypass the caches are like the others here. */
#include "vmm/engines/soft/sse.h"

#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/sse_handlers.h"

/* --- whole registers --- */

NOINLINE const struct op *load_carefully(struct soft *s, const struct op *op, enum alignment a) {
    need_sse(s);
    *v_of(s, op) = get_w(s, op, 16, a);
    return op + 1;
}

ALWAYS const struct op *load_whole(struct soft *s, const struct op *op, enum place place,
                                   enum alignment a) {
    const void *w = w_within_reach(s, op, place, 16, a);
    if (UNLIKELY(!w || !s->sse_ready))
        return load_carefully(s, op, a);
    *v_of(s, op) = fetch_w(w, 16);
    return next_op(s, op);
}

NOINLINE const struct op *store_carefully(struct soft *s, const struct op *op, enum alignment a) {
    need_sse(s);
    if (op->memory)
        store_vector(s, op, *v_of(s, op), a);
    else
        s->fpu.xmm[op->rm].v = *v_of(s, op);
    return op + 1;
}

ALWAYS const struct op *store_whole(struct soft *s, const struct op *op, enum place place,
                                    enum alignment a) {
    void *w = place == REGISTER ? &s->fpu.xmm[op->rm] : find_to_write(s, op, 16, place);
    if (UNLIKELY(!w || !s->sse_ready || (a == ALIGNED && (uintptr_t)w & 15)))
        return store_carefully(s, op, a);
    memcpy(w, v_of(s, op), 16);
    return next_op(s, op);
}

HANDLERS(sse_movups, load_whole(s, op, place, UNALIGNED))
HANDLERS(sse_movups_store, store_whole(s, op, place, UNALIGNED))
HANDLERS(sse_movaps, load_whole(s, op, place, ALIGNED))
HANDLERS(sse_movaps_store, store_whole(s, op, place, ALIGNED))
HANDLERS(sse_movdqu, load_whole(s, op, place, UNALIGNED))
HANDLERS(sse_movdqu_store, store_whole(s, op, place, UNALIGNED))
HANDLERS(sse_movdqa, load_whole(s, op, place, ALIGNED))
HANDLERS(sse_movdqa_store, store_whole(s, op, place, ALIGNED))
HANDLERS(sse_lddqu, load_whole(s, op, place, UNALIGNED))
HANDLERS(sse_movntdqa, load_whole(s, op, place, ALIGNED))

/* --- the low part: a load from memory clears the rest, a move between registers does not --- */

NOINLINE const struct op *load_low_carefully(struct soft *s, const struct op *op, unsigned size) {
    need_sse(s);
    union xmm *v = &s->fpu.xmm[op->reg];
    if (op->memory)
        v->v = low_quadword(load(s, op->seg, address(s, op), size));
    else
        memcpy(v, &s->fpu.xmm[op->rm], size);
    return op + 1;
}

ALWAYS const struct op *load_low(struct soft *s, const struct op *op, enum place place,
                                 unsigned size) {
    const void *w = w_within_reach(s, op, place, size, UNALIGNED);
    if (UNLIKELY(!w || !s->sse_ready))
        return load_low_carefully(s, op, size);
    if (place == REGISTER)
        memcpy(v_of(s, op), w, size);
    else
        *v_of(s, op) = fetch_w(w, size);
    return next_op(s, op);
}

NOINLINE const struct op *store_low_carefully(struct soft *s, const struct op *op, unsigned size) {
    need_sse(s);
    const union xmm *v = &s->fpu.xmm[op->reg];
    if (op->memory)
        store(s, op->seg, address(s, op), size, fetch_host(v, size));
    else
        memcpy(&s->fpu.xmm[op->rm], v, size);
    return op + 1;
}

ALWAYS const struct op *store_low(struct soft *s, const struct op *op, enum place place,
                                  unsigned size) {
    void *w = place == REGISTER ? &s->fpu.xmm[op->rm] : find_to_write(s, op, size, place);
    if (UNLIKELY(!w || !s->sse_ready))
        return store_low_carefully(s, op, size);
    memcpy(w, v_of(s, op), size);
    return next_op(s, op);
}

HANDLERS(sse_movss, load_low(s, op, place, 4))
HANDLERS(sse_movss_store, store_low(s, op, place, 4))
HANDLERS(sse_movsd, load_low(s, op, place, 8))
HANDLERS(sse_movsd_store, store_low(s, op, place, 8))

NOINLINE const struct op *load_quadword_carefully(struct soft *s, const struct op *op) {
    need_sse(s);
    *v_of(s, op) = low_quadword(quadword_of(get_w(s, op, 8, UNALIGNED)));
    return op + 1;
}

/* MOVQ between registers clears the upper half, too. */
ALWAYS const struct op *load_quadword(struct soft *s, const struct op *op, enum place place) {
    const void *w = w_within_reach(s, op, place, 8, UNALIGNED);
    if (UNLIKELY(!w || !s->sse_ready))
        return load_quadword_carefully(s, op);
    *v_of(s, op) = fetch_w(w, 8);
    return next_op(s, op);
}
HANDLERS(sse_movq, load_quadword(s, op, place))

ALWAYS const struct op *store_quadword(struct soft *s, const struct op *op, enum place place) {
    if (place != REGISTER)
        return store_low(s, op, place, 8);
    need_sse(s);
    s->fpu.xmm[op->rm].v = low_quadword(quadword_of(*v_of(s, op)));
    return op + 1;
}
HANDLERS(sse_movq_store, store_quadword(s, op, place))

/* --- halves, 0 or 1: the other one stays --- */

/* Between registers MOVHLPS takes the upper half, MOVLHPS the lower. */
ALWAYS const struct op *load_half(struct soft *s, const struct op *op,
                                  unsigned half) {
    need_sse(s);
    uint64_t q = op->memory ? load(s, op->seg, address(s, op), 8)
                            : s->fpu.xmm[op->rm].q[1 - half];
    s->fpu.xmm[op->reg].q[half] = q;
    return op + 1;
}

ALWAYS const struct op *store_half(struct soft *s, const struct op *op,
                                   unsigned half) {
    need_sse(s);
    store(s, op->seg, address(s, op), 8, s->fpu.xmm[op->reg].q[half]);
    return op + 1;
}

HANDLER(sse_movlps, load_half(s, op, 0))
HANDLER(sse_movhps, load_half(s, op, 1))
HANDLER(sse_movlpd, load_half(s, op, 0))
HANDLER(sse_movhpd, load_half(s, op, 1))
HANDLER(sse_movlps_store, store_half(s, op, 0))
HANDLER(sse_movhps_store, store_half(s, op, 1))
HANDLER(sse_movlpd_store, store_half(s, op, 0))
HANDLER(sse_movhpd_store, store_half(s, op, 1))

PLAIN(movsldup, 16)
PLAIN(movshdup, 16)
PLAIN(movddup, 8)

/* --- from and to general registers: MOVD, and MOVQ with REX.W --- */

const struct op *sse_movd(struct soft *s, const struct op *op) {
    need_sse(s);
    *v_of(s, op) = low_quadword(get_e(s, op, op->size, op->memory));
    return next_op_after_e(s, op);
}

const struct op *sse_movd_store(struct soft *s, const struct op *op) {
    need_sse(s);
    put_e(s, op, op->size, op->memory, quadword_of(*v_of(s, op)));
    return next_op_after_e(s, op);
}

const struct op *mmx_movd(struct soft *s, const struct op *op) {
    need_mmx(s);
    uint64_t e = get_e(s, op, op->size, op->memory);
    begin_mmx(s);
    set_mm(s, op->reg, e);
    return op + 1;
}

const struct op *mmx_movd_store(struct soft *s, const struct op *op) {
    need_mmx(s);
    put_e(s, op, op->size, op->memory, get_mm(s, op->reg));
    begin_mmx(s);
    return op + 1;
}

const struct op *sse_movnti(struct soft *s, const struct op *op) {
    store(s, op->seg, address(s, op), op->wide, get_reg(s, op->reg, op->wide));
    return op + 1;
}

/* --- MMX registers --- */

NOINLINE const struct op *mmx_load_carefully(struct soft *s, const struct op *op) {
    need_mmx(s);
    uint64_t q = get_q(s, op, 8);
    begin_mmx(s);
    set_mm(s, op->reg, q);
    return op + 1;
}

ALWAYS const struct op *mmx_load(struct soft *s, const struct op *op, enum place place) {
    const void *q = q_within_reach(s, op, place, 8);
    if (UNLIKELY(!q || !s->mmx_ready))
        return mmx_load_carefully(s, op);
    set_mm(s, op->reg, fetch_host(q, 8));
    return next_op(s, op);
}
HANDLERS(mmx_movq, mmx_load(s, op, place))

NOINLINE const struct op *mmx_store_carefully(struct soft *s, const struct op *op) {
    need_mmx(s);
    uint64_t q = get_mm(s, op->reg);
    if (op->memory)
        store(s, op->seg, address(s, op), 8, q);
    begin_mmx(s);
    if (!op->memory)
        set_mm(s, op->rm, q);
    return op + 1;
}

ALWAYS const struct op *mmx_store(struct soft *s, const struct op *op, enum place place) {
    void *q = place == REGISTER ? ready_mm(s, op->rm) : find_to_write(s, op, 8, place);
    if (UNLIKELY(!q || !s->mmx_ready))
        return mmx_store_carefully(s, op);
    if (place == REGISTER)
        set_mm(s, op->rm, *ready_mm(s, op->reg));
    else
        store_host(q, 8, *ready_mm(s, op->reg));
    return next_op(s, op);
}
HANDLERS(mmx_movq_store, mmx_store(s, op, place))
HANDLERS(mmx_movntq, mmx_store(s, op, place))

const struct op *sse_movq2dq(struct soft *s, const struct op *op) {
    need_sse(s);
    need_mmx(s);
    begin_mmx(s);
    *v_of(s, op) = low_quadword(get_mm(s, op->rm));
    return op + 1;
}

const struct op *sse_movdq2q(struct soft *s, const struct op *op) {
    need_sse(s);
    need_mmx(s);
    begin_mmx(s);
    set_mm(s, op->reg, s->fpu.xmm[op->rm].q[0]);
    return op + 1;
}

const struct op *emms(struct soft *s, const struct op *op) {
    need_mmx(s);
    begin_mmx(s);
    s->fpu.ftw = 0;
    s->mmx_ready = false;
    return op + 1;
}

/* --- MASKMOVQ, MASKMOVDQU: bytes whose mask has its sign, to DS:rDI --- */

/* Nothing is written, and nothing faults, where the mask is 0; all of it is checked first. */
static void store_masked(struct soft *s, const struct op *op, const union xmm *v,
                         const union xmm *mask, unsigned size) {
    uint64_t at = s->r[R_DI] & op->mask;
    for (unsigned n = 0; n < size; n++)
        if (mask->b[n] & 0x80)
            check_write(s, op->seg, (at + n) & op->mask, 1);
    for (unsigned n = 0; n < size; n++)
        if (mask->b[n] & 0x80)
            store(s, op->seg, (at + n) & op->mask, 1, v->b[n]);
}

const struct op *sse_maskmovdqu(struct soft *s, const struct op *op) {
    need_sse(s);
    store_masked(s, op, &s->fpu.xmm[op->reg], &s->fpu.xmm[op->rm], 16);
    return op + 1;
}

const struct op *mmx_maskmovq(struct soft *s, const struct op *op) {
    need_mmx(s);
    const union xmm v = {.q = {get_mm(s, op->reg)}}, mask = {.q = {get_mm(s, op->rm)}};
    store_masked(s, op, &v, &mask, 8);
    begin_mmx(s);
    return op + 1;
}

/* --- group 15: hints about order and caches, of which there is nothing to see here --- */

const struct op *fence(struct soft *s, const struct op *op) {
    (void)s;
    return op + 1;
}

/* CLFLUSH reads its operand as a byte, for its faults. */
const struct op *clflush(struct soft *s, const struct op *op) {
    load(s, op->seg, address(s, op), 1);
    return op + 1;
}
