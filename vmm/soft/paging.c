/* Paging, and the TLB (4.3, 4.10).
 *
 * An entry is made by a walk and kept until it is flushed, however the tables
 * change meanwhile. There is a TLB for the system's accesses and one for the
 * user's, so a hit needs no look at rights.
 *
 * How long an entry lives is the one thing that may depend on how we run: a run in
 * blocks looks up code pages less often than single steps do, so other entries give
 * way. A guest that flushes as the manual demands cannot tell.
 *
 * Rule: the tags which the fast path compares (read, write) are set only where
 * it may skip everything: real memory, nothing watched, no code to invalidate,
 * alignment not checked, and for writes the page already dirty.
 */
#include "vmm/soft/state.h"

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

static void set_tags(struct soft *s, struct tlb_entry *e, bool user) {
    uint64_t page = e->page;
    uint8_t *host = memory_at(s->cpu->memory, e->phys, PAGE_SIZE, false);
    e->read = e->write = NO_PAGE;
    if (!host || page_watched(s, page) || (user && s->align))
        return;
    e->host = (uintptr_t)host - page;
    e->read = page;
    if (e->writable && e->dirty && memory_at(s->cpu->memory, e->phys, PAGE_SIZE, true) &&
        !cache_has_code(s, e->phys)) {
        e->write = page;
        memory_dirty(s->cpu->memory, e->phys, PAGE_SIZE); /* from now on unseen */
    }
}

struct tlb_entry *translate(struct soft *s, uint64_t linear, enum access access, bool user) {
    struct tlb_entry *e = &s->tlbs[user][linear >> 12 & (TLB_SIZE - 1)];
    uint64_t page = linear & ~0xFFFull;
    bool hit = e->page == page && (access != ACCESS_WRITE || (e->writable && e->dirty));
    if (!hit) {
        struct tlb_entry made = {.phys = page, .writable = true, .dirty = true};
        if (s->cr0 & CR0_PG)
            fill_paged(s, &made, linear, access, user);
        made.page = page;
        made.phys = memory_wrap(s->cpu->memory, made.phys);
        *e = made;
        set_tags(s, e, user);
    } else if (e->write == NO_PAGE && access == ACCESS_WRITE) {
        set_tags(s, e, user); /* the code there may be gone */
    }
    return e;
}

void tlb_flush(struct soft *s, bool global_too) {
    for (unsigned kind = 0; kind < TLB_KINDS; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++) {
            struct tlb_entry *e = &s->tlbs[kind][n];
            if (global_too || !e->global)
                e->page = e->read = e->write = NO_PAGE;
        }
    if (global_too)
        s->large_pages = false;
    s->epoch++;
    pend(s, PENDING_CHECK);
}

/* INVLPG. Of a 4 MiB page all of its 4 KiB pieces go, found by dropping all. */
void tlb_flush_page(struct soft *s, uint64_t linear) {
    if (s->large_pages) {
        tlb_flush(s, true);
        return;
    }
    for (unsigned kind = 0; kind < TLB_KINDS; kind++) {
        struct tlb_entry *e = &s->tlbs[kind][linear >> 12 & (TLB_SIZE - 1)];
        if (e->page == (linear & ~0xFFFull))
            e->page = e->read = e->write = NO_PAGE;
    }
    s->epoch++;
    pend(s, PENDING_CHECK);
}

void tlb_retag(struct soft *s) {
    for (unsigned kind = 0; kind < TLB_KINDS; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++)
            if (s->tlbs[kind][n].page != NO_PAGE)
                set_tags(s, &s->tlbs[kind][n], kind == TLB_USER);
}

/* A page begins to hold decoded code: no more fast writes to it. */
void tlb_protect_code(struct soft *s, uint64_t phys) {
    for (unsigned kind = 0; kind < TLB_KINDS; kind++)
        for (unsigned n = 0; n < TLB_SIZE; n++)
            if (s->tlbs[kind][n].phys == phys)
                s->tlbs[kind][n].write = NO_PAGE;
}
