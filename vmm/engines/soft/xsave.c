/* XSAVE, XSAVEOPT, XRSTOR, in the standard format, and XCR0 (Vol. 1, chapter 13).
 *
 * What there are instructions for is x87 and SSE. A guest that comes from KVM may bring more
 * components with it (AVX's upper halves): they are moved as bytes, where the host's XSAVE has
 * them, so that the guest's tasks keep theirs; and XCR0 may have their bits.
 */
#include "vmm/engines/soft/fpu_operand.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/x87.h"

enum { OWN = XSTATE_X87 | XSTATE_SSE, HEADER_AT = 512 };

/* --- components --- */

uint64_t xsave_known(const struct soft *s) {
    return OWN | s->xcr0 | s->xsave.present;
}

/* CPUID is slow on some hosts: it is asked when there is need. */
void xsave_components(struct soft *s) {
    for (unsigned n = XSTATE_FIRST; n < XSTATES; n++)
        if (xsave_known(s) >> n & 1 && !s->xstate[n].size)
            s->xstate[n] = cpuid_xstate(n);
}

unsigned xsave_size(const struct soft *s, uint64_t components) {
    unsigned size = XSAVE_FIRST;
    for (unsigned n = XSTATE_FIRST; n < XSTATES; n++)
        if (components >> n & 1 && s->xstate[n].offset + s->xstate[n].size > (int)size)
            size = (unsigned)s->xstate[n].offset + s->xstate[n].size;
    return size;
}

static bool x87_in_use(const struct fpu_image *f) {
    return memcmp(f, &fpu_reset, offsetof(struct fpu_image, mxcsr)) ||
           memcmp(f->st, fpu_reset.st, sizeof f->st);
}

static bool sse_in_use(const struct fpu_image *f) {
    return f->mxcsr != fpu_reset.mxcsr || memcmp(f->xmm, fpu_reset.xmm, sizeof f->xmm);
}

/* XINUSE (13.6). */
static uint64_t in_use(const struct soft *s) {
    return (x87_in_use(&s->fpu) ? XSTATE_X87 : 0) | (sse_in_use(&s->fpu) ? XSTATE_SSE : 0) |
           (s->xsave.present & ~(uint64_t)OWN);
}

/* --- in and out --- */

static void need_xsave(struct soft *s) {
    if (!(s->cr4 & CR4_OSXSAVE))
        raise_plain(s, VECTOR_UD);
}

static uint64_t begin_xsave(struct soft *s, const struct op *op) {
    uint64_t at = address(s, op);
    need_xsave(s);
    if (s->cr0 & CR0_TS)
        raise_plain(s, VECTOR_NM);
    if ((s->seg[op->seg].base + at) & 63)
        raise_gp0(s);
    fpu_away(s);
    return at;
}

/* RFBM, the components that the instruction is about. */
static uint64_t requested(const struct soft *s) {
    return s->xcr0 & (s->r[R_DX] << 32 | (uint32_t)s->r[R_AX]);
}

/* MXCSR goes with AVX, too (13.5.2). */
static unsigned fx_parts(uint64_t components, uint64_t request) {
    return (components & XSTATE_X87 ? FX_X87 : 0) | (components & XSTATE_SSE ? FX_XMM : 0) |
           (request & (XSTATE_SSE | XSTATE_AVX) ? FX_MXCSR : 0);
}

static const struct op *save(struct soft *s, const struct op *op, bool if_in_use) {
    uint64_t at = begin_xsave(s, op), request = requested(s), used = in_use(s);
    uint64_t written = if_in_use ? request & used : request;
    check_write_area(s, op->seg, at, xsave_size(s, request), 8);
    uint64_t others = load(s, op->seg, at + HEADER_AT, 8) & ~request;
    fx_store(s, op, at, fx_parts(written, request));
    for (unsigned n = XSTATE_FIRST; n < XSTATES; n++)
        if (written >> n & 1)
            operand_store(s, op->seg, at + s->xstate[n].offset,
                          (const uint8_t *)&s->xsave + s->xstate[n].offset, s->xstate[n].size);
    store(s, op->seg, at + HEADER_AT, 8, others | (used & request));
    return op + 1;
}

const struct op *xsave(struct soft *s, const struct op *op) {
    return save(s, op, false);
}

const struct op *xsaveopt(struct soft *s, const struct op *op) {
    return save(s, op, true);
}

/* The initial configuration of those that the area has not. */
static void initialize(const struct soft *s, struct xsave_area *area, uint64_t components) {
    uint32_t mxcsr = area->fpu.mxcsr;
    if (components & XSTATE_X87) {
        memcpy(&area->fpu, &fpu_reset, offsetof(struct fpu_image, xmm));
        area->fpu.mxcsr = mxcsr;
    }
    if (components & XSTATE_SSE)
        memset(area->fpu.xmm, 0, (code64(s) ? 16 : 8) * sizeof *area->fpu.xmm);
    for (unsigned n = XSTATE_FIRST; n < XSTATES; n++)
        if (components >> n & 1)
            memset((uint8_t *)area + s->xstate[n].offset, 0, s->xstate[n].size);
}

/* XSTATE_BV. XCOMP_BV and the next eight bytes are zeros: there is no compacted format (13.8.1). */
static uint64_t header(struct soft *s, const struct op *op, uint64_t at) {
    uint64_t field[3];
    operand_load(s, op->seg, at + HEADER_AT, field, sizeof field);
    if (field[0] & ~s->xcr0 || field[1] || field[2])
        raise_gp0(s);
    return field[0];
}

const struct op *xrstor(struct soft *s, const struct op *op) {
    uint64_t at = begin_xsave(s, op), request = requested(s), has = header(s, op, at);
    struct xsave_area area = s->xsave;
    initialize(s, &area, request & ~has);
    fx_load(s, op, at, fx_parts(request & has, request), &area.fpu);
    for (unsigned n = XSTATE_FIRST; n < XSTATES; n++)
        if (request & has & 1ull << n)
            operand_load(s, op->seg, at + s->xstate[n].offset,
                         (uint8_t *)&area + s->xstate[n].offset, s->xstate[n].size);
    area.present = (area.present & ~request) | (has & request);
    s->xsave = area;
    return op + 1;
}

/* --- XCR0 --- */

#define NO_AVX                                                                                     \
    "the built-in CPU has no instruction with a VEX prefix (AVX, BMI): go on by monitor engine kvm, or " \
    "start with --cpuid=-avx, so that the guest sees none, or with --cpu=kvm"

static void no_prefix(struct soft *s, const struct op *op) {
    if (op->data16 || op->rep)
        raise_plain(s, VECTOR_UD);
}

const struct op *xgetbv(struct soft *s, const struct op *op) {
    no_prefix(s, op);
    need_xsave(s);
    if ((uint32_t)s->r[R_CX])
        raise_gp0(s);
    s->r[R_AX] = (uint32_t)s->xcr0;
    s->r[R_DX] = s->xcr0 >> 32;
    return op + 1;
}

/* What goes together (13.3): AVX needs SSE, AVX-512's three need each other and AVX. */
static bool xcr0_fits(const struct soft *s, uint64_t value) {
    uint64_t avx512 = value & XSTATE_AVX512;
    return value & XSTATE_X87 && !(value & ~xsave_known(s)) &&
           (!(value & XSTATE_AVX) || value & XSTATE_SSE) &&
           (!avx512 || (avx512 == XSTATE_AVX512 && value & XSTATE_AVX));
}

/* A component that is switched off keeps what it has. */
const struct op *xsetbv(struct soft *s, const struct op *op) {
    uint64_t value = s->r[R_DX] << 32 | (uint32_t)s->r[R_AX];
    no_prefix(s, op);
    need_xsave(s);
    need_ring0(s);
    if (!(uint32_t)s->r[R_CX] && s->cpu->host_features && value & ~xsave_known(s))
        leave_with(s, CPU_EXIT_CANNOT, NO_AVX);
    if ((uint32_t)s->r[R_CX] || !xcr0_fits(s, value))
        raise_gp0(s);
    s->xsave.present |= s->xcr0 & ~(uint64_t)OWN;
    s->xcr0 = value;
    return op + 1;
}

/* --- what only KVM has --- */

/* Is the guest one that has seen, on KVM, that there is more than we have? Then it is no #UD, but
 * the end of what we can do: a machine that was moved here for speed alone goes back to KVM. */
static _Noreturn void need_kvm(struct soft *s, bool exists, const char *text) {
    if (s->cpu->host_features && exists)
        leave_with(s, CPU_EXIT_CANNOT, text);
    raise_plain(s, VECTOR_UD);
}

const struct op *vex(struct soft *s, const struct op *op) {
    (void)op;
    need_kvm(s, s->protected, NO_AVX);
}

const struct op *xsave_compact(struct soft *s, const struct op *op) {
    (void)op;
    need_kvm(s, s->cr4 & CR4_OSXSAVE,
             "the built-in CPU has no XSAVEC, XSAVES and XRSTORS: go on by monitor engine kvm, or start "
             "with --cpuid=-xsave, so that the guest sees none, or with --cpu=kvm");
}
