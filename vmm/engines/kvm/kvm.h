/* Engine 1: the host's own processor, through KVM.
 *
 * What is outside: kvm_open() and `engine_kvm` (debug/engine.c). What the files here
 * share among themselves is in vcpu.h and debug/debug.h.
 */
#ifndef MINIKVM_KVM_H
#define MINIKVM_KVM_H

#include <stddef.h>

#include "vmm/cpu/engine.h"

/* Make a VM around cpu->memory and give the CPU to it. 0, or -errno with one
 * sentence in `error` that says what happened, why, and what to do. The CPU's
 * memory, breakpoints and host are set before; its state is KVM's reset state. */
int kvm_open(struct cpu *, const struct engine_options *, char *error, size_t size);

#endif
