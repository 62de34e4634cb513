/* What the first states of a CPU share: boot_real.c begins each, boot_state.c goes on. */
#ifndef MINIKVM_BOOT_STATE_H
#define MINIKVM_BOOT_STATE_H

#include "vmm/board/boot/image.h"

/* All registers zero but those that no mode begins with as zero. To be filled in. */
struct cpu_state *boot_blank(struct memory *, struct cpu *);
/* DS, ES, FS, GS and SS alike. */
void boot_data_segments(struct kvm_sregs *, struct kvm_segment);

#endif
