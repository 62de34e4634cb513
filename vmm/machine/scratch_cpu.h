/* A built-in CPU beside a machine's own, on the same memory: to do an instruction there
 * (emulate_step.c), or to find out what it would do (vmm/inspect/dry_run.c).
 *
 * Rule: it has no breakpoints, and what lies outside of memory is its owner's affair, by the
 * host that it is opened with. It writes guest memory: whoever wants that undone keeps a
 * journal.
 */
#ifndef MINIKVM_SCRATCH_CPU_H
#define MINIKVM_SCRATCH_CPU_H

#include "vmm/cpu/breakpoints.h"
#include "vmm/cpu/engine.h"

struct scratch_cpu {
    struct cpu cpu;
    struct breakpoints none;
};

/* It must not move afterwards. false: no memory for it. */
bool scratch_cpu_open(struct scratch_cpu *, const struct cpu *like, const struct cpu_host *);
void scratch_cpu_close(struct scratch_cpu *);
/* One instruction, from the state that was put into `cpu`; returns where it led. */
const struct cpu_state *scratch_cpu_step(struct scratch_cpu *, struct cpu_exit *);

#endif
