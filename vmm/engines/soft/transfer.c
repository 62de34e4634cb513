/* Far transfers: JMP, CALL and RET between segments and through call gates, and
 * IRET (5.8, 6.12, 20.2; Vol. 2A).
 *
 * Rule: checkpoint() first. So each step may load what it has checked, and a fault in a
 * later one restores everything.
 */
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

enum { TYPE_CONFORMING = 4, TYPE_CODE = 8 };
enum { GATE_CALL16 = 4, GATE_TASK = 5, GATE_CALL32 = 12, GATE_CALL64 = 12 };

static bool is_code(const struct kvm_segment *k) {
    return k->s && k->type & TYPE_CODE;
}
static bool is_conforming(const struct kvm_segment *k) {
    return k->type & TYPE_CONFORMING;
}

/* --- CS and SS --- */

void set_code(struct soft *s, struct kvm_segment k, unsigned cpl) {
    const struct kvm_segment *old = &s->seg[S_CS].k;
    if (old->base != k.base || old->limit != k.limit)
        new_epoch(s);
    k.selector = (uint16_t)((k.selector & ~3u) | cpl);
    s->seg[S_CS].k = k;
    s->cpl = cpl;
    segment_refresh(s, &s->seg[S_CS]);
    mode_changed(s);
}

void set_code_real(struct soft *s, uint16_t selector) {
    new_epoch(s);
    if (vm86(s)) {
        struct kvm_segment k = x86_real_segment(selector, true);
        k.dpl = 3;
        s->seg[S_CS].k = k;
    } else {
        s->seg[S_CS].k.selector = selector;
        s->seg[S_CS].k.base = selector * 16u;
    }
    segment_refresh(s, &s->seg[S_CS]);
    mode_changed(s);
}

void set_stack(struct soft *s, struct kvm_segment k, uint64_t sp) {
    s->seg[S_SS].k = k;
    segment_refresh(s, &s->seg[S_SS]);
    mode_changed(s);
    set_sp(s, sp);
}

/* --- frames --- */

void frame_add(struct frame *f, uint64_t value) {
    f->value[f->count++] = value;
}

void frame_push(struct soft *s, const struct frame *f) {
    for (unsigned n = 1; n <= f->count; n++) {
        uint64_t at = sp_plus(s, -(int64_t)(n * f->size));
        if (!segment_allows(s, &s->seg[S_SS], at, f->size, true))
            raise_fault(s, VECTOR_SS, f->code);
        check_write(s, S_SS, at, f->size);
    }
    for (unsigned n = 0; n < f->count; n++)
        push(s, f->size, f->value[n]);
}

static void push_return(struct soft *s, const struct op *op, unsigned size) {
    struct frame f = {.size = size};
    frame_add(&f, s->seg[S_CS].k.selector);
    frame_add(&f, after(s, op));
    frame_push(s, &f);
}

/* --- the targets of JMP and CALL --- */

/* A transfer to be made: from a pointer in the instruction or in memory. */
struct far {
    const struct op *op;
    uint16_t selector;
    uint64_t offset;
    bool call;
};

static bool is_code64(const struct soft *s, const struct kvm_segment *k) {
    return s->long_mode && k->l;
}

/* In compatibility mode ip has 32 bits again. */
uint64_t target_in(struct soft *s, const struct kvm_segment *k, uint64_t ip) {
    if (s->long_mode && !k->l)
        ip = (uint32_t)ip;
    if (is_code64(s, k) ? !x86_is_canonical(ip) : ip > k->limit)
        raise_gp0(s);
    return ip;
}

void code_fits(struct soft *s, const struct kvm_segment *k) {
    if (is_code64(s, k) && k->db)
        raise_fault(s, VECTOR_GP, k->selector & ~3u);
    if (!k->present)
        raise_fault(s, VECTOR_NP, k->selector & ~3u);
}

static const struct op *far_real(struct soft *s, const struct far *f) {
    uint64_t ip = target_in(s, &s->seg[S_CS].k, f->offset);
    if (f->call)
        push_return(s, f->op, f->op->wide);
    set_code_real(s, f->selector);
    commit(s);
    return leave(s, f->op, ip);
}

static const struct op *far_direct(struct soft *s, const struct far *f, struct kvm_segment k,
                                   uint64_t linear) {
    unsigned rpl = f->selector & 3;
    bool allowed = is_conforming(&k) ? k.dpl <= s->cpl : rpl <= s->cpl && k.dpl == s->cpl;
    if (!allowed)
        raise_fault(s, VECTOR_GP, f->selector & ~3u);
    code_fits(s, &k);
    uint64_t ip = target_in(s, &k, f->offset);
    if (f->call)
        push_return(s, f->op, f->op->wide);
    descriptor_accessed(s, linear, &k);
    set_code(s, k, s->cpl);
    commit(s);
    return leave(s, f->op, ip);
}

/* --- call gates (5.8.3) --- */

static uint64_t gate_offset(uint64_t gate, unsigned size) {
    return (gate & 0xFFFF) | (size == 4 ? gate >> 32 & 0xFFFF0000 : 0);
}

/* Onto the stack of an inner ring, taking `count` parameters along. */
static void enter_ring(struct soft *s, const struct far *f, struct kvm_segment k, unsigned size,
                       unsigned count) {
    struct frame frame = {.size = size};
    struct kvm_segment stack;
    uint16_t ss;
    uint32_t esp;
    task_stack(s, k.dpl, &ss, &esp);
    stack_segment_fits(s, ss, k.dpl, VECTOR_TS, &stack);
    frame.code = ss & ~3u;
    frame_add(&frame, s->seg[S_SS].k.selector);
    frame_add(&frame, s->r[R_SP]);
    while (count--)
        frame_add(&frame, peek(s, size, count * size));
    frame_add(&frame, s->seg[S_CS].k.selector);
    frame_add(&frame, after(s, f->op));
    set_code(s, k, k.dpl);
    set_stack(s, stack, esp);
    frame_push(s, &frame);
}

static const struct op *far_gate(struct soft *s, const struct far *f, uint64_t gate,
                                 unsigned size) {
    uint16_t selector = gate >> 16 & 0xFFFF;
    uint64_t linear;
    if (!(selector & ~3u))
        raise_gp0(s);
    struct kvm_segment k =
        x86_descriptor(selector, descriptor_need(s, selector, VECTOR_GP, &linear));
    bool inner = f->call && !is_conforming(&k) && k.dpl < s->cpl;
    bool same = is_conforming(&k) ? k.dpl <= s->cpl : k.dpl == s->cpl;
    if (!is_code(&k) || !(inner || same))
        raise_fault(s, VECTOR_GP, selector & ~3u);
    if (!k.present)
        raise_fault(s, VECTOR_NP, selector & ~3u);
    uint64_t ip = target_in(s, &k, gate_offset(gate, size));
    if (inner)
        enter_ring(s, f, k, size, gate >> 32 & 31);
    else if (f->call)
        push_return(s, f->op, size);
    descriptor_accessed(s, linear, &k);
    set_code(s, k, inner ? k.dpl : s->cpl);
    commit(s);
    return leave(s, f->op, ip);
}

/* --- 64-bit call gates (5.8.3.1): 16 bytes, to 64-bit code, no parameters --- */

static uint64_t gate64_offset(struct soft *s, const struct far *f, uint64_t gate,
                              uint64_t linear) {
    uint64_t upper = read_linear(s, linear + 8, 8, RIGHTS_SYSTEM);
    if (upper >> 40 & 31)
        raise_fault(s, VECTOR_GP, f->selector & ~3u);
    return (upper << 32) | gate_offset(gate, 4);
}

static const struct op *far_gate64(struct soft *s, const struct far *f, uint64_t gate,
                                   uint64_t gate_linear) {
    uint16_t selector = gate >> 16 & 0xFFFF;
    struct frame frame = {.size = 8};
    uint64_t linear, offset = gate64_offset(s, f, gate, gate_linear);
    if (!(selector & ~3u))
        raise_gp0(s);
    struct kvm_segment k =
        x86_descriptor(selector, descriptor_need(s, selector, VECTOR_GP, &linear));
    bool inner = f->call && !is_conforming(&k) && k.dpl < s->cpl;
    bool same = is_conforming(&k) ? k.dpl <= s->cpl : k.dpl == s->cpl;
    if (!is_code(&k) || !(inner || same) || !k.l || k.db)
        raise_fault(s, VECTOR_GP, selector & ~3u);
    code_fits(s, &k);
    uint64_t ip = target_in(s, &k, offset), sp = inner ? task_stack64(s, k.dpl) : s->r[R_SP];
    if (inner) {
        frame_add(&frame, s->seg[S_SS].k.selector);
        frame_add(&frame, s->r[R_SP]);
    }
    frame_add(&frame, s->seg[S_CS].k.selector);
    frame_add(&frame, after(s, f->op));
    descriptor_accessed(s, linear, &k);
    set_code(s, k, inner ? k.dpl : s->cpl);
    if (inner)
        set_stack(s, null_stack(k.dpl), sp);
    if (f->call)
        frame_push(s, &frame);
    commit(s);
    return leave(s, f->op, ip);
}

/* In long mode that is the only system descriptor for JMP and CALL. */
static const struct op *far_system64(struct soft *s, const struct far *f,
                                     const struct kvm_segment *k, uint64_t raw,
                                     uint64_t linear) {
    uint32_t limit = f->selector & 4 ? s->seg[S_LDT].k.limit : s->gdt.limit;
    bool whole = (f->selector & ~7u) + 15 <= limit;
    if (k->s || k->type != GATE_CALL64 || k->dpl < s->cpl || k->dpl < (f->selector & 3) ||
        !whole)
        raise_fault(s, VECTOR_GP, f->selector & ~3u);
    if (!k->present)
        raise_fault(s, VECTOR_NP, f->selector & ~3u);
    return far_gate64(s, f, raw, linear);
}

/* Gates and TSSs: the descriptor's DPL must admit both CPL and RPL. */
static const struct op *far_system(struct soft *s, const struct far *f,
                                   const struct kvm_segment *k, uint64_t raw) {
    enum switch_cause cause = f->call ? SWITCH_CALL : SWITCH_JMP;
    bool known = k->type == 1 || k->type == 9 || k->type == GATE_TASK ||
                 k->type == GATE_CALL16 || k->type == GATE_CALL32;
    if (k->s || !known || k->dpl < s->cpl || k->dpl < (f->selector & 3))
        raise_fault(s, VECTOR_GP, f->selector & ~3u);
    if (!k->present)
        raise_fault(s, VECTOR_NP, f->selector & ~3u);
    switch (k->type) {
    case GATE_CALL16: return far_gate(s, f, raw, 2);
    case GATE_CALL32: return far_gate(s, f, raw, 4);
    case GATE_TASK: task_switch_gate(s, raw, cause, after(s, f->op), NULL); break;
    default: task_switch(s, f->selector, cause, after(s, f->op), NULL); break;
    }
    return resume_at(s);
}

static const struct op *far_go(struct soft *s, struct far f) {
    uint64_t linear;
    checkpoint(s);
    if (!s->protected)
        return far_real(s, &f);
    if (!(f.selector & ~3u))
        raise_gp0(s);
    uint64_t raw = descriptor_need(s, f.selector, VECTOR_GP, &linear);
    struct kvm_segment k = x86_descriptor(f.selector, raw);
    if (is_code(&k))
        return far_direct(s, &f, k, linear);
    return s->long_mode ? far_system64(s, &f, &k, raw, linear) : far_system(s, &f, &k, raw);
}

static struct far far_immediate(const struct op *op, bool call) {
    return (struct far){op, (uint16_t)(op->imm >> 32), (uint32_t)op->imm, call};
}

/* With REX.W AMD's CPUs take 32 bits of it (APM 3, CALL). */
unsigned far_offset_size(const struct soft *s, const struct op *op) {
    return s->amd && op->wide == 8 ? 4 : op->wide;
}

static struct far far_memory(struct soft *s, const struct op *op, bool call) {
    unsigned size = far_offset_size(s, op);
    uint64_t at = address(s, op), offset = load(s, op->seg, at, size);
    uint64_t selector = load(s, op->seg, (at + size) & op->mask, 2);
    return (struct far){op, (uint16_t)selector, offset, call};
}

const struct op *jmp_far(struct soft *s, const struct op *op) {
    return far_go(s, far_immediate(op, false));
}
const struct op *call_far(struct soft *s, const struct op *op) {
    return far_go(s, far_immediate(op, true));
}
const struct op *jmp_far_e(struct soft *s, const struct op *op) {
    return far_go(s, far_memory(s, op, false));
}
const struct op *call_far_e(struct soft *s, const struct op *op) {
    return far_go(s, far_memory(s, op, true));
}

/* --- returns --- */

/* The code segment that RET or IRET comes back to. */
static struct kvm_segment return_code(struct soft *s, uint16_t selector) {
    uint64_t linear;
    unsigned rpl = selector & 3;
    if (!(selector & ~3u))
        raise_gp0(s);
    struct kvm_segment k =
        x86_descriptor(selector, descriptor_need(s, selector, VECTOR_GP, &linear));
    bool fits = is_conforming(&k) ? k.dpl <= rpl : k.dpl == rpl;
    if (!is_code(&k) || rpl < s->cpl || !fits)
        raise_fault(s, VECTOR_GP, selector & ~3u);
    code_fits(s, &k);
    descriptor_accessed(s, linear, &k);
    return k;
}

/* To code and stack together: `used` bytes of this stack hold the return frame, SP and SS
 * above it; `release` more go from the one it comes to. */
static void leave_ring(struct soft *s, struct kvm_segment code, unsigned size, int64_t used,
                       unsigned release) {
    unsigned rpl = code.selector & 3, old = s->cpl;
    uint64_t sp = peek(s, size, used);
    uint16_t ss = (uint16_t)peek(s, 2, used + size);
    struct kvm_segment stack = null_stack(ss);
    if (!stack_may_be_null(ss, rpl, is_code64(s, &code)))
        stack_segment_fits(s, ss, rpl, VECTOR_GP, &stack);
    set_code(s, code, rpl);
    set_stack(s, stack, sp + release);
    if (rpl > old)
        segments_drop_inner(s);
}

static const struct op *ret_far_real(struct soft *s, const struct op *op, unsigned release) {
    uint64_t ip = target_in(s, &s->seg[S_CS].k, peek(s, op->wide, 0));
    set_code_real(s, (uint16_t)peek(s, 2, op->wide));
    set_sp(s, sp_plus(s, 2 * op->wide + release));
    return leave(s, op, ip);
}

const struct op *ret_far(struct soft *s, const struct op *op) {
    unsigned size = op->wide, release = op->imm & 0xFFFF;
    if (!s->protected)
        return ret_far_real(s, op, release);
    checkpoint(s);
    uint64_t ip = peek(s, size, 0);
    struct kvm_segment k = return_code(s, (uint16_t)peek(s, 2, size));
    ip = target_in(s, &k, ip);
    if ((k.selector & 3u) > s->cpl) {
        leave_ring(s, k, size, 2 * size + release, release);
    } else {
        set_code(s, k, s->cpl);
        set_sp(s, sp_plus(s, 2 * size + release));
    }
    commit(s);
    return leave(s, op, ip);
}

/* --- IRET --- */

static void iret_flags(struct soft *s, uint32_t value, uint32_t mask) {
    flags_set(s, (flags_get(s) & ~mask) | (value & mask));
    flags_changed(s);
}

static uint32_t iret_mask(struct soft *s, unsigned size) {
    return flags_allowed(s, size) | (size >= 4 ? FLAG_RF : 0);
}

/* Real and virtual-8086 mode. */
static const struct op *iret_real(struct soft *s, const struct op *op) {
    unsigned size = op->wide;
    if (vm86(s) && iopl(s) < 3)
        raise_gp0(s);
    uint64_t ip = target_in(s, &s->seg[S_CS].k, peek(s, size, 0));
    uint64_t selector = peek(s, 2, size), flags = peek(s, size, 2 * size);
    set_code_real(s, (uint16_t)selector);
    set_sp(s, sp_plus(s, 3 * size));
    iret_flags(s, (uint32_t)flags, iret_mask(s, size));
    return leave(s, op, ip);
}

/* From ring 0 into virtual-8086 mode: all segments come from the stack. */
static const struct op *iret_to_vm86(struct soft *s, const struct op *op) {
    static const uint8_t order[] = {S_ES, S_DS, S_FS, S_GS};
    uint64_t ip = peek(s, 4, 0) & 0xFFFF, sp = peek(s, 4, 12);
    uint16_t selector[4], cs = (uint16_t)peek(s, 2, 4), ss = (uint16_t)peek(s, 2, 16);
    uint32_t flags = (uint32_t)peek(s, 4, 8);
    for (unsigned n = 0; n < 4; n++)
        selector[n] = (uint16_t)peek(s, 2, 20 + 4 * n);
    iret_flags(s, flags, iret_mask(s, 4) | FLAG_IOPL | FLAG_IF | FLAG_VM);
    s->cpl = 3;
    set_code_real(s, cs);
    segment_set_vm86(s, S_SS, ss);
    for (unsigned n = 0; n < 4; n++)
        segment_set_vm86(s, order[n], selector[n]);
    s->r[R_SP] = sp;
    commit(s);
    return leave(s, op, ip);
}

static const struct op *iret_protected(struct soft *s, const struct op *op) {
    unsigned size = op->wide;
    uint32_t flags = (uint32_t)peek(s, size, 2 * size), mask = iret_mask(s, size);
    if (size == 4 && flags & FLAG_VM && s->cpl == 0 && !s->long_mode)
        return iret_to_vm86(s, op);
    uint64_t ip = peek(s, size, 0);
    struct kvm_segment k = return_code(s, (uint16_t)peek(s, 2, size));
    ip = target_in(s, &k, ip);
    if ((k.selector & 3u) > s->cpl || code64(s)) { /* which always takes SP and SS along */
        leave_ring(s, k, size, 3 * size, 0);
    } else {
        set_code(s, k, s->cpl);
        set_sp(s, sp_plus(s, 3 * size));
    }
    iret_flags(s, flags, mask);
    commit(s);
    return leave(s, op, ip);
}

const struct op *iret(struct soft *s, const struct op *op) {
    s->events.nmi.masked = 0; /* 6.7.1 */
    if (!s->protected)
        return iret_real(s, op);
    checkpoint(s);
    if (!(s->flags & FLAG_NT))
        return iret_protected(s, op);
    if (s->long_mode)
        raise_gp0(s);
    task_return(s, after(s, op));
    return resume_at(s);
}
