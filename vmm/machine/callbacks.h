/* What the board and the engines of a machine ask of it: the hooks of vmm/board/board.h and
 * of struct cpu_host. */
#ifndef MINIKVM_CALLBACKS_H
#define MINIKVM_CALLBACKS_H

#include "vmm/machine/machine.h"

/* Once: board and CPU know their machine, and the devices are on the bus. 0, or -errno with
 * a sentence. */
int machine_connect(struct machine *, char *error, size_t size);

#endif
