/* Model-specific registers and the time-stamp counter (Vol. 4).
 *
 * Rule: an MSR of a feature that CPUID does not announce does not exist (#GP).
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/msr.h"

/* What a write may be, and does. */
enum width {
    W32,          /* the upper half is dropped */
    ONLY32,       /* it is 0, or #GP */
    W64,
    ADDRESS,      /* canonical, or #GP */
    PAT_TYPES,    /* eight types of memory (11.12.2) */
    MTRR_TYPES,   /* likewise, without UC- (11.11.2.2) */
    MTRR_DEFAULT, /* a type, FE and E (11.11.2.1) */
    MTRR_RANGE,   /* a base with a type, the next a mask (11.11.2.3) */
    CONSTANT,     /* #GP */
    IGNORED,
};

/* Of whom it is, beside the feature. */
enum { ANY, INTELS, FROM_KVM }; /* a guest that began on KVM has seen the last two there */

#define AT(field) .offset = offsetof(struct soft, field)

/* The board's memory has one type, and no cache: the types are kept, and change nothing. */
static const struct msr {
    uint32_t number;
    uint8_t feature;
    uint8_t width;
    size_t offset; /* in struct soft; 0: it reads as `value` */
    uint8_t more;  /* so many follow */
    uint8_t whose;
    uint16_t value;
} msrs[] = {
    {MSR_SYSENTER_CS, FEATURE_SEP, W32, AT(msrs.sysenter_cs)},
    {MSR_SYSENTER_ESP, FEATURE_SEP, ADDRESS, AT(msrs.sysenter_esp)},
    {MSR_SYSENTER_EIP, FEATURE_SEP, ADDRESS, AT(msrs.sysenter_eip)},
    {MSR_STAR, FEATURE_SYSCALL, W64, AT(msrs.star)},
    {MSR_LSTAR, FEATURE_LM, ADDRESS, AT(msrs.lstar)},
    {MSR_CSTAR, FEATURE_LM, ADDRESS, AT(msrs.cstar)},
    {MSR_FMASK, FEATURE_SYSCALL, W32, AT(msrs.fmask)},
    {MSR_FS_BASE, FEATURE_LM, ADDRESS, AT(seg[S_FS].k.base)},
    {MSR_GS_BASE, FEATURE_LM, ADDRESS, AT(seg[S_GS].k.base)},
    {MSR_KERNEL_GS_BASE, FEATURE_LM, ADDRESS, AT(msrs.kernel_gs_base)},
    {MSR_TSC_AUX, FEATURE_RDTSCP, ONLY32, AT(msrs.tsc_aux)},
    {MSR_PAT, FEATURE_PAT, PAT_TYPES, AT(msrs.pat)},
    {MSR_MTRR_CAP, FEATURE_MTRR, CONSTANT, .value = 0x508}, /* WC, fixed ones, eight ranges */
    {MSR_MTRR_DEF_TYPE, FEATURE_MTRR, MTRR_DEFAULT, AT(msrs.mtrr_def_type)},
    {MSR_MTRR_PHYS, FEATURE_MTRR, MTRR_RANGE, AT(msrs.mtrr_phys), .more = 15},
    {MSR_MTRR_FIX_64K, FEATURE_MTRR, MTRR_TYPES, AT(msrs.mtrr_fix)},
    {MSR_MTRR_FIX_16K, FEATURE_MTRR, MTRR_TYPES, AT(msrs.mtrr_fix[1]), .more = 1},
    {MSR_MTRR_FIX_4K, FEATURE_MTRR, MTRR_TYPES, AT(msrs.mtrr_fix[3]), .more = 7},
    {MSR_PLATFORM_ID, FEATURE_MSR, CONSTANT, .whose = INTELS},
    {MSR_UCODE_REV, FEATURE_MSR, IGNORED, .whose = INTELS},
    {MSR_MISC_ENABLE, FEATURE_MSR, W64, AT(msrs.misc_enable), .whose = FROM_KVM},
};

static bool msr_exists(const struct soft *s, const struct msr *m) {
    bool owned = m->whose == ANY || s->cpu->host_features ||
                 (m->whose == INTELS && s->vendor == VENDOR_INTEL);
    return owned && has_feature(s, m->feature);
}

static const struct msr *msr_find(const struct soft *s, uint32_t number) {
    for (unsigned n = 0; n < sizeof msrs / sizeof *msrs; n++)
        if (number - msrs[n].number <= msrs[n].more && msr_exists(s, &msrs[n]))
            return &msrs[n];
    return NULL;
}

static uint64_t *msr_at(struct soft *s, const struct msr *m, uint32_t number) {
    return m->offset ? (uint64_t *)((char *)s + m->offset) + (number - m->number) : NULL;
}

/* --- types of memory (table 11-2) --- */

enum { WRITE_BACK = 6, TYPES = 1 << 0 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << WRITE_BACK, UC_MINUS = 1 << 7 };

static bool are_types(uint64_t value, unsigned bytes, unsigned allowed) {
    bool all = true;
    for (unsigned n = 0; n < bytes; n++, value >>= 8)
        all &= (value & 0xFF) < 8 && allowed >> (value & 0xFF) & 1;
    return all;
}

static bool range_fits(uint32_t number, uint64_t value) {
    bool mask = number & 1;
    uint64_t defined = PHYS_MASK & ~0xFFFull;
    defined |= mask ? 1u << 11 : 0xFF;
    return !(value & ~defined) && (mask || are_types(value, 1, TYPES));
}

static bool value_fits(const struct msr *m, uint32_t number, uint64_t value) {
    switch (m->width) {
    case ONLY32: return !(value >> 32);
    case ADDRESS: return x86_is_canonical(value);
    case PAT_TYPES: return are_types(value, 8, TYPES | UC_MINUS);
    case MTRR_TYPES: return are_types(value, 8, TYPES);
    case MTRR_DEFAULT: return !(value & ~0xCFFull) && are_types(value, 1, TYPES);
    case MTRR_RANGE: return range_fits(number, value);
    case CONSTANT: return false;
    default: return true;
    }
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

static bool is_time_stamp(const struct soft *s, uint32_t number) {
    return number == MSR_TSC && has_feature(s, FEATURE_TSC);
}

static uint64_t read_msr(struct soft *s, uint32_t number) {
    const struct msr *m = msr_find(s, number);
    if (is_time_stamp(s, number))
        return now(s) + s->msrs.tsc;
    if (number == MSR_EFER && efer_bits(s))
        return s->efer;
    if (!m)
        raise_gp0(s);
    return m->offset ? *msr_at(s, m, number) : m->value;
}

static void write_msr(struct soft *s, uint32_t number, uint64_t value) {
    const struct msr *m = msr_find(s, number);
    if (is_time_stamp(s, number)) {
        s->msrs.tsc = value - now(s);
    } else if (number == MSR_EFER && efer_bits(s)) {
        set_efer(s, value);
    } else if (!m || !value_fits(m, number, value)) {
        raise_gp0(s);
    } else if (m->offset) {
        *msr_at(s, m, number) = m->width == W32 ? (uint32_t)value : value;
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
