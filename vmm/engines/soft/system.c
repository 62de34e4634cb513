/* System instructions: control registers, descriptor tables, HLT, the interrupt
 * flag, and the instructions that look at descriptors (Vol. 2, chapter 2.8).
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

#define CR0_DEFINED                                                                                \
    (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |     \
     CR0_PG)
#define CR4_DEFINED (CR4_TSD | CR4_DE | CR4_PSE | CR4_PGE | CR4_OSFXSR)

static void need_ring0(struct soft *s) {
    if (s->cpl)
        raise_gp0(s);
}

static void need_protected(struct soft *s) {
    if (!s->protected)
        raise_plain(s, VECTOR_UD);
}

/* --- IF and HLT --- */

static void need_iopl(struct soft *s) {
    if (s->cpl > iopl(s))
        raise_gp0(s);
}

const struct op *cli(struct soft *s, const struct op *op) {
    need_iopl(s);
    s->flags &= ~(uint32_t)FLAG_IF;
    return op + 1;
}

const struct op *sti(struct soft *s, const struct op *op) {
    need_iopl(s);
    if (!(s->flags & FLAG_IF)) {
        s->flags |= FLAG_IF;
        s->shadow_sti = true;
        pend(s, PENDING_CHECK);
    }
    return op + 1;
}

const struct op *hlt(struct soft *s, const struct op *op) {
    need_ring0(s);
    s->halted = true;
    pend(s, PENDING_CHECK);
    return op + 1;
}

/* INVD and WBINVD: there are no caches to see. */
const struct op *invd(struct soft *s, const struct op *op) {
    need_ring0(s);
    return op + 1;
}

/* --- control registers (2.5) --- */

static void set_cr0(struct soft *s, uint64_t value) {
    uint64_t old = s->cr0;
    value = (value & CR0_DEFINED) | CR0_ET;
    if ((value & CR0_PG && !(value & CR0_PE)) || (value & CR0_NW && !(value & CR0_CD)))
        raise_gp0(s);
    s->cr0 = value;
    if ((old ^ value) & (CR0_PG | CR0_WP | CR0_PE))
        tlb_flush(s, true);
    if ((old ^ value) & (CR0_PE | CR0_AM))
        mode_changed(s);
    pend(s, PENDING_CHECK);
}

static void load_cr3(struct soft *s, uint64_t value) {
    uint64_t old = s->cr3;
    s->cr3 = value;
    tlb_flush(s, false);
    if (s->cpu->catch.cr3)
        report(s, CPU_EXIT_EVENT, "cr3 from %#llx to %#llx", (unsigned long long)old,
               (unsigned long long)value);
}

/* A bit which another engine set may stay set. */
static void set_cr4(struct soft *s, uint64_t value) {
    if (value & ~(CR4_DEFINED | s->cr4))
        raise_gp0(s);
    uint64_t changed = s->cr4 ^ value;
    s->cr4 = value;
    if (changed & (CR4_PSE | CR4_PGE))
        tlb_flush(s, true);
    if (changed & CR4_DE)
        dr7_changed(s);
}

const struct op *mov_rc(struct soft *s, const struct op *op) {
    need_ring0(s);
    const uint64_t value[] = {s->cr0, 0, s->cr2, s->cr3, s->cr4};
    set_reg(s, op->rm, 4, value[op->reg]);
    return op + 1;
}

const struct op *mov_cr(struct soft *s, const struct op *op) {
    need_ring0(s);
    uint64_t value = get_reg(s, op->rm, 4);
    switch (op->reg) {
    case 0: set_cr0(s, value); break;
    case 2: s->cr2 = value; break;
    case 3: load_cr3(s, value); break;
    default: set_cr4(s, value); break;
    }
    return op + 1;
}

const struct op *clts(struct soft *s, const struct op *op) {
    need_ring0(s);
    s->cr0 &= ~(uint64_t)CR0_TS;
    return op + 1;
}

const struct op *smsw(struct soft *s, const struct op *op) {
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

const struct op *invlpg(struct soft *s, const struct op *op) {
    need_ring0(s);
    tlb_flush_page(s, (uint32_t)(s->seg[op->seg].k.base + address(s, op)));
    return op + 1;
}

/* --- descriptor tables: a 16-bit limit, then a 32-bit base, of which a load with a
 * 16-bit operand size takes 24 bits; a store gives all (Vol. 2B, SGDT) --- */

static const struct op *store_table(struct soft *s, const struct op *op,
                                    const struct kvm_dtable *t) {
    uint64_t at = address(s, op);
    check_write(s, op->seg, at, 2);
    check_write(s, op->seg, (at + 2) & op->mask, 4);
    store(s, op->seg, at, 2, t->limit);
    store(s, op->seg, (at + 2) & op->mask, 4, t->base);
    return op + 1;
}

static const struct op *load_table(struct soft *s, const struct op *op, struct kvm_dtable *t) {
    need_ring0(s);
    uint64_t at = address(s, op), limit = load(s, op->seg, at, 2);
    uint64_t base = load(s, op->seg, (at + 2) & op->mask, 4);
    t->limit = (uint16_t)limit;
    t->base = op->wide == 2 ? base & 0xFFFFFF : base;
    return op + 1;
}

const struct op *sgdt(struct soft *s, const struct op *op) {
    return store_table(s, op, &s->gdt);
}
const struct op *sidt(struct soft *s, const struct op *op) {
    return store_table(s, op, &s->idt);
}
const struct op *lgdt(struct soft *s, const struct op *op) {
    return load_table(s, op, &s->gdt);
}
const struct op *lidt(struct soft *s, const struct op *op) {
    return load_table(s, op, &s->idt);
}

static const struct op *store_selector(struct soft *s, const struct op *op, unsigned seg) {
    need_protected(s);
    put_e(s, op, op->memory ? 2 : op->wide, op->memory, s->seg[seg].k.selector);
    return op + 1;
}

const struct op *sldt(struct soft *s, const struct op *op) {
    return store_selector(s, op, S_LDT);
}
const struct op *str(struct soft *s, const struct op *op) {
    return store_selector(s, op, S_TR);
}

const struct op *lldt(struct soft *s, const struct op *op) {
    need_protected(s);
    need_ring0(s);
    load_ldt(s, (uint16_t)get_e(s, op, 2, op->memory), VECTOR_GP);
    return op + 1;
}

const struct op *ltr(struct soft *s, const struct op *op) {
    need_protected(s);
    need_ring0(s);
    uint16_t selector = (uint16_t)get_e(s, op, 2, op->memory);
    uint64_t linear;
    if (!(selector & ~3u) || selector & 4)
        raise_fault(s, VECTOR_GP, selector & ~3u);
    struct kvm_segment k =
        x86_descriptor(selector, descriptor_need(s, selector, VECTOR_GP, &linear));
    if (k.s || (k.type != 1 && k.type != 9))
        raise_fault(s, VECTOR_GP, selector & ~3u);
    if (!k.present)
        raise_fault(s, VECTOR_NP, selector & ~3u);
    k.type |= 2; /* busy */
    write_linear(s, linear + 5, 1, (read_linear(s, linear + 5, 1, false) & 0xFF) | 2, false);
    s->seg[S_TR].k = k;
    return op + 1;
}

/* --- looking at descriptors: nothing faults but the operand --- */

static void set_zf(struct soft *s, bool zf) {
    flags_set(s, (flags_get(s) & ~(uint32_t)FLAG_ZF) | (zf ? FLAG_ZF : 0));
}

/* The descriptor, if its type is one of `systems` (a bitmap) or code or data,
 * and the privileges admit it. */
static bool visible(struct soft *s, uint16_t selector, unsigned systems, uint64_t *raw) {
    uint64_t linear;
    if (!descriptor_at(s, selector, raw, &linear))
        return false;
    struct kvm_segment k = x86_descriptor(selector, *raw);
    if (!k.s && !(systems >> k.type & 1))
        return false;
    bool any_ring = k.s && (k.type & 12) == 12; /* conforming code */
    return any_ring || (k.dpl >= s->cpl && k.dpl >= (selector & 3u));
}

const struct op *lar(struct soft *s, const struct op *op) {
    need_protected(s);
    uint64_t raw;
    bool ok = visible(s, (uint16_t)get_e(s, op, 2, op->memory), 0x1A3E, &raw);
    if (ok)
        set_reg(s, op->reg, op->wide, raw >> 32 & 0x00FFFF00);
    set_zf(s, ok);
    return op + 1;
}

const struct op *lsl(struct soft *s, const struct op *op) {
    need_protected(s);
    uint64_t raw;
    bool ok = visible(s, (uint16_t)get_e(s, op, 2, op->memory), 0x0A0E, &raw);
    if (ok)
        set_reg(s, op->reg, op->wide, x86_descriptor(0, raw).limit);
    set_zf(s, ok);
    return op + 1;
}

static const struct op *verify(struct soft *s, const struct op *op, bool write) {
    need_protected(s);
    uint64_t raw;
    bool ok = visible(s, (uint16_t)get_e(s, op, 2, op->memory), 0, &raw);
    if (ok) {
        unsigned type = x86_descriptor(0, raw).type;
        bool code = type & 8, bit1 = type & 2; /* readable code, writable data */
        ok = write ? !code && bit1 : !code || bit1;
    }
    set_zf(s, ok);
    return op + 1;
}

const struct op *verr(struct soft *s, const struct op *op) {
    return verify(s, op, false);
}
const struct op *verw(struct soft *s, const struct op *op) {
    return verify(s, op, true);
}

/* The only one that reads its destination and writes it only if that changes it: a
 * read-only page stays unnoticed then (seen on an Intel processor). */
const struct op *arpl(struct soft *s, const struct op *op) {
    need_protected(s);
    uint64_t e = get_e(s, op, 2, op->memory), rpl = get_reg(s, op->reg, 2) & 3;
    bool raise = (e & 3) < rpl;
    if (raise)
        put_e(s, op, 2, op->memory, (e & ~3ull) | rpl);
    set_zf(s, raise);
    return op + 1;
}
