/* Segments: what an access may do, and what may be loaded (3.4, 5.2 to 5.6).
 *
 * Rule: a segment register is what its hidden part says, in every mode. Real
 * mode changes only selector and base, so limits loaded in protected mode stay
 * ("big real mode").
 */
#include "vmm/engines/soft/state.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

enum { TYPE_ACCESSED = 1, TYPE_WRITABLE = 2, TYPE_READABLE = 2, TYPE_DOWN = 4,
       TYPE_CONFORMING = 4, TYPE_CODE = 8, TYPE_LDT = 2 };

static bool expands_down(const struct kvm_segment *k) {
    return k->s && (k->type & (TYPE_CODE | TYPE_DOWN)) == TYPE_DOWN;
}

/* Type checks hold in protected mode only. */
static bool type_allows(const struct soft *s, const struct kvm_segment *k, bool write) {
    if (k->unusable)
        return false;
    if (!s->protected)
        return true;
    if (k->type & TYPE_CODE)
        return !write && k->type & TYPE_READABLE;
    return !write || k->type & TYPE_WRITABLE;
}

bool segment_allows(const struct soft *s, const struct segment *g, uint64_t offset, unsigned size,
                    bool write) {
    uint64_t last = offset + size - 1;
    if (code64(s))
        return x86_is_canonical(g->base + offset) && x86_is_canonical(g->base + last);
    if (!type_allows(s, &g->k, write))
        return false;
    if (!expands_down(&g->k))
        return last <= g->k.limit;
    return offset > g->k.limit && last <= (g->k.db ? 0xFFFFFFFF : 0xFFFF);
}

uint64_t segment_check(struct soft *s, unsigned seg, uint64_t offset, unsigned size, bool write) {
    if (!segment_allows(s, &s->seg[seg], offset, size, write))
        raise_fault(s, seg == S_SS ? VECTOR_SS : VECTOR_GP, 0);
    return wrap_linear(s, s->seg[seg].base + offset);
}

/* 64-bit code knows no limits and no types, and of the bases only those of FS and GS. */
static void refresh64(struct soft *s, struct segment *g) {
    bool based = g == &s->seg[S_FS] || g == &s->seg[S_GS];
    g->base = based ? g->k.base : 0;
    g->read_end = g->write_end = ~0ull;
}

/* What lies behind 4 GiB, and so at 0 again, goes the slow way. */
void segment_refresh(struct soft *s, struct segment *g) {
    if (code64(s)) {
        refresh64(s, g);
        return;
    }
    g->base = (uint32_t)g->k.base;
    uint64_t end = expands_down(&g->k) ? 0 : (uint64_t)g->k.limit + 1;
    if (end > (1ull << 32) - g->base)
        end = (1ull << 32) - g->base;
    g->read_end = type_allows(s, &g->k, false) ? end : 0;
    g->write_end = type_allows(s, &g->k, true) ? end : 0;
}

void segments_refresh(struct soft *s) {
    for (unsigned n = 0; n < S_COUNT; n++)
        segment_refresh(s, &s->seg[n]);
}

static bool goes_everywhere(const struct segment *g) {
    return !g->base && g->read_end >> 32 && g->write_end >> 32;
}

/* Whatever is not FS or GS goes to all of memory as it is, and SP is not 16 bits. So it is in
 * 64-bit code, and in most that has 32 bits. */
bool segments_are_flat(const struct soft *s) {
    return (code64(s) || s->seg[S_SS].k.db) && goes_everywhere(&s->seg[S_DS]) &&
           goes_everywhere(&s->seg[S_ES]) && goes_everywhere(&s->seg[S_SS]);
}

/* --- descriptors in memory --- */

static bool is_null(uint16_t selector) {
    return !(selector & ~3);
}

/* False when the selector is null or beyond its table. */
bool descriptor_at(struct soft *s, uint16_t selector, uint64_t *raw, uint64_t *linear) {
    const struct kvm_segment *ldt = &s->seg[S_LDT].k;
    uint64_t base = selector & 4 ? ldt->base : s->gdt.base;
    uint32_t limit = selector & 4 ? ldt->limit : s->gdt.limit;
    if (is_null(selector) || (selector & 4 && ldt->unusable) || (selector | 7u) > limit)
        return false;
    *linear = wrap_system(s, base + (selector & ~7u));
    *raw = read_linear(s, *linear, 8, RIGHTS_SYSTEM);
    return true;
}

uint64_t descriptor_need(struct soft *s, uint16_t selector, unsigned vector, uint64_t *linear) {
    uint64_t raw;
    if (!descriptor_at(s, selector, &raw, linear))
        raise_fault(s, vector, selector & ~3u);
    return raw;
}

/* The upper half of a 16-byte descriptor must have type 0 (figure 7-4), and its base be canonical. */
static void widen_descriptor(struct soft *s, struct kvm_segment *k, uint64_t linear,
                             unsigned vector) {
    const struct kvm_segment *ldt = &s->seg[S_LDT].k;
    uint32_t limit = k->selector & 4 ? ldt->limit : s->gdt.limit;
    if ((k->selector & ~7u) + 15 > limit)
        raise_fault(s, vector, k->selector & ~3u);
    uint64_t upper = read_linear(s, linear + 8, 8, RIGHTS_SYSTEM);
    k->base |= upper << 32;
    if (upper >> 40 & 31 || !x86_is_canonical(k->base))
        raise_fault(s, vector, k->selector & ~3u);
}

struct kvm_segment system_descriptor(struct soft *s, uint16_t selector, unsigned vector,
                                     uint64_t *linear) {
    struct kvm_segment k = x86_descriptor(selector, descriptor_need(s, selector, vector, linear));
    if (code64(s) && !k.s)
        widen_descriptor(s, &k, *linear, vector);
    return k;
}

/* Sets the accessed bit of a code or data descriptor that is being loaded. */
void descriptor_accessed(struct soft *s, uint64_t linear, struct kvm_segment *k) {
    if (k->type & TYPE_ACCESSED)
        return;
    k->type |= TYPE_ACCESSED;
    uint64_t byte = read_linear(s, linear + 5, 1, RIGHTS_SYSTEM) & 0xFF;
    write_linear(s, linear + 5, 1, byte | TYPE_ACCESSED, RIGHTS_SYSTEM);
}

/* --- loading --- */

static void set_segment(struct soft *s, unsigned seg, struct kvm_segment k) {
    s->seg[seg].k = k;
    segment_refresh(s, &s->seg[seg]);
    if (seg == S_SS)
        mode_changed(s);
    else
        blocks_changed(s);
}

void segment_set_real(struct soft *s, unsigned seg, uint16_t selector) {
    struct kvm_segment k = s->seg[seg].k;
    if (k.unusable)
        k = x86_real_segment(selector, false);
    k.selector = selector;
    k.base = selector * 16u;
    set_segment(s, seg, k);
}

/* Virtual-8086 mode fixes everything (20.2.1). */
void segment_set_vm86(struct soft *s, unsigned seg, uint16_t selector) {
    struct kvm_segment k = x86_real_segment(selector, false);
    k.dpl = 3;
    set_segment(s, seg, k);
}

/* AMD's keep the base. */
static void load_null(struct soft *s, unsigned seg, uint16_t selector) {
    struct kvm_segment k = {.selector = selector, .unusable = 1};
    k.base = s->amd && s->long_mode ? s->seg[seg].k.base : 0;
    set_segment(s, seg, k);
}

/* SS may be null in 64-bit code of the rings 0 to 2; its RPL is the ring. */
bool stack_may_be_null(uint16_t selector, unsigned cpl, bool is64) {
    return is64 && is_null(selector) && cpl < 3 && (selector & 3u) == cpl;
}

struct kvm_segment null_stack(uint16_t selector) {
    return (struct kvm_segment){.selector = selector, .dpl = selector & 3, .unusable = 1};
}

/* A stack segment for privilege `cpl`, or the fault `vector` (#GP when loaded by
 * an instruction, #TS when it comes from a TSS); marks it accessed. */
void stack_segment_fits(struct soft *s, uint16_t selector, unsigned cpl, unsigned vector,
                        struct kvm_segment *k) {
    uint64_t linear;
    if (is_null(selector))
        raise_fault(s, vector, 0);
    *k = x86_descriptor(selector, descriptor_need(s, selector, vector, &linear));
    bool data = k->s && !(k->type & TYPE_CODE) && k->type & TYPE_WRITABLE;
    if (!data || (selector & 3u) != cpl || k->dpl != cpl)
        raise_fault(s, vector, selector & ~3u);
    if (!k->present)
        raise_fault(s, VECTOR_SS, selector & ~3u);
    descriptor_accessed(s, linear, k);
}

static void load_data(struct soft *s, unsigned seg, uint16_t selector, unsigned vector) {
    uint64_t linear;
    unsigned rpl = selector & 3;
    struct kvm_segment k =
        x86_descriptor(selector, descriptor_need(s, selector, vector, &linear));
    bool code = k.type & TYPE_CODE;
    bool any_ring = code && k.type & TYPE_CONFORMING;
    if (!k.s || (code && !(k.type & TYPE_READABLE)) ||
        (!any_ring && (rpl > k.dpl || s->cpl > k.dpl)))
        raise_fault(s, vector, selector & ~3u);
    if (!k.present)
        raise_fault(s, VECTOR_NP, selector & ~3u);
    descriptor_accessed(s, linear, &k);
    set_segment(s, seg, k);
}

/* MOV, POP and Lxx to a segment register other than CS. */
void segment_load(struct soft *s, unsigned seg, uint16_t selector) {
    if (vm86(s)) {
        segment_set_vm86(s, seg, selector);
    } else if (!s->protected) {
        segment_set_real(s, seg, selector);
    } else if (seg == S_SS) {
        struct kvm_segment k = null_stack(selector);
        if (!stack_may_be_null(selector, s->cpl, code64(s)))
            stack_segment_fits(s, selector, s->cpl, VECTOR_GP, &k);
        set_segment(s, seg, k);
    } else if (is_null(selector)) {
        load_null(s, seg, selector);
    } else {
        load_data(s, seg, selector, VECTOR_GP);
    }
}

/* In a task switch: #TS instead of #GP (7.3). */
void segment_load_task(struct soft *s, unsigned seg, uint16_t selector) {
    struct kvm_segment k;
    if (vm86(s)) {
        segment_set_vm86(s, seg, selector);
    } else if (seg == S_SS) {
        stack_segment_fits(s, selector, s->cpl, VECTOR_TS, &k);
        set_segment(s, seg, k);
    } else if (is_null(selector)) {
        load_null(s, seg, selector);
    } else {
        load_data(s, seg, selector, VECTOR_TS);
    }
}

/* A return to an outer ring takes away what that ring may not use (5.8.6); a selector that is
 * null becomes 0, whatever its RPL (Vol. 2A, IRET), and the base that FS or GS has stays. */
void segments_drop_inner(struct soft *s) {
    static const uint8_t data[] = {S_ES, S_DS, S_FS, S_GS};
    for (unsigned n = 0; n < sizeof data; n++) {
        struct kvm_segment *k = &s->seg[data[n]].k;
        bool any_ring = k->type & TYPE_CODE && k->type & TYPE_CONFORMING;
        if (!k->unusable && !any_ring && k->dpl < s->cpl)
            load_null(s, data[n], 0);
        else if (is_null(k->selector))
            k->selector = 0;
    }
}

/* An interrupt out of virtual-8086 mode leaves null selectors (20.3.1.1). */
void segments_drop_all(struct soft *s) {
    load_null(s, S_ES, 0);
    load_null(s, S_DS, 0);
    load_null(s, S_FS, 0);
    load_null(s, S_GS, 0);
}

/* LLDT (#GP) and task switches (#TS). */
void load_ldt(struct soft *s, uint16_t selector, unsigned vector) {
    uint64_t linear;
    if (is_null(selector)) {
        load_null(s, S_LDT, selector);
        return;
    }
    if (selector & 4)
        raise_fault(s, vector, selector & ~3u);
    struct kvm_segment k = system_descriptor(s, selector, vector, &linear);
    if (k.s || k.type != TYPE_LDT)
        raise_fault(s, vector, selector & ~3u);
    if (!k.present)
        raise_fault(s, vector == VECTOR_TS ? VECTOR_TS : VECTOR_NP, selector & ~3u);
    set_segment(s, S_LDT, k);
}
