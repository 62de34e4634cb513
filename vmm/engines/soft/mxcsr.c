/* What keeps an MMX or SSE instruction from being executed, and the exceptions that MXCSR does
 * not mask (Vol. 1 §11.5).
 */
#include "vmm/engines/soft/sse.h"

#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/sse_handlers.h"

/* #UD goes before #NM. */
void sse_begin(struct soft *s) {
    if (s->cr0 & CR0_EM || !(s->cr4 & CR4_OSFXSR))
        raise_plain(s, VECTOR_UD);
    if (s->cr0 & CR0_TS)
        raise_plain(s, VECTOR_NM);
    s->sse_ready = true;
}

void mmx_begin(struct soft *s) {
    if (s->cr0 & CR0_EM)
        raise_plain(s, VECTOR_UD);
    if (s->cr0 & CR0_TS)
        raise_plain(s, VECTOR_NM);
    x87_away(s);
    x87_wait(s);
}

/* ST(n) become the registers by their numbers. */
void mmx_turn(struct soft *s) {
    union st old[8];
    unsigned top = s->fpu.fsw >> FPU_TOP_SHIFT;
    memcpy(old, s->fpu.st, sizeof old);
    for (unsigned n = 0; n < 8; n++)
        s->fpu.st[n] = old[(n - top) & 7];
    s->fpu.fsw &= (uint16_t)~FSW_TOP;
    s->fpu.ftw = 0xFF;
    s->mmx_ready = !(s->fpu.fsw & FSW_ES);
}

/* The limit first; an address that is not aligned is #GP in any segment. */
void raise_misaligned(struct soft *s, unsigned seg, uint64_t at, bool write) {
    segment_check(s, seg, at, 16, write);
    raise_gp0(s);
}

/* --- the host's MXCSR --- */

static bool masks_all(const struct soft *s) {
    return (s->fpu.mxcsr & MXCSR_MASKS) == MXCSR_MASKS;
}

/* Flags begin anew. Underflow that is not masked goes before flush to zero. */
void mxcsr_bring(struct soft *s) {
    uint32_t mxcsr = s->fpu.mxcsr, ftz = mxcsr & MXCSR_UM ? 0 : MXCSR_FTZ;
    mxcsr = (mxcsr & ~(uint32_t)MXCSR_FLAGS & ~ftz) | MXCSR_MASKS;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    s->mxcsr_here = true;
    s->mxcsr_ready = masks_all(s);
}

/* The host has its own again. Returns the flags. */
static uint32_t mxcsr_drop(struct soft *s) {
    const uint32_t hosts = MXCSR_MASKS;
    uint32_t mxcsr;
    __asm__ volatile("stmxcsr %0\n ldmxcsr %1" : "=m"(mxcsr) : "m"(hosts));
    s->mxcsr_here = s->mxcsr_ready = false;
    return mxcsr & MXCSR_FLAGS;
}

void mxcsr_take_back(struct soft *s) {
    s->fpu.mxcsr |= mxcsr_drop(s);
}

/* --- exceptions that are not masked ---
 *
 * The host ran with all of them masked. What it found before the operation is the same then.
 * What it found after it is not: underflow that is not masked is any tiny result, also an exact
 * one, and a result that overflows or is tiny is inexact only if it would be with an exponent
 * without limits (Vol. 1 §4.9.1.4 to 4.9.1.6). That question goes to the x87, whose exponent is wide enough, with
 * its precision set to the format's. */

enum { INVALID = 1, DENORMAL = 2, ZERO_DIVIDE = 4, OVERFLOW = 8, UNDERFLOW = 16, PRECISION = 32,
       BEFORE = INVALID | DENORMAL | ZERO_DIVIDE };

enum { ADD = 0x58, MUL = 0x59, CVT = 0x5A, SUB = 0x5C, DIV = 0x5E, HADD = 0x7C, HSUB = 0x7D,
       ADDSUB = 0xD0 };

static unsigned elements_of(enum results kind) {
    static const uint8_t count[] = {[SINGLES] = 4, [DOUBLES] = 2, [SINGLE] = 1, [DOUBLE] = 1,
                                    [NOT_TINY] = 0};
    return count[kind];
}

static bool are_singles(enum results kind) {
    return kind == SINGLES || kind == SINGLE;
}

static bool denormal_single(uint32_t d) {
    return !(d & 0x7F800000) && d & 0x007FFFFF;
}

static bool denormal_double(uint64_t q) {
    return !(q & 0x7FF0000000000000) && q & 0x000FFFFFFFFFFFFF;
}

static bool some_denormal(const struct float_done *d) {
    union xmm v = {.v = d->result};
    bool some = false;
    for (unsigned n = 0; n < elements_of(d->kind); n++)
        some |= are_singles(d->kind) ? denormal_single(v.d[n]) : denormal_double(v.q[n]);
    return some;
}

/* Operand n of a vector, as the instruction sees it. */
static double element_of(vector from, unsigned n, bool single, bool daz) {
    union xmm v = {.v = from};
    float f;
    double d;
    memcpy(&f, &v.d[n & 3], 4);
    memcpy(&d, &v.q[n & 1], 8);
    if (single)
        return daz && denormal_single(v.d[n & 3]) ? 0 : (double)f;
    return daz && denormal_double(v.q[n & 1]) ? 0 : d;
}

/* Both operands of result n. The horizontal ones take neighbours: of a first, then of b. */
static void operands_of(const struct soft *s, const struct float_done *d, unsigned n, double *a,
                        double *b) {
    bool single = are_singles(d->kind) && d->opcode != CVT, daz = s->fpu.mxcsr & MXCSR_DAZ;
    unsigned half = elements_of(d->kind) / 2;
    if (d->opcode == HADD || d->opcode == HSUB) {
        vector from = n < half ? d->a : d->b;
        *a = element_of(from, n % half * 2, single, daz);
        *b = element_of(from, n % half * 2 + 1, single, daz);
    } else {
        *a = element_of(d->a, n, single, daz);
        *b = element_of(d->b, n, single, daz);
    }
}

#define X87_DO(line) __asm__ volatile("fldl %1\n\t" line "\n\tfnstsw %0" : "=a"(fsw) : "m"(a), "m"(b))

/* Is the result inexact with any exponent? The x87 is the host's now, in its first state. */
static bool x87_inexact(unsigned opcode, unsigned n, double a, double b) {
    uint16_t fsw;
    switch (opcode) {
    case MUL: X87_DO("fmull %2"); break;
    case DIV: X87_DO("fdivl %2"); break;
    case SUB: case HSUB: X87_DO("fsubl %2"); break;
    case ADDSUB: if (n % 2) X87_DO("faddl %2"); else X87_DO("fsubl %2"); break;
    case CVT: X87_DO("fld1\n\tfmull %2"); break;
    default: X87_DO("faddl %2"); break;
    }
    return fsw & PRECISION;
}

static bool some_inexact(struct soft *s, const struct float_done *d) {
    const uint16_t fcw = are_singles(d->kind) ? 0x7F : 0x27F; /* precision of 24 or 53 bits */
    bool some = false;
    x87_away(s);
    for (unsigned n = 0; n < elements_of(d->kind); n++) {
        double a, b;
        operands_of(s, d, n, &a, &b);
        __asm__ volatile("fninit\n\tfldcw %0" : : "m"(fcw));
        some |= x87_inexact(d->opcode, n, a, b);
    }
    __asm__ volatile("fninit");
    return some;
}

static uint32_t flags_after(struct soft *s, uint32_t flags, uint32_t unmasked,
                            const struct float_done *d) {
    if (unmasked & UNDERFLOW && some_denormal(d))
        flags |= UNDERFLOW;
    bool masked_response = flags & ~unmasked & (OVERFLOW | UNDERFLOW);
    if (flags & unmasked & (OVERFLOW | UNDERFLOW) && !masked_response && !some_inexact(s, d))
        flags &= ~(uint32_t)PRECISION;
    return flags;
}

static _Noreturn void raise_simd(struct soft *s, uint32_t flags) {
    s->fpu.mxcsr |= flags;
    raise_plain(s, s->cr4 & CR4_OSXMMEXCPT ? VECTOR_XM : VECTOR_UD);
}

/* One found before the operation keeps those after it from being found. */
void mxcsr_check(struct soft *s, const struct float_done *d) {
    uint32_t flags = mxcsr_drop(s), unmasked = ~s->fpu.mxcsr >> MXCSR_MASK_SHIFT & MXCSR_FLAGS;
    if (flags & unmasked & BEFORE)
        raise_simd(s, flags & BEFORE);
    uint32_t after = flags_after(s, flags, unmasked, d);
    if (after & unmasked)
        raise_simd(s, after);
    s->fpu.mxcsr |= flags;
}

/* --- DPPS and DPPD: they multiply, then add, and each step may raise --- */

DO_FLOAT(mulps)
DO_FLOAT(mulpd)
DO_FLOAT(haddps)
DO_FLOAT(haddpd)

static vector dot_step(struct soft *s, plain_fn *run, unsigned opcode, enum results kind, vector a,
                       vector b) {
    mxcsr_bring(s);
    vector v = run(a, b);
    mxcsr_check(s, &(struct float_done){opcode, kind, a, b, v});
    return v;
}

/* Elements that the immediate's upper half leaves out are not multiplied. */
static vector dot_chosen(vector from, uint8_t immediate, enum results kind) {
    union xmm v = {.v = from};
    for (unsigned n = 0; n < elements_of(kind); n++)
        if (!(immediate >> (4 + n) & 1) && kind == SINGLES)
            v.d[n] = 0;
        else if (!(immediate >> (4 + n) & 1))
            v.q[n] = 0;
    return v.v;
}

void mxcsr_check_dot_product(struct soft *s, uint8_t immediate, const struct float_done *d) {
    uint32_t flags = mxcsr_drop(s);
    vector a = dot_chosen(d->a, immediate, d->kind), b = dot_chosen(d->b, immediate, d->kind);
    bool single = d->kind == SINGLES;
    vector v = dot_step(s, single ? do_mulps : do_mulpd, MUL, d->kind, a, b);
    v = dot_step(s, single ? do_haddps : do_haddpd, HADD, d->kind, v, v);
    if (single)
        dot_step(s, do_haddps, HADD, d->kind, v, v);
    s->fpu.mxcsr |= flags;
}

/* --- an instruction, whatever the state --- */

const struct op *sse_plain_carefully(struct soft *s, const struct op *op, unsigned size,
                                     plain_fn *run) {
    need_sse(s);
    vector w = get_w(s, op, size, ALIGNED);
    *v_of(s, op) = run(*v_of(s, op), w);
    return op + 1;
}

const struct op *sse_float_carefully(struct soft *s, const struct op *op, unsigned size,
                                     enum results r, plain_fn *run) {
    need_sse(s);
    vector w = get_w(s, op, size, ALIGNED), v = *v_of(s, op);
    float_begin(s);
    v = run(v, w);
    if (!s->mxcsr_ready)
        mxcsr_check(s, &(struct float_done){op->opcode, r, *v_of(s, op), w, v});
    *v_of(s, op) = v;
    return op + 1;
}

const struct op *mmx_plain_carefully(struct soft *s, const struct op *op, unsigned size,
                                     plain_fn *run) {
    need_mmx(s);
    vector q = low_quadword(get_q(s, op, size));
    begin_mmx(s);
    set_mm(s, op->reg, quadword_of(run(low_quadword(get_mm(s, op->reg)), q)));
    return op + 1;
}

/* --- LDMXCSR, STMXCSR --- */

const struct op *ldmxcsr(struct soft *s, const struct op *op) {
    need_sse(s);
    uint32_t value = (uint32_t)load(s, op->seg, address(s, op), 4);
    if (value & ~(uint32_t)MXCSR_DEFINED)
        raise_gp0(s);
    fpu_away(s);
    s->fpu.mxcsr = value;
    return op + 1;
}

const struct op *stmxcsr(struct soft *s, const struct op *op) {
    need_sse(s);
    fpu_away(s);
    store(s, op->seg, address(s, op), 4, s->fpu.mxcsr);
    return op + 1;
}
