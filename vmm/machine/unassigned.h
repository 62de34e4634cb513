/* Accesses to ports and to physical memory where nothing is: what a guest does there
 * has no effect, so it is reported, each place once, up to a limit.
 *
 * Rule: what was told once is not told again by going back in time; a reset forgets.
 */
#ifndef MINIKVM_UNASSIGNED_H
#define MINIKVM_UNASSIGNED_H

#include "vmm/cpu/cpu.h"
#include "vmm/devices/bus.h"

enum { UNASSIGNED_PAGES = 256 };

/* What was reported. */
struct unassigned {
    uint64_t pages[UNASSIGNED_PAGES];
    uint8_t ports[65536 / 8];
    unsigned page_count, port_count;
    uint64_t last; /* the page of the last access */
    bool over;     /* it was said that no more will be reported */
};

/* For struct board_hooks. */
void unassigned_port(void *machine, const struct access *);
/* For struct cpu_host. */
void unassigned_memory(void *vcpu, enum cpu_access, uint64_t phys, unsigned size);
/* "where no memory is: all ones (RAM ends at 0x100000; see --mem)", "which is ROM: dropped":
 * what comes of an access to `phys`; false: there is RAM, or it is a read of ROM. */
bool unassigned_outcome(const struct memory *, uint64_t phys, bool write, char *out, size_t size);

#endif
