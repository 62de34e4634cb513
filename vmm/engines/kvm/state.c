/* Registers of a vCPU in and out, part by part: one ioctl each. */
#include "vmm/engines/kvm/vcpu.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>

/* The ioctl that gets or sets a part, and where the part lies. */
static const struct {
    unsigned part;
    unsigned long get, set;
    size_t offset;
} ioctls[] = {
    {CPU_REGS, KVM_GET_REGS, KVM_SET_REGS, offsetof(struct cpu_state, regs)},
    {CPU_SREGS, KVM_GET_SREGS, KVM_SET_SREGS, offsetof(struct cpu_state, sregs)},
    {CPU_DEBUGREGS, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, offsetof(struct cpu_state, debugregs)},
    {CPU_EVENTS, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, offsetof(struct cpu_state, events)},
};
enum { IOCTLS = sizeof ioctls / sizeof *ioctls };

int state_fetch(struct cpu *cpu, unsigned parts) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    for (size_t i = 0; i < IOCTLS; i++) {
        if (!(parts & ioctls[i].part))
            continue;
        if (ioctl(v->fd, ioctls[i].get, (char *)&cpu->state + ioctls[i].offset) == 0)
            cpu->valid |= ioctls[i].part;
    }
    return parts & ~cpu->valid ? -EIO : 0;
}

int state_store(struct cpu *cpu, unsigned parts) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    int err = 0;
    for (size_t i = 0; i < IOCTLS; i++) {
        if (!(parts & ioctls[i].part))
            continue;
        cpu->dirty &= ~ioctls[i].part;
        if (ioctl(v->fd, ioctls[i].set, (char *)&cpu->state + ioctls[i].offset) < 0) {
            err = -errno;
            cpu->dirty |= ioctls[i].part;
        }
    }
    return err;
}
