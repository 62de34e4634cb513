/* The running half of the KVM engine: a VM, its vCPU, and what each exit means.
 *
 *   open.c   makes the VM, its memory slots and the vCPU
 *   state.c  registers in and out
 *   enter.c  KVM_RUN
 *   exits.c  what an exit means
 *
 * It is complete by itself: build/minikvm-core runs guests with it. The debugging half
 * (debug/) adds breakpoints, stepping, kicks and changes of engine.
 *
 * Rule: nothing here includes a header of debug/.
 */
#ifndef MINIKVM_KVM_VCPU_H
#define MINIKVM_KVM_VCPU_H

#include <stddef.h>

#include "vmm/cpu/cpu.h"
#include "vmm/x86/x86.h"

struct kvm_vcpu {
    int vm, fd;
    struct kvm_run *run;
    size_t run_size;
    unsigned slots;       /* memory slots in use, from 0 */
    bool irqchip;         /* interrupt chips are in the kernel */
    bool io_pending;      /* an IO or MMIO exit that the next KVM_RUN completes */
    bool serves;          /* a device answered IO_SERVICE at that exit (debug/serve.c) */
    bool halted;          /* after a hlt that nothing can wake */
    volatile bool kicked; /* KVM_RUN is to come back at once (debug/kick.c) */
    /* Around KVM_RUN, for the debugging half; may be NULL. At left() no register is valid. */
    void (*entering)(struct cpu *);
    void (*left)(struct cpu *, int reason);
    void (*unclaimed)(struct cpu *); /* an MMIO exit was for no device; may be NULL */
};

static inline struct kvm_vcpu *kvm_vcpu_of(const struct cpu *cpu) { return cpu->priv; }

/* --- open.c --- */
int vcpu_open_device(void); /* of /dev/kvm: a descriptor or -errno */
/* A VM around cpu->memory, its vCPU in *v, which becomes cpu->priv. 0, or -errno, and nothing
 * is left open. `device` is closed. */
int vcpu_open(struct cpu *, struct kvm_vcpu *v, int device, bool irqchip);
void vcpu_close(struct kvm_vcpu *);
/* A memory slot for each piece. 0 or -errno. */
int vcpu_add_memory(struct kvm_vcpu *, const struct memory *);
void vcpu_irq_line(struct cpu *, unsigned irq, bool level);

/* --- state.c --- */
/* REGS, SREGS, DEBUGREGS, EVENTS and FPU as one ioctl gives and takes them; other parts
 * are left alone. What was not taken stays dirty. 0, or -errno. */
int state_fetch(struct cpu *, unsigned parts);
int state_store(struct cpu *, unsigned parts);

/* --- enter.c --- */
/* Stores what is dirty, and KVM_RUN. Returns the exit's reason, or -EINTR (kicked, or a
 * signal) or another -errno. */
int vcpu_enter(struct cpu *);
/* Completes the instruction of a pending IO or MMIO exit and runs nothing else
 * (kvm-quirks 2). Same results as vcpu_enter(); -EINTR is the usual one. */
int vcpu_complete(struct cpu *);
/* KVM_RUN comes back at once no longer, unless a kick stands. */
void vcpu_clear_immediate_exit(struct kvm_vcpu *);
uint64_t vcpu_pc(struct cpu *);

/* --- exits.c --- */
/* Deals with an exit. true: *exit is filled in and the CPU must stop; false: it may go on. */
bool exits_settle(struct cpu *, int reason, struct cpu_exit *exit);
/* The instruction whose I/O was served comes to its end, and nothing behind it runs: what
 * KVM_RUN says then. A device that wants to stop is in *exit. */
int exits_complete(struct cpu *, struct cpu_exit *exit);
/* Fills in *exit; always true. */
bool exits_report(struct cpu_exit *, enum cpu_exit_kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define EXITS_TRIPLE_FAULT "triple fault: an exception, and no handler for it could be entered"
/* Runs until an exit stops the CPU, without a debugger. */
void exits_run(struct cpu *, struct cpu_exit *exit);

#endif
