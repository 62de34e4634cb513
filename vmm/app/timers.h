/* The host's timers of all machines (machine/host_timer.h) as one file to wait for. */
#ifndef MINIKVM_TIMERS_H
#define MINIKVM_TIMERS_H

#include "vmm/machine/machine.h"

/* The file, readable when timers_expired() is to be called; or -errno. */
int timers_open(struct machine *, unsigned count);
void timers_expired(struct machine *, unsigned count);

#endif
