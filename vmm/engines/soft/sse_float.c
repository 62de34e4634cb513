/* SSE's floating point: arithmetic, comparison, conversion (Vol. 1 §10.4, 11.4).
 *
 * In the end an instruction is the host's, with the guest's MXCSR; see sse.h.
 */
#include "vmm/engines/soft/sse.h"

#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/sse_handlers.h"
#include "vmm/engines/soft/sse_immediate.h"

#define ARITHMETIC(name)                                                                           \
    FLOAT(name##ps, 16, SINGLES)                                                                   \
    FLOAT(name##pd, 16, DOUBLES)                                                                   \
    FLOAT(name##ss, 4, SINGLE)                                                                     \
    FLOAT(name##sd, 8, DOUBLE)

ARITHMETIC(add)
ARITHMETIC(sub)
ARITHMETIC(mul)
ARITHMETIC(div)
FLOAT(haddps, 16, SINGLES)
FLOAT(haddpd, 16, DOUBLES)
FLOAT(hsubps, 16, SINGLES)
FLOAT(hsubpd, 16, DOUBLES)
FLOAT(addsubps, 16, SINGLES)
FLOAT(addsubpd, 16, DOUBLES)

/* Their results are never tiny, or are one of the operands. */
#define SELECTION(name)                                                                            \
    FLOAT(name##ps, 16, NOT_TINY)                                                                  \
    FLOAT(name##pd, 16, NOT_TINY)                                                                  \
    FLOAT(name##ss, 4, NOT_TINY)                                                                   \
    FLOAT(name##sd, 8, NOT_TINY)

SELECTION(sqrt)
SELECTION(min)
SELECTION(max)

/* Approximations: they have no exceptions, and each vendor its own last bits. */
PLAIN(rcpps, 16)
PLAIN(rcpss, 4)
PLAIN(rsqrtps, 16)
PLAIN(rsqrtss, 4)

PLAIN(andps, 16)
PLAIN(andpd, 16)
PLAIN(andnps, 16)
PLAIN(andnpd, 16)
PLAIN(orps, 16)
PLAIN(orpd, 16)
PLAIN(xorps, 16)
PLAIN(xorpd, 16)

/* --- conversions between vectors --- */
FLOAT(cvtps2pd, 8, NOT_TINY)
FLOAT(cvtpd2ps, 16, SINGLES)
FLOAT(cvtss2sd, 4, NOT_TINY)
FLOAT(cvtsd2ss, 8, SINGLE)
FLOAT(cvtdq2ps, 16, NOT_TINY)
FLOAT(cvtps2dq, 16, NOT_TINY)
FLOAT(cvttps2dq, 16, NOT_TINY)
FLOAT(cvtpd2dq, 16, NOT_TINY)
FLOAT(cvttpd2dq, 16, NOT_TINY)
PLAIN(cvtdq2pd, 8)

/* --- conversions between XMM and general registers: op->size of 4 or 8 --- */

#define FROM_INTEGER(name)                                                                         \
    ALWAYS vector do_##name(vector a, uint64_t e, unsigned size) {                                 \
        if (size == 8)                                                                             \
            __asm__ volatile(#name "q %1, %0" : "+x"(a) : "r"(e));                                 \
        else                                                                                       \
            __asm__ volatile(#name "l %k1, %0" : "+x"(a) : "r"(e));                                \
        return a;                                                                                  \
    }

#define TO_INTEGER(name)                                                                           \
    ALWAYS uint64_t do_##name(vector w, unsigned size) {                                           \
        uint64_t value;                                                                            \
        if (size == 8)                                                                             \
            __asm__ volatile(#name " %1, %0" : "=r"(value) : "x"(w));                              \
        else                                                                                       \
            __asm__ volatile(#name " %1, %k0" : "=r"(value) : "x"(w));                             \
        return value;                                                                              \
    }

typedef vector from_integer_fn(vector a, uint64_t e, unsigned size);
typedef uint64_t to_integer_fn(vector w, unsigned size);

ALWAYS const struct op *from_integer(struct soft *s, const struct op *op,
                                     from_integer_fn *run) {
    need_sse(s);
    uint64_t e = get_e(s, op, op->size, op->memory);
    float_begin(s);
    vector v = run(*v_of(s, op), e, op->size);
    float_end(s);
    *v_of(s, op) = v;
    return next_op_after_e(s, op);
}

ALWAYS const struct op *to_integer(struct soft *s, const struct op *op, unsigned size, to_integer_fn *run) {
    need_sse(s);
    vector w = get_w(s, op, size, UNALIGNED);
    float_begin(s);
    uint64_t value = run(w, op->wide);
    float_end(s);
    set_reg(s, op->reg, op->wide, value);
    return next_op_after_e(s, op);
}

FROM_INTEGER(cvtsi2ss)
FROM_INTEGER(cvtsi2sd)
HANDLER(sse_cvtsi2ss, from_integer(s, op, do_cvtsi2ss))
HANDLER(sse_cvtsi2sd, from_integer(s, op, do_cvtsi2sd))

TO_INTEGER(cvtss2si)
TO_INTEGER(cvttss2si)
TO_INTEGER(cvtsd2si)
TO_INTEGER(cvttsd2si)
HANDLER(sse_cvtss2si, to_integer(s, op, 4, do_cvtss2si))
HANDLER(sse_cvttss2si, to_integer(s, op, 4, do_cvttss2si))
HANDLER(sse_cvtsd2si, to_integer(s, op, 8, do_cvtsd2si))
HANDLER(sse_cvttsd2si, to_integer(s, op, 8, do_cvttsd2si))

/* --- conversions between XMM and MMX registers --- */

/* By the XMM instruction that does the same on the lower half. From memory it has nothing to do
 * with the x87; else the x87 is MMX even if there is an exception (both seen on an Intel
 * processor). */
ALWAYS const struct op *from_mmx(struct soft *s, const struct op *op,
                                 plain_fn *run) {
    need_sse(s);
    if (!op->memory)
        need_mmx(s);
    vector q = low_quadword(get_q(s, op, 8));
    if (!op->memory)
        begin_mmx(s);
    float_begin(s);
    vector v = run(*v_of(s, op), q);
    float_end(s);
    *v_of(s, op) = v;
    return op + 1;
}

ALWAYS const struct op *to_mmx(struct soft *s, const struct op *op, unsigned size, plain_fn *run) {
    need_sse(s);
    need_mmx(s);
    vector w = get_w(s, op, size, ALIGNED);
    if (size == 8) /* the XMM instruction converts four */
        w = low_quadword(quadword_of(w));
    begin_mmx(s);
    float_begin(s);
    vector v = run(w, w);
    float_end(s);
    set_mm(s, op->reg, quadword_of(v));
    return op + 1;
}

/* CVTPI2PS keeps V's upper half. */
ALWAYS vector do_cvtpi2ps(vector a, vector b) {
    union xmm v = {.v = a};
    v.q[0] = quadword_of(do_cvtdq2ps(b, b));
    return v.v;
}

HANDLER(sse_cvtpi2ps, from_mmx(s, op, do_cvtpi2ps))
HANDLER(sse_cvtpi2pd, from_mmx(s, op, do_cvtdq2pd))
HANDLER(sse_cvtps2pi, to_mmx(s, op, 8, do_cvtps2dq))
HANDLER(sse_cvttps2pi, to_mmx(s, op, 8, do_cvttps2dq))
HANDLER(sse_cvtpd2pi, to_mmx(s, op, 16, do_cvtpd2dq))
HANDLER(sse_cvttpd2pi, to_mmx(s, op, 16, do_cvttpd2dq))

/* --- comparisons that give ZF, PF and CF --- */

#define COMPARE(name)                                                                              \
    ALWAYS uint32_t do_##name(vector a, vector b) {                                                \
        uint32_t ah;                                                                               \
        __asm__ volatile(#name " %2, %1\n\tlahf" : "=a"(ah) : "x"(a), "x"(b) : "cc");              \
        return ah;                                                                                 \
    }
typedef uint32_t compare_fn(vector a, vector b);

NOINLINE const struct op *compare_carefully(struct soft *s, const struct op *op, unsigned size,
                                            compare_fn *run) {
    need_sse(s);
    vector w = get_w(s, op, size, UNALIGNED);
    float_begin(s);
    uint32_t ah = run(*v_of(s, op), w);
    float_end(s);
    set_compared(s, ah >> 8);
    return op + 1;
}

ALWAYS const struct op *compare(struct soft *s, const struct op *op, enum place place,
                                unsigned size, compare_fn *run) {
    const void *w = w_within_reach(s, op, place, size, UNALIGNED);
    if (UNLIKELY(!w || !s->mxcsr_ready))
        return compare_carefully(s, op, size, run);
    set_compared(s, run(*v_of(s, op), fetch_w(w, size)) >> 8);
    return next_op(s, op);
}

COMPARE(comiss)
COMPARE(comisd)
COMPARE(ucomiss)
COMPARE(ucomisd)
HANDLERS(sse_comiss, compare(s, op, place, 4, do_comiss))
HANDLERS(sse_comisd, compare(s, op, place, 8, do_comisd))
HANDLERS(sse_ucomiss, compare(s, op, place, 4, do_ucomiss))
HANDLERS(sse_ucomisd, compare(s, op, place, 8, do_ucomisd))

/* --- with an immediate --- */
FLOAT_IMMEDIATE(cmpps, 16)
FLOAT_IMMEDIATE(cmppd, 16)
FLOAT_IMMEDIATE(cmpss, 4)
FLOAT_IMMEDIATE(cmpsd, 8)
FLOAT_IMMEDIATE(roundps, 16)
FLOAT_IMMEDIATE(roundpd, 16)
FLOAT_IMMEDIATE(roundss, 4)
FLOAT_IMMEDIATE(roundsd, 8)
DOT_PRODUCT(dpps, SINGLES)
DOT_PRODUCT(dppd, DOUBLES)
