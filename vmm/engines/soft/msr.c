/* Model-specific registers and the time-stamp counter (Vol. 4).
 *
 * Rule: an MSR of a feature that CPUID does not announce does not exist (#GP).
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/msr.h"

/* What may be written. */
enum width { W32, ONLY32, W64, ADDRESS, TYPES }; /* the upper half is dropped, or #GP; all; a
                                                    canonical address, or memory types, or #GP */

static const struct msr {
    uint32_t number;
    uint8_t feature;
    uint8_t width;
    size_t offset; /* in struct soft */
} msrs[] = {
    {MSR_SYSENTER_CS, FEATURE_SEP, W32, offsetof(struct soft, msrs.sysenter_cs)},
    {MSR_SYSENTER_ESP, FEATURE_SEP, ADDRESS, offsetof(struct soft, msrs.sysenter_esp)},
    {MSR_SYSENTER_EIP, FEATURE_SEP, ADDRESS, offsetof(struct soft, msrs.sysenter_eip)},
    {MSR_STAR, FEATURE_SYSCALL, W64, offsetof(struct soft, msrs.star)},
    {MSR_LSTAR, FEATURE_LM, ADDRESS, offsetof(struct soft, msrs.lstar)},
    {MSR_CSTAR, FEATURE_LM, ADDRESS, offsetof(struct soft, msrs.cstar)},
    {MSR_FMASK, FEATURE_SYSCALL, W32, offsetof(struct soft, msrs.fmask)},
    {MSR_FS_BASE, FEATURE_LM, ADDRESS, offsetof(struct soft, seg[S_FS].k.base)},
    {MSR_GS_BASE, FEATURE_LM, ADDRESS, offsetof(struct soft, seg[S_GS].k.base)},
    {MSR_KERNEL_GS_BASE, FEATURE_LM, ADDRESS, offsetof(struct soft, msrs.kernel_gs_base)},
    {MSR_PAT, FEATURE_PAT, TYPES, offsetof(struct soft, msrs.pat)},
    {MSR_TSC_AUX, FEATURE_RDTSCP, ONLY32, offsetof(struct soft, msrs.tsc_aux)},
};

static const struct msr *msr_find(const struct soft *s, uint32_t number) {
    for (unsigned n = 0; n < sizeof msrs / sizeof *msrs; n++)
        if (msrs[n].number == number && has_feature(s, msrs[n].feature))
            return &msrs[n];
    return NULL;
}

/* --- EFER (2.2.1) --- */

static uint64_t efer_bits(const struct soft *s) {
    return (has_feature(s, FEATURE_SYSCALL) ? EFER_SCE : 0) |
           (has_feature(s, FEATURE_LM) ? EFER_LME | EFER_LMA : 0) |
           (has_feature(s, FEATURE_NX) ? EFER_NX : 0);
}

/* LMA follows from CR0.PG and LME, and a write leaves it as it is. */
static void set_efer(struct soft *s, uint64_t value) {
    uint64_t changed = (s->efer ^ value) & ~(uint64_t)EFER_LMA;
    if (value & ~efer_bits(s) || (changed & EFER_LME && s->cr0 & CR0_PG))
        raise_gp0(s);
    s->efer ^= changed;
    if (changed & EFER_NX)
        tlb_flush(s, true);
}

/* --- RDMSR and WRMSR --- */

static void set_edx_eax(struct soft *s, uint64_t value) {
    s->r[R_AX] = (uint32_t)value;
    s->r[R_DX] = value >> 32;
}

static uint64_t read_msr(struct soft *s, uint32_t number) {
    const struct msr *m = msr_find(s, number);
    if (number == MSR_TSC)
        return now(s) + s->msrs.tsc;
    if (number == MSR_EFER && efer_bits(s))
        return s->efer;
    if (!m)
        raise_gp0(s);
    return *(uint64_t *)((char *)s + m->offset);
}

/* Eight of them, a byte each (Vol. 3A, table 11-10). There are no caches that would differ by them. */
static bool are_memory_types(uint64_t value) {
    for (; value; value >>= 8)
        if (value & 0xF8 || (value & 0xFE) == 2)
            return false;
    return true;
}

static bool may_be(enum width width, uint64_t value) {
    return width == ADDRESS  ? is_canonical(value)
           : width == TYPES  ? are_memory_types(value)
           : width == ONLY32 ? !(value >> 32)
                             : true;
}

static void write_msr(struct soft *s, uint32_t number, uint64_t value) {
    const struct msr *m = msr_find(s, number);
    if (number == MSR_TSC) {
        s->msrs.tsc = value - now(s);
    } else if (number == MSR_EFER && efer_bits(s)) {
        set_efer(s, value);
    } else if (!m || !may_be(m->width, value)) {
        raise_gp0(s);
    } else {
        *(uint64_t *)((char *)s + m->offset) = m->width == W32 ? (uint32_t)value : value;
        segment_refresh(s, &s->seg[S_FS]);
        segment_refresh(s, &s->seg[S_GS]);
    }
}

const struct op *rdmsr(struct soft *s, const struct op *op) {
    if (s->cpl)
        raise_gp0(s);
    set_edx_eax(s, read_msr(s, (uint32_t)s->r[R_CX]));
    return op + 1;
}

const struct op *wrmsr(struct soft *s, const struct op *op) {
    if (s->cpl)
        raise_gp0(s);
    write_msr(s, (uint32_t)s->r[R_CX], s->r[R_DX] << 32 | (uint32_t)s->r[R_AX]);
    return op + 1;
}

/* --- the time-stamp counter --- */

const struct op *rdtsc(struct soft *s, const struct op *op) {
    if (s->cr4 & CR4_TSD && s->cpl)
        raise_gp0(s);
    set_edx_eax(s, now(s) + s->msrs.tsc);
    return op + 1;
}

const struct op *rdtscp(struct soft *s, const struct op *op) {
    rdtsc(s, op);
    s->r[R_CX] = (uint32_t)s->msrs.tsc_aux;
    return op + 1;
}

/* No counter exists. */
const struct op *rdpmc(struct soft *s, const struct op *op) {
    (void)op;
    raise_gp0(s);
}
