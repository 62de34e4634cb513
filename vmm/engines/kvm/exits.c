/* What each exit means, to a run and to a step alike.
 *
 * Rule: an exit is either dealt with here and the CPU may go on, or it becomes
 * a cpu_exit with a sentence that a person can use. Nothing vanishes.
 */
#include "vmm/engines/kvm/vcpu.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[KVM_EXITS_MAX] = {
    [KVM_EXIT_UNKNOWN] = "unknown",       [KVM_EXIT_IO] = "io",
    [KVM_EXIT_HYPERCALL] = "hypercall",   [KVM_EXIT_DEBUG] = "debug",
    [KVM_EXIT_HLT] = "hlt",               [KVM_EXIT_MMIO] = "mmio",
    [KVM_EXIT_IRQ_WINDOW_OPEN] = "irq window", [KVM_EXIT_SHUTDOWN] = "shutdown",
    [KVM_EXIT_FAIL_ENTRY] = "fail entry", [KVM_EXIT_INTR] = "interrupted",
    [KVM_EXIT_SET_TPR] = "set tpr",       [KVM_EXIT_INTERNAL_ERROR] = "internal error",
    [KVM_EXIT_SYSTEM_EVENT] = "system event",
};

const char *kvm_exit_name(unsigned reason) {
    return reason < KVM_EXITS_MAX && names[reason] ? names[reason] : "other";
}

bool exits_report(struct cpu_exit *exit, enum cpu_exit_kind kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    exit->kind = kind;
    vsnprintf(exit->text, sizeof exit->text, format, args);
    va_end(args);
    return true;
}

void exits_trace(struct cpu *cpu, int reason) {
    const struct kvm_run *run = vcpu_of(cpu)->run;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    char detail[64] = "";
    if (reason == KVM_EXIT_IO)
        snprintf(detail, sizeof detail, " %s port 0x%x, %u bytes",
                 run->io.direction ? "to" : "from", run->io.port, run->io.size * run->io.count);
    else if (reason == KVM_EXIT_MMIO)
        snprintf(detail, sizeof detail, " %s 0x%llx, %u bytes",
                 run->mmio.is_write ? "to" : "from", run->mmio.phys_addr, run->mmio.len);
    else if (reason == KVM_EXIT_DEBUG)
        snprintf(detail, sizeof detail, " exception %u, dr6 %llx", run->debug.arch.exception,
                 run->debug.arch.dr6);
    fprintf(stderr, "minikvm: exit: %s at %04x:%08llx%s\n",
            reason < 0 ? strerror(-reason) : kvm_exit_name(reason), s->sregs.cs.selector,
            s->regs.rip, detail);
}

/* --- devices -------------------------------------------------------------- */

/* An IN whose device is not ready must not have begun: complete it with
 * whatever, then put back the registers from before. Every KVM leaves RIP at an
 * IN (facts), so that is a state between two instructions. */
static bool back_out(struct cpu *cpu, struct cpu_exit *exit) {
    struct cpu_state saved = {.regs = cpu_read(cpu, CPU_REGS)->regs};
    vcpu_complete(cpu);
    cpu_write(cpu, CPU_REGS)->regs = saved.regs;
    return exits_report(exit, CPU_EXIT_WAITING, "waiting for input");
}

static bool serve_io(struct cpu *cpu, struct cpu_exit *exit) {
    struct kvm_run *run = vcpu_of(cpu)->run;
    char *data = (char *)run + run->io.data_offset;
    bool stop = false;
    for (unsigned i = 0; i < run->io.count; i++, data += run->io.size) {
        enum io_result r = cpu->host.io(cpu->host.machine, run->io.port,
                                        run->io.direction == KVM_EXIT_IO_OUT, run->io.size, data);
        if (r == IO_RETRY && i == 0)
            return back_out(cpu, exit);
        stop |= r == IO_STOP;
    }
    return stop && exits_report(exit, CPU_EXIT_DEVICE, "%s", "");
}

/* An open bus. At a write RIP is behind the instruction (facts). */
static void serve_mmio(struct cpu *cpu) {
    struct kvm_run *run = vcpu_of(cpu)->run;
    if (!run->mmio.is_write)
        memset(run->mmio.data, 0xff, sizeof run->mmio.data);
    if (!cpu->host.unassigned)
        return;
    cpu->behind = run->mmio.is_write;
    cpu->host.unassigned(cpu->host.machine, run->mmio.is_write ? CPU_WRITE : CPU_READ,
                         run->mmio.phys_addr, run->mmio.len);
    cpu->behind = false;
}

/* --- the guest's own #DB ------------------------------------------------------ */

/* While we use debug registers every #DB comes to us. The guest's own are: a
 * single step with its TF set (one KVM also reports stale steps of ours: then TF
 * is clear), a task switch, an access to DRs under DR7.GD, and int1. */
bool exits_give_back(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    uint64_t dr6 = v->run->debug.arch.dr6;
    uint8_t before = 0;
    x86_read(cpu->memory, &s->sregs, vcpu_pc(cpu) - 1, &before, 1);
    bool own_step = dr6 & DR6_BS && s->regs.rflags & FLAG_TF;
    bool int1 = before == 0xf1 && !(dr6 & (DR6_BS | 0xf));
    if (!own_step && !int1 && !(dr6 & (DR6_BT | DR6_BD)))
        return false;
    cpu_write(cpu, CPU_DEBUGREGS)->debugregs.dr6 |= dr6 & (DR6_BT | DR6_BD | (own_step ? DR6_BS : 0));
    v->inject = KVM_GUESTDBG_INJECT_DB;
    return true;
}

/* --- halts ------------------------------------------------------------------ */

static bool all_masked(struct cpu *cpu) {
    struct irqchip_state chips;
    uint8_t wakers = cpu->host.wakers ? cpu->host.wakers(cpu->host.machine) : 0xff;
    return cpu->engine->get_irqchip(cpu, &chips) == 0 && !(wakers & ~chips.pic[0].imr);
}

/* The machine knows the words for why. */
bool exits_halted(struct cpu *cpu, struct cpu_exit *exit) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_MP);
    if (s->mp.mp_state != KVM_MP_STATE_HALTED)
        return false;
    bool for_ever = !vcpu_of(cpu)->irqchip || !(s->regs.rflags & FLAG_IF) || all_masked(cpu);
    return for_ever && exits_report(exit, CPU_EXIT_HALTED, "%s", "");
}

/* One KVM reports a hlt once more that a single step had passed already, at once
 * or an instruction later. A true one has the hlt right behind it, and may be
 * where we came from: a jump led back to it. */
static bool is_stale_hlt(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    const struct vcpu *v = vcpu_of(cpu);
    uint8_t op;
    return (v->after_step && s->regs.rip == v->entry_rip) ||
           (x86_read(cpu->memory, &s->sregs, vcpu_pc(cpu) - 1, &op, 1) == 1 && op != 0xf4);
}

static bool hlt_exit(struct cpu *cpu, struct cpu_exit *exit) {
    if (is_stale_hlt(cpu))
        return false;
    vcpu_of(cpu)->halted = true;
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
    bool at = candidate && guard_sets_paging(cpu, vcpu_pc(cpu));
    bool behind = candidate && !at && guard_sets_paging(cpu, vcpu_pc(cpu) - 3);
    if (!at && !behind)
        return false;
    struct kvm_regs *regs = &cpu_write(cpu, CPU_REGS)->regs;
    regs->rip -= behind ? 3 : 0;
    regs->rflags &= ~(uint64_t)FLAG_RF;
    return true;
}

/* kvm-amd resets the vCPU at a triple fault; the last state known is that of
 * the last entry into the guest, which is where it is put back to. */
static bool was_reset(struct cpu *cpu) {
    struct vcpu *v = vcpu_of(cpu);
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    bool reset = s->regs.rip == 0xfff0 && s->sregs.cs.selector == 0xf000;
    if (!reset)
        return false;
    cpu_write(cpu, CPU_REGS)->regs = v->before.regs;
    if (v->before.sregs.cr0)
        cpu_write(cpu, CPU_SREGS)->sregs = v->before.sregs;
    return true;
}

static bool shutdown_exit(struct cpu *cpu, struct cpu_exit *exit) {
    if (is_lost_paging(cpu))
        return exits_report(exit, CPU_EXIT_CANNOT, "this KVM has no 32-bit paging (CR0.PG)");
    bool reset = was_reset(cpu);
    return exits_report(exit, CPU_EXIT_SHUTDOWN,
                        "triple fault: an exception, and no handler for it could be entered%s",
                        reset ? " (KVM has reset the CPU; the registers are the last ones seen)"
                              : "");
}

/* Where it is now: between two exits nobody sees where it goes. */
static bool is_astray(struct cpu *cpu, bool stepping, struct cpu_exit *exit) {
    char text[sizeof exit->text];
    const struct cpu_host *host = &cpu->host;
    return host->astray && host->astray(host->machine, NULL, stepping, text, sizeof text) &&
           exits_report(exit, CPU_EXIT_RUNAWAY, "%s", text);
}

static bool failed(struct cpu *cpu, struct cpu_exit *exit) {
    struct kvm_run *run = vcpu_of(cpu)->run;
    uint8_t op[8] = {0};
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    size_t there = x86_read(cpu->memory, &s->sregs, vcpu_pc(cpu), op, sizeof op);
    if (!there && is_astray(cpu, false, exit))
        return true;
    if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
        return exits_report(exit, CPU_EXIT_CANNOT,
                            "the processor refuses the guest's state (KVM_EXIT_FAIL_ENTRY, "
                            "reason 0x%llx)",
                            run->fail_entry.hardware_entry_failure_reason);
    return exits_report(exit, CPU_EXIT_CANNOT,
                        "this KVM cannot run the instruction %02x %02x %02x %02x … "
                        "(KVM_EXIT_INTERNAL_ERROR, suberror %u)",
                        op[0], op[1], op[2], op[3], run->internal.suberror);
}

/* -EINTR is a kick, the watchdog's look, or any other signal. */
static bool interrupted(struct cpu *cpu, struct cpu_exit *exit) {
    if (vcpu_take_kick(vcpu_of(cpu)))
        return exits_report(exit, CPU_EXIT_KICKED, "%s", "");
    if (is_astray(cpu, vcpu_of(cpu)->after_step, exit))
        return true;
    return vcpu_of(cpu)->irqchip && exits_halted(cpu, exit);
}

bool exits_settle(struct cpu *cpu, int reason, struct cpu_exit *exit) {
    switch (reason) {
    case -EINTR:
    case KVM_EXIT_INTR:
        return interrupted(cpu, exit);
    case KVM_EXIT_IO:
        return serve_io(cpu, exit);
    case KVM_EXIT_MMIO:
        serve_mmio(cpu);
        return false;
    case KVM_EXIT_HLT:
        return hlt_exit(cpu, exit);
    case KVM_EXIT_SHUTDOWN:
        return shutdown_exit(cpu, exit);
    case KVM_EXIT_INTERNAL_ERROR:
    case KVM_EXIT_FAIL_ENTRY:
        return failed(cpu, exit);
    case KVM_EXIT_IRQ_WINDOW_OPEN:
        return false;
    }
    if (reason < 0)
        return exits_report(exit, CPU_EXIT_CANNOT, "KVM failed, and the CPU was not run: %s", strerror(-reason));
    return exits_report(exit, CPU_EXIT_CANNOT, "KVM stopped with exit reason %d (%s)", reason,
                        kvm_exit_name(reason));
}
