/* A look at a machine's screen, while it runs, too. */
#ifndef MINIKVM_MACHINE_SCREEN_H
#define MINIKVM_MACHINE_SCREEN_H

#include "vmm/devices/display/screen.h"
#include "vmm/machine/machine.h"

/* For the owner, any time; the guest does not wait for it. false: the machine goes through its
 * past, so there is no present to show. */
bool machine_screen(struct machine *, struct screen *);

/* "kvm", or "soft, stopped": which engine the machine has, and whether it stands. Any time. */
void machine_state(struct machine *, char *out, size_t size);

#endif
