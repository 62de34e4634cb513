/* A look at a machine's screen, while it runs, too. */
#ifndef MINIKVM_MACHINE_SCREEN_H
#define MINIKVM_MACHINE_SCREEN_H

#include "vmm/devices/display/screen.h"
#include "vmm/machine/machine.h"

/* For the owner, any time; the guest waits for no more than the copy of the VGA's
 * registers. false: a device is at work just now, so try again soon. */
bool machine_screen(struct machine *, struct screen *);

#endif
