/* What exits mean to a debugger; ../exits.c has what they mean in any case. */
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- the guest's own #DB ------------------------------------------------------ */

static bool is_int1(struct cpu *cpu, uint64_t at) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint8_t op;
    return x86_read(cpu->memory, &s->sregs, at, &op, 1) == 1 && op == 0xf1;
}

/* RIP is behind it, on some at it (kvm-quirks 24). */
static bool pass_int1(struct cpu *cpu, uint64_t dr6) {
    if (dr6 & (DR6_BS | DR6_BD | DR6_BT | 0xf))
        return false;
    if (is_int1(cpu, vcpu_pc(cpu)))
        cpu_write(cpu, CPU_REGS)->regs.rip++;
    return is_int1(cpu, vcpu_pc(cpu) - 1);
}

/* While we use debug registers every #DB comes to us. The guest's own are: a
 * single step with its TF set (one KVM also reports stale steps of ours: then TF
 * is clear), a task switch, an access to DRs under DR7.GD, and int1. */
bool exits_give_back(struct cpu *cpu) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint64_t dr6 = v->run->debug.arch.dr6;
    bool own_step = dr6 & DR6_BS && s->regs.rflags & FLAG_TF;
    if (!own_step && !pass_int1(cpu, dr6) && !(dr6 & (DR6_BT | DR6_BD)))
        return false;
    if (dr6 & DR6_BD)
        cpu_write(cpu, CPU_REGS)->regs.rflags |= FLAG_RF; /* it is a fault */
    cpu_write(cpu, CPU_DEBUGREGS)->debugregs.dr6 |=
        dr6 & (DR6_BT | DR6_BD | (own_step ? DR6_BS : 0));
    d->inject = KVM_GUESTDBG_INJECT_DB;
    return true;
}

/* --- halts ------------------------------------------------------------------ */

static bool all_masked(struct cpu *cpu) {
    struct irqchip_state chips;
    uint8_t wakers =
        engine_host_of(cpu)->wakers ? engine_host_of(cpu)->wakers(cpu->host.context) : 0xff;
    return cpu->engine->get_irqchip(cpu, &chips) == 0 && !(wakers & ~chips.pic[0].imr);
}

static bool is_behind_hlt(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint8_t op;
    return x86_read(cpu->memory, &s->sregs, vcpu_pc(cpu) - 1, &op, 1) != 1 || op == 0xf4;
}

/* kvm-quirks 9, with the chips in the kernel: there is no exit, the CPU sleeps again when the hlt
 * is behind it for long. */
static bool sleeps_again(struct cpu *cpu) {
    if (!kvm_vcpu_of(cpu)->irqchip || is_behind_hlt(cpu))
        return false;
    cpu_write(cpu, CPU_MP)->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    return true;
}

/* The machine explains why (vcpu_thread.c). */
bool exits_halted(struct cpu *cpu, struct cpu_exit *exit) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_MP);
    if (s->mp.mp_state != KVM_MP_STATE_HALTED || sleeps_again(cpu))
        return false;
    bool for_ever = !kvm_vcpu_of(cpu)->irqchip || !(s->regs.rflags & FLAG_IF) || all_masked(cpu);
    return for_ever && exits_report(exit, CPU_EXIT_HALTED, "%s", "");
}

/* kvm-quirks 9: one KVM reports a hlt once more that a single step had passed already, at once
 * or an instruction later. A true one has the hlt right behind it, and may be
 * where we came from: a jump led back to it. */
static bool is_stale_hlt(struct cpu *cpu) {
    const struct debugged_vcpu *d = debugged_of(cpu);
    return (d->after_step && cpu_read(cpu, CPU_REGS)->regs.rip == d->entry_rip) ||
           !is_behind_hlt(cpu);
}

static bool hlt_exit(struct cpu *cpu, struct cpu_exit *exit) {
    if (is_stale_hlt(cpu))
        return false;
    kvm_vcpu_of(cpu)->halted = true;
    cpu->valid &= ~(unsigned)CPU_MP;
    return exits_halted(cpu, exit);
}

/* --- ends --------------------------------------------------------------------- */

/* A KVM without 32-bit paging drops CR0.PG and shuts down: at the mov, or (some
 * versions) behind it. Then the CPU is put back to the mov, which is undone. */
static bool is_lost_paging(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    bool candidate = s->sregs.cr0 & CR0_PE && !(s->sregs.cr0 & CR0_PG) &&
                     !(s->sregs.efer & EFER_LME) && !probe_traits()->paging32;
    bool at = candidate && cr0_guard_sets_paging(cpu, vcpu_pc(cpu));
    bool behind = candidate && !at && cr0_guard_sets_paging(cpu, vcpu_pc(cpu) - 3);
    if (!at && !behind)
        return false;
    struct kvm_regs *regs = &cpu_write(cpu, CPU_REGS)->regs;
    regs->rip -= behind ? 3 : 0;
    regs->rflags &= ~(uint64_t)FLAG_RF;
    return true;
}

/* kvm-amd resets the vCPU at a triple fault (kvm-quirks 15); the last state known is that of
 * the last entry into the guest, which is where it is put back to. */
static bool was_reset(struct cpu *cpu) {
    struct debugged_vcpu *d = debugged_of(cpu);
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    bool reset = s->regs.rip == 0xfff0 && s->sregs.cs.selector == 0xf000;
    if (!reset)
        return false;
    cpu_write(cpu, CPU_REGS)->regs = d->before.regs;
    if (d->before.sregs.cr0)
        cpu_write(cpu, CPU_SREGS)->sregs = d->before.sregs;
    return true;
}

static bool shutdown_exit(struct cpu *cpu, struct cpu_exit *exit) {
    if (is_lost_paging(cpu))
        return exits_report(exit, CPU_EXIT_CANNOT, "this KVM has no 32-bit paging (CR0.PG)");
    bool reset = was_reset(cpu);
    return exits_report(exit, CPU_EXIT_SHUTDOWN, "%s%s", EXITS_TRIPLE_FAULT,
                        reset ? " (KVM has reset the CPU, and the registers are the last ones "
                                "seen, of before; --cpu=soft stops at the instruction)"
                              : "");
}

/* Where it is now: between two exits nobody sees where it goes. */
static bool is_astray(struct cpu *cpu, bool stepping, struct cpu_exit *exit) {
    char text[sizeof exit->text];
    const struct engine_host *host = engine_host_of(cpu);
    if (cpu_read(cpu, CPU_MP)->mp.mp_state == KVM_MP_STATE_HALTED)
        return false; /* it executes nothing, and what is behind its hlt may be anything */
    return host->astray && host->astray(cpu->host.context, NULL, stepping, text, sizeof text) &&
           exits_report(exit, CPU_EXIT_RUNAWAY, "%s", text);
}

/* At an address where no code can be, that is what to tell. */
static bool failed_astray(struct cpu *cpu, struct cpu_exit *exit) {
    uint8_t op;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    return !x86_read(cpu->memory, &s->sregs, vcpu_pc(cpu), &op, 1) && is_astray(cpu, false, exit);
}

/* A guest that only waits is as quick in any engine. */
static bool is_slow(struct cpu *cpu, struct cpu_exit *exit) {
    enum { LOOKS = 3 }; /* of the watchdog: two tenths of a second and a bit */
    struct debugged_vcpu *d = debugged_of(cpu);
    if (!d->replaceable || ++d->busy_looks < LOOKS)
        return false;
    d->replaceable = false;
    return probe_interprets() &&
           exits_report(exit, CPU_EXIT_SLOW,
                        "this KVM interprets the guest's instructions, and takes far longer");
}

/* -EINTR is a kick, the watchdog's look, or any other signal. */
static bool run_interrupted(struct cpu *cpu, struct cpu_exit *exit) {
    if (debug_take_kick(kvm_vcpu_of(cpu)))
        return exits_report(exit, CPU_EXIT_KICKED, "%s", "");
    /* One that is halted has not come to what is behind the HLT. */
    if (kvm_vcpu_of(cpu)->irqchip && cpu_read(cpu, CPU_MP)->mp.mp_state == KVM_MP_STATE_HALTED)
        return exits_halted(cpu, exit);
    return is_astray(cpu, debugged_of(cpu)->after_step, exit) || is_slow(cpu, exit);
}

/* At a write RIP is behind the instruction already. */
void exits_unclaimed(struct cpu *cpu) {
    const struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    const struct engine_host *host = engine_host_of(cpu);
    if (!host->unassigned)
        return;
    cpu->behind = run->mmio.is_write;
    host->unassigned(cpu->host.context, run->mmio.is_write ? CPU_WRITE : CPU_READ,
                     run->mmio.phys_addr, run->mmio.len);
    cpu->behind = false;
}

static void name_reason(int reason, struct cpu_exit *exit) {
    size_t length = strlen(exit->text);
    snprintf(exit->text + length, sizeof exit->text - length, " (%s)", kvm_exit_name(reason));
}

bool debug_settle(struct cpu *cpu, int reason, struct cpu_exit *exit) {
    switch (reason) {
    case -EINTR:
    case KVM_EXIT_INTR: return run_interrupted(cpu, exit);
    case KVM_EXIT_HLT: return hlt_exit(cpu, exit);
    case KVM_EXIT_SHUTDOWN: return shutdown_exit(cpu, exit);
    case KVM_EXIT_X86_WRMSR: return long_mode_at_wrmsr(cpu, exit);
    case KVM_EXIT_INTERNAL_ERROR:
    case KVM_EXIT_FAIL_ENTRY: return failed_astray(cpu, exit) || exits_settle(cpu, reason, exit);
    }
    bool stop = exits_settle(cpu, reason, exit);
    if (stop && exit->kind == CPU_EXIT_CANNOT && reason >= 0)
        name_reason(reason, exit);
    return stop;
}
