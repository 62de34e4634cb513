/* The architectural state of a CPU: what KVM's ioctls call it (api.rst, KVM_GET_REGS and its
 * neighbours), so that every engine speaks one language. */
#ifndef MINIKVM_X86_STATE_H
#define MINIKVM_X86_STATE_H

#include <linux/kvm.h>
#include <stdint.h>

/* MSRs that a change of engine must carry over; EFER is in sregs. */
struct cpu_msrs {
    uint64_t tsc, sysenter_cs, sysenter_esp, sysenter_eip, star, lstar, cstar, fmask;
    uint64_t kernel_gs_base, tsc_aux, pat, misc_enable, mtrr_def_type, mtrr_fix[11], mtrr_phys[16];
};

struct cpu_state {
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_debugregs debugregs;
    struct kvm_vcpu_events events;
    uint64_t xcr0;
    uint8_t xsave[sizeof(struct kvm_xsave)] __attribute__((aligned(16))); /* fpu.h names its fields */
    struct cpu_msrs msrs;
    struct kvm_mp_state mp;
};

enum cpu_part {
    CPU_REGS = 1 << 0,
    CPU_SREGS = 1 << 1,
    CPU_DEBUGREGS = 1 << 2,
    CPU_EVENTS = 1 << 3,
    CPU_FPU = 1 << 4,
    CPU_MSRS = 1 << 5,
    CPU_MP = 1 << 6,
    CPU_ALL = (1 << 7) - 1,
};

#endif
