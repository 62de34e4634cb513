/* What the first states of a CPU share: boot_real.c begins each, boot_state.c goes on. */
#ifndef MINIKVM_BOOT_STATE_H
#define MINIKVM_BOOT_STATE_H

#include "vmm/cpu/cpu.h"

/* All registers zero but those that no mode begins with as zero. To be filled in. */
struct cpu_state *boot_blank(struct memory *, struct cpu *);
/* DS, ES, FS, GS and SS alike. */
void boot_data_segments(struct kvm_sregs *, struct kvm_segment);
/* Real mode, at an entry below 1 MiB, with the stack below `low` if that is in reach. */
struct cpu_state *boot_real(struct memory *, struct cpu *, uint32_t entry, uint64_t low);

#endif
