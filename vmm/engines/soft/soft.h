/* The built-in CPU: engine 2, an interpreter of an x86-64 with x87, MMX and SSE, in real,
 * virtual-8086, protected, compatibility and 64-bit mode.
 *
 * Rule: what a guest can see is what the manual says, exactly and the same in
 * every run. Time is counted in ticks (cpu->ticks): each instruction is one, and so is
 * each fault or interrupt taken; a repeated string instruction one more for each time
 * that it comes to the end of a page. While a CPU waits, time goes on without instructions.
 *
 * Section numbers in this directory are those of the Intel SDM; volume 3A
 * where no volume is named.
 */
#ifndef MINIKVM_SOFT_H
#define MINIKVM_SOFT_H

#include "vmm/cpu/engine.h"

/* Gives the CPU this engine, in the state after a reset: 0 or -errno. Memory, breakpoints and
 * host must be set, and outlive it. engine->close() undoes it. */
int soft_open(struct cpu *);
/* Takes what cpu->cpuid says now, before the CPU has run; returns those of the features wanted
 * that there are none of. */
uint64_t soft_choose_features(struct cpu *);

#endif
