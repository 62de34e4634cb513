/* Snapshots of a machine: its CPU, its devices, and the pages that changed since the
 * snapshot before. A page that did not change is in an earlier one; the first has
 * them all (but those of zeros).
 *
 * Rule: a snapshot may go at any time but the first and the pinned ones: what it
 * alone holds passes to the one after it.
 */
#ifndef MINIKVM_SNAPSHOT_H
#define MINIKVM_SNAPSHOT_H

#include "vmm/replay/history.h"

struct saved_page {
    uint32_t number;
    uint8_t *bytes; /* PAGE_SIZE; NULL: zeros */
};

struct snapshot {
    uint64_t ticks, slept;
    bool pinned; /* the run before does not lead here: somebody changed something */
    struct cpu_state cpu;
    void *tlb; /* as the engine saved it */
    struct device_state devices;
    bool irqchip, intr;
    size_t cursor;
    uint64_t notice_at, noticed_at, taken_at, grid_at;
    uint8_t *arrived; /* arrived_count bytes */
    unsigned arrived_count;
    bool arrived_end;
    bool mid_rep; /* part of a repeated instruction is done, and not counted */
    struct saved_page *pages; /* in no order */
    size_t page_count;
    uint64_t bytes; /* what it takes */
};

bool snapshot_take_first(struct machine *);
/* Of now. Without memory for it there is none, and a step back takes longer. */
void snapshot_take(struct machine *, bool pinned);
/* The machine becomes what it was at list[n]. */
void snapshot_load(struct machine *, size_t n);
/* Pages written since list[base]: what a snapshot now would save. */
size_t snapshot_dirty_pages(const struct history *);
/* The last one at or before a tick; the first if all are later. */
size_t snapshot_before(const struct history *, uint64_t ticks);
/* The last one before so many instructions were done that is at a boundary; or the first. */
size_t snapshot_before_count(const struct history *, uint64_t count);
static inline uint64_t snapshot_icount(const struct snapshot *s) { return s->ticks - s->slept; }
void snapshots_cut(struct history *, size_t count); /* only so many remain */
void snapshots_free(struct history *);

#endif
