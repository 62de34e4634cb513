/* What a CPU's next instruction would do, found by doing it: on a built-in
 * CPU that has the same state, with an undo journal for its writes to memory.
 *
 * Rule: CPU and memory are as they were afterwards, and no device has noticed. What the
 * built-in CPU cannot tell for the engine that will really do it is `UNKNOWN`.
 */
#ifndef MINIKVM_DRY_RUN_H
#define MINIKVM_DRY_RUN_H

#include "vmm/cpu/cpu.h"

struct trial {
    enum {
        DRY_RUN_UNKNOWN,
        DRY_RUN_DONE,  /* regs, sregs: behind it; of an INT n, in the handler; of a repeated
                        string instruction, where its first page ended */
        DRY_RUN_FAULT, /* likewise; `text` is "#GP(0x10)", or of two faults and more
                        "#DF(0) while delivering #PF(0x2) for 0x1234" */
        DRY_RUN_SHUTDOWN,  /* a triple fault; `text` tells the chain */
    } outcome;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    char text[256];
    bool unassigned;        /* it accesses `phys`, where no memory is, or which is ROM */
    enum cpu_access access;
    uint64_t phys;
    const struct cpu_host *host; /* the machine's */
    const char *device; /* it accesses `phys`, where that device is; NULL: none */
};

/* The CPU is stopped. Its translations are looked up anew: a TLB that holds what
 * the tables no longer say is not seen. */
void dry_run(struct cpu *, struct trial *);
/* The fault that the others came from: in `text`, the last exception in it. */
const char *dry_run_first_fault(const struct trial *);

#endif
