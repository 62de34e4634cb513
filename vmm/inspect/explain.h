/* What the parts of `monitor explain` share: explain.c has the table and what
 * stays where it is, explain_flow.c has where control goes, explain_fault.c has faults.
 */
#ifndef MINIKVM_EXPLAIN_H
#define MINIKVM_EXPLAIN_H

#include "vmm/x86/insn.h"
#include "vmm/inspect/dry_run.h"
#include "vmm/x86/x86.h"
#include "vmm/inspect/fill.h"
#include "vmm/host/text.h"

struct scene {
    struct machine *m;
    const struct cpu_state *s;
    struct insn in;
    struct trial trial; /* UNKNOWN for an instruction that is not the next */
    const struct text *t;
};

bool scene_protected(const struct scene *);
bool scene_read(const struct scene *, uint64_t linear, void *to, size_t n);
/* The descriptor of a selector, if it is there and present; else says why not. */
bool scene_descriptor(const struct scene *, uint16_t selector, struct kvm_segment *);
void scene_say_descriptor(const struct scene *, const char *what, const struct kvm_segment *);
/* Where the trial came out: code, stack, task. */
void scene_say_landing(const struct scene *);
/* What it accesses in memory: up to two places, a string instruction's source first. */
unsigned scene_places(const struct scene *, struct insn_place place[2]);

typedef void explainer(const struct scene *);
explainer explain_far, explain_far_indirect, explain_retf, explain_iret;
explainer explain_int, explain_int3, explain_into, explain_fast_call, explain_swapgs;
/* The trial ended in a fault: which, why, and where its handler is. */
explainer explain_fault;

#endif
