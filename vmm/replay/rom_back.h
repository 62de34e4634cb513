/* Backwards out of the BIOS's ROM, as rom_step.h has it forwards: to the INT, or whatever led in. */
#ifndef MINIKVM_ROM_BACK_H
#define MINIKVM_ROM_BACK_H

#include "vmm/machine/machine.h"

/* In the ROM: an instruction back at a time, by `go_back`, until it is left. Elsewhere, or while
 * the ROM is stepped like other code: nothing. false: interrupted. */
bool rom_back_out(struct machine *, bool (*go_back)(struct machine *));

#endif
