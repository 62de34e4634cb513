/* What is put on breakpoints: conditions, commands, traces.
 *
 * Rule: an engine stops at an address; whether that is a stop is decided here, once for
 * runs, for steps, for ranges, and for the way back.
 */
#ifndef MINIKVM_HITS_H
#define MINIKVM_HITS_H

#include "vmm/machine/machine.h"

/* On the machine's thread, with the CPU at this address: runs what is attached to the
 * breakpoints there (conditions, commands, tracepoints; with traces_only the last alone).
 * true: one of them stops the machine, and *exit says which. What was done is noted in
 * cpu->arrival and not done again before the CPU has moved on: no stop is reported twice, no
 * condition evaluated twice. */
bool breakpoint_should_stop(struct vcpu *, uint64_t address, bool traces_only,
                            struct cpu_exit *exit);

#endif
