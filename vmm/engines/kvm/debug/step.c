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
 *   iretq              likewise                       → to where it returns
 *   mov ss, pop ss     #DB is held off for one more   → to an int3 put there
 *
 * A fault would run its handler, too: debug registers that are free and int3s hold the
 * handlers meanwhile (step_holds.c). What TF leaves behind in memory is mended, so that the
 * guest never sees it; and where the guest has a TF of its own, ours is no other, and the step
 * ends in its #DB's handler (step_tf.c).
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

/* --- where an instruction ends, if TF cannot tell ------------------------------- */

enum ending {
    BY_TF,   /* single step */
    BY_HOLD, /* run to the target (step_holds.c) */
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

/* IRETQ within ring 0: a KVM that interprets runs the instruction it returns to, too. */
static bool returns_within(struct cpu *cpu, const struct insn *in, uint64_t *target) {
    uint64_t frame[2]; /* RIP, CS */
    if (in->opcode != 0xcf || in->operand != 8 || !is_long(cpu) || probe_traits()->paging32)
        return false;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    bool read = x86_read(cpu->memory, &s->sregs, s->regs.rsp, frame, sizeof frame) == sizeof frame;
    *target = read ? frame[0] : 0;
    return read && !(frame[1] & 3) && x86_cpl(&s->sregs) == 0;
}

static enum ending ending_of(struct cpu *cpu, const struct insn *in, bool raw, uint64_t *target) {
    const struct kvm_traits *t = probe_traits();
    int vector = vector_of(cpu, in);
    if (vector >= 0)
        return t->exec_bp &&
                       x86_handler(cpu->memory, &cpu_read(cpu, CPU_SREGS)->sregs, vector, target)
                   ? BY_HOLD
                   : BY_TF;
    if (step_loads_ss(in)) {
        *target = in->pc + in->prefixes + 1 + (in->opcode == 0x17 ? 0 : insn_modrm_length(in));
        return t->int3 ? BY_HOLD : BY_TF;
    }
    bool known = kernel_entry(cpu, in, target) || returns_within(cpu, in, target) ||
                 ends_at_next(in, raw, target);
    return known && t->exec_bp ? BY_HOLD : BY_TF;
}

/* --- the step ------------------------------------------------------------------------------ */

static bool is_stepping(struct cpu *cpu) {
    return debugged_of(cpu)->armed.control & KVM_GUESTDBG_SINGLESTEP;
}

/* How many empty exits there may be: `jmp .` changes nothing either, and is over when a few
 * have come; anything else is not over before it has done something. */
static unsigned empty_exits(const struct insn *in) {
    static const struct insn_span branches[] = {{0x70, 0x7f}, {0x9a, 0x9a},    {0xc2, 0xc3},
                                                {0xca, 0xcf}, {0xe0, 0xe3},    {0xe8, 0xeb},
                                                {0xff, 0xff}, {0x0f80, 0x0f8f}};
    return insn_in_any(in, branches, sizeof branches / sizeof *branches) ? 8 : 1000;
}

/* A DEBUG exit amid the step: one with nothing done, or for a #DB that the guest gets; only
 * without TF of our own can it be the guest's. With a TF of the guest's own the former may show BS,
 * too, though nothing has been executed. */
static bool enter_again(struct cpu *cpu, const struct kvm_regs *start, const struct insn *in,
                        unsigned *empty) {
    const struct kvm_debug_exit_arch *arch = &kvm_vcpu_of(cpu)->run->debug.arch;
    uint64_t dr6 = arch->dr6;
    if (arch->exception == VECTOR_BP) {    /* DR6 is stale then (kvm-quirks 5) */
        bool own = vcpu_pc(cpu) == in->pc; /* the guest's, which was to be stepped */
        debugged_of(cpu)->inject = own ? KVM_GUESTDBG_INJECT_BP : 0;
        return own;
    }
    bool nothing = debug_unchanged(cpu, start) && ++*empty <= empty_exits(in);
    bool stepping = is_stepping(cpu), traced = start->rflags & FLAG_TF;
    if (nothing && !(dr6 & (DR6_BD | DR6_BT)))
        return true;
    if (!stepping && traced && dr6 & DR6_BS) /* the guest's own step is over, and ours */
        return false;
    return (!stepping && exits_give_back(cpu)) || nothing;
}

/* Enter until the instruction is over. One KVM gives an extra, empty DEBUG exit
 * after an exit that it dealt with inside (kvm-quirks 3): then again. On a slow host there
 * may be many. true: *exit is something else than the end of the instruction. */
static bool enter_step(struct cpu *cpu, struct step_holds *holds, const struct insn *in,
                       struct cpu_exit *exit) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    struct kvm_regs start = cpu_read(cpu, CPU_REGS)->regs;
    for (unsigned empty = 0;;) {
        int reason = step_enter(cpu, holds);
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

/* By TF, where nothing else holds the end; and where the guest has a TF of its own, too. What then
 * tells the end is returned. */
static enum ending arm_end(struct cpu *cpu, struct step_holds *h, enum ending ending,
                           uint64_t target, const struct insn *in, bool traced) {
    if (ending == BY_HOLD && !step_hold_end(cpu, h, in, target))
        ending = BY_TF;
    if (ending == BY_TF || (traced && !step_loads_ss(in)))
        h->debug.control |= KVM_GUESTDBG_SINGLESTEP;
    return ending;
}

/* At the first instruction of a handler, and not behind the one that was stepped. */
static bool was_delivered(struct cpu *cpu, enum ending ending, uint64_t target) {
    const struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    const struct kvm_debug_exit_arch *arch = &run->debug.arch;
    bool debug = probe_traits()->exec_bp && run->exit_reason == KVM_EXIT_DEBUG;
    bool by_trap = is_stepping(cpu) && arch->exception == VECTOR_DB && arch->dr6 & DR6_BS;
    return debug && !by_trap && (ending == BY_TF || vcpu_pc(cpu) != target);
}

/* MOV from or to a debug register, which DR7.GD makes a #DB (17.2.4); DR4 and DR5 may be #UD. */
static bool is_detected(struct cpu *cpu, const struct insn *in) {
    unsigned number = insn_modrm(in) >> 3 & 7;
    if (in->opcode != 0x0f || (in->second != 0x21 && in->second != 0x23))
        return false;
    const struct cpu_state *s = cpu_read(cpu, CPU_SREGS | CPU_DEBUGREGS);
    bool alias = number == 4 || number == 5;
    return s->debugregs.dr7 & DR7_GD && x86_cpl(&s->sregs) == 0 &&
           !(alias && s->sregs.cr4 & CR4_DE);
}

/* KVMs have ways of their own with INT1, and none sees the guest's DR7.GD while ours is in its place
 * (kvm-quirks 24): the #DB is made here, and then goes in. */
static void make_db(struct cpu *cpu, const struct insn *in) {
    struct debugged_vcpu *d = debugged_of(cpu);
    bool detected = is_detected(cpu, in);
    if (d->inject || !(detected || in->opcode == 0xf1))
        return;
    d->inject = KVM_GUESTDBG_INJECT_DB;
    struct cpu_state *s = cpu_write(cpu, CPU_REGS | CPU_DEBUGREGS);
    if (detected) {
        s->debugregs.dr6 |= DR6_BD;
        s->debugregs.dr7 &= ~(uint64_t)DR7_GD;
        s->regs.rflags |= FLAG_RF; /* it is a fault */
    } else {
        s->regs.rip += in->prefixes + 1;
    }
}

/* A trap that is due ends a HLT (volume 2A, HLT). */
static bool is_woken(struct cpu *cpu, const struct guest_trace *trace, struct cpu_exit *exit) {
    if (!trace->trap || exit->kind != CPU_EXIT_HALTED)
        return false;
    cpu_write(cpu, CPU_MP)->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    kvm_vcpu_of(cpu)->halted = false;
    return true;
}

static bool go_to_end(struct cpu *cpu, const struct insn *in, bool raw, struct cpu_exit *exit) {
    struct step_holds holds = {.debug.control = KVM_GUESTDBG_ENABLE};
    uint64_t target = 0;
    if (in->opcode == 0x0f && in->second == 0x22 && cr0_guard_refuses(cpu, exit))
        return true;
    make_db(cpu, in);
    enum ending ending = ending_of(cpu, in, raw, &target);
    struct guest_trace trace = step_tf_begin(cpu, in, vector_of(cpu, in) >= 0);
    if (probe_traits()->block_irq && !cpu->step_irqs)
        holds.debug.control |= KVM_GUESTDBG_BLOCKIRQ;
    bp_plan_registers(debugged_of(cpu), &holds.debug, false);
    bool traced = trace.before && !debugged_of(cpu)->inject;
    ending = arm_end(cpu, &holds, ending, target, in, traced);
    step_hold_handlers(cpu, &holds, in);
    bool other = enter_step(cpu, &holds, in, exit) && !is_woken(cpu, &trace, exit);
    step_tf_end(cpu, in, &trace, !other && was_delivered(cpu, ending, target), other);
    return other;
}

static bool report_watch(struct cpu_exit *exit, const struct breakpoint *p) {
    exit->kind = CPU_EXIT_WATCHPOINT;
    exit->point = p->kind;
    exit->address = p->address;
    return true;
}

static const struct breakpoint *watch_hit(struct cpu *cpu) {
    const struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    const struct kvm_debug_exit_arch *arch = &run->debug.arch;
    bool by_debug = run->exit_reason == KVM_EXIT_DEBUG && arch->exception == VECTOR_DB;
    const struct breakpoint *p = by_debug ? bp_plan_hit(debugged_of(cpu), arch->dr6, true) : NULL;
    return p ? p : bp_plan_changed(cpu);
}

/* The guest's own #DB is due: to its handler. true: *exit is something else. */
static bool take_trap(struct cpu *cpu, struct cpu_exit *exit) {
    struct insn in;
    look_at_next(cpu, &in);
    debugged_of(cpu)->mid_rep = false;
    return go_to_end(cpu, &in, true, exit);
}

static bool halts_behind(struct cpu *cpu, const struct insn *in, struct cpu_exit *exit) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    if (in->opcode != 0xf4 || vcpu_pc(cpu) != in->pc + in->prefixes + 1) /* #GP, in ring 3 */
        return false;
    v->halted = !v->irqchip; /* one KVM has no HLT exit for a stepped hlt */
    cpu->valid &= ~(unsigned)CPU_MP;
    if (v->irqchip && !(cpu_read(cpu, CPU_REGS)->regs.rflags & FLAG_IF))
        cpu_write(cpu, CPU_MP)->mp.mp_state = KVM_MP_STATE_HALTED; /* nor does it say so */
    return exits_halted(cpu, exit);
}

/* What a finished instruction, or iteration of a rep, may have set off. */
static bool aftermath(struct cpu *cpu, const struct insn *in, struct cpu_exit *exit) {
    struct debugged_vcpu *d = debugged_of(cpu);
    bool trap = d->inject & KVM_GUESTDBG_INJECT_DB && probe_traits()->exec_bp;
    d->mid_rep = in->rep && insn_is_string(in) && vcpu_pc(cpu) == in->pc;
    const struct breakpoint *p = watch_hit(cpu);
    if (trap && take_trap(cpu, exit))
        return true;
    if (!d->mid_rep)
        cpu_arrives(cpu);
    if (trap && !p)
        p = watch_hit(cpu);
    if (p)
        return report_watch(exit, p);
    return !trap && halts_behind(cpu, in, exit);
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
