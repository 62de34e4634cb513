/* What is put on breakpoints: conditions, commands, traces.
 *
 * Rule: an engine stops at an address; whether that is a stop is decided here, once for
 * runs, for steps, for ranges, and for the way back.
 */
#ifndef MINIKVM_HITS_H
#define MINIKVM_HITS_H

#include "vmm/machine/machine.h"

/* On the machine's thread, which stands at this address: all that is on the breakpoints
 * there is run, which may want the guest to go on; on a tracepoint, it always does. With
 * traces_only no other counts. true: one is to stop at, and *exit says so. What has been
 * done is noted in cpu->arrival and not done again before the CPU has moved on: a stop
 * that was told is not told twice, a condition is not evaluated twice. */
bool breakpoint_should_stop(struct vcpu *, uint64_t address, bool traces_only,
                            struct cpu_exit *exit);

#endif
