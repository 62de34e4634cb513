/* Model-specific registers by their numbers (Vol. 4, table 2-2). */
#ifndef MINIKVM_X86_MSR_H
#define MINIKVM_X86_MSR_H

enum {
    MSR_TSC = 0x10,
    MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
    MSR_EFER = 0xC0000080, MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_FMASK,
    MSR_FS_BASE = 0xC0000100, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX,
};

#endif
