/* What the built-in CPU asks of its machine: interrupts and time.
 *
 * Time is virtual: an instruction is ten nanoseconds. It stands still while the
 * machine does, so a run with the same input is the same run. Only a hlt waits
 * in real time, so that no core is burnt; the guest sees no more than the tick
 * that it waited for.
 *
 * Input from a pipe or a file is there as soon as a device looks for it (the
 * device waits for it, not the guest), hence at the same instruction in every
 * run. Keys from a terminal are noticed a thousand times a second.
 */
#ifndef MINIKVM_VIRTUAL_CLOCK_H
#define MINIKVM_VIRTUAL_CLOCK_H

#include "vmm/machine/machine.h"

enum { NS_PER_INSTRUCTION = 10 };
/* How often the host is asked for input, in ticks: a virtual millisecond. */
enum { NOTICE_EVERY = 100000 };

/* For struct cpu_host. */
int virtual_clock_acknowledge(void *vcpu);
uint64_t virtual_clock_deadline(void *vcpu, uint64_t ticks);
uint64_t virtual_clock_idle(void *vcpu, uint64_t ticks);
uint8_t virtual_clock_wakers(void *vcpu);

/* For struct board, in nanoseconds: virtual time, or the host's on an engine that runs by it. */
uint64_t virtual_clock_now(void *machine);

#endif
