/* System instructions: descriptor tables, HLT, the interrupt flag, and the instructions that look
 * at descriptors (2.8).
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

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

const struct op *invlpg(struct soft *s, const struct op *op) {
    need_ring0(s);
    tlb_flush_page(s, wrap_linear(s, s->seg[op->seg].base + address(s, op)));
    return op + 1;
}

/* --- descriptor tables: a 16-bit limit, then a base of 32 bits, of which a load with a
 * 16-bit operand size takes 24 bits, a store gives all; in 64-bit code of 64 (Vol. 2B,
 * SGDT) --- */

static const struct op *store_table(struct soft *s, const struct op *op,
                                    const struct kvm_dtable *t) {
    need_umip(s);
    uint64_t at = address(s, op);
    unsigned size = code64(s) ? 8 : 4;
    check_write(s, op->seg, at, 2);
    check_write(s, op->seg, (at + 2) & op->mask, size);
    store(s, op->seg, at, 2, t->limit);
    store(s, op->seg, (at + 2) & op->mask, size, t->base);
    return op + 1;
}

static const struct op *load_table(struct soft *s, const struct op *op, struct kvm_dtable *t) {
    need_ring0(s);
    uint64_t at = address(s, op), limit = load(s, op->seg, at, 2);
    uint64_t base = load(s, op->seg, (at + 2) & op->mask, code64(s) ? 8 : 4);
    if (code64(s) && !x86_is_canonical(base))
        raise_gp0(s);
    t->limit = (uint16_t)limit;
    t->base = op->wide == 2 && !code64(s) ? base & 0xFFFFFF : base;
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
    need_umip(s);
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
    struct kvm_segment k = system_descriptor(s, selector, VECTOR_GP, &linear);
    if (k.s || (k.type != 9 && (k.type != 1 || s->long_mode)))
        raise_fault(s, VECTOR_GP, selector & ~3u);
    if (!k.present)
        raise_fault(s, VECTOR_NP, selector & ~3u);
    k.type |= 2; /* busy */
    uint64_t byte = read_linear(s, linear + 5, 1, RIGHTS_SYSTEM) & 0xFF;
    write_linear(s, linear + 5, 1, byte | 2, RIGHTS_SYSTEM);
    s->seg[S_TR].k = k;
    return op + 1;
}

/* --- SMAP --- */

static const struct op *set_ac(struct soft *s, const struct op *op, bool ac) {
    if (s->cpl)
        raise_plain(s, VECTOR_UD);
    s->flags = (s->flags & ~(uint32_t)FLAG_AC) | (ac ? FLAG_AC : 0);
    mode_changed(s);
    return op + 1;
}

const struct op *clac(struct soft *s, const struct op *op) {
    return set_ac(s, op, false);
}
const struct op *stac(struct soft *s, const struct op *op) {
    return set_ac(s, op, true);
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
    bool ok = visible(s, (uint16_t)get_e(s, op, 2, op->memory), s->long_mode ? 0x1A04 : 0x1A3E, &raw);
    if (ok)
        set_reg(s, op->reg, op->wide, raw >> 32 & 0x00FFFF00);
    set_zf(s, ok);
    return op + 1;
}

const struct op *lsl(struct soft *s, const struct op *op) {
    need_protected(s);
    uint64_t raw;
    bool ok = visible(s, (uint16_t)get_e(s, op, 2, op->memory), s->long_mode ? 0x0A04 : 0x0A0E, &raw);
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
