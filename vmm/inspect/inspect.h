/* What a person asks about a machine. Text out; nothing is changed. */
#ifndef MINIKVM_INSPECT_H
#define MINIKVM_INSPECT_H

#include <stdio.h>

#include "vmm/machine/machine.h"
#include "vmm/host/text.h"

void inspect_registers(struct machine *, const struct text *);
void inspect_engine(struct machine *, const struct text *);
void inspect_breakpoints(struct machine *, const struct text *);

/* Every level of the walk of one address, and what a user write would do. */
void inspect_page(struct machine *, uint64_t linear, const struct text *);
/* In words: what the instruction at a linear address will do, with the CPU's
 * values of now. Silent about plain arithmetic. */
void inspect_explain(struct machine *, uint64_t linear, const struct text *);

/* What its screen shows, as text; it may run. */
void inspect_screen(struct machine *, bool attributes, const struct text *);

/* A PNG of it; it may run. false, with a sentence: the machine goes through its past, or it
 * cannot be written. */
bool inspect_screenshot(struct machine *, FILE *, char *error, size_t size);

/* Why nothing is known of the BIOS's calls here; NULL: they are our own BIOS's. */
const char *inspect_no_bios(const struct machine *);

/* "ring0 prot32", for a list of CPUs. */
void inspect_cpu(struct vcpu *, char *out, size_t size);

#endif
