/* Running with breakpoints and watchpoints, until something happens.
 *
 * Three ways to go on, cheapest first: straight into KVM_RUN; with a watched
 * page protected, a step over each store to it; and step by step, when some
 * breakpoint can be done in no other way on this KVM.
 */
#include "vmm/cpu/engine.h"
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

#include <errno.h>

static const struct breakpoint *breakpoint_here(struct cpu *cpu) {
    return cpu->breakpoints->count ? breakpoints_at(cpu->breakpoints, vcpu_pc(cpu)) : NULL;
}

static bool stands_at_breakpoint(struct cpu *cpu, struct cpu_exit *exit) {
    const struct breakpoint *p = breakpoint_here(cpu);
    if (!p)
        return false;
    exit->kind = CPU_EXIT_BREAKPOINT;
    exit->point = p->kind;
    exit->address = p->address;
    return true;
}

/* At a MOV to CR0 that is looked at first. It is stepped over, so it stays looked at. */
static bool guarded_write(struct cpu *cpu, struct cpu_exit *exit) {
    if (cpu->breakpoints->count && stands_at_breakpoint(cpu, exit))
        return true;
    if (!cr0_guard_refuses(cpu, exit))
        step_raw(cpu, exit);
    return exit->kind != CPU_EXIT_STEPPED || stands_at_breakpoint(cpu, exit);
}

/* Between the iterations of a rep it is where it was looked at already. */
static bool comes_to_breakpoint(struct cpu *cpu, struct cpu_exit *exit) {
    return !debugged_of(cpu)->mid_rep && stands_at_breakpoint(cpu, exit);
}

/* kvm-quirks 3, with a TF of the guest's own: nothing has been executed. But `jmp .` changes nothing
 * either, so a few are enough. */
static bool is_empty_trap(struct cpu *cpu) {
    enum { EMPTY_TRAPS = 8 };
    struct debugged_vcpu *d = debugged_of(cpu);
    bool empty = kvm_vcpu_of(cpu)->run->debug.arch.dr6 & DR6_BS &&
                 d->before.regs.rflags & FLAG_TF && debug_unchanged(cpu, &d->before.regs);
    d->empty_traps = empty ? d->empty_traps + 1 : 0;
    return empty && d->empty_traps <= EMPTY_TRAPS;
}

static bool debug_exit(struct cpu *cpu, struct cpu_exit *exit) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    const struct kvm_debug_exit_arch *arch = &v->run->debug.arch;
    if (cr0_guard_at(cpu))
        return guarded_write(cpu, exit);
    if (arch->exception == VECTOR_BP) { /* DR6 is stale then (kvm-quirks 5) */
        if (stands_at_breakpoint(cpu, exit))
            return true;
        d->inject = KVM_GUESTDBG_INJECT_BP; /* the guest's own; RIP stays at it */
        return false;
    }
    const struct breakpoint *p = bp_plan_hit(d, arch->dr6, false);
    if (p && breakpoint_is_watch(p)) {
        exit->kind = CPU_EXIT_WATCHPOINT;
        exit->point = p->kind;
        exit->address = p->address;
        return true;
    }
    if (p && stands_at_breakpoint(cpu, exit))
        return true;
    if (!p && !is_empty_trap(cpu))
        exits_give_back(cpu);
    return false;
}

/* A store hit a protected page: nothing of it is done. Open the pages, step over
 * it, compare. */
static bool protected_store(struct cpu *cpu, struct cpu_exit *exit) {
    bp_plan_protect(cpu, false);
    step_raw(cpu, exit);
    if (exit->kind != CPU_EXIT_STEPPED || comes_to_breakpoint(cpu, exit))
        return true;
    bp_plan_protect(cpu, true);
    return false;
}

/* After a step of ours one KVM still has a single-step trap pending, which would
 * go to the guest. So the first entry after one intercepts #DB in any case;
 * exits_give_back() tells whose it is. */
static struct kvm_guest_debug first_entry(const struct debugged_vcpu *d,
                                          struct kvm_guest_debug debug) {
    if (d->armed.control & KVM_GUESTDBG_SINGLESTEP && !debug.control)
        debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
    return debug;
}

static struct kvm_guest_debug plan(struct cpu *cpu) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_guest_debug debug = {0};
    bp_plan_registers(d, &debug, true);
    cr0_guard_arm(cpu, &debug);
    if (d->plan.int3)
        debug.control |= KVM_GUESTDBG_USE_SW_BP;
    if (debug.control & KVM_GUESTDBG_USE_HW_BP)
        bp_plan_detect(cpu, &debug);
    if (debug.control)
        debug.control |= KVM_GUESTDBG_ENABLE;
    else
        debug.arch.debugreg[7] = 0;
    return debug;
}

static bool at_iret(struct cpu *cpu) {
    uint8_t op;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    return x86_read(cpu->memory, &s->sregs, vcpu_pc(cpu), &op, 1) == 1 && op == 0xcf;
}

/* kvm-quirks 17: the IRET is a step of its own, so that the next entry is behind it. true: that
 * step stops. */
static bool return_to_caller(struct cpu *cpu, struct cpu_exit *exit) {
    if (probe_traits()->paging32 || !kvm_vcpu_of(cpu)->irqchip || !at_iret(cpu))
        return false;
    step_raw(cpu, exit);
    return exit->kind != CPU_EXIT_STEPPED;
}

/* The service shall meet no int3 and no protected page. */
static bool serve_amid_run(struct cpu *cpu, struct cpu_exit *exit) {
    bp_plan_remove(cpu);
    bool stop = serve(cpu, exit) || return_to_caller(cpu, exit);
    bp_plan_insert(cpu);
    return stop;
}

static void run_freely(struct cpu *cpu, struct cpu_exit *exit) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    struct kvm_guest_debug debug = plan(cpu);
    bp_plan_insert(cpu);
    cpu_arrives(cpu);
    struct kvm_guest_debug first = first_entry(d, debug);
    const struct kvm_guest_debug *now = &first;
    for (bool stop = false; !stop; now = &debug) {
        int reason = debug_enter(cpu, now);
        if (reason == KVM_EXIT_DEBUG)
            stop = debug_exit(cpu, exit);
        else if (reason == -EFAULT && d->plan.pages)
            stop = protected_store(cpu, exit);
        else
            stop = debug_settle(cpu, reason, exit);
        if (v->serves)
            stop |= serve_amid_run(cpu, exit);
        if (d->guard.count && reason == KVM_EXIT_DEBUG)
            debug = plan(cpu);
    }
    if (v->io_pending)
        exits_complete(cpu, exit);
    bp_plan_remove(cpu);
}

static void step_until_exit(struct cpu *cpu, struct cpu_exit *exit) {
    do {
        step_raw(cpu, exit);
        if (exit->kind != CPU_EXIT_STEPPED)
            return;
        if (debug_take_kick(kvm_vcpu_of(cpu))) {
            exit->kind = CPU_EXIT_KICKED;
            return;
        }
    } while (!comes_to_breakpoint(cpu, exit));
}

/* For the guest it is a run: interrupts enter. */
static void run_stepping(struct cpu *cpu, struct cpu_exit *exit) {
    bool step_irqs = cpu->step_irqs;
    cpu->step_irqs = true;
    step_until_exit(cpu, exit);
    cpu->step_irqs = step_irqs;
}

/* A CPU that sleeps behind a hlt does not come to what follows before it is woken. */
static bool sleeps(struct cpu *cpu) {
    return cpu_read(cpu, CPU_MP)->mp.mp_state == KVM_MP_STATE_HALTED;
}

void run_guest(struct cpu *cpu, struct cpu_exit *exit) {
    if (exits_halted(cpu, exit) || long_mode_refuses(cpu, exit))
        return;
    bool here = breakpoint_here(cpu) && !sleeps(cpu);
    if (here && !cpu_passes(cpu, vcpu_pc(cpu))) {
        stands_at_breakpoint(cpu, exit);
        return;
    }
    bp_plan_make(cpu);
    if (debugged_of(cpu)->plan.stepping) {
        run_stepping(cpu, exit);
        return;
    }
    if (here) {
        step_one(cpu, exit); /* off the breakpoint that we stand on */
        if (exit->kind != CPU_EXIT_STEPPED || stands_at_breakpoint(cpu, exit))
            return;
    }
    run_freely(cpu, exit);
}
