/* Firmware of the user's (--bios=FILE): what it is given beside its ROM, and a reset, which it goes
 * through as on a PC.
 *
 * Rule: a machine with it has no BIOS of ours.
 */
#ifndef MINIKVM_MACHINE_FIRMWARE_H
#define MINIKVM_MACHINE_FIRMWARE_H

#include "vmm/machine/machine.h"

/* Reads the VGA's ROM; nothing without firmware. 0, or -errno with a sentence. After either
 * firmware_close(). */
int firmware_open(struct machine *, char *error, size_t size);
/* A line, if there should be a VGA's ROM and is none. */
void firmware_warn(struct machine *);
/* The image has its drive: firmware is told to boot from that. */
void firmware_boot_from(struct machine *);
void firmware_close(struct machine *);
/* A device resets the machine: false: there is no firmware that would go on. firmware_restart()
 * follows at the end of the instruction. */
bool firmware_wants_restart(struct machine *, const char *by);
bool firmware_restart(struct vcpu *); /* false: no reset was asked for */

#endif
