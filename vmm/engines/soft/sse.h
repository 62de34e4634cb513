/* MMX and SSE: what their instructions have in common.
 *
 * An instruction is one line: its name and its kind. The macros below make functions of it:
 * do_NAME(), which is the host's instruction on two values, and the handlers in sse_NAME[], one
 * for each place of the operand W. They find it, and store what do_NAME() gives. Where anything
 * is not as usual they leave the instruction to a function of all places, whose name ends with
 * _carefully: it asks what keeps the instruction from being executed, and may fault. sse_rows.c
 * says which opcode is which.
 *
 * While the guest computes, its MXCSR is the host's, where exceptions leave their flags; but all
 * of them are masked there. With one that the guest has not masked, the flags are looked at after
 * each instruction, and it is raised before anything is stored (mxcsr.c).
 *
 * Rule: an instruction calls float_begin() when nothing more can fault that is not of its own, and
 * float_end() or mxcsr_check() before it stores. fpu_away() gives the host its MXCSR back.
 *
 * An MMX instruction is the XMM one on registers whose upper halves are 0, where its lower half
 * is the same. MMX registers are in soft.fpu, so the x87's go there first.
 */
#ifndef MINIKVM_SOFT_SSE_H
#define MINIKVM_SOFT_SSE_H

#include "vmm/engines/soft/family.h"
#include "vmm/engines/soft/fpu_operand.h"
#include "vmm/engines/soft/x87.h"

typedef long long vector __attribute__((vector_size(16)));

/* --- may it be executed? (Vol. 2A §2.4, Vol. 3A 2.5, 13.1) --- */

/* Raises #UD or #NM, or there is no reason to until CR0 or CR4 change. */
void sse_begin(struct soft *);

ALWAYS void need_sse(struct soft *s) {
    if (UNLIKELY(!s->sse_ready))
        sse_begin(s);
}

/* The same for MMX; also raises an x87 exception that is pending. */
void mmx_begin(struct soft *);
ALWAYS void need_mmx(struct soft *s) {
    if (UNLIKELY(!s->mmx_ready))
        mmx_begin(s);
}
/* An MMX instruction that will not fault: TOP is 0, and no register is empty (Vol. 3A 12.2). */
void mmx_turn(struct soft *);
ALWAYS void begin_mmx(struct soft *s) {
    if (UNLIKELY(!s->mmx_ready))
        mmx_turn(s);
}

/* --- operands --- */

/* W's bytes beyond `size` are 0. */
enum alignment { UNALIGNED, ALIGNED };

_Noreturn void raise_misaligned(struct soft *, unsigned seg, uint64_t at, bool write);

ALWAYS vector load_vector(struct soft *s, const struct op *op, enum alignment a) {
    union xmm w;
    uint64_t at = address(s, op);
    if (a == ALIGNED && UNLIKELY((s->seg[op->seg].base + at) & 15))
        raise_misaligned(s, op->seg, at, false);
    const void *host = fast_read(s, op->seg, at, 16, false);
    if (LIKELY(host))
        memcpy(&w, host, 16);
    else
        read_16(s, op->seg, at, w.q);
    return w.v;
}

ALWAYS void store_vector(struct soft *s, const struct op *op, vector v, enum alignment a) {
    union xmm w = {.v = v};
    uint64_t at = address(s, op);
    if (a == ALIGNED && UNLIKELY((s->seg[op->seg].base + at) & 15))
        raise_misaligned(s, op->seg, at, true);
    void *host = fast_write(s, op->seg, at, 16, false);
    if (LIKELY(host))
        memcpy(host, &w, 16);
    else
        write_16(s, op->seg, at, w.q);
}

ALWAYS vector low_quadword(uint64_t value) {
    return (vector){(long long)value, 0};
}

ALWAYS uint64_t quadword_of(vector v) {
    return (uint64_t)v[0];
}

ALWAYS vector *v_of(struct soft *s, const struct op *op) {
    return &s->fpu.xmm[op->reg].v;
}

ALWAYS vector get_w(struct soft *s, const struct op *op, unsigned size, enum alignment a) {
    if (!op->memory)
        return s->fpu.xmm[op->rm].v;
    return size == 16 ? load_vector(s, op, a)
                      : low_quadword(load(s, op->seg, address(s, op), size));
}

/* Where W is, if it can be read there without a further look; else NULL. */
ALWAYS const void *w_within_reach(struct soft *s, const struct op *op, enum place place,
                                  unsigned size, enum alignment a) {
    if (place == REGISTER)
        return &s->fpu.xmm[op->rm];
    const void *w = find_to_read(s, op, size, place);
    return a == ALIGNED && size == 16 && (uintptr_t)w & 15 ? NULL : w;
}

ALWAYS vector fetch_w(const void *w, unsigned size) {
    vector v;
    if (size < 16)
        return low_quadword(fetch_host(w, size));
    memcpy(&v, w, 16);
    return v;
}

/* MMX registers are numbered as the x87's are, not from the top; REX does not reach them. */
ALWAYS uint64_t get_mm(const struct soft *s, unsigned n) {
    unsigned top = s->fpu.fsw >> FPU_TOP_SHIFT;
    return s->fpu.st[(n - top) & 7].q[0];
}

ALWAYS void set_mm(struct soft *s, unsigned n, uint64_t value) {
    s->fpu.st[n & 7].q[0] = value;
    s->fpu.st[n & 7].w[4] = 0xFFFF; /* sign and exponent of the x87 register */
}

/* Where it is while mmx_ready. */
ALWAYS uint64_t *ready_mm(struct soft *s, unsigned n) {
    return s->fpu.st[n & 7].q;
}

/* Where the operand Q is then, if it can be read there without a further look; else NULL. */
ALWAYS const void *q_within_reach(struct soft *s, const struct op *op, enum place place,
                                  unsigned size) {
    return place == REGISTER ? ready_mm(s, op->rm) : find_to_read(s, op, size, place);
}

ALWAYS uint64_t get_q(struct soft *s, const struct op *op, unsigned size) {
    return op->memory ? load(s, op->seg, address(s, op), size) : get_mm(s, op->rm);
}

/* --- MXCSR (Vol. 1 §10.2.3, 11.5) --- */

enum { MXCSR_FLAGS = 0x3F, MXCSR_MASKS = 0x1F80, MXCSR_DAZ = 0x40, MXCSR_UM = 0x800,
       MXCSR_FTZ = 0x8000, MXCSR_MASK_SHIFT = 7 };

/* Of which kind the results are. NOT_TINY: they neither overflow nor underflow. */
enum results { SINGLES, DOUBLES, SINGLE, DOUBLE, NOT_TINY };

/* An instruction that is done: opcode, operands, result. */
struct float_done {
    unsigned opcode;
    enum results kind;
    vector a, b, result;
};
void mxcsr_bring(struct soft *);
/* Raises an exception that is not masked. */
void mxcsr_check(struct soft *, const struct float_done *);
/* DPPS and DPPD, which find exceptions in more than one step. */
void mxcsr_check_dot_product(struct soft *, uint8_t immediate, const struct float_done *);

ALWAYS void float_begin(struct soft *s) {
    if (UNLIKELY(!s->mxcsr_ready))
        mxcsr_bring(s);
}

/* Of one that neither overflows nor underflows. */
ALWAYS void float_end(struct soft *s) {
    if (UNLIKELY(!s->mxcsr_ready))
        mxcsr_check(s, &(struct float_done){.kind = NOT_TINY});
}

/* --- the kinds of instructions --- */

typedef vector plain_fn(vector a, vector b);

/* Whatever the state (mxcsr.c). */
const struct op *sse_plain_carefully(struct soft *, const struct op *, unsigned size, plain_fn *);
const struct op *sse_float_carefully(struct soft *, const struct op *, unsigned size, enum results,
                                     plain_fn *);
const struct op *mmx_plain_carefully(struct soft *, const struct op *, unsigned size, plain_fn *);

/* The same when nothing can come of it but its result. */
ALWAYS const struct op *sse_plain(struct soft *s, const struct op *op, enum place place,
                                  unsigned size, plain_fn *run) {
    const void *w = w_within_reach(s, op, place, size, ALIGNED);
    if (UNLIKELY(!w || !s->sse_ready))
        return sse_plain_carefully(s, op, size, run);
    *v_of(s, op) = run(*v_of(s, op), fetch_w(w, size));
    return next_op(s, op);
}

ALWAYS const struct op *sse_float(struct soft *s, const struct op *op, enum place place,
                                  unsigned size, enum results r, plain_fn *run) {
    const void *w = w_within_reach(s, op, place, size, ALIGNED);
    if (UNLIKELY(!w || !s->mxcsr_ready))
        return sse_float_carefully(s, op, size, r, run);
    *v_of(s, op) = run(*v_of(s, op), fetch_w(w, size));
    return next_op(s, op);
}

ALWAYS const struct op *mmx_plain(struct soft *s, const struct op *op, enum place place,
                                  unsigned size, plain_fn *run) {
    const void *q = q_within_reach(s, op, place, size);
    if (UNLIKELY(!q || !s->mmx_ready))
        return mmx_plain_carefully(s, op, size, run);
    vector v = run(low_quadword(*ready_mm(s, op->reg)), low_quadword(fetch_host(q, size)));
    set_mm(s, op->reg, quadword_of(v));
    return next_op(s, op);
}

/* The host's instruction, or a few of them, on a and b: result in a. */
#define DO_PLAIN(name, text)                                                                       \
    ALWAYS vector do_##name(vector a, vector b) {                                                  \
        __asm__(text : "+x"(a) : "x"(b));                                                          \
        return a;                                                                                  \
    }
/* One that obeys MXCSR stays where it is written. */
#define DO_FLOAT(name)                                                                             \
    ALWAYS vector do_##name(vector a, vector b) {                                                  \
        __asm__ volatile(#name " %1, %0" : "+x"(a) : "x"(b));                                      \
        return a;                                                                                  \
    }
#define HANDLER(name, call)                                                                        \
    const struct op *name(struct soft *s, const struct op *op) { return call; }

/* One for each place of W. */
#define HANDLER_AT(name, suffix, where, call)                                                      \
    static const struct op *name##_##suffix(struct soft *s, const struct op *op) {                 \
        const enum place place = where;                                                            \
        return call;                                                                               \
    }
#define HANDLERS(name, call)                                                                       \
    HANDLER_AT(name, r, REGISTER, call) HANDLER_AT(name, m, MEMORY, call)                          \
    HANDLER_AT(name, f, FLAT, call) HANDLER_AT(name, x, FLAT_INDEXED, call)                        \
    op_fn *const name[PLACES] = {name##_r, name##_m, name##_f, name##_x, name##_r};

/* An XMM instruction without exceptions; `size` is that of its memory operand. */
#define PLAIN(name, size)                                                                          \
    DO_PLAIN(name, #name " %1, %0")                                                                \
    HANDLERS(sse_##name, sse_plain(s, op, place, size, do_##name))

/* One with exceptions. */
#define FLOAT(name, size, results)                                                                 \
    DO_FLOAT(name)                                                                                 \
    HANDLERS(sse_##name, sse_float(s, op, place, size, results, do_##name))

/* One for XMM and one for MMX registers; `size` is that of the latter's memory operand. */
#define BOTH(name, size)                                                                           \
    PLAIN(name, 16)                                                                                \
    HANDLERS(mmx_##name, mmx_plain(s, op, place, size, do_##name))

/* The MMX one takes other instructions of the host's. */
#define BOTH_BY(name, text)                                                                        \
    PLAIN(name, 16)                                                                                \
    DO_PLAIN(name##_mmx, text)                                                                     \
    HANDLERS(mmx_##name, mmx_plain(s, op, place, 8, do_##name##_mmx))

#endif
