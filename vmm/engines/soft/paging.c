/* Paging, and the TLBs (4.3, 4.10).
 *
 * An entry is made by a walk and kept until it is flushed or replaced, however the
 * tables change meanwhile. There are two for data, the system's and the user's, so a
 * hit needs no look at rights; and two for code, as CPUs have them.
 *
 * What they hold decides what a guest reads that changed its tables without a flush, and
 * when an accessed bit is set. So the rule is that it follows from the instructions done
 * alone: not from running in blocks or by steps, from what is watched, or from snapshots,
 * which keep it (tlb_save). For data that is so because each access looks here. For code,
 * a block does not look again before each of its instructions: it may not, unless the
 * entry of its page is there, and an entry that gives way ends all blocks (epoch).
 *
 * Rule: the tags which the fast path compares (read, write) are set only where
 * it may skip everything: real memory, nothing watched, no code to invalidate,
 * alignment not checked, and for writes the page already dirty. They follow from the
 * rest of the entry and may go at any time.
 */
#include <stdlib.h>

#include "vmm/engines/soft/state.h"

#define PTE_P     1u
#define PTE_W     2u
#define PTE_U     4u
#define PTE_A     0x20u
#define PTE_D     0x40u
#define PTE_LARGE 0x80u
#define PTE_G     0x100u
#define PTE_FRAME 0xFFFFF000u
#define LARGE_RESERVED 0x3FE000u /* of a 4 MiB page: no PSE-36 here */

enum { ERROR_P = 1, ERROR_W = 2, ERROR_U = 4, ERROR_RESERVED = 8 };

/* What a walk found: the entries, to be marked, and all rights together. */
struct walk {
    uint64_t pde_at, pte_at;
    uint32_t pde, pte;
    bool large;
};

static _Noreturn void page_fault(struct soft *s, uint64_t linear, enum access access, bool user,
                                 uint32_t code) {
    code |= access == ACCESS_WRITE ? ERROR_W : 0;
    raise_page_fault(s, linear, code | (user ? ERROR_U : 0));
}

static struct walk walk_tables(struct soft *s, uint64_t linear, enum access access, bool user) {
    struct walk w = {.pde_at = (s->cr3 & PTE_FRAME) | (linear >> 22 & 0x3FF) << 2};
    w.pde = phys_read32(s, w.pde_at);
    if (!(w.pde & PTE_P))
        page_fault(s, linear, access, user, 0);
    w.large = w.pde & PTE_LARGE && s->cr4 & CR4_PSE;
    if (w.large) {
        if (w.pde & LARGE_RESERVED)
            page_fault(s, linear, access, user, ERROR_P | ERROR_RESERVED);
        return w;
    }
    w.pte_at = (w.pde & PTE_FRAME) | (linear >> 12 & 0x3FF) << 2;
    w.pte = phys_read32(s, w.pte_at);
    if (!(w.pte & PTE_P))
        page_fault(s, linear, access, user, 0);
    return w;
}

/* Accessed and dirty bits, written only when they change (4.8). */
static void mark(struct soft *s, struct walk *w, bool write) {
    uint32_t leaf = PTE_A | (write ? PTE_D : 0), pde = w->large ? leaf : PTE_A;
    if ((w->pde & pde) != pde)
        phys_write32(s, w->pde_at, w->pde |= pde);
    if (!w->large && (w->pte & leaf) != leaf)
        phys_write32(s, w->pte_at, w->pte |= leaf);
}

static void fill_paged(struct soft *s, struct tlb_entry *e, uint64_t linear, enum access access,
                       bool user) {
    struct walk w = walk_tables(s, linear, access, user);
    uint32_t rights = w.large ? w.pde : w.pde & w.pte;
    bool writable = rights & PTE_W || (!user && !(s->cr0 & CR0_WP));
    if ((user && !(rights & PTE_U)) || (access == ACCESS_WRITE && !writable))
        page_fault(s, linear, access, user, ERROR_P);
    mark(s, &w, access == ACCESS_WRITE);
    uint32_t leaf = w.large ? w.pde : w.pte;
    e->phys = w.large ? (leaf & 0xFFC00000) | (linear & 0x3FF000) : leaf & PTE_FRAME;
    e->writable = writable;
    e->dirty = leaf & PTE_D;
    e->global = leaf & PTE_G && s->cr4 & CR4_PGE;
    s->large_pages |= w.large;
}

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
                tag_for_reading(s, &s->tlbs[kind][n], kind == TLB_USER);
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

static void clear(struct tlb_entry *e) {
    e->page = e->read = e->write = NO_PAGE;
}

struct tlb_entry *translate(struct soft *s, uint64_t linear, enum access access, bool user) {
    bool code = access == ACCESS_FETCH;
    struct tlb_entry *e = tlb_slot(s, (code ? TLB_CODE : 0) + user, linear);
    uint64_t page = linear & ~0xFFFull;
    if (e->page != page || (access == ACCESS_WRITE && !(e->writable && e->dirty))) {
        struct tlb_entry made = {.phys = page, .writable = true, .dirty = true};
        if (s->cr0 & CR0_PG)
            fill_paged(s, &made, linear, access, user);
        made.page = page;
        made.phys = memory_wrap(s->cpu->memory, made.phys);
        if (code && e->page != NO_PAGE)
            new_epoch(s);
        *e = made;
        if (code)
            e->read = e->write = NO_PAGE;
        else
            tag_for_reading(s, e, user);
    }
    if (access == ACCESS_WRITE && e->write == NO_PAGE)
        tag_for_writing(s, e);
    return e;
}

const struct tlb_entry *tlb_find_code(struct soft *s, uint64_t linear, bool user) {
    const struct tlb_entry *e = tlb_slot(s, TLB_CODE + user, linear);
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

/* INVLPG. Of a 4 MiB page all of its 4 KiB pieces go, found by dropping all. */
void tlb_flush_page(struct soft *s, uint64_t linear) {
    if (s->large_pages) {
        tlb_flush(s, true);
        return;
    }
    for (unsigned kind = 0; kind < TLB_KINDS; kind++) {
        struct tlb_entry *e = tlb_slot(s, kind, linear);
        if (e->page == (linear & ~0xFFFull))
            clear(e);
    }
    new_epoch(s);
    pend(s, PENDING_CHECK);
}

/* --- in a snapshot -------------------------------------------------------------------- */

struct saved_entry {
    uint32_t page, phys; /* by their numbers */
    uint8_t kind, writable, dirty, global;
};

struct saved_tlb {
    uint32_t count;
    bool large_pages;
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
    *saved = (struct saved_tlb){.large_pages = s->large_pages};
    for (unsigned kind = 0; kind < TLB_KINDS; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++) {
            const struct tlb_entry *e = &s->tlbs[kind][n];
            if (e->page != NO_PAGE)
                saved->entries[saved->count++] = (struct saved_entry){
                    (uint32_t)(e->page >> 12), (uint32_t)(e->phys >> 12), (uint8_t)kind,
                    e->writable, e->dirty, e->global};
        }
    return saved;
}

void tlb_load(struct soft *s, const struct saved_tlb *saved) {
    tlb_flush(s, true);
    s->large_pages = saved->large_pages;
    for (uint32_t i = 0; i < saved->count; i++) {
        const struct saved_entry *from = &saved->entries[i];
        struct tlb_entry *e = tlb_slot(s, from->kind, (uint64_t)from->page << 12);
        *e = (struct tlb_entry){.read = NO_PAGE, .write = NO_PAGE,
                                .page = (uint64_t)from->page << 12,
                                .phys = (uint64_t)from->phys << 12, .writable = from->writable,
                                .dirty = from->dirty, .global = from->global};
        if (from->kind < TLB_CODE)
            tag_for_reading(s, e, from->kind == TLB_USER);
    }
}
