/* Exactly one instruction, whatever this KVM makes of a single step.
 *
 * KVM's own single step sets TF and is right for most instructions. It is not
 * for those below; for them we run, without TF, to the one address where the
 * instruction must end:
 *
 *   int n, int3, into  TF would run the whole handler → to the handler
 *   syscall, sysenter  FMASK clears TF: it would run  → to the kernel's entry
 *                      on until the kernel is left
 *   sysret             TF counts when it is done      → by a TF of ours in R11
 *   rep movs …         TF stops at each iteration     → to the next instruction
 *   sti, and some more TF is late by one on some      → to the next instruction
 *   mov ss, pop ss     #DB is held off for one more   → to an int3 put there
 *
 * A fault would run its handler, too: debug registers that are free hold the handlers
 * of the faults that this instruction may end in meanwhile (step_faults.c). What TF
 * leaves behind in memory (pushed flags) is cleared, so that the guest never sees it.
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

static bool is_sysret(const struct insn *in) { return in->opcode == 0x0f && in->second == 0x07; }

static bool loads_ss(const struct insn *in) {
    return in->opcode == 0x17 || (in->opcode == 0x8e && (insn_modrm(in) >> 3 & 7) == 2);
}

enum { EXCEPTIONS = 32 };

/* --- where an instruction ends, if TF cannot tell ------------------------------- */

enum ending {
    BY_TF,   /* single step */
    BY_DR,   /* run to the target, held by a debug register */
    BY_INT3, /* run to the target, held by an int3 */
};

static bool is_long(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    return x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG;
}

static int vector_of(struct cpu *cpu, const struct insn *in) {
    const struct debugged_vcpu *d = debugged_of(cpu);
    if (d->inject) /* what is being handed back to the guest comes first */
        return d->inject & KVM_GUESTDBG_INJECT_BP ? VECTOR_BP : VECTOR_DB;
    if (in->opcode == 0xcc)
        return VECTOR_BP;
    if (in->opcode == 0xcd)
        return insn_byte(in, 1);
    bool overflow = cpu_read(cpu, CPU_REGS)->regs.rflags & FLAG_OF;
    return in->opcode == 0xce && overflow && !is_long(cpu) ? VECTOR_OF : -1;
}

/* Where SYSCALL and SYSENTER go in 64-bit code; where they are a fault instead, false. A KVM
 * that stays in ring 3 does not come to a breakpoint there (kvm-quirks 18). */
static bool kernel_entry(struct cpu *cpu, const struct insn *in, uint64_t *target) {
    bool syscall = in->opcode == 0x0f && in->second == 0x05;
    bool sysenter = in->opcode == 0x0f && in->second == 0x34;
    if (!(syscall || sysenter) || !is_long(cpu) || !long_mode_is_right())
        return false;
    const struct cpu_state *s = cpu_read(cpu, CPU_SREGS | CPU_MSRS);
    *target = syscall ? s->msrs.lstar : s->msrs.sysenter_eip;
    return syscall ? s->sregs.efer & EFER_SCE : s->msrs.sysenter_cs & 0xfffc;
}

/* A KVM that interprets does these by other code than the rest, which forgets TF (kvm-quirks 7). */
static bool is_done_apart(const struct insn *in) {
    uint8_t modrm = insn_modrm(in);
    switch (in->opcode == 0x0f ? in->second : 0) {
    case 0x01: return modrm == 0xf8;                               /* SWAPGS */
    case 0x1e: return in->rep && (modrm == 0xfa || modrm == 0xfb); /* ENDBR64, ENDBR32 */
    case 0xae: return true;          /* FXSAVE to XRSTOR, fences, RDFSBASE to WRGSBASE */
    case 0xc7: return modrm >= 0xf0; /* RDRAND, RDSEED */
    }
    return false;
}

/* Those after which TF comes late, or has come too often; and where they end. */
static bool ends_at_next(const struct insn *in, bool raw, uint64_t *target) {
    bool sti = in->opcode == 0xfb, rep = in->rep && insn_is_string(in) && !raw;
    *target = in->pc + in->prefixes + (sti || rep ? 1 : 2 + insn_modrm_length(in));
    return sti || rep || is_done_apart(in);
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
    bool known = kernel_entry(cpu, in, target) || ends_at_next(in, raw, target);
    return known && t->exec_bp ? BY_DR : BY_TF;
}

/* A handler at the current pc is not held; it would hit at once. */
static void hold_handlers(struct cpu *cpu, const struct insn *in, struct kvm_guest_debug *debug) {
    uint64_t handler;
    uint8_t vectors[STEP_FAULTS];
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    if (!probe_traits()->exec_bp)
        return;
    step_faults(s, in, vectors);
    for (unsigned i = 0; i < STEP_FAULTS; i++)
        if (x86_handler(cpu->memory, &s->sregs, vectors[i], &handler) && handler != in->pc)
            bp_plan_add_exec(debug, handler);
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

static bool stands_at_handler(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint64_t handler;
    for (unsigned vector = 0; vector < EXCEPTIONS; vector++)
        if (x86_handler(cpu->memory, &s->sregs, vector, &handler) && handler == vcpu_pc(cpu))
            return true;
    return false;
}

/* Is the word at this offset from the top of the stack where the instruction was? */
static bool holds_start(struct cpu *cpu, unsigned offset, unsigned size) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint64_t ip = 0;
    return x86_read(cpu->memory, &s->sregs, stack_at(s, offset), &ip, size) == size &&
           ip == debugged_of(cpu)->before.regs.rip;
}

/* At the first instruction of a fault's handler: the frame is [error] ip cs flags, in words of 2,
 * 4 or 8 bytes by the gate. */
static void clear_tf_in_frame(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    bool real = !(s->sregs.cr0 & CR0_PE), wide = s->sregs.efer & EFER_LMA;
    unsigned most = real ? 2 : wide ? 8 : 4, least = wide ? 8 : 2;
    for (unsigned slot = most; slot >= least; slot /= 2)
        for (unsigned error = 0; error <= !real; error++)
            if (holds_start(cpu, error * slot, slot)) {
                if (stands_at_handler(cpu))
                    clear_tf_at(cpu, (error + 2) * slot);
                return;
            }
}

/* --- TF and the guest's own TF -------------------------------------------------------- */

/* The TF that popf, iret and sysret are about to load; else as it is. */
static bool tf_after(struct cpu *cpu, const struct insn *in) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    if (is_sysret(in))
        return s->regs.r11 & FLAG_TF;
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

/* A DEBUG exit amid the step: one with nothing done, or for a #DB that the guest gets. With a TF of
 * the guest's own the former may show BS, too, though nothing has been executed. */
static bool enter_again(struct cpu *cpu, const struct kvm_regs *start, const struct insn *in,
                        unsigned *empty) {
    bool fault = kvm_vcpu_of(cpu)->run->debug.arch.dr6 & (DR6_BD | DR6_BT);
    bool nothing = unchanged(cpu, start) && ++*empty <= empty_exits(in);
    return (nothing && !fault) || give_back_trap(cpu) || nothing;
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
            if (enter_again(cpu, &start, in, &empty))
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

/* SYSRET takes RFLAGS from R11, and TF counts when it is done: so ours must be there. */
static void set_tf_of_sysret(struct cpu *cpu, const struct insn *in, bool tf) {
    if (!is_sysret(in))
        return;
    __u64 *r11 = &cpu_write(cpu, CPU_REGS)->regs.r11;
    *r11 = (*r11 & ~(uint64_t)FLAG_TF) | (tf ? FLAG_TF : 0);
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
    else if (ending != BY_DR || target == in->pc || !bp_plan_add_exec(&debug, target))
        debug.control |= KVM_GUESTDBG_SINGLESTEP;
    hold_handlers(cpu, in, &debug);
    bool tf_next = tf_after(cpu, in);
    set_tf_of_sysret(cpu, in, true);
    bool other = enter_step(cpu, &debug, in, exit);
    if (patched)
        *patched = saved;
    set_tf_of_sysret(cpu, in, tf_next);
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
    if (in->opcode != 0xf4 || vcpu_pc(cpu) != in->pc + in->prefixes + 1) /* #GP, in ring 3 */
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
