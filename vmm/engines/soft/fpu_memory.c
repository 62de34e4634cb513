/* The x87's environment and state in memory: FLDENV, FNSTENV, FRSTOR, FNSAVE, in their four
 * formats (Vol. 1 §8.1.10), and FXSAVE and FXRSTOR (Vol. 1 §10.5).
 *
 * The host reads and writes one format, that of 32-bit protected mode; the others are made
 * from it. Pointers are ours: in the host's they are those of this program.
 */
#include "vmm/engines/soft/fpu_operand.h"
#include "vmm/engines/soft/x87.h"
#include "vmm/engines/soft/handlers.h"

/* FNSTENV as in 32-bit protected mode; FNSAVE has ST(0) to ST(7) behind it, ten bytes each. */
struct environment {
    uint32_t fcw, fsw, ftw, fip, fcs_fop, fdp, fds;
};
struct saved_x87 {
    struct environment env;
    uint8_t st[80];
};

enum { HIGH_ONES = 0xFFFF0000 }; /* what the upper halves of 16-bit fields hold */

/* In real and virtual-8086 mode pointers are linear addresses. */
static uint32_t linear_of(uint16_t selector, uint32_t offset) {
    return selector * 16u + offset;
}

/* Of a field: 2 or 4 bytes. REX.W changes nothing. */
static unsigned field_of(const struct op *op) {
    return op->wide == 2 ? 2 : 4;
}

/* In 64-bit code the pointers' upper halves are where selectors would be: they are not told. */
static uint16_t selector_of(const struct soft *s, uint16_t field) {
    return code64(s) ? 0 : field;
}

static void pointers_out(const struct soft *s, struct environment *e) {
    const struct fpu_image *f = &s->fpu;
    uint32_t ip = linear_of(f->fcs, f->fip), dp = linear_of(f->fds, f->fdp);
    if (s->protected) {
        e->fip = f->fip;
        e->fcs_fop = selector_of(s, f->fcs) | (uint32_t)f->fop << 16;
        e->fdp = f->fdp;
        e->fds = HIGH_ONES | selector_of(s, f->fds);
    } else {
        e->fip = HIGH_ONES | (ip & 0xFFFF);
        e->fcs_fop = (ip & HIGH_ONES) >> 4 | f->fop;
        e->fdp = HIGH_ONES | (dp & 0xFFFF);
        e->fds = (dp & HIGH_ONES) >> 4;
    }
}

static void pointers_in(struct soft *s, const struct environment *e, unsigned wide) {
    struct fpu_image *f = &s->fpu;
    f->fip_high = f->fdp_high = f->fcs = f->fds = 0;
    if (s->protected) {
        f->fip = e->fip;
        f->fcs = selector_of(s, (uint16_t)e->fcs_fop);
        f->fop = wide == 4 ? e->fcs_fop >> 16 & 0x7FF : 0;
        f->fdp = e->fdp;
        f->fds = selector_of(s, (uint16_t)e->fds);
    } else {
        f->fip = (e->fip & 0xFFFF) | (e->fcs_fop << 4 & HIGH_ONES);
        f->fop = e->fcs_fop & 0x7FF;
        f->fdp = (e->fdp & 0xFFFF) | (e->fds << 4 & HIGH_ONES);
    }
}

/* To and from memory: seven fields of four bytes or of two, checked by the caller. */
static void fields_out(struct soft *s, const struct op *op, const struct environment *e) {
    const uint32_t *field = &e->fcw;
    for (unsigned n = 0; n < 7; n++)
        store(s, op->seg, address(s, op) + n * field_of(op), field_of(op), field[n]);
}

static void fields_in(struct soft *s, const struct op *op, struct environment *e) {
    uint32_t *field = &e->fcw;
    for (unsigned n = 0; n < 7; n++)
        field[n] = (uint32_t)load(s, op->seg, address(s, op) + n * field_of(op), field_of(op));
}

/* What a reserved bit or half of a field holds does not matter to the host. */
static void keep_for_host(struct environment *e) {
    e->fip = e->fdp = e->fds = 0;
    e->fcs_fop = 0;
}

const struct op *x87_fnstenv(struct soft *s, const struct op *op) {
    struct environment e;
    check_write_area(s, op->seg, address(s, op), 7u * field_of(op), field_of(op));
    __asm__ volatile("fnstenv %0" : "=m"(e)); /* and masks all exceptions */
    pointers_out(s, &e);
    x87_control_changed(s);
    fields_out(s, op, &e);
    return op + 1;
}

const struct op *x87_fldenv(struct soft *s, const struct op *op) {
    struct environment e;
    fields_in(s, op, &e);
    x87_begin(s, false);
    pointers_in(s, &e, field_of(op));
    keep_for_host(&e);
    __asm__ volatile("fldenv %0" : : "m"(e));
    x87_control_changed(s);
    return op + 1;
}

/* Where ST(0) is, behind the fields. */
static uint64_t x87_stack_at(struct soft *s, const struct op *op) {
    return address(s, op) + 7u * field_of(op);
}

/* In pieces that the area's alignment is enough for. */
static void stack_out(struct soft *s, const struct op *op, const uint8_t *st) {
    for (unsigned n = 0; n < 80; n += field_of(op))
        store(s, op->seg, x87_stack_at(s, op) + n, field_of(op), fetch_host(st + n, field_of(op)));
}

static void stack_in(struct soft *s, const struct op *op, uint8_t *st) {
    for (unsigned n = 0; n < 80; n += field_of(op))
        store_host(st + n, field_of(op), load(s, op->seg, x87_stack_at(s, op) + n, field_of(op)));
}

const struct op *x87_fnsave(struct soft *s, const struct op *op) {
    struct saved_x87 saved;
    check_write_area(s, op->seg, address(s, op), 7u * field_of(op) + 80, field_of(op));
    __asm__ volatile("fnsave %0" : "=m"(saved)); /* and FNINIT */
    pointers_out(s, &saved.env);
    x87_fninit(s, op);
    fields_out(s, op, &saved.env);
    stack_out(s, op, saved.st);
    return op + 1;
}

const struct op *x87_frstor(struct soft *s, const struct op *op) {
    struct saved_x87 saved;
    fields_in(s, op, &saved.env);
    stack_in(s, op, saved.st);
    x87_begin(s, false);
    pointers_in(s, &saved.env, field_of(op));
    keep_for_host(&saved.env);
    __asm__ volatile("frstor %0" : : "m"(saved));
    x87_control_changed(s);
    return op + 1;
}

/* --- FXSAVE and FXRSTOR ---
 *
 * Areas are moved in pieces for which the compiler makes plain moves. For more than 256 bytes it
 * makes a REP MOVS, which takes longer to begin than the moves take together.
 */

enum { FX_FOP_AT = 6, FX_MXCSR_AT = 24, FX_ST_AT = 32, FX_XMM_AT = 160, FX_XMM8_AT = 288,
       FX_HALF = 8 * sizeof(union xmm) };

/* 16-byte alignment is asked for, and an unaligned area is #GP. With CR0.EM or TS they are
 * #NM, as is every x87 instruction; an exception that is pending does not matter. */
static uint64_t begin_fx(struct soft *s, const struct op *op) {
    uint64_t at = address(s, op);
    if (s->cr0 & (CR0_EM | CR0_TS))
        raise_plain(s, VECTOR_NM);
    if ((s->seg[op->seg].base + at) & 15)
        raise_gp0(s);
    fpu_away(s);
    return at;
}

/* All of it. */
static void copy_image(struct fpu_image *to, const struct fpu_image *from) {
    memcpy(to, from, FX_XMM_AT);
    memcpy(to->xmm, from->xmm, sizeof to->xmm);
    memcpy(to->unused, from->unused, sizeof to->unused);
}

/* Pointers of 64 bits: with REX.W; else with selectors, which 64-bit code has not. */
static void short_pointers(const struct soft *s, const struct op *op, struct fpu_image *f) {
    if (op->wide == 8)
        return;
    f->fip_high = f->fdp_high = 0;
    f->fcs = selector_of(s, f->fcs);
    f->fds = selector_of(s, f->fds);
}

/* Bits of registers that do not exist, or that follow from others (ES and B). The host's FXRSTOR
 * would refuse those of MXCSR, and equal states are equal bytes. */
void fpu_drop_reserved(struct fpu_image *f) {
    bool pending = f->fsw & ~f->fcw & FCW_MASKS;
    f->fcw = (f->fcw & FCW_DEFINED) | FCW_ONE;
    f->fsw = (uint16_t)((f->fsw & ~(FSW_ES | FSW_B)) | (pending ? FSW_ES | FSW_B : 0));
    f->zero = 0;
    f->fop &= 0x7FF;
    f->mxcsr &= MXCSR_DEFINED;
    f->mxcsr_mask = 0;
    for (unsigned n = 0; n < 8; n++)
        f->st[n].v &= st_defined.v;
    memset(f->unused, 0, sizeof f->unused);
}

/* XMM8 and on are there in 64-bit code. */
static void xmm_out(struct soft *s, const struct op *op, uint64_t at) {
    operand_store(s, op->seg, at + FX_XMM_AT, s->fpu.xmm, FX_HALF);
    if (code64(s))
        operand_store(s, op->seg, at + FX_XMM8_AT, s->fpu.xmm + 8, FX_HALF);
}

static void xmm_in(struct soft *s, const struct op *op, uint64_t at, union xmm *xmm) {
    operand_load(s, op->seg, at + FX_XMM_AT, xmm, FX_HALF);
    if (code64(s))
        operand_load(s, op->seg, at + FX_XMM8_AT, xmm + 8, FX_HALF);
}

/* AMD's have the pointers only while an exception is pending (AMD Vol. 5, FXSAVE, FXRSTOR). */
static bool has_pointers(const struct soft *s, const struct fpu_image *f) {
    return s->error_pointers || f->fsw & FSW_ES;
}

/* What is before the pointers. */
static void words_out(struct soft *s, const struct op *op, uint64_t at, const struct fpu_image *f) {
    store(s, op->seg, at, 4, f->fcw | (uint32_t)f->fsw << 16);
    store(s, op->seg, at + 4, 2, f->ftw);
}

static void pointers_stay(const struct soft *s, struct fpu_image *to) {
    memcpy((uint8_t *)to + FX_FOP_AT, (const uint8_t *)&s->fpu + FX_FOP_AT, FX_MXCSR_AT - FX_FOP_AT);
}

void fx_store(struct soft *s, const struct op *op, uint64_t at, unsigned parts) {
    struct fpu_image first; /* its first bytes alone */
    memcpy(&first, &s->fpu, FX_ST_AT);
    first.mxcsr_mask = MXCSR_DEFINED;
    short_pointers(s, op, &first);
    if (parts & FX_X87) {
        if (has_pointers(s, &first))
            operand_store(s, op->seg, at, &first, FX_MXCSR_AT);
        else
            words_out(s, op, at, &first);
        operand_store(s, op->seg, at + FX_ST_AT, s->fpu.st, sizeof s->fpu.st);
    }
    if (parts & FX_MXCSR)
        operand_store(s, op->seg, at + FX_MXCSR_AT, &first.mxcsr, 8);
    if (parts & FX_XMM)
        xmm_out(s, op, at);
}

void fx_load(struct soft *s, const struct op *op, uint64_t at, unsigned parts,
             struct fpu_image *to) {
    if (parts & FX_X87) {
        operand_load(s, op->seg, at, to, FX_MXCSR_AT);
        operand_load(s, op->seg, at + FX_ST_AT, to->st, sizeof to->st);
        short_pointers(s, op, to);
        if (!has_pointers(s, to))
            pointers_stay(s, to);
    }
    if (parts & FX_MXCSR)
        operand_load(s, op->seg, at + FX_MXCSR_AT, &to->mxcsr, 8);
    if (parts & FX_XMM)
        xmm_in(s, op, at, to->xmm);
    if (to->mxcsr & ~(uint32_t)MXCSR_DEFINED)
        raise_gp0(s);
    fpu_drop_reserved(to);
}

/* Without CR4.OSFXSR the XMM registers and MXCSR stay out of it. */
static bool has_sse(const struct soft *s) {
    return s->cr4 & CR4_OSFXSR;
}

const struct op *fxsave(struct soft *s, const struct op *op) {
    uint64_t at = begin_fx(s, op);
    check_write_area(s, op->seg, at, sizeof s->fpu, 8);
    fx_store(s, op, at, has_sse(s) ? FX_ALL : FX_X87);
    return op + 1;
}

const struct op *fxrstor(struct soft *s, const struct op *op) {
    uint64_t at = begin_fx(s, op);
    struct fpu_image image;
    copy_image(&image, &s->fpu);
    fx_load(s, op, at, FX_ALL, &image);
    if (!has_sse(s)) {
        image.mxcsr = s->fpu.mxcsr;
        memcpy(image.xmm, s->fpu.xmm, sizeof image.xmm);
    }
    copy_image(&s->fpu, &image);
    return op + 1;
}
