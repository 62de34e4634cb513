/* Delivery of interrupts and exceptions (6.10 to 6.15, 20.1.4, 20.3), and faults during
 * delivery: double and triple ones.
 */
#include <stdio.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"

enum { GATE_TASK = 5, GATE_INT16 = 6, GATE_TRAP16 = 7, GATE_INT32 = 14, GATE_TRAP32 = 15 };
enum { ERROR_IDT = 2 };

/* --- names --- */

static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD",
                                    "#NM", "#DF", "#09", "#TS", "#NP", "#SS", "#GP",
                                    "#PF", "#15", "#MF", "#AC", "#MC", "#XM"};

/* "#GP(0x10)", "#PF(2) for 0x1234", "interrupt 0x21". Returns its length. */
static size_t fault_name(const struct fault *f, char *out, size_t size) {
    char code[16] = "", address[32] = "";
    int n;
    if (f->kind == KIND_EXCEPTION && f->vector < sizeof names / sizeof *names) {
        if (f->has_code)
            snprintf(code, sizeof code, "(%#x)", f->code);
        if (f->vector == VECTOR_PF)
            snprintf(address, sizeof address, " for %#llx", (unsigned long long)f->cr2);
        n = snprintf(out, size, "%s%s%s", names[f->vector], code, address);
    } else {
        n = snprintf(out, size, "%s %#x", f->kind == KIND_SOFTWARE ? "int" : "interrupt",
                     f->vector);
    }
    return (size_t)n < size ? (size_t)n : size - 1;
}

/* " while delivering #GP(0x33) while delivering #UD": what was on its way, the latest
 * first. */
static void chain_text(const struct soft *s, unsigned count, char *out, size_t size) {
    size_t at = 0;
    out[0] = '\0';
    while (count-- && at < size - 1) {
        int n = snprintf(out + at, size - at, " while delivering ");
        at += (size_t)n < size - at ? (size_t)n : size - at - 1;
        at += fault_name(&s->chain[count], out + at, size - at);
    }
}

/* --- real mode --- */

static void deliver_real(struct soft *s, const struct fault *f) {
    struct frame frame = {.size = 2};
    if (f->vector * 4 + 3 > s->idt.limit)
        raise_fault(s, VECTOR_GP, f->vector * 8 + ERROR_IDT);
    uint64_t entry = read_linear(s, (uint32_t)(s->idt.base + f->vector * 4), 4, RIGHTS_SYSTEM);
    frame_add(&frame, flags_get(s));
    frame_add(&frame, s->seg[S_CS].k.selector);
    frame_add(&frame, f->ip);
    frame_push(s, &frame);
    s->flags &= ~(uint32_t)(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
    set_code_real(s, entry >> 16 & 0xFFFF);
    if ((entry & 0xFFFF) > s->seg[S_CS].k.limit)
        raise_gp0(s);
    retire_block(s, entry & 0xFFFF);
}

/* --- protected mode --- */

/* RF in the pushed flags (17.3.1.1): set by faults, DR7.GD's #DB among them, but not by the
 * instruction breakpoint's. Between the pieces of a repeated string instruction it is left
 * as it is: to set it we would have to keep what no state struct can carry. */
static uint32_t pushed_flags(struct soft *s, const struct fault *f) {
    bool fault_class = f->kind == KIND_EXCEPTION && f->vector != VECTOR_DF &&
                       (f->vector != VECTOR_DB || f->raised);
    bool rf = fault_class || s->flags & FLAG_RF;
    return (flags_get(s) & ~(uint32_t)FLAG_RF) | (rf ? FLAG_RF : 0);
}

static void frame_return(struct soft *s, struct frame *frame, const struct fault *f,
                         uint32_t flags) {
    frame_add(frame, flags);
    frame_add(frame, s->seg[S_CS].k.selector);
    frame_add(frame, f->ip);
    if (f->has_code)
        frame_add(frame, f->code);
}

/* To an inner ring: the old stack, and out of virtual-8086 mode all segments,
 * are saved on the new one. */
static void deliver_inner(struct soft *s, const struct fault *f, struct kvm_segment k,
                          unsigned size) {
    static const uint8_t data[] = {S_GS, S_FS, S_DS, S_ES};
    struct frame frame = {.size = size};
    struct kvm_segment stack;
    bool from_vm86 = vm86(s);
    uint32_t flags = pushed_flags(s, f);
    uint16_t ss;
    uint32_t esp;
    task_stack(s, k.dpl, &ss, &esp);
    stack_segment_fits(s, ss, k.dpl, VECTOR_TS, &stack);
    frame.code = ss & ~3u;
    for (unsigned n = 0; from_vm86 && n < sizeof data; n++)
        frame_add(&frame, s->seg[data[n]].k.selector);
    frame_add(&frame, s->seg[S_SS].k.selector);
    frame_add(&frame, s->r[R_SP]);
    frame_return(s, &frame, f, flags);
    s->flags &= ~(uint32_t)FLAG_VM;
    set_code(s, k, k.dpl);
    set_stack(s, stack, esp);
    if (from_vm86) {
        segments_drop_all(s);
        segments_refresh(s);
        blocks_changed(s);
    }
    frame_push(s, &frame);
}

static void deliver_gate(struct soft *s, const struct fault *f, uint64_t gate, unsigned size,
                         bool trap) {
    uint16_t selector = gate >> 16 & 0xFFFF;
    uint64_t linear, ip = (gate & 0xFFFF) | (size == 4 ? gate >> 32 & 0xFFFF0000 : 0);
    if (!(selector & ~3u))
        raise_gp0(s);
    struct kvm_segment k =
        x86_descriptor(selector, descriptor_need(s, selector, VECTOR_GP, &linear));
    bool code = k.s && k.type & 8, conforming = k.type & 4;
    bool inner = !conforming && k.dpl < s->cpl;
    bool same = conforming ? k.dpl <= s->cpl : k.dpl == s->cpl;
    if (!code || !(inner || same) || (vm86(s) && (!inner || k.dpl)))
        raise_fault(s, VECTOR_GP, selector & ~3u);
    if (!k.present)
        raise_fault(s, VECTOR_NP, selector & ~3u);
    if (ip > k.limit)
        raise_gp0(s);
    if (inner) {
        deliver_inner(s, f, k, size);
    } else {
        struct frame frame = {.size = size};
        frame_return(s, &frame, f, pushed_flags(s, f));
        frame_push(s, &frame);
    }
    descriptor_accessed(s, linear, &k);
    set_code(s, k, inner ? k.dpl : s->cpl);
    s->flags &= ~(uint32_t)(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (trap ? 0 : FLAG_IF));
    retire_block(s, ip);
}

static void deliver_protected(struct soft *s, const struct fault *f) {
    uint32_t code = f->vector * 8 + ERROR_IDT;
    if (f->vector * 8 + 7 > s->idt.limit)
        raise_fault(s, VECTOR_GP, code);
    uint64_t gate = read_linear(s, (uint32_t)(s->idt.base + f->vector * 8), 8, RIGHTS_SYSTEM);
    unsigned type = gate >> 40 & 31, dpl = gate >> 45 & 3;
    bool known = type == GATE_TASK || type == GATE_INT16 || type == GATE_TRAP16 ||
                 type == GATE_INT32 || type == GATE_TRAP32;
    if (!known || (f->kind == KIND_SOFTWARE && dpl < s->cpl))
        raise_fault(s, VECTOR_GP, code);
    if (!(gate >> 47 & 1))
        raise_fault(s, VECTOR_NP, code);
    if (type == GATE_TASK)
        task_switch_gate(s, gate, SWITCH_INT, f->ip, f->has_code ? &f->code : NULL);
    else
        deliver_gate(s, f, gate, type & 8 ? 4 : 2, type & 1);
}

/* --- long mode (6.14) --- */

/* The stack: IST's, or the inner ring's, or the present one, at a multiple of 16. */
static uint64_t stack64(struct soft *s, unsigned ist, unsigned cpl) {
    uint64_t sp = ist ? task_stack64(s, TSS_IST + ist) : cpl < s->cpl ? task_stack64(s, cpl)
                                                                      : s->r[R_SP];
    if (!x86_is_canonical(sp))
        raise_fault(s, VECTOR_SS, 0);
    return sp & ~15ull;
}

/* Its stack holds SS and RSP in any case. */
static void enter64(struct soft *s, const struct fault *f, struct kvm_segment k, unsigned cpl,
                    unsigned ist) {
    struct frame frame = {.size = 8};
    bool inner = cpl < s->cpl;
    uint64_t sp = stack64(s, ist, cpl);
    frame_add(&frame, s->seg[S_SS].k.selector);
    frame_add(&frame, s->r[R_SP]);
    frame_return(s, &frame, f, pushed_flags(s, f));
    set_code(s, k, cpl);
    if (inner)
        set_stack(s, null_stack((uint16_t)cpl), sp);
    else
        s->r[R_SP] = sp;
    frame_push(s, &frame);
}

static void deliver_gate64(struct soft *s, const struct fault *f, uint64_t gate, uint64_t upper) {
    uint16_t selector = gate >> 16 & 0xFFFF;
    uint64_t ip = (gate & 0xFFFF) | (gate >> 32 & 0xFFFF0000) | upper << 32, linear;
    bool trap = gate >> 40 & 1;
    if (!(selector & ~3u))
        raise_gp0(s);
    struct kvm_segment k =
        x86_descriptor(selector, descriptor_need(s, selector, VECTOR_GP, &linear));
    bool code = k.s && k.type & 8, conforming = k.type & 4;
    if (!code || k.dpl > s->cpl || !k.l || k.db)
        raise_fault(s, VECTOR_GP, selector & ~3u);
    code_fits(s, &k);
    ip = target_in(s, &k, ip);
    enter64(s, f, k, conforming ? s->cpl : k.dpl, gate >> 32 & 7);
    descriptor_accessed(s, linear, &s->seg[S_CS].k);
    s->flags &= ~(uint32_t)(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | (trap ? 0 : FLAG_IF));
    retire_block(s, ip);
}

static void deliver_long(struct soft *s, const struct fault *f) {
    uint32_t code = f->vector * 8 + ERROR_IDT;
    uint64_t at = s->idt.base + f->vector * 16ull;
    if (f->vector * 16 + 15 > s->idt.limit)
        raise_fault(s, VECTOR_GP, code);
    uint64_t gate = read_linear(s, at, 8, RIGHTS_SYSTEM);
    uint64_t upper = read_linear(s, at + 8, 8, RIGHTS_SYSTEM);
    unsigned type = gate >> 40 & 31, dpl = gate >> 45 & 3;
    bool known = type == GATE_INT32 || type == GATE_TRAP32;
    if (!known || (f->kind == KIND_SOFTWARE && dpl < s->cpl))
        raise_fault(s, VECTOR_GP, code);
    if (!(gate >> 47 & 1))
        raise_fault(s, VECTOR_NP, code);
    deliver_gate64(s, f, gate, upper);
}

/* --- catching --- */

static bool in_set(const uint64_t set[4], unsigned vector) {
    return set[vector >> 6 & 3] >> (vector & 63) & 1;
}

static void report_caught(struct soft *s, const struct fault *f, unsigned earlier, uint16_t cs,
                          uint64_t ip) {
    const struct cpu_catch *c = &s->cpu->catch;
    char name[64], chain[160];
    bool trap = f->vector == VECTOR_BP || f->vector == VECTOR_OF; /* INT3 and INTO are both */
    bool exception = f->kind == KIND_EXCEPTION || (f->kind == KIND_SOFTWARE && trap);
    bool caught = (exception && in_set(c->exception, f->vector)) ||
                  (f->kind != KIND_EXCEPTION && in_set(c->interrupt, f->vector));
    if (!caught)
        return;
    fault_name(f, name, sizeof name);
    chain_text(s, earlier, chain, sizeof chain);
    report(s, CPU_EXIT_EVENT, "%s%s at %04x:%08llx", name, chain, cs, (unsigned long long)ip);
}

/* In real mode, to 0000:0000. */
static void tell_empty_vector(struct soft *s, const struct fault *f, uint64_t ip) {
    char name[64], came[128];
    fault_name(f, name, sizeof name);
    snprintf(came, sizeof came, "%s at %04x:%08llx", name, f->cs, (unsigned long long)ip);
    report_empty_vector(s, came);
}

/* --- delivering --- */

void deliver(struct soft *s, struct fault f) {
    uint16_t cs = s->seg[S_CS].k.selector;
    uint64_t ip = here(s);
    unsigned earlier = s->chained;
    checkpoint(s);
    f.cs = cs;
    if (s->chained < sizeof s->chain / sizeof *s->chain)
        s->chain[s->chained++] = f;
    if (s->long_mode)
        deliver_long(s, &f);
    else if (s->cr0 & CR0_PE)
        deliver_protected(s, &f);
    else
        deliver_real(s, &f);
    commit(s);
    s->chained = 0;
    if (f.vector == VECTOR_DB)
        s->dr[7] &= ~(uint64_t)DR7_GD;
    s->halted = false;
    s->delivered = true;
    s->repeating = false;
    cpu_arrives(s->cpu);
    report_caught(s, &f, earlier, cs, ip);
    if (!(s->cr0 & CR0_PE) && !s->seg[S_CS].k.selector && !s->ip)
        tell_empty_vector(s, &f, ip);
    flags_changed(s);
}

/* Table 6-4. */
static bool contributory(unsigned vector) {
    return vector == VECTOR_DE || (vector >= VECTOR_TS && vector <= VECTOR_GP);
}

static bool makes_double_fault(const struct fault *first, const struct fault *second) {
    if (first->kind != KIND_EXCEPTION)
        return false;
    if (first->vector == VECTOR_PF)
        return second->vector == VECTOR_PF || contributory(second->vector);
    return contributory(first->vector) && contributory(second->vector);
}

static _Noreturn void triple_fault(struct soft *s, const struct fault *last) {
    char text[sizeof s->exit->text], name[64], chain[sizeof text - sizeof name - 48];
    fault_name(last, name, sizeof name);
    chain_text(s, s->chained, chain, sizeof chain);
    snprintf(text, sizeof text, "%s%s at %04x:%08llx: triple fault", name, chain, s->chain[0].cs,
             (unsigned long long)here(s));
    s->chained = 0;
    leave_with(s, CPU_EXIT_SHUTDOWN, text);
}

void fault_unwound(struct soft *s) {
    struct fault f = s->fault;
    s->db_trap = 0; /* the instruction did not happen */
    s->watch_hit = false;
    if (s->chained) {
        const struct fault *first = &s->chain[s->chained - 1];
        if (first->kind == KIND_EXCEPTION && first->vector == VECTOR_DF)
            triple_fault(s, &f);
        if (makes_double_fault(first, &f)) {
            if (s->chained < sizeof s->chain / sizeof *s->chain)
                s->chain[s->chained++] = f;
            f = (struct fault){.vector = VECTOR_DF, .has_code = true};
        }
    }
    f.ip = s->ip;
    deliver(s, f);
}

/* --- the instructions --- */

static const struct op *software(struct soft *s, const struct op *op, unsigned vector,
                                 enum fault_kind kind) {
    deliver(s, (struct fault){.vector = vector, .kind = kind, .ip = after(s, op)});
    return resume_at(s);
}

/* As if it had not begun. */
static void stop_at_int(struct soft *s, unsigned vector) {
    const struct cpu_host *host = &s->cpu->host;
    char text[160];
    s->cpu->ticks = now(s);
    s->cpu->valid = 0;
    bool stops = host->extra && host->extra->stops_at_int &&
                 host->extra->stops_at_int(host->context, vector, s->seg[S_CS].k.base + here(s), text,
                                           sizeof text);
    s->cpu->valid = 0;
    if (stops)
        leave_with(s, CPU_EXIT_EVENT, text);
}

const struct op *int_n(struct soft *s, const struct op *op) {
    if (vm86(s) && iopl(s) < 3)
        raise_gp0(s);
    if (s->cpu->catch.calls)
        stop_at_int(s, (uint8_t)op->imm);
    return software(s, op, (uint8_t)op->imm, KIND_SOFTWARE);
}

const struct op *int3(struct soft *s, const struct op *op) {
    return software(s, op, VECTOR_BP, KIND_SOFTWARE);
}

const struct op *into(struct soft *s, const struct op *op) {
    return get_of(s) ? software(s, op, VECTOR_OF, KIND_SOFTWARE) : op + 1;
}

/* INT1 is like a hardware event: no gate privilege is checked. */
const struct op *int1(struct soft *s, const struct op *op) {
    return software(s, op, VECTOR_DB, KIND_EXCEPTION);
}
