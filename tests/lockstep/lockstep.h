/* Two CPUs on the same program, one instruction at a time, all of their state
 * compared after each.
 *
 * The driver knows nothing of engines: open two rigs with any two, load both
 * alike, and call lockstep(). What two engines may differ in goes into `ignore`.
 */
#ifndef MINIKVM_LOCKSTEP_H
#define MINIKVM_LOCKSTEP_H

#include "rig.h"

struct lockstep {
    unsigned parts;        /* of enum cpu_part, to compare */
    uint64_t ignore_flags; /* RFLAGS bits that may differ */
    bool ignore_accessed;  /* …and the accessed bits of segment types */
    bool ignore_null;      /* …and whether a null selector's register is still usable */
    bool memory;           /* compare the RAM, too, after each step (slow) */
    char why[256];         /* the first difference, in words */
    uint64_t steps;        /* done so far */
};

/* Steps both until a difference (false), `limit` steps, or an exit other than
 * STEPPED that both report alike (true). */
bool lockstep(struct lockstep *, struct rig *a, struct rig *b, uint64_t limit);
/* One comparison, without a step: of the state; of state and memory. */
bool lockstep_same_state(struct lockstep *, const struct cpu_state *, const struct cpu_state *);
bool lockstep_same_memory(struct lockstep *, const struct memory *, const struct memory *);
bool lockstep_same(struct lockstep *, struct rig *a, struct rig *b);

#endif
