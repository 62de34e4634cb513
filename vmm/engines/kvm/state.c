/* The state of a vCPU in and out, part by part: one ioctl each. What a step or an exit
 * costs in them is counted in kvm_counters.
 */
#include "vmm/engines/kvm/vcpu.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>

enum { MSRS = 4 };
static const uint32_t msr_index[MSRS] = {0x10, 0x174, 0x175, 0x176}; /* TSC, SYSENTER_* */

/* struct kvm_msrs with its entries: C has no member behind a flexible array. */
struct msr_list {
    uint32_t count, unused;
    struct kvm_msr_entry entry[MSRS];
};
_Static_assert(offsetof(struct msr_list, entry) == sizeof(struct kvm_msrs), "as KVM has it");

static int get_msrs(int fd, struct cpu_msrs *m) {
    struct msr_list list = {.count = MSRS};
    for (int i = 0; i < MSRS; i++)
        list.entry[i].index = msr_index[i];
    if (ioctl(fd, KVM_GET_MSRS, &list) < 0)
        return -errno;
    *m = (struct cpu_msrs){list.entry[0].data, list.entry[1].data, list.entry[2].data,
                           list.entry[3].data};
    return 0;
}

static int set_msrs(int fd, const struct cpu_msrs *m) {
    const uint64_t value[MSRS] = {m->tsc, m->sysenter_cs, m->sysenter_esp, m->sysenter_eip};
    struct msr_list list = {.count = MSRS};
    for (int i = 0; i < MSRS; i++)
        list.entry[i] = (struct kvm_msr_entry){.index = msr_index[i], .data = value[i]};
    return ioctl(fd, KVM_SET_MSRS, &list) < 0 ? -errno : 0;
}

void state_show_guest_tf(const struct vcpu *v, struct kvm_regs *regs) {
    if (v->armed.control & KVM_GUESTDBG_SINGLESTEP)
        regs->rflags = (regs->rflags & ~(uint64_t)FLAG_TF) | (v->guest_tf ? FLAG_TF : 0);
}

/* KVM_GET_FPU and KVM_SET_FPU leave MXCSR out; it is word 6 of the XSAVE area
 * (volume 1, 13.4). */
enum { XSAVE_MXCSR = 6 };

static int get_mxcsr(struct vcpu *v, struct kvm_fpu *fpu) {
    struct kvm_xsave xsave;
    if (ioctl(v->fd, KVM_GET_XSAVE, &xsave) < 0)
        return -errno;
    fpu->mxcsr = xsave.region[XSAVE_MXCSR];
    return 0;
}

static int set_mxcsr(struct vcpu *v, const struct kvm_fpu *fpu) {
    struct kvm_xsave xsave;
    if (ioctl(v->fd, KVM_GET_XSAVE, &xsave) < 0)
        return -errno;
    xsave.region[XSAVE_MXCSR] = fpu->mxcsr;
    return ioctl(v->fd, KVM_SET_XSAVE, &xsave) < 0 ? -errno : 0;
}

static int get_mp(struct vcpu *v, struct kvm_mp_state *mp) {
    if (v->irqchip && ioctl(v->fd, KVM_GET_MP_STATE, mp) < 0)
        return -errno;
    if (!v->irqchip)
        mp->mp_state = KVM_MP_STATE_RUNNABLE;
    if (v->halted)
        mp->mp_state = KVM_MP_STATE_HALTED;
    return 0;
}

static int set_mp(struct vcpu *v, struct kvm_mp_state *mp) {
    v->halted = !v->irqchip && mp->mp_state == KVM_MP_STATE_HALTED;
    return v->irqchip && ioctl(v->fd, KVM_SET_MP_STATE, mp) < 0 ? -errno : 0;
}

/* The ioctl that gets or sets a part, and where the part lies. */
static const struct {
    unsigned part;
    unsigned long get, set;
    size_t offset;
} state_ioctls[] = {
    {CPU_REGS, KVM_GET_REGS, KVM_SET_REGS, offsetof(struct cpu_state, regs)},
    {CPU_SREGS, KVM_GET_SREGS, KVM_SET_SREGS, offsetof(struct cpu_state, sregs)},
    {CPU_DEBUGREGS, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, offsetof(struct cpu_state, debugregs)},
    {CPU_EVENTS, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS, offsetof(struct cpu_state, events)},
    {CPU_FPU, KVM_GET_FPU, KVM_SET_FPU, offsetof(struct cpu_state, fpu)},
};

int state_fetch(struct cpu *cpu, unsigned parts) {
    struct vcpu *v = vcpu_of(cpu);
    for (size_t i = 0; i < sizeof state_ioctls / sizeof *state_ioctls; i++) {
        if (!(parts & state_ioctls[i].part))
            continue;
        v->counters.state_ioctls++;
        if (ioctl(v->fd, state_ioctls[i].get, (char *)&cpu->state + state_ioctls[i].offset) == 0)
            cpu->valid |= state_ioctls[i].part;
    }
    if (parts & CPU_REGS)
        state_show_guest_tf(v, &cpu->state.regs);
    if (parts & CPU_FPU && get_mxcsr(v, &cpu->state.fpu) < 0)
        cpu->valid &= ~(unsigned)CPU_FPU;
    if (parts & CPU_MSRS && get_msrs(v->fd, &cpu->state.msrs) == 0)
        cpu->valid |= CPU_MSRS;
    if (parts & CPU_MP && get_mp(v, &cpu->state.mp) == 0)
        cpu->valid |= CPU_MP;
    return parts & ~cpu->valid ? -EIO : 0;
}

/* Only what KVM_SET_VCPU_EVENTS may take back everywhere: older kernels refuse
 * flags that they do not know. A #DB that is due, DR6 to come with it, is then one whose
 * delivery has begun. */
static void trim_events(struct kvm_vcpu_events *e, struct kvm_debugregs *debugregs) {
    if (e->exception.pending && e->exception_has_payload) {
        debugregs->dr6 |= e->exception_payload;
        e->exception.pending = e->exception_has_payload = 0;
        e->exception.injected = 1;
    }
    e->flags &= KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW;
    e->flags |= KVM_VCPUEVENT_VALID_SHADOW;
}

static void not_taken(struct cpu *cpu, unsigned part, int *err) {
    *err = -errno;
    cpu->dirty |= part;
}

/* What was not taken stays dirty. */
int state_store(struct cpu *cpu, unsigned parts) {
    struct vcpu *v = vcpu_of(cpu);
    int err = 0;
    cpu->dirty &= ~parts;
    if (parts & CPU_EVENTS)
        trim_events(&cpu->state.events, &cpu->state.debugregs);
    for (size_t i = 0; i < sizeof state_ioctls / sizeof *state_ioctls; i++) {
        if (!(parts & state_ioctls[i].part))
            continue;
        v->counters.state_ioctls++;
        if (ioctl(v->fd, state_ioctls[i].set, (char *)&cpu->state + state_ioctls[i].offset) < 0)
            not_taken(cpu, state_ioctls[i].part, &err);
    }
    if (parts & CPU_FPU && set_mxcsr(v, &cpu->state.fpu) < 0)
        not_taken(cpu, CPU_FPU, &err);
    if (parts & CPU_MSRS && set_msrs(v->fd, &cpu->state.msrs) < 0)
        not_taken(cpu, CPU_MSRS, &err);
    if (parts & CPU_MP && set_mp(v, &cpu->state.mp) < 0)
        not_taken(cpu, CPU_MP, &err);
    return err;
}
