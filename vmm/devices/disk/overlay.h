/* The sectors that a guest has written, over a file that stays as it is: a radix tree of
 * clusters of 4 KiB. Each cluster knows which of its sectors it has.
 *
 * A tree is persistent. overlay_keep() is all that it takes to keep its state for good: what
 * is written after that is written to copies of the nodes on the way (copy on write), and
 * everything else is shared. So a snapshot of a disk is one pointer.
 *
 *      before                 after a write to c, with the first root kept
 *      root                   root ────┐        root'
 *      ├─ node ── a b         ├─ node ─┼─ a b ── │
 *      └─ node ── c d         └─ node ── c d    node' ── c' d
 *
 * Rule: what two roots share is never changed. All of one pool are used by one thread at a time.
 */
#ifndef MINIKVM_OVERLAY_H
#define MINIKVM_OVERLAY_H

#include "vmm/devices/disk/disk.h"

enum { OVERLAY_CLUSTER = 4096, OVERLAY_SECTORS = OVERLAY_CLUSTER / DISK_SECTOR };

struct overlay;

/* What all trees of one disk take together. It outlives them. */
struct overlay_pool {
    uint64_t bytes;
};

/* An empty one, for a disk of so many sectors. NULL: no memory. */
struct overlay *overlay_new(struct overlay_pool *, uint64_t sectors);
struct overlay *overlay_keep(struct overlay *);
void overlay_release(struct overlay *); /* may be NULL */

/* The bytes of a sector, or NULL: it was not written. They last until the next write. */
const uint8_t *overlay_find(const struct overlay *, uint64_t lba);
/* *o becomes the tree with that sector written. false: no memory, and it is as it was. */
bool overlay_write(struct overlay **o, uint64_t lba, const uint8_t sector[DISK_SECTOR]);
/* Is the sector's cluster there, so that a write needs no more of the bound? */
bool overlay_has_cluster(const struct overlay *, uint64_t lba);
/* The clusters of this one; and with its nodes, of which others may have a share. */
uint64_t overlay_bytes(const struct overlay *);
uint64_t overlay_memory(const struct overlay *);

#endif
