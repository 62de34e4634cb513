/* The registers of vmm/x86/registers.h, of a CPU: as its engine has them. */
#ifndef MINIKVM_REGISTER_ACCESS_H
#define MINIKVM_REGISTER_ACCESS_H

#include "vmm/cpu/cpu.h"
#include "vmm/x86/registers.h"

/* value: (bits + 7) / 8 bytes, little-endian. false: the engine did not give what it is
 * made of; then it reads as zeros, and is not written. */
bool register_read(struct cpu *, const struct reg *, uint8_t *value);
/* Writing the instruction pointer puts the CPU there: a breakpoint there is not passed. */
bool register_write(struct cpu *, const struct reg *, const uint8_t *value);

#endif
