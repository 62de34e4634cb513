/* The TLBs (4.10).
 *
 * An entry is made by a walk and kept until it is flushed or replaced, however the
 * tables change meanwhile. There is one for data for each kind of rights, so a hit needs
 * no look at rights; and two for code, as CPUs have them. Process-context identifiers are
 * no part of an entry: a MOV to CR3 that would keep those of other ones drops them, too.
 *
 * What they hold decides what a guest reads that changed its tables without a flush, and
 * when an accessed bit is set. So the rule is that it follows from the instructions done
 * alone: not from running in blocks or by steps, from what is watched, or from snapshots,
 * which keep it (tlb_save). For data that is so because each access looks here. For code,
 * a block does not look again before each of its instructions: it may not, unless the
 * entries of its pages are there, and an entry that gives way ends all blocks (epoch).
 *
 * Rule: the tags which the fast path compares (read, write) are set only where
 * it may skip everything: real memory, nothing watched, no code to invalidate,
 * alignment not checked, and for writes the page already dirty. They follow from the
 * rest of the entry and may go at any time.
 */
#include <stdlib.h>
#include <string.h>

#include "vmm/engines/soft/state.h"
#include "vmm/x86/mode.h"

/* --- what may be fast --------------------------------------------------------------- */

static void tag_for_reading(struct soft *s, struct tlb_entry *e, bool user) {
    uint8_t *host = memory_at(s->cpu->memory, e->phys, PAGE_SIZE, false);
    e->read = e->write = NO_PAGE;
    if (!host || page_watched(s, e->page, e->phys) || (user && s->align))
        return;
    e->host = (uintptr_t)host - e->page;
    e->read = e->page;
}

/* Fast writes are not seen, so the page is marked as dirty before. */
static void tag_for_writing(struct soft *s, struct tlb_entry *e) {
    uint8_t *host = memory_at(s->cpu->memory, e->phys, PAGE_SIZE, true);
    if (e->read == NO_PAGE || cache_has_code(s, e->phys) || !host)
        return;
    e->write = e->page;
    memory_dirty(s->cpu->memory, host, PAGE_SIZE);
}

void tlb_retag(struct soft *s) {
    for (unsigned kind = 0; kind < TLB_CODE; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++)
            if (s->tlbs[kind][n].page != NO_PAGE)
                tag_for_reading(s, &s->tlbs[kind][n], kind == RIGHTS_USER);
}

void tlb_see_writes(struct soft *s) {
    for (unsigned kind = 0; kind < TLB_CODE; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++)
            s->tlbs[kind][n].write = NO_PAGE;
}

/* A page begins to hold decoded code: no more fast writes to it. */
void tlb_protect_code(struct soft *s, uint64_t phys) {
    for (unsigned kind = 0; kind < TLB_CODE; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++)
            if (s->tlbs[kind][n].phys == phys)
                s->tlbs[kind][n].write = NO_PAGE;
}

/* --- entries ------------------------------------------------------------------------- */

/* Code of one kernel is often a multiple of the TLB's size apart. */
static struct tlb_entry *tlb_slot(struct soft *s, unsigned kind, uint64_t linear) {
    uint64_t page = linear >> 12;
    return &s->tlbs[kind][(kind < TLB_CODE ? page : page ^ page >> 9) & (TLB_SIZE - 1)];
}

static unsigned tlb_of(enum access access, enum rights rights) {
    return access == ACCESS_FETCH ? TLB_CODE + (rights == RIGHTS_USER) : (unsigned)rights;
}

static void clear(struct tlb_entry *e) {
    e->page = e->read = e->write = NO_PAGE;
}

static void fill(struct soft *s, struct tlb_entry *e, uint64_t linear, enum access access,
                 enum rights rights) {
    struct tlb_entry made = {
        .phys = linear & ~0xFFFull, .writable = true, .dirty = true, .shift = 12};
    bool code = access == ACCESS_FETCH;
    if (s->long_mode && !x86_is_canonical(linear))
        raise_gp0(s);
    if (s->cr0 & CR0_PG)
        walk_tables(s, &made, linear, access, rights);
    made.page = linear & ~0xFFFull;
    made.phys = memory_wrap(s->cpu->memory, made.phys);
    if (code && e->page != NO_PAGE)
        new_epoch(s);
    *e = made;
    if (code)
        e->read = e->write = NO_PAGE;
    else
        tag_for_reading(s, e, rights == RIGHTS_USER);
}

struct tlb_entry *translate(struct soft *s, uint64_t linear, enum access access,
                            enum rights rights) {
    struct tlb_entry *e = tlb_slot(s, tlb_of(access, rights), linear);
    bool write = access == ACCESS_WRITE;
    if (e->page != (linear & ~0xFFFull) || (write && !(e->writable && e->dirty)))
        fill(s, e, linear, access, rights);
    if (write && e->write == NO_PAGE)
        tag_for_writing(s, e);
    return e;
}

const struct tlb_entry *tlb_find_code(struct soft *s, uint64_t linear) {
    const struct tlb_entry *e = tlb_slot(s, tlb_of(ACCESS_FETCH, s->rights), linear);
    return e->page == (linear & ~0xFFFull) ? e : NULL;
}

void tlb_flush(struct soft *s, bool global_too) {
    for (unsigned kind = 0; kind < TLB_KINDS; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++)
            if (global_too || !s->tlbs[kind][n].global)
                clear(&s->tlbs[kind][n]);
    if (global_too)
        s->large_pages = false;
    new_epoch(s);
    pend(s, PENDING_CHECK);
}

/* INVLPG. A large page is in many places, each with 4 KiB of it. */
static void flush_large(struct soft *s, uint64_t linear) {
    for (unsigned kind = 0; kind < TLB_KINDS; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++) {
            struct tlb_entry *e = &s->tlbs[kind][n];
            if (e->page != NO_PAGE && (e->page ^ linear) >> e->shift == 0)
                clear(e);
        }
}

void tlb_flush_page(struct soft *s, uint64_t linear) {
    for (unsigned kind = 0; kind < TLB_KINDS; kind++) {
        struct tlb_entry *e = tlb_slot(s, kind, linear);
        if (e->page == (linear & ~0xFFFull))
            clear(e);
    }
    if (s->large_pages)
        flush_large(s, linear);
    new_epoch(s);
    pend(s, PENDING_CHECK);
}

/* --- in a snapshot -------------------------------------------------------------------- */

struct saved_entry {
    uint64_t page; /* and below it, in the bits of the offset, which TLB */
    uint64_t phys; /* and below it SAVED_… */
};
enum { SAVED_WRITABLE = 1, SAVED_DIRTY = 2, SAVED_GLOBAL = 4, SAVED_SHIFT = 8 /* times it */ };

struct saved_tlb {
    uint32_t count;
    bool large_pages;
    uint64_t pdpte[4];
    struct saved_entry entries[];
};

static unsigned count_entries(const struct soft *s) {
    unsigned count = 0;
    for (unsigned kind = 0; kind < TLB_KINDS; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++)
            count += s->tlbs[kind][n].page != NO_PAGE;
    return count;
}

struct saved_tlb *tlb_save(const struct soft *s, size_t *size) {
    *size = sizeof(struct saved_tlb) + count_entries(s) * sizeof(struct saved_entry);
    struct saved_tlb *saved = malloc(*size);
    if (!saved)
        return NULL;
    memset(saved, 0, sizeof *saved);
    saved->large_pages = s->large_pages;
    memcpy(saved->pdpte, s->pdpte, sizeof saved->pdpte);
    for (unsigned kind = 0; kind < TLB_KINDS; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++) {
            const struct tlb_entry *e = &s->tlbs[kind][n];
            unsigned bits = (e->writable ? SAVED_WRITABLE : 0) | (e->dirty ? SAVED_DIRTY : 0) |
                            (e->global ? SAVED_GLOBAL : 0) | e->shift * SAVED_SHIFT;
            if (e->page != NO_PAGE)
                saved->entries[saved->count++] =
                    (struct saved_entry){e->page | kind, e->phys | bits};
        }
    return saved;
}

static void load_entry(struct soft *s, const struct saved_entry *from) {
    uint64_t page = from->page & ~0xFFFull, bits = from->phys & 0xFFF;
    unsigned kind = from->page & 0xFFF;
    struct tlb_entry *e = tlb_slot(s, kind, page);
    *e = (struct tlb_entry){.read = NO_PAGE, .write = NO_PAGE, .page = page,
                            .phys = from->phys & ~0xFFFull, .writable = bits & SAVED_WRITABLE,
                            .dirty = bits & SAVED_DIRTY, .global = bits & SAVED_GLOBAL,
                            .shift = (uint8_t)(bits / SAVED_SHIFT)};
    if (kind < TLB_CODE)
        tag_for_reading(s, e, kind == RIGHTS_USER);
}

void tlb_load(struct soft *s, const struct saved_tlb *saved) {
    tlb_flush(s, true);
    s->large_pages = saved->large_pages;
    memcpy(s->pdpte, saved->pdpte, sizeof s->pdpte);
    for (uint32_t i = 0; i < saved->count; i++)
        load_entry(s, &saved->entries[i]);
}
