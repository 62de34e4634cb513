/* --stats: what a run took. */
#ifndef MINIKVM_STATS_H
#define MINIKVM_STATS_H

#include "vmm/machine/machine.h"

/* On stderr; start_ns is CLOCK_MONOTONIC when the program began. */
void stats_print(struct machine *machines, unsigned count, uint64_t start_ns);

#endif
