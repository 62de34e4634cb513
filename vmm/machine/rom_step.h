/* Steps over the BIOS: a step that enters the ROM goes on until it has left it, and a watchpoint
 * that a service hits is told when the CPU is back at the guest's own code. Interrupts enter
 * meanwhile, since a service may wait for one.
 *
 * The ROM is left when the CPU executes elsewhere and the caller's frame is gone from the
 * stack: SS is another, or SP above what it was at the ROM's first instruction. A handler of
 * the guest's that interrupts or is called meanwhile is inside.
 *
 * Rule: between two commands nobody stands inside but who began there, set a breakpoint there,
 * caught a call that no INT makes, or was stopped by the machine itself.
 */
#ifndef MINIKVM_ROM_STEP_H
#define MINIKVM_ROM_STEP_H

#include "vmm/machine/machine.h"

void rom_step_begin(struct vcpu *); /* a command begins */
/* A step is done, a watchpoint was hit or an event caught. ON: the command goes on by steps, whatever it is;
 * LEFT: *exit is what was hit inside; OUTSIDE: nothing to do with the ROM. */
enum rom_step { ROM_STEP_OUTSIDE, ROM_STEP_ON, ROM_STEP_LEFT };
enum rom_step rom_step(struct vcpu *, struct cpu_exit *exit);
/* While it is ON: the next step. */
void rom_step_one(struct vcpu *, struct cpu_exit *exit);
/* The command is over. Interrupted while a service waited, the CPU stands at the INT again. */
void rom_step_end(struct vcpu *, struct cpu_exit *exit);
/* The CPU is in the ROM. */
bool rom_step_in_rom(struct vcpu *);
/* The frame of an interrupt that is on the stack: where the INT is that has called the stub in
 * which the CPU stands. false: it is in none, or was not called by an INT. */
bool rom_step_caller(struct vcpu *, uint16_t *cs, uint16_t *ip);

#endif
