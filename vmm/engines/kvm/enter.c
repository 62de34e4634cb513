/* KVM_RUN: what goes in with it and comes out.
 *
 * Rule: nothing else enters the guest.
 */
#include "vmm/engines/kvm/vcpu.h"

#include <errno.h>
#include <sys/ioctl.h>

static int run_once(struct cpu *cpu) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    int reason = ioctl(v->fd, KVM_RUN, 0) < 0 ? -errno : (int)v->run->exit_reason;
    cpu->valid = cpu->missing = 0;
    if (v->left)
        v->left(cpu, reason);
    if (reason >= 0)
        v->io_pending = reason == KVM_EXIT_IO || reason == KVM_EXIT_MMIO;
    return reason == -EAGAIN ? -EINTR : reason;
}

int vcpu_enter(struct cpu *cpu) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    if (v->entering)
        v->entering(cpu);
    int err = cpu->dirty ? cpu->ops->store(cpu, cpu->dirty) : 0;
    return err < 0 ? err : run_once(cpu);
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
    int reason = run_once(cpu);
    vcpu_clear_immediate_exit(v);
    return reason;
}

uint64_t vcpu_pc(struct cpu *cpu) {
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    return x86_pc(&s->regs, &s->sregs);
}
