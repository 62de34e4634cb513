/* Input from the host on its way to a machine: machine_input() and machine_end_input() of
 * machine.h, and waiting for it.
 *
 * Rule: only the CPU's own thread waits for the board's lock; see notice_input().
 */
#ifndef MINIKVM_HOST_INPUT_H
#define MINIKVM_HOST_INPUT_H

#include "vmm/machine/machine.h"

/* On the machine's thread: an IN waits for input. false: interrupted. */
bool host_input_wait(struct machine *);

#endif
