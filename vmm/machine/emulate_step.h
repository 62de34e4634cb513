/* One instruction of a KVM guest, done by a built-in CPU beside it.
 *
 * To pass a breakpoint whose condition is false, KVM must be told to step, enter,
 * be told to run, and enter again. Done here, the instruction costs no entry at
 * all, and the debug registers stay as they are. The same holds for the
 * many steps of a range that gdb has given (vCont;r).
 *
 * Rule: only what touches nothing but registers, flags and memory is done here;
 * everything else is left to the engine, with the state as it was.
 */
#ifndef MINIKVM_EMULATE_STEP_H
#define MINIKVM_EMULATE_STEP_H

#include "vmm/machine/machine.h"
#include "vmm/x86/x86.h"

/* Of CR4: what the built-in CPU does not have, so that it can neither take over nor do a step:
 * paging of five levels, protection keys, shadow stacks. */
#define SOFT_LACKS_CR4 (CR4_LA57 | CR4_PKE | CR4_CET)

/* Do the instruction at pc, faults included. false: nothing was done. Runs on the
 * machine's thread, between two entries of its engine. */
bool emulate_step(struct vcpu *);
/* At each command: somebody may have changed memory or state meanwhile. */
void emulator_invalidate(struct vcpu *);
void emulator_close(struct vcpu *);

#endif
