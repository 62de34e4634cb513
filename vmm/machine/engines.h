/* Which engine runs a machine, and changing it between two instructions. */
#ifndef MINIKVM_ENGINES_H
#define MINIKVM_ENGINES_H

#include "vmm/machine/machine.h"

/* Give the CPU an engine. AUTO: KVM if it is there, the built-in CPU if not.
 * 0, or -errno with a sentence. */
int engines_open(struct machine *, enum engine_choice, char *error, size_t size);

/* Which it is, and why, in one line. */
void engines_print(const struct machine *, char *out, size_t size);

/* Hand over to another engine (or to the same, made anew with the machine's
 * chips) at an instruction boundary: all of the state crosses, the chips' too.
 * On the machine's thread, or while the machine is stopped. false, with a sentence: the
 * machine stays with the old one. */
bool engines_change(struct machine *, enum engine_choice to, char *error, size_t size);

/* May the built-in CPU take over from KVM here? The user's choice permits it, and
 * the CPU is in a mode that it knows. */
bool engines_may_take_over(struct machine *);

/* Are the interrupt chips in use those of the engine, in the kernel? */
bool engines_has_irqchip(struct machine *);
/* They get the state that the machine's devices have; and the other way round, if they are in use. */
void engines_give_chips(struct machine *);
void engines_take_chips(struct machine *);
/* Must the engine be made anew for the machine to have chips? */
bool engines_needs_irqchip(struct machine *);

#endif
