/* The interrupt chips in the kernel, and their time. */
#include "vmm/engines/kvm/debug/debug.h"

#include <errno.h>
#include <sys/ioctl.h>

int irqchip_get(struct cpu *cpu, struct irqchip_state *chips) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    if (!v->irqchip)
        return -ENODEV;
    for (unsigned i = 0; i < 2; i++) {
        struct kvm_irqchip chip = {.chip_id = i};
        if (ioctl(v->vm, KVM_GET_IRQCHIP, &chip) < 0)
            return -errno;
        chips->pic[i] = chip.chip.pic;
    }
    if (d->frozen)
        chips->pit = d->pit;
    else if (ioctl(v->vm, KVM_GET_PIT2, &chips->pit) < 0)
        return -errno;
    return 0;
}

int irqchip_set(struct cpu *cpu, const struct irqchip_state *chips) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    if (!v->irqchip)
        return -ENODEV;
    for (unsigned i = 0; i < 2; i++) {
        struct kvm_irqchip chip = {.chip_id = i, .chip.pic = chips->pic[i]};
        if (ioctl(v->vm, KVM_SET_IRQCHIP, &chip) < 0)
            return -errno;
    }
    struct kvm_pit_state2 pit = chips->pit;
    if (d->frozen)
        d->pit = pit;
    else if (ioctl(v->vm, KVM_SET_PIT2, &pit) < 0)
        return -errno;
    return 0;
}

/* The PIT's timer runs in host time. To let time stand still its channel 0 is
 * put into mode 5, which never starts by itself, and back afterwards. */
void irqchip_freeze(struct cpu *cpu, bool on) {
    struct debugged_vcpu *d = debugged_of(cpu);
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    if (!v->irqchip || d->frozen == on)
        return;
    if (on && ioctl(v->vm, KVM_GET_PIT2, &d->pit) < 0)
        return;
    struct kvm_pit_state2 pit = d->pit;
    if (on)
        pit.channels[0].mode = 5;
    ioctl(v->vm, KVM_SET_PIT2, &pit);
    d->frozen = on;
}
