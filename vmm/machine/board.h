/* What lies between the parts of a machine: what its devices and its engine ask of it,
 * and the way of input to the guest.
 *
 * Rule: nothing here waits for the bus but the CPU's own thread; see notice_input().
 */
#ifndef MINIKVM_BOARD_H
#define MINIKVM_BOARD_H

#include "vmm/machine/machine.h"

/* Once: board and CPU know their machine, and the devices are on the bus. 0, or -errno with a
 * sentence. */
int board_connect(struct machine *, char *error, size_t size);
/* At each power-on: the devices are as they begin. */
void board_reset(struct machine *);
/* The devices' state was replaced: A20 as they say. The engine is to be told by the caller. */
void board_a20_as_devices(struct machine *);
/* For struct cpu_host: the device at a physical address, or NULL. */
const char *board_mmio_name(void *machine, uint64_t phys, unsigned size);
/* On the machine's thread: an IN waits for input. false: interrupted. */
bool board_wait_for_input(struct machine *);

#endif
