/* Execution that has lost its way: into memory that is not there, into zeros, through a
 * vector that nobody has set. On a PC that is an endless loop or a reset later on; here it
 * stops while one can still see where it came from.
 *
 * Rule: only what cannot be meant is a stop: in ring 0 or real mode, and nothing on the
 * way that the guest's own handlers could catch. The rest is told in one line.
 */
#ifndef MINIKVM_RUNAWAY_H
#define MINIKVM_RUNAWAY_H

#include "vmm/machine/machine.h"

/* For struct cpu_host: called before an instruction that looks suspicious. `came` says how it came there ("int 0x10 at 0000:00007c05"), when that was a vector
 * which is 0000:0000, else NULL. true: stop, `text` says why. */
bool runaway_check(void *vcpu, const char *came, bool stepping, char *text, size_t size);

/* A command to go on begins at this linear address: a person who resumes where it stopped is
 * not stopped there again. */
void runaway_resume(struct machine *, uint64_t pc);

/* What is wrong with running code at a linear address: "no memory is" there; NULL: nothing. */
const char *runaway_ground(struct machine *, const struct kvm_sregs *, uint64_t linear);

#endif
