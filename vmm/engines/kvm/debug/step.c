/* Exactly one instruction, whatever this KVM makes of a single step.
 *
 * KVM's own single step sets TF and is right for most instructions. It is not
 * for those below; for them we run, without TF, to the one address where the
 * instruction must end:
 *
 *   int n, int3, into  TF would run the whole handler → to the handler
 *   rep movs …         TF stops at each iteration     → to the next instruction
 *   sti                TF is late by one on some      → to the next instruction
 *   mov ss, pop ss     #DB is held off for one more   → to an int3 put there
 *
 * A fault would run its handler, too: debug registers that are free hold the
 * handlers of the usual faults meanwhile. What TF leaves behind in memory
 * (pushed flags) is cleared, so that the guest never sees it.
 */
#include "vmm/engines/kvm/debug/debug.h"

#include <stdio.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

static void look_at_next(struct cpu *cpu, struct insn *in) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    insn_read(cpu->memory, s, x86_pc(&s->regs, &s->sregs), in);
}

static bool loads_ss(const struct insn *in) {
    return in->opcode == 0x17 || (in->opcode == 0x8e && (insn_modrm(in) >> 3 & 7) == 2);
}

/* --- where an instruction ends, if TF cannot tell ------------------------------- */

enum ending {
    BY_TF,   /* single step */
    BY_DR,   /* run to the target, held by a debug register */
    BY_INT3, /* run to the target, held by an int3 */
};

static int vector_of(struct cpu *cpu, const struct insn *in) {
    const struct debugged_vcpu *d = debugged_of(cpu);
    if (d->inject) /* what is being handed back to the guest comes first */
        return d->inject & KVM_GUESTDBG_INJECT_BP ? VECTOR_BP : VECTOR_DB;
    if (in->opcode == 0xcc)
        return VECTOR_BP;
    if (in->opcode == 0xcd)
        return insn_byte(in, 1);
    bool overflow = cpu_read(cpu, CPU_REGS)->regs.rflags & FLAG_OF;
    return in->opcode == 0xce && overflow ? VECTOR_OF : -1;
}

static enum ending ending_of(struct cpu *cpu, const struct insn *in, bool raw, uint64_t *target) {
    const struct kvm_traits *t = probe_traits();
    int vector = vector_of(cpu, in);
    if (vector >= 0)
        return t->exec_bp &&
                       x86_handler(cpu->memory, &cpu_read(cpu, CPU_SREGS)->sregs, vector, target)
                   ? BY_DR
                   : BY_TF;
    if (loads_ss(in)) {
        *target = in->pc + in->prefixes + 1 + (in->opcode == 0x17 ? 0 : insn_modrm_length(in));
        return t->int3 ? BY_INT3 : BY_TF;
    }
    *target = in->pc + in->prefixes + 1;
    bool to_next = in->opcode == 0xfb || (in->rep && insn_is_string(in) && !raw);
    return to_next && t->exec_bp ? BY_DR : BY_TF;
}

/* --- faults ------------------------------------------------------------------------ */

/* The most frequent first: there may not be a debug register for each. */
static const uint8_t usual_faults[] = {VECTOR_GP, VECTOR_PF, VECTOR_UD, VECTOR_DE};
enum { USUAL_FAULTS = sizeof usual_faults };

/* Skip a handler at the current pc; it would hit at once. */
static void hold_handlers(struct cpu *cpu, uint64_t pc, struct kvm_guest_debug *debug) {
    uint64_t handler;
    if (!probe_traits()->exec_bp)
        return;
    for (unsigned i = 0; i < USUAL_FAULTS; i++)
        if (x86_handler(cpu->memory, &cpu_read(cpu, CPU_SREGS)->sregs, usual_faults[i], &handler) &&
            handler != pc)
            bp_plan_add_exec(debug, handler);
}

static bool has_error_code(unsigned vector) {
    return vector == VECTOR_DF || (vector >= VECTOR_TS && vector <= VECTOR_PF) ||
           vector == VECTOR_AC;
}

/* Linear address of a word at an offset from the top of the stack. */
static uint64_t stack_at(const struct cpu_state *s, unsigned offset) {
    bool wide = x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG;
    uint64_t sp = s->regs.rsp + offset;
    if (!wide)
        sp = s->sregs.ss.db ? (uint32_t)sp : (uint16_t)sp;
    return x86_linear(&s->sregs, s->regs.rflags, &s->sregs.ss, sp);
}

static void clear_tf_at(struct cpu *cpu, unsigned offset) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint8_t high; /* TF is bit 0 of the second byte */
    uint64_t at = stack_at(s, offset + 1);
    if (x86_read(cpu->memory, &s->sregs, at, &high, 1) == 1 && high & 1) {
        high &= ~1;
        x86_write(cpu->memory, &s->sregs, at, &high, 1);
    }
}

/* At the first instruction of a fault's handler: the frame is [error] ip cs flags. */
static void clear_tf_in_frame(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint64_t handler, pc = x86_pc(&s->regs, &s->sregs);
    bool real = !(s->sregs.cr0 & CR0_PE);
    unsigned slot = real ? 2 : s->sregs.efer & EFER_LMA ? 8 : 4;
    for (unsigned i = 0; i < USUAL_FAULTS; i++) {
        if (!x86_handler(cpu->memory, &s->sregs, usual_faults[i], &handler) || handler != pc)
            continue;
        unsigned above = !real && has_error_code(usual_faults[i]) ? 3 : 2;
        clear_tf_at(cpu, above * slot);
        return;
    }
}

/* --- TF and the guest's own TF -------------------------------------------------------- */

/* The TF that popf and iret are about to load; else as it is. */
static bool tf_after(struct cpu *cpu, const struct insn *in) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    if (in->opcode != 0x9d && in->opcode != 0xcf)
        return debugged_of(cpu)->guest_tf;
    uint16_t flags = 0;
    uint64_t at = stack_at(s, in->opcode == 0xcf ? 2 * in->operand : 0);
    x86_read(cpu->memory, &s->sregs, at, &flags, 2);
    return flags & FLAG_TF;
}

static void clean_up_tf(struct cpu *cpu, const struct insn *in, bool tf_next) {
    struct debugged_vcpu *d = debugged_of(cpu);
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    bool in_sequence = x86_pc(&s->regs, &s->sregs) - in->pc <= 15;
    if (in->opcode == 0x9c && in_sequence && !d->guest_tf)
        clear_tf_at(cpu, 0);
    if (in->opcode == 0x0f && in->second == 0x05 && !d->guest_tf) /* syscall */
        cpu_write(cpu, CPU_REGS)->regs.r11 &= ~(uint64_t)FLAG_TF;
    if (!in_sequence)
        clear_tf_in_frame(cpu);
    if (d->guest_tf) { /* the guest steps itself: its #DB is due now */
        cpu_write(cpu, CPU_DEBUGREGS)->debugregs.dr6 |= DR6_BS;
        d->inject = KVM_GUESTDBG_INJECT_DB;
    }
    if (d->guest_tf != tf_next) {
        d->guest_tf = tf_next;
        cpu_write(cpu, CPU_REGS)->regs.rflags ^= FLAG_TF;
    }
}

/* --- the step ------------------------------------------------------------------------------ */

/* RF may have come: an exit amid an instruction that is to be done again sets it
 * (17.3.1.1). */
static bool unchanged(struct cpu *cpu, const struct kvm_regs *start) {
    struct kvm_regs now = cpu_read(cpu, CPU_REGS)->regs;
    now.rflags = (now.rflags & ~(uint64_t)FLAG_RF) | (start->rflags & FLAG_RF);
    return !memcmp(&now, start, sizeof now);
}

/* Only without TF of our own can a #DB be the guest's. */
static bool give_back_trap(struct cpu *cpu) {
    bool stepping = debugged_of(cpu)->armed.control & KVM_GUESTDBG_SINGLESTEP;
    return !stepping && exits_give_back(cpu);
}

/* How many empty exits there may be: `jmp .` changes nothing either, and is over when a few
 * have come; anything else is not over before it has done something. */
static unsigned empty_exits(const struct insn *in) {
    static const struct insn_span branches[] = {{0x70, 0x7f}, {0x9a, 0x9a},    {0xc2, 0xc3},
                                                {0xca, 0xcf}, {0xe0, 0xe3},    {0xe8, 0xeb},
                                                {0xff, 0xff}, {0x0f80, 0x0f8f}};
    return insn_in_any(in, branches, sizeof branches / sizeof *branches) ? 8 : 1000;
}

/* Enter until the instruction is over. One KVM gives an extra, empty DEBUG exit
 * after an exit that it dealt with inside (kvm-quirks 3): then again. On a slow host there
 * may be many. true: *exit is something else than the end of the instruction. */
static bool enter_step(struct cpu *cpu, const struct kvm_guest_debug *debug, const struct insn *in,
                       struct cpu_exit *exit) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    struct kvm_regs start = cpu_read(cpu, CPU_REGS)->regs;
    for (unsigned empty = 0;;) {
        int reason = debug_enter(cpu, debug);
        if (reason == KVM_EXIT_DEBUG) {
            if (give_back_trap(cpu) || (unchanged(cpu, &start) && ++empty <= empty_exits(in)))
                continue;
            return false;
        }
        bool stop = debug_settle(cpu, reason, exit);
        if (v->serves)
            return serve(cpu, exit) || stop;
        if (v->io_pending) {
            int after = exits_complete(cpu, exit);
            stop |= exit->kind == CPU_EXIT_DEVICE;
            if (stop || after == KVM_EXIT_DEBUG || cpu_read(cpu, CPU_REGS)->regs.rip != start.rip)
                return stop;
        } else if (stop) {
            return true;
        }
    }
}

static uint8_t *plant(struct cpu *cpu, uint64_t target, uint8_t *saved) {
    struct page_walk w;
    if (!x86_walk(cpu->memory, &cpu_read(cpu, CPU_SREGS)->sregs, target, &w))
        return NULL;
    uint8_t *byte = memory_at(cpu->memory, w.phys, 1, true);
    if (byte) {
        *saved = *byte;
        *byte = 0xcc;
    }
    return byte;
}

static bool go_to_end(struct cpu *cpu, const struct insn *in, bool raw, struct cpu_exit *exit) {
    struct kvm_guest_debug debug = {.control = KVM_GUESTDBG_ENABLE};
    uint64_t target = 0;
    uint8_t saved = 0, *patched = NULL;
    if (in->opcode == 0x0f && in->second == 0x22 && cr0_guard_refuses(cpu, exit))
        return true;
    enum ending ending = ending_of(cpu, in, raw, &target);
    if (probe_traits()->block_irq && !cpu->step_irqs)
        debug.control |= KVM_GUESTDBG_BLOCKIRQ;
    bp_plan_registers(debugged_of(cpu), &debug, false);
    if (ending == BY_INT3 && (patched = plant(cpu, target, &saved)))
        debug.control |= KVM_GUESTDBG_USE_SW_BP;
    else if (ending == BY_DR && target != in->pc)
        bp_plan_add_exec(&debug, target);
    else
        debug.control |= KVM_GUESTDBG_SINGLESTEP;
    hold_handlers(cpu, in->pc, &debug);
    bool tf_next = tf_after(cpu, in);
    bool other = enter_step(cpu, &debug, in, exit);
    if (patched)
        *patched = saved;
    if (!other && debug.control & KVM_GUESTDBG_SINGLESTEP)
        clean_up_tf(cpu, in, tf_next);
    return other;
}

static bool report_watch(struct cpu_exit *exit, const struct breakpoint *p) {
    exit->kind = CPU_EXIT_WATCHPOINT;
    exit->point = p->kind;
    exit->address = p->address;
    return true;
}

/* What a finished instruction, or iteration of a rep, may have set off. */
static bool aftermath(struct cpu *cpu, const struct insn *in, struct cpu_exit *exit) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    d->mid_rep = in->rep && insn_is_string(in) && vcpu_pc(cpu) == in->pc;
    if (!d->mid_rep)
        cpu_arrives(cpu);
    const struct kvm_debug_exit_arch *arch = &v->run->debug.arch;
    bool by_debug = v->run->exit_reason == KVM_EXIT_DEBUG && arch->exception == VECTOR_DB;
    const struct breakpoint *p = by_debug ? bp_plan_hit(d, arch->dr6, true) : NULL;
    if (!p)
        p = bp_plan_changed(cpu);
    if (p)
        return report_watch(exit, p);
    if (in->opcode != 0xf4 || vcpu_pc(cpu) == in->pc)
        return false;
    v->halted = !v->irqchip; /* one KVM has no HLT exit for a stepped hlt */
    cpu->valid &= ~(unsigned)CPU_MP;
    if (v->irqchip && !(cpu_read(cpu, CPU_REGS)->regs.rflags & FLAG_IF))
        cpu_write(cpu, CPU_MP)->mp.mp_state = KVM_MP_STATE_HALTED; /* nor does it say so */
    return exits_halted(cpu, exit);
}

/* Watchpoints that are done by comparing need what was there before. */
static bool can_compare(struct cpu *cpu, struct cpu_exit *exit) {
    if (bp_plan_snapshot(cpu))
        return true;
    exit->kind = CPU_EXIT_CANNOT;
    snprintf(exit->text, sizeof exit->text,
             "no memory to keep the values that watchpoints compare");
    return false;
}

void step_raw(struct cpu *cpu, struct cpu_exit *exit) {
    struct insn in;
    if (!can_compare(cpu, exit))
        return;
    look_at_next(cpu, &in);
    if (!go_to_end(cpu, &in, true, exit) && !aftermath(cpu, &in, exit))
        exit->kind = CPU_EXIT_STEPPED;
}

void step_one(struct cpu *cpu, struct cpu_exit *exit) {
    struct insn in;
    look_at_next(cpu, &in);
    if (!can_compare(cpu, exit))
        return;
    do {
        if (go_to_end(cpu, &in, debugged_of(cpu)->plan.stepping, exit) || aftermath(cpu, &in, exit))
            return;
        if (debug_take_kick(kvm_vcpu_of(cpu))) {
            exit->kind = CPU_EXIT_KICKED;
            return;
        }
    } while (debugged_of(cpu)->mid_rep);
    exit->kind = CPU_EXIT_STEPPED;
}

void run_single(struct cpu *cpu, struct cpu_exit *exit) {
    if (exits_halted(cpu, exit) || long_mode_refuses(cpu, exit))
        return;
    if (cpu_read(cpu, CPU_MP)->mp.mp_state == KVM_MP_STATE_HALTED)
        cpu_write(cpu, CPU_MP)->mp.mp_state = KVM_MP_STATE_RUNNABLE; /* kvm-quirks 10 */
    bp_plan_make(cpu);
    step_one(cpu, exit);
}
