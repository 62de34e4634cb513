/* A persistent radix tree of clusters; see overlay.h. */
#include "vmm/devices/disk/overlay.h"

#include <stdlib.h>
#include <string.h>

enum { BITS = 6, FANOUT = 1 << BITS };

struct cluster {
    unsigned references;
    uint8_t has; /* a bit for each sector */
    uint8_t bytes[OVERLAY_CLUSTER];
};

struct node {
    unsigned references;
    void *child[FANOUT]; /* nodes; in the lowest level clusters */
};

struct overlay {
    struct overlay_pool *pool;
    unsigned references;
    unsigned levels; /* of nodes; the top is one of them */
    uint64_t clusters, nodes;
    struct node *top; /* NULL: empty */
};

/* --- nodes and clusters ------------------------------------------------------------------ */

static void *allocate(struct overlay_pool *pool, size_t size) {
    void *new = calloc(1, size);
    if (new)
        pool->bytes += size;
    return new;
}

static void give_back_cluster(struct overlay_pool *pool, void *old, size_t size) {
    free(old);
    pool->bytes -= size;
}

/* Both begin with their count of references. */
static unsigned *references_of(void *node_or_cluster) { return node_or_cluster; }

/* `level` 0 is that of clusters. */
static void release_node(struct overlay_pool *pool, void *what, unsigned level) {
    if (!what || --*references_of(what))
        return;
    struct node *n = what;
    for (unsigned i = 0; level && i < FANOUT; i++)
        release_node(pool, n->child[i], level - 1);
    give_back_cluster(pool, what, level ? sizeof(struct node) : sizeof(struct cluster));
}

static void *copy_of_node(struct overlay_pool *pool, const void *old, unsigned level) {
    size_t size = level ? sizeof(struct node) : sizeof(struct cluster);
    struct node *new = allocate(pool, size);
    if (!new)
        return NULL;
    memcpy(new, old, size);
    new->references = 1;
    for (unsigned i = 0; level && i < FANOUT; i++)
        if (new->child[i])
            ++*references_of(new->child[i]);
    return new;
}

/* *place becomes one that nobody shares: new, its own copy, or as it is. */
static void *own(struct overlay_pool *pool, void **place, unsigned level) {
    void *old = *place;
    if (old && *references_of(old) == 1)
        return old;
    void *new = old ? copy_of_node(pool, old, level)
                    : allocate(pool, level ? sizeof(struct node) : sizeof(struct cluster));
    if (!new)
        return NULL;
    *references_of(new) = 1;
    release_node(pool, old, level);
    return *place = new;
}

/* --- trees --------------------------------------------------------------------------------- */

struct overlay *overlay_new(struct overlay_pool *pool, uint64_t sectors) {
    struct overlay *o = allocate(pool, sizeof *o);
    if (!o)
        return NULL;
    *o = (struct overlay){.pool = pool, .references = 1, .levels = 1};
    for (uint64_t n = sectors / OVERLAY_SECTORS; n >= FANOUT; n /= FANOUT)
        o->levels++;
    return o;
}

struct overlay *overlay_keep(struct overlay *o) {
    o->references++;
    return o;
}

void overlay_release(struct overlay *o) {
    if (!o || --o->references)
        return;
    release_node(o->pool, o->top, o->levels);
    give_back_cluster(o->pool, o, sizeof *o);
}

static unsigned index_at(uint64_t lba, unsigned level) {
    return lba / OVERLAY_SECTORS >> BITS * (level - 1) & (FANOUT - 1);
}

static const struct cluster *find_cluster(const struct overlay *o, uint64_t lba) {
    const void *at = o->top;
    for (unsigned level = o->levels; at && level; level--)
        at = ((const struct node *)at)->child[index_at(lba, level)];
    return at;
}

const uint8_t *overlay_find(const struct overlay *o, uint64_t lba) {
    const struct cluster *c = find_cluster(o, lba);
    unsigned n = lba % OVERLAY_SECTORS;
    return c && c->has & 1 << n ? c->bytes + n * DISK_SECTOR : NULL;
}

bool overlay_has_cluster(const struct overlay *o, uint64_t lba) { return find_cluster(o, lba); }

uint64_t overlay_bytes(const struct overlay *o) { return o->clusters * OVERLAY_CLUSTER; }

uint64_t overlay_memory(const struct overlay *o) {
    return sizeof *o + o->clusters * sizeof(struct cluster) + o->nodes * sizeof(struct node);
}

/* One that is kept elsewhere stays; a root of our own shares its nodes. */
static bool own_root(struct overlay **o) {
    struct overlay *old = *o;
    if (old->references == 1)
        return true;
    struct overlay *new = allocate(old->pool, sizeof *new);
    if (!new)
        return false;
    *new = *old;
    new->references = 1;
    if (new->top)
        new->top->references++;
    old->references--;
    *o = new;
    return true;
}

/* The cluster of a sector, for writing. NULL: no memory; what was made on the way is as good
 * as what it replaced. */
static struct cluster *own_cluster(struct overlay *o, uint64_t lba) {
    void **place = (void **)&o->top;
    for (unsigned level = o->levels; level; level--) {
        bool is_new = !*place;
        struct node *n = own(o->pool, place, level);
        if (!n)
            return NULL;
        o->nodes += is_new;
        place = &n->child[index_at(lba, level)];
    }
    bool is_new = !*place;
    struct cluster *c = own(o->pool, place, 0);
    o->clusters += c && is_new;
    return c;
}

bool overlay_write(struct overlay **o, uint64_t lba, const uint8_t sector[DISK_SECTOR]) {
    struct cluster *c = own_root(o) ? own_cluster(*o, lba) : NULL;
    unsigned n = lba % OVERLAY_SECTORS;
    if (!c)
        return false;
    memcpy(c->bytes + n * DISK_SECTOR, sector, DISK_SECTOR);
    c->has |= (uint8_t)(1 << n);
    return true;
}
