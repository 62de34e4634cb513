/* `monitor explain`, where control goes: far transfers and interrupts.
 *
 * Rule: of the next instruction the trial tells where it leads, with all that the
 * CPU checks on the way. Of another one it is read off the tables, and less is said.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/registers.h"
#include "vmm/inspect/explain.h"
#include "vmm/inspect/inspect.h"
#include "vmm/x86/descriptor.h"

/* --- where the trial came out -------------------------------------------------------- */

static bool was_done(const struct scene *c) { return c->trial.outcome == DRY_RUN_DONE; }

static void say_new_place(const struct scene *c) {
    const struct trial *t = &c->trial;
    const struct kvm_segment *cs = &t->sregs.cs;
    enum cpu_mode mode = x86_mode(&t->sregs, t->regs.rflags);
    uint64_t linear = x86_pc(&t->regs, &t->sregs);
    if (mode == MODE_REAL || mode == MODE_VM86) {
        bool enters = mode == MODE_VM86 && scene_protected(c);
        text_print(c->t, "Goes to %04x:%04llx, linear 0x%05" PRIx64 "%s. ", cs->selector,
                   t->regs.rip, linear, enters ? ", in virtual-8086 mode" : "");
        return;
    }
    scene_say_descriptor(c, "CS becomes", cs);
    text_print(c->t, "Goes on at linear 0x%08" PRIx64 " in %u-bit code, ring %u. ", linear,
               x86_mode_bits(mode), x86_cpl(&t->sregs));
}

/* In long mode an interrupt may change stacks without a change of SS (6.14.5). */
static bool is_elsewhere(const struct scene *c) {
    enum { FRAME = 6 * 8 + 15 }; /* the most that is pushed, and RSP is aligned */
    uint64_t down = c->s->regs.rsp - c->trial.regs.rsp;
    return c->s->sregs.efer & EFER_LMA && c->s->sregs.cs.l && down > FRAME && -down > FRAME;
}

static void say_new_stack(const struct scene *c) {
    const struct trial *t = &c->trial;
    const struct kvm_sregs *old = &c->s->sregs;
    if (t->sregs.ss.selector != old->ss.selector || is_elsewhere(c) ||
        (x86_cpl(&t->sregs) != x86_cpl(old) && t->regs.rsp != c->s->regs.rsp))
        text_print(c->t, "The stack becomes %04x:%08llx. ", t->sregs.ss.selector, t->regs.rsp);
    if (t->sregs.tr.selector != old->tr.selector)
        text_print(c->t, "That is another task, of the TSS 0x%x. ", t->sregs.tr.selector);
}

void scene_say_landing(const struct scene *c) {
    say_new_place(c);
    say_new_stack(c);
}

/* --- far transfers ------------------------------------------------------------------------ */

static void say_gate_kind(const struct scene *c, uint16_t selector) {
    struct kvm_segment d;
    if (scene_protected(c) && scene_descriptor(c, selector, &d) && !d.s)
        text_print(c->t, "Goes through a %s. ", descriptor_type(&d, c->s->sregs.efer & EFER_LMA));
}

/* Without the checks, which are the trial's: what the tables say now. */
static void say_target(const struct scene *c, uint16_t selector, uint64_t offset) {
    struct kvm_segment d;
    bool wide = c->s->sregs.efer & EFER_LMA;
    if (!scene_protected(c)) {
        text_print(c->t, "Goes to %04x:%04" PRIx64 ", linear 0x%05" PRIx64 ". ", selector, offset,
                   selector * 16u + offset);
        return;
    }
    if (!scene_descriptor(c, selector, &d) || !d.s)
        return;
    scene_say_descriptor(c, "CS becomes", &d);
    if (!(d.type & 8))
        text_print(c->t, "That is no code segment: #GP. ");
    else
        text_print(c->t, "Goes on at linear 0x%08" PRIx64 " in %u-bit code, ring %u. ",
                   (uint64_t)((d.l ? 0 : d.base) + offset), d.l && wide ? 64 : d.db ? 32 : 16,
                   d.type & 4 ? x86_cpl(&c->s->sregs) : d.dpl);
}

static void explain_transfer(const struct scene *c, uint16_t selector, uint64_t offset) {
    say_gate_kind(c, selector);
    if (was_done(c))
        scene_say_landing(c);
    else
        say_target(c, selector, offset);
}

void explain_far(const struct scene *c) {
    unsigned size = c->in.operand;
    explain_transfer(c, insn_immediate(&c->in, 1 + size, 2), insn_immediate(&c->in, 1, size));
}

void explain_far_indirect(const struct scene *c) {
    struct insn_place p = insn_operand(&c->in, c->s);
    uint64_t offset = 0;
    uint16_t selector;
    if (p.memory && scene_read(c, p.linear, &offset, c->in.operand) &&
        scene_read(c, p.linear + c->in.operand, &selector, 2))
        explain_transfer(c, selector, offset);
}

/* --- returns --------------------------------------------------------------------------------- */

/* What lies on the stack: ip, cs, flags, and sp, ss when the ring changes. */
static bool frame(const struct scene *c, uint64_t *slot, unsigned count) {
    const struct cpu_state *s = c->s;
    bool wide = x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG;
    for (unsigned i = 0; i < count; i++) {
        uint64_t sp = s->regs.rsp + i * c->in.operand;
        sp = wide ? sp : s->sregs.ss.db ? (uint32_t)sp : (uint16_t)sp;
        slot[i] = 0;
        if (!scene_read(c, x86_linear(&s->sregs, s->regs.rflags, &s->sregs.ss, sp), &slot[i],
                        c->in.operand))
            return false;
    }
    return true;
}

static void say_return(const struct scene *c, const uint64_t *f) {
    const struct kvm_sregs *s = &c->s->sregs;
    uint64_t all[5];
    if (was_done(c)) {
        scene_say_landing(c);
        return;
    }
    say_target(c, f[1], f[0]);
    if ((s->efer & EFER_LMA || (scene_protected(c) && (f[1] & 3) > x86_cpl(s))) &&
        c->in.opcode == 0xcf && frame(c, all, 5))
        text_print(c->t, "The stack becomes %04x:%08" PRIx64 ". ", (unsigned)all[4] & 0xffff,
                   all[3]);
}

void explain_iret(const struct scene *c) {
    uint64_t f[3];
    char flags[96];
    if (scene_protected(c) && c->s->regs.rflags & FLAG_NT && !(c->s->sregs.efer & EFER_LMA)) {
        text_print(c->t, "NT is set, so it returns to the task before. ");
        if (was_done(c))
            scene_say_landing(c);
    } else if (!frame(c, f, 3)) {
        text_print(c->t, "The stack at SS:SP cannot be read. ");
    } else {
        register_flags(register_type(register_layout(32), "i386_eflags"), f[2], flags,
                       sizeof flags);
        text_print(c->t, "Pops %04x:%08" PRIx64 " and flags %s. ", (unsigned)f[1] & 0xffff, f[0],
                   flags);
        say_return(c, f);
    }
}

void explain_retf(const struct scene *c) {
    uint64_t f[2];
    if (frame(c, f, 2))
        say_return(c, f);
}

/* --- interrupts ------------------------------------------------------------------------------ */

/* 20.1.4 */
static void say_real_vector(const struct scene *c, unsigned vector) {
    uint32_t entry = 0;
    if (scene_read(c, c->s->sregs.idt.base + vector * 4, &entry, 4) && entry == 0)
        text_print(c->t, "It is empty (0000:0000): no handler has been set%s. ",
                   c->m->memory.rom ? "" : ", and there is no BIOS in this machine");
    if (was_done(c))
        scene_say_landing(c);
    else
        text_print(c->t, "Goes to %04x:%04x. ", entry >> 16, entry & 0xffff);
}

/* 6.11: the kinds of gate, by the type in its descriptor. */
static void say_gate(const struct scene *c, unsigned vector) {
    const struct kvm_sregs *s = &c->s->sregs;
    uint64_t gate = 0;
    if (!scene_read(c, s->idt.base + vector * (s->efer & EFER_LMA ? 16 : 8), &gate, 8))
        return;
    unsigned type = gate >> 40 & 15, dpl = gate >> 45 & 3, ist = gate >> 32 & 7;
    if (!was_done(c) && dpl < x86_cpl(s))
        text_print(c->t, "But the gate's DPL is %u and this is ring %u: #GP instead. ", dpl,
                   x86_cpl(s));
    text_print(c->t, type == 5 ? "A task gate. " : type & 1 ? "A trap gate: IF stays. "
                                                           : "An interrupt gate: IF is cleared. ");
    if (s->efer & EFER_LMA && ist)
        text_print(c->t, "It asks for the stack IST%u of the TSS. ", ist);
}

static void explain_vector(const struct scene *c, unsigned vector) {
    uint64_t linear;
    text_print(c->t, "Vector 0x%02x. ", vector);
    if (!(c->s->sregs.cr0 & CR0_PE)) {
        say_real_vector(c, vector);
    } else if (!x86_handler(&c->m->memory, &c->s->sregs, vector, &linear)) {
        text_print(c->t, "It has no usable gate in the IDT: #GP or worse. ");
    } else if (was_done(c)) {
        scene_say_landing(c);
        say_gate(c, vector);
    } else {
        text_print(c->t, "The handler is at linear 0x%08" PRIx64 ". ", linear);
        say_gate(c, vector);
    }
}

/* With the registers of now, so only for the instruction that is next. */
static void say_bios_call(const struct scene *c, unsigned vector) {
    char words[BIOS_WORDS];
    bool next = c->in.pc == x86_pc(&c->s->regs, &c->s->sregs);
    if (next && !scene_protected(c) && bios_explain(&c->m->bios, vector, words, sizeof words))
        text_print(c->t, "It asks the BIOS: %s. ", words);
    else if (next && !scene_protected(c) && c->m->options->rom)
        text_print(c->t, "What it asks is not said: %s. ", inspect_no_bios(c->m));
}

void explain_int(const struct scene *c) {
    explain_vector(c, insn_byte(&c->in, 1));
    say_bios_call(c, insn_byte(&c->in, 1));
}
void explain_int3(const struct scene *c) { explain_vector(c, VECTOR_BP); }

void explain_into(const struct scene *c) {
    if (c->s->regs.rflags & FLAG_OF)
        explain_vector(c, VECTOR_OF);
    else
        text_print(c->t, "OF is 0: does nothing. ");
}

/* SYSENTER, SYSEXIT, SYSCALL, SYSRET: by MSRs or registers, no table (5.8.7, 5.8.8). */
void explain_fast_call(const struct scene *c) {
    enum { SYSCALL = 0x05 };
    const struct kvm_regs *after = &c->trial.regs;
    if (!was_done(c))
        return;
    scene_say_landing(c);
    if (c->in.second == SYSCALL)
        text_print(c->t, "RCX keeps the address to return to, 0x%llx, and R11 the flags; RSP stays 0x%llx. ",
                   after->rcx, after->rsp);
}

void explain_swapgs(const struct scene *c) {
    if (was_done(c))
        text_print(c->t, "The base of GS becomes 0x%llx, and the MSR KERNEL_GS_BASE keeps 0x%llx. ",
                   c->trial.sregs.gs.base, c->s->sregs.gs.base);
}
