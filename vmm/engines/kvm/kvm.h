/* Engine 1: the host's own processor, through KVM.
 *
 * What is outside: kvm_open() and `engine_kvm` (debug/engine.c). What the files here
 * share among themselves is in vcpu.h and debug/debug.h.
 */
#ifndef MINIKVM_KVM_H
#define MINIKVM_KVM_H

#include <stddef.h>

#include "vmm/cpu/cpu.h"

/* Make a VM around cpu->memory and give the CPU to it. 0, or -errno with one
 * sentence in `error` that says what happened, why, and what to do. The CPU's
 * memory, points and host are set before; its state is KVM's reset state. */
int kvm_open(struct cpu *, const struct engine_options *, char *error, size_t size);

/* Counters of a CPU, by KVM_EXIT_ reason. */
#define KVM_EXITS_MAX 48
struct kvm_counters {
    uint64_t exits[KVM_EXITS_MAX];
    uint64_t interrupted; /* KVM_RUN came back for a signal */
    uint64_t runs, debug_ioctls, state_ioctls;
};
const char *kvm_exit_name(unsigned reason);

#endif
