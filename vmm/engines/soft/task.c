/* Task-state segments: the stacks of inner rings, and task switches (7.2, 7.3).
 *
 * A switch has two halves. Up to commit() everything it will touch has been
 * checked, and a fault belongs to the old task; after it, the new task's
 * registers are in place, and a fault in loading its segments is the new task's.
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/x87.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

/* Offsets in a TSS (figures 7-2 and 7-10). The general and segment
 * registers follow each other in the order of their encoding. */
struct layout {
    uint8_t size;  /* of a register there */
    uint8_t stack; /* SP0; each ring has SP and SS */
    uint8_t ip, flags, gpr, seg, segs, ldt;
    uint8_t limit; /* the least */
};
static const struct layout layout16 = {2, 2, 0x0E, 0x10, 0x12, 0x22, 4, 0x2A, 0x2B};
static const struct layout layout32 = {4, 4, 0x20, 0x24, 0x28, 0x48, 6, 0x60, 0x67};
#define TSS_LINK 0x00
#define TSS_CR3  0x1C
#define TSS_TRAP 0x64

enum { TSS_BUSY = 2, TSS_32 = 8 };

/* No reserved bits, nor those of the virtual-8086 extensions that CPUID denies. */
#define FLAGS_DEFINED                                                                              \
    (FLAGS_ALU | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_AC | \
     FLAG_ID)

static const struct layout *tss_layout(const struct kvm_segment *tr) {
    return tr->type & TSS_32 ? &layout32 : &layout16;
}

static uint64_t tss_read(struct soft *s, const struct kvm_segment *tr, unsigned at, unsigned size) {
    return read_linear(s, wrap_system(s, tr->base + at), size, RIGHTS_SYSTEM) & mask_of(size);
}

static void tss_write(struct soft *s, const struct kvm_segment *tr, unsigned at, unsigned size,
                      uint64_t value) {
    write_linear(s, wrap_system(s, tr->base + at), size, value, RIGHTS_SYSTEM);
}

void task_stack(struct soft *s, unsigned cpl, uint16_t *ss, uint32_t *esp) {
    const struct kvm_segment *tr = &s->seg[S_TR].k;
    const struct layout *l = tss_layout(tr);
    unsigned at = l->stack + cpl * 2u * l->size;
    if (tr->unusable || at + l->size + 1u > tr->limit)
        raise_fault(s, VECTOR_TS, tr->selector & ~3u);
    *esp = (uint32_t)tss_read(s, tr, at, l->size);
    *ss = (uint16_t)tss_read(s, tr, at + l->size, 2);
}

/* Figure 7-11: RSP0 to RSP2, 8 bytes that are reserved, IST1 to IST7. */
uint64_t task_stack64(struct soft *s, unsigned number) {
    const struct kvm_segment *tr = &s->seg[S_TR].k;
    unsigned at = 4 + 8 * number;
    if (tr->unusable || at + 7 > tr->limit)
        raise_fault(s, VECTOR_TS, tr->selector & ~3u);
    return tss_read(s, tr, at, 8);
}

/* --- the new task's descriptor --- */

struct task {
    struct kvm_segment tr;
    uint64_t linear; /* of the descriptor */
};

static struct task find_task(struct soft *s, uint16_t selector, enum switch_cause cause) {
    unsigned vector = cause == SWITCH_IRET ? VECTOR_TS : VECTOR_GP;
    struct task t;
    if (selector & 4 || !(selector & ~3u))
        raise_fault(s, vector, selector & ~3u);
    t.tr = x86_descriptor(selector, descriptor_need(s, selector, vector, &t.linear));
    bool tss = !t.tr.s && (t.tr.type & 5) == 1;
    bool busy = t.tr.type & TSS_BUSY;
    if (!tss || busy != (cause == SWITCH_IRET))
        raise_fault(s, vector, selector & ~3u);
    if (!t.tr.present)
        raise_fault(s, VECTOR_NP, selector & ~3u);
    if (t.tr.limit < tss_layout(&t.tr)->limit)
        raise_fault(s, VECTOR_TS, selector & ~3u);
    return t;
}

/* The descriptor's busy bit: bit 1 of its byte 5. */
static void set_busy(struct soft *s, uint64_t descriptor, bool busy) {
    uint64_t byte = read_linear(s, descriptor + 5, 1, RIGHTS_SYSTEM) & 0xFF;
    byte = busy ? byte | TSS_BUSY : byte & ~(uint64_t)TSS_BUSY;
    write_linear(s, descriptor + 5, 1, byte, RIGHTS_SYSTEM);
}

/* --- saving the old --- */

static void save_task(struct soft *s, uint64_t ip, uint32_t flags) {
    const struct kvm_segment *tr = &s->seg[S_TR].k;
    const struct layout *l = tss_layout(tr);
    tss_write(s, tr, l->ip, l->size, ip);
    tss_write(s, tr, l->flags, l->size, flags);
    for (unsigned n = 0; n < 8; n++)
        tss_write(s, tr, l->gpr + n * l->size, l->size, s->r[n]);
    for (unsigned n = 0; n < l->segs; n++)
        tss_write(s, tr, l->seg + n * l->size, 2, s->seg[n].k.selector);
}

/* --- loading the new --- */

struct new_task {
    uint64_t cr3, ip;
    uint32_t flags;
    uint64_t gpr[8];
    uint16_t seg[6], ldt;
    bool trap;
};

static struct new_task read_task(struct soft *s, const struct kvm_segment *tr) {
    const struct layout *l = tss_layout(tr);
    struct new_task n = {.ip = tss_read(s, tr, l->ip, l->size),
                         .flags = (uint32_t)tss_read(s, tr, l->flags, l->size),
                         .ldt = (uint16_t)tss_read(s, tr, l->ldt, 2)};
    for (unsigned i = 0; i < 8; i++)
        n.gpr[i] = tss_read(s, tr, l->gpr + i * l->size, l->size);
    for (unsigned i = 0; i < l->segs; i++)
        n.seg[i] = (uint16_t)tss_read(s, tr, l->seg + i * l->size, 2);
    if (l == &layout32) {
        n.cr3 = tss_read(s, tr, TSS_CR3, 4);
        n.trap = tss_read(s, tr, TSS_TRAP, 2) & 1;
    }
    return n;
}

/* Selectors first, so that a fault shows them; nothing is usable yet. */
static void set_selectors(struct soft *s, const struct new_task *n) {
    for (unsigned i = 0; i < 6; i++)
        s->seg[i].k = (struct kvm_segment){
            .selector = n->seg[i], .unusable = 1, .db = i == S_CS ? s->seg[S_CS].k.db : 0};
    s->seg[S_LDT].k = (struct kvm_segment){.selector = n->ldt, .unusable = 1};
    new_epoch(s);
}

static void load_code(struct soft *s, uint16_t selector) {
    uint64_t linear;
    unsigned rpl = selector & 3;
    if (!(selector & ~3u))
        raise_fault(s, VECTOR_TS, 0);
    struct kvm_segment k =
        x86_descriptor(selector, descriptor_need(s, selector, VECTOR_TS, &linear));
    bool fits = k.type & 4 ? k.dpl <= rpl : k.dpl == rpl;
    if (!k.s || !(k.type & 8) || !fits)
        raise_fault(s, VECTOR_TS, selector & ~3u);
    if (!k.present)
        raise_fault(s, VECTOR_NP, selector & ~3u);
    descriptor_accessed(s, linear, &k);
    set_code(s, k, rpl);
}

static void load_segments(struct soft *s, const struct new_task *n) {
    static const uint8_t data[] = {S_ES, S_DS, S_FS, S_GS};
    load_ldt(s, n->ldt, VECTOR_TS);
    segment_load_task(s, S_SS, n->seg[S_SS]);
    if (vm86(s))
        set_code_real(s, n->seg[S_CS]);
    else
        load_code(s, n->seg[S_CS]);
    for (unsigned i = 0; i < sizeof data; i++)
        segment_load_task(s, data[i], n->seg[data[i]]);
    if (s->ip > s->seg[S_CS].k.limit)
        raise_gp0(s);
}

/* From here on it is the new task. */
static void become(struct soft *s, const struct new_task *n, const struct kvm_segment *tr) {
    bool wide = tr->type & TSS_32;
    s->seg[S_TR].k = *tr;
    s->seg[S_TR].k.type |= TSS_BUSY;
    s->cr0 |= CR0_TS;
    fpu_away(s);
    if (wide && s->cr0 & CR0_PG && pdptes_load(s, n->cr3)) {
        s->cr3 = n->cr3;
        tlb_flush(s, false);
    }
    for (unsigned i = 0; i < 8; i++)
        s->r[i] = wide ? n->gpr[i] : n->gpr[i] | 0xFFFF0000;
    flags_set(s, n->flags & FLAGS_DEFINED);
    s->cpl = vm86(s) ? 3 : n->seg[S_CS] & 3;
    set_selectors(s, n);
    segments_refresh(s);
    mode_changed(s);
    flags_changed(s);
    retire_block(s, n->ip);
    commit(s);
}

static void push_error(struct soft *s, const struct kvm_segment *tr, uint32_t error) {
    struct frame f = {.size = tss_layout(tr)->size};
    frame_add(&f, error);
    frame_push(s, &f);
}

void task_switch(struct soft *s, uint16_t selector, enum switch_cause cause, uint64_t return_ip,
                 const uint32_t *error) {
    struct task t = find_task(s, selector, cause);
    struct kvm_segment old = s->seg[S_TR].k;
    uint32_t flags = flags_get(s);
    uint64_t old_linear, raw;
    bool nested = cause == SWITCH_CALL || cause == SWITCH_INT;
    if (old.unusable || old.limit < tss_layout(&old)->limit ||
        !descriptor_at(s, old.selector, &raw, &old_linear))
        raise_fault(s, VECTOR_TS, old.selector & ~3u);
    check_linear(s, old.base, tss_layout(&old)->limit + 1u, ACCESS_WRITE, RIGHTS_SYSTEM);
    check_linear(s, t.tr.base, tss_layout(&t.tr)->limit + 1u, nested ? ACCESS_WRITE : ACCESS_READ,
                 RIGHTS_SYSTEM);
    check_linear(s, old_linear, 8, ACCESS_WRITE, RIGHTS_SYSTEM);
    check_linear(s, t.linear, 8, ACCESS_WRITE, RIGHTS_SYSTEM);
    save_task(s, return_ip, cause == SWITCH_IRET ? flags & ~(uint32_t)FLAG_NT : flags);
    struct new_task n = read_task(s, &t.tr);
    if (!nested)
        set_busy(s, old_linear, false);
    if (nested) {
        tss_write(s, &t.tr, TSS_LINK, 2, old.selector);
        n.flags |= FLAG_NT;
    }
    set_busy(s, t.linear, true);
    become(s, &n, &t.tr);
    load_segments(s, &n);
    if (error)
        push_error(s, &t.tr, *error);
    if (n.trap) {
        s->db_trap |= DR6_BT;
        pend(s, PENDING_CHECK);
    }
}

void task_switch_gate(struct soft *s, uint64_t gate, enum switch_cause cause, uint64_t return_ip,
                      const uint32_t *error) {
    task_switch(s, gate >> 16 & 0xFFFF, cause, return_ip, error);
}

/* IRET with NT: to the task that the link names. */
void task_return(struct soft *s, uint64_t return_ip) {
    uint16_t link = (uint16_t)tss_read(s, &s->seg[S_TR].k, TSS_LINK, 2);
    task_switch(s, link, SWITCH_IRET, return_ip, NULL);
}
