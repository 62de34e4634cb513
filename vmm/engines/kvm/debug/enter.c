/* Entering the guest with debug registers, TF and interceptions as a debugger wants them. */
#include "vmm/engines/kvm/debug/debug.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* --- registers in struct kvm_run ------------------------------------------------------- */

static void take_synced(struct cpu *cpu) {
    const struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    if (run->kvm_valid_regs & KVM_SYNC_X86_REGS) {
        cpu->state.regs = run->s.regs.regs;
        debug_show_guest_tf(debugged_of(cpu), &cpu->state.regs);
        cpu->valid |= CPU_REGS;
    }
    if (run->kvm_valid_regs & KVM_SYNC_X86_SREGS) {
        cpu->state.sregs = run->s.regs.sregs;
        cpu->valid |= CPU_SREGS;
    }
}

static void give_synced(struct cpu *cpu, unsigned parts) {
    struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    if (parts & CPU_REGS) {
        run->s.regs.regs = cpu->state.regs;
        run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
    }
    if (parts & CPU_SREGS) {
        run->s.regs.sregs = cpu->state.sregs;
        run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
    }
    cpu->dirty &= ~parts;
}

void debug_entering(struct cpu *cpu) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    if (!d->sync)
        return;
    run->kvm_valid_regs = (d->wanted & CPU_REGS ? KVM_SYNC_X86_REGS : 0) |
                          (d->wanted & CPU_SREGS ? KVM_SYNC_X86_SREGS : 0);
    give_synced(cpu, cpu->dirty & (CPU_REGS | CPU_SREGS));
    if (d->stepping)
        run->s.regs.regs.rflags |= FLAG_TF;
}

void debug_left(struct cpu *cpu, int reason) {
    struct kvm_counters *c = &debugged_of(cpu)->counters;
    take_synced(cpu);
    c->runs++;
    c->interrupted += reason == -EINTR;
    if (reason >= 0)
        c->exits[reason < KVM_EXITS_MAX ? reason : 0]++;
    exits_trace(cpu, reason);
}

/* --- entering --------------------------------------------------------------------------- */

static bool same_debug(const struct kvm_guest_debug *a, const struct kvm_guest_debug *b) {
    return a->control == b->control && !memcmp(&a->arch, &b->arch, sizeof a->arch);
}

static int give_debug(struct cpu *cpu, const struct kvm_guest_debug *debug, unsigned inject) {
    struct debugged_vcpu *d = debugged_of(cpu);
    int err = debug_store(cpu, cpu->dirty);
    struct kvm_guest_debug request = *debug;
    request.control |= inject;
    d->counters.debug_ioctls++;
    if (err || ioctl(kvm_vcpu_of(cpu)->fd, KVM_SET_GUEST_DEBUG, &request) < 0)
        return err ? err : -errno;
    d->armed = *debug;
    d->stepping = debug->control & KVM_GUESTDBG_SINGLESTEP;
    return 0;
}

/* KVM clears the guest's own TF along with ours; and giving it back would drop what was injected
 * with that request. */
static int give_afresh(struct cpu *cpu, const struct kvm_guest_debug *debug) {
    struct debugged_vcpu *d = debugged_of(cpu);
    unsigned inject = d->inject;
    if (d->guest_tf) {
        int err = give_debug(cpu, debug, 0);
        if (err)
            return err;
        cpu_write(cpu, CPU_REGS);
    }
    d->inject = 0;
    return d->guest_tf && !inject ? 0 : give_debug(cpu, debug, inject);
}

/* kvm-quirks 1 and 14: KVM drops our TF whenever it writes RFLAGS itself at another RIP than the one
 * it was armed at (an emulated instruction, a popf). Without SYNC_REGS the cure
 * is to arm again before every step. With it, TF goes in with the registers, at
 * no cost: one ioctl a step. An exception that we inject would be dropped by
 * that (KVM_SET_REGS clears what is pending), so then the long way is taken. */
static int arm(struct cpu *cpu, const struct kvm_guest_debug *debug) {
    struct debugged_vcpu *d = debugged_of(cpu);
    bool stepping = debug->control & KVM_GUESTDBG_SINGLESTEP;
    d->guest_tf = cpu_read(cpu, CPU_REGS)->regs.rflags & FLAG_TF;
    if (d->inject || !same_debug(debug, &d->armed) || (stepping && !d->sync))
        return give_afresh(cpu, debug);
    if (stepping)
        cpu_write(cpu, CPU_REGS);
    return 0;
}

int debug_enter(struct cpu *cpu, const struct kvm_guest_debug *debug) {
    struct debugged_vcpu *d = debugged_of(cpu);
    d->before.regs = cpu_read(cpu, CPU_REGS)->regs;
    d->before.sregs.cr0 = 0; /* unknown, unless somebody has asked for them anyway */
    if (debug->control || cpu->valid & CPU_SREGS)
        d->before.sregs = cpu_read(cpu, CPU_SREGS)->sregs;
    d->entry_rip = d->before.regs.rip;
    d->after_step = (d->armed.control | debug->control) & KVM_GUESTDBG_SINGLESTEP;
    int err = arm(cpu, debug);
    d->wanted = CPU_REGS | (debug->control ? CPU_SREGS : 0);
    return err ? err : vcpu_enter(cpu);
}

/* RF may have come: an exit amid an instruction that is to be done again sets it (17.3.1.1). */
bool debug_unchanged(struct cpu *cpu, const struct kvm_regs *start) {
    struct kvm_regs now = cpu_read(cpu, CPU_REGS)->regs;
    now.rflags = (now.rflags & ~(uint64_t)FLAG_RF) | (start->rflags & FLAG_RF);
    return !memcmp(&now, start, sizeof now);
}

bool debug_take_kick(struct kvm_vcpu *v) {
    bool kicked = __atomic_exchange_n(&v->kicked, false, __ATOMIC_SEQ_CST);
    vcpu_clear_immediate_exit(v);
    return kicked;
}
