/* The thread of a machine, on which its engine runs.
 *
 * Rule: from machine_resume() on until its stop is there, the machine is the thread's.
 */
#ifndef MINIKVM_VCPU_THREAD_H
#define MINIKVM_VCPU_THREAD_H

#include "vmm/machine/machine.h"

void *vcpu_thread(void *vcpu); /* for pthread_create(); ends by COMMAND_QUIT */

#endif
