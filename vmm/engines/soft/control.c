/* Control registers, and with them the way into long mode and out of it (2.5, 9.8.5). */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/x87.h"
#include "vmm/x86/mode.h"

#define CR0_DEFINED                                                                                \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |     \
     CR0_PG)
#define CR3_KEEP (1ull << 63) /* with CR4.PCIDE: what other address spaces have need not go */

/* --- CR0 --- */

/* Paging begins; with EFER.LME, long mode, too. */
static bool may_begin_paging(const struct soft *s) {
    bool tss16 = !(s->seg[S_TR].k.type & 8);
    return !(s->efer & EFER_LME) || (s->cr4 & CR4_PAE && !s->seg[S_CS].k.l && !tss16);
}

static bool may_end_paging(const struct soft *s) {
    return !code64(s) && !(s->cr4 & CR4_PCIDE);
}

static bool cr0_fits(const struct soft *s, uint64_t value) {
    bool paging = value & CR0_PG, was_paging = s->cr0 & CR0_PG;
    if (value >> 32 || (paging && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
        return false;
    return paging == was_paging || (paging ? may_begin_paging(s) : may_end_paging(s));
}

/* LMA is LME while there is paging. */
static void set_lma(struct soft *s) {
    bool active = s->cr0 & CR0_PG && s->efer & EFER_LME;
    s->efer = (s->efer & ~(uint64_t)EFER_LMA) | (active ? EFER_LMA : 0);
    s->long_mode = active;
}

static void set_cr0(struct soft *s, uint64_t value) {
    uint64_t old = s->cr0, changed;
    if (!cr0_fits(s, value))
        raise_gp0(s);
    s->cr0 = (value & CR0_DEFINED) | CR0_ET;
    changed = old ^ s->cr0;
    set_lma(s);
    if (changed & (CR0_PG | CR0_CD | CR0_NW) && !pdptes_load(s, s->cr3)) { /* 4.4.1 */
        s->cr0 = old;
        raise_gp0(s);
    }
    if (changed & (CR0_PG | CR0_WP | CR0_PE | CR0_CD | CR0_NW))
        tlb_flush(s, true);
    if (changed & (CR0_PE | CR0_AM | CR0_PG))
        mode_changed(s);
    pend(s, PENDING_CHECK);
}

/* --- CR3 --- */

static void load_cr3(struct soft *s, uint64_t value) {
    uint64_t old = s->cr3;
    if (s->cr4 & CR4_PCIDE)
        value &= ~CR3_KEEP;
    if (value & ~PHYS_MASK || !pdptes_load(s, value))
        raise_gp0(s);
    s->cr3 = value;
    tlb_flush(s, false);
    if (s->cpu->catch.cr3)
        report(s, CPU_EXIT_EVENT, "cr3 from %#llx to %#llx", (unsigned long long)old,
               (unsigned long long)value);
}

/* --- CR4 --- */

static const struct {
    uint32_t bit;
    uint8_t feature;
} cr4_bits[] = {
    {CR4_TSD, FEATURE_TSC},   {CR4_DE, FEATURE_DE},     {CR4_PSE, FEATURE_PSE},
    {CR4_PAE, FEATURE_PAE},   {CR4_PGE, FEATURE_PGE},   {CR4_UMIP, FEATURE_UMIP},
    {CR4_PCIDE, FEATURE_PCID}, {CR4_SMEP, FEATURE_SMEP}, {CR4_SMAP, FEATURE_SMAP},
    {CR4_FSGSBASE, FEATURE_FSGSBASE}, {CR4_OSFXSR, FEATURE_FXSR},
    {CR4_OSXMMEXCPT, FEATURE_SSE}, {CR4_OSXSAVE, FEATURE_XSAVE},
};

static uint64_t cr4_defined(const struct soft *s) {
    uint64_t bits = 0;
    for (unsigned n = 0; n < sizeof cr4_bits / sizeof *cr4_bits; n++)
        bits |= has_feature(s, cr4_bits[n].feature) ? cr4_bits[n].bit : 0;
    return bits;
}

/* A bit which another engine set may stay set. */
static bool cr4_fits(const struct soft *s, uint64_t value) {
    uint64_t raised = value & ~s->cr4;
    if (value & ~(cr4_defined(s) | s->cr4) || (s->long_mode && !(value & CR4_PAE)))
        return false;
    return !(raised & CR4_PCIDE) || (s->long_mode && !(s->cr3 & 0xFFF));
}

static void set_cr4(struct soft *s, uint64_t value) {
    uint64_t old = s->cr4, changed = old ^ value;
    bool paging = changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP | CR4_SMAP | CR4_PCIDE);
    if (!cr4_fits(s, value))
        raise_gp0(s);
    s->cr4 = value;
    fpu_away(s);
    if (paging && !pdptes_load(s, s->cr3)) {
        s->cr4 = old;
        raise_gp0(s);
    }
    if (paging)
        tlb_flush(s, true);
    if (changed & CR4_SMAP)
        mode_changed(s);
    if (changed & CR4_DE)
        dr7_changed(s);
}

/* --- MOV --- */

static void set_cr8(struct soft *s, uint64_t value) {
    if (value & ~15ull)
        raise_gp0(s);
    s->sregs.cr8 = value;
}

/* The operand size is the mode's (Vol. 2B, MOV—Move to/from Control Registers). */
const struct op *mov_rc(struct soft *s, const struct op *op) {
    need_ring0(s);
    const uint64_t value[] = {s->cr0, 0, s->cr2, s->cr3, s->cr4, 0, 0, 0, s->sregs.cr8};
    set_reg(s, op->rm, code64(s) ? 8 : 4, value[op->reg]);
    return op + 1;
}

const struct op *mov_cr(struct soft *s, const struct op *op) {
    need_ring0(s);
    uint64_t value = get_reg(s, op->rm, code64(s) ? 8 : 4);
    switch (op->reg) {
    case 0: set_cr0(s, value); break;
    case 2: s->cr2 = value; break;
    case 3: load_cr3(s, value); break;
    case 8: set_cr8(s, value); break;
    default: set_cr4(s, value); break;
    }
    return op + 1;
}

/* --- parts of CR0 --- */

const struct op *clts(struct soft *s, const struct op *op) {
    need_ring0(s);
    s->cr0 &= ~(uint64_t)CR0_TS;
    return op + 1;
}

const struct op *smsw(struct soft *s, const struct op *op) {
    need_umip(s);
    put_e(s, op, op->memory ? 2 : op->wide, op->memory, s->cr0);
    return op + 1;
}

/* Only the low four bits, and PE cannot be cleared. */
const struct op *lmsw(struct soft *s, const struct op *op) {
    need_ring0(s);
    uint64_t value = get_e(s, op, 2, op->memory) & 15;
    set_cr0(s, (s->cr0 & ~14ull) | value);
    return op + 1;
}
