/* KVM_RUN: what goes in with it and comes out.
 *
 * Rule: nothing else enters the guest.
 */
#include "vmm/engines/kvm/vcpu.h"

#include <errno.h>
#include <sys/ioctl.h>

static void take_synced(struct cpu *cpu) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    const struct kvm_sync_regs *s = &v->run->s.regs;
    cpu->valid = cpu->missing = 0;
    if (v->run->kvm_valid_regs & KVM_SYNC_X86_REGS) {
        cpu->state.regs = s->regs;
        state_show_guest_tf(v, &cpu->state.regs);
        cpu->valid |= CPU_REGS;
    }
    if (v->run->kvm_valid_regs & KVM_SYNC_X86_SREGS) {
        cpu->state.sregs = s->sregs;
        cpu->valid |= CPU_SREGS;
    }
}

static void give_synced(struct cpu *cpu, unsigned parts) {
    struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    struct kvm_sync_regs *s = &run->s.regs;
    if (parts & CPU_REGS) {
        s->regs = cpu->state.regs;
        run->kvm_dirty_regs |= KVM_SYNC_X86_REGS;
    }
    if (parts & CPU_SREGS) {
        s->sregs = cpu->state.sregs;
        run->kvm_dirty_regs |= KVM_SYNC_X86_SREGS;
    }
    cpu->dirty &= ~parts;
}

static int run(struct cpu *cpu) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    v->counters.runs++;
    int reason = ioctl(v->fd, KVM_RUN, 0) < 0 ? -errno : (int)v->run->exit_reason;
    take_synced(cpu);
    if (v->trace)
        v->trace(cpu, reason);
    if (reason < 0) {
        v->counters.interrupted += reason == -EINTR;
        return reason == -EAGAIN ? -EINTR : reason;
    }
    v->counters.exits[reason < KVM_EXITS_MAX ? reason : 0]++;
    v->io_pending = reason == KVM_EXIT_IO || reason == KVM_EXIT_MMIO;
    return reason;
}

int vcpu_enter(struct cpu *cpu, unsigned parts) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    if (v->sync) {
        v->run->kvm_valid_regs = (parts & CPU_REGS ? KVM_SYNC_X86_REGS : 0) |
                                 (parts & CPU_SREGS ? KVM_SYNC_X86_SREGS : 0);
        give_synced(cpu, cpu->dirty & (CPU_REGS | CPU_SREGS));
        if (v->stepping)
            v->run->s.regs.regs.rflags |= FLAG_TF;
    }
    int err = cpu->dirty ? cpu->ops->store(cpu, cpu->dirty) : 0;
    return err < 0 ? err : run(cpu);
}

/* A kick says that it stands before it asks for the exit, so none is lost. */
void vcpu_clear_immediate_exit(struct kvm_vcpu *v) {
    __atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&v->kicked, __ATOMIC_SEQ_CST))
        __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

int vcpu_complete(struct cpu *cpu) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    v->io_pending = false;
    __atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    int reason = run(cpu);
    vcpu_clear_immediate_exit(v);
    return reason;
}

uint64_t vcpu_pc(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    return x86_pc(&s->regs, &s->sregs);
}
