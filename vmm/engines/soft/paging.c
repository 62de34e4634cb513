/* Paging: the walk through the tables in each of their formats (4.3 to 4.8), the rights that
 * it adds up, accessed and dirty bits. What it finds is kept in the TLBs (tlb.c).
 *
 * Rule: all that can fault comes before the first bit that is marked.
 */
#include "vmm/engines/soft/state.h"
#include "vmm/x86/mode.h"

#define PTE_P  1ull
#define PTE_W  2ull
#define PTE_U  4ull
#define PTE_A  0x20ull
#define PTE_D  0x40ull
#define PTE_PS 0x80ull
#define PTE_G  0x100ull
#define PTE_NX (1ull << 63)

#define PHYS_RESERVED   (((1ull << 52) - 1) & ~PHYS_MASK) /* address bits that there are not */
#define PAE_RESERVED    0x7FF0000000000000ull             /* 62:52, which 4-level paging ignores */
#define PDPTE_RESERVED  (0xFFF0000000000000ull | PHYS_RESERVED | 0x1E6ull) /* table 4-8 */

enum { ERROR_P = 1, ERROR_W = 2, ERROR_U = 4, ERROR_RESERVED = 8, ERROR_FETCH = 16 };

/* One level of tables: which bits of a linear address are the index, whether PS makes its
 * entries pages, and which of their bits must be 0 then and otherwise. */
struct level {
    uint8_t shift, bits;
    bool large;
    uint64_t reserved_large, reserved;
};

/* Levels in the order of the walk. */
struct format {
    unsigned levels, entry_size;
    uint64_t frame; /* the address in an entry */
    struct level level[4];
};

/* No PSE-36: bits 21 to 13 of a 4 MiB page are reserved. */
static const struct format format_32 = {
    2, 4, 0xFFFFF000, {{22, 10, true, 0x3FE000, 0}, {12, 10, false, 0, 0}}};
#define RESERVED_PAE (PAE_RESERVED | PHYS_RESERVED)
static const struct format format_pae = { /* after the PDPTE registers */
    2, 8, PHYS_MASK & ~0xFFFull,
    {{21, 9, true, RESERVED_PAE | 0x1FE000, RESERVED_PAE}, {12, 9, false, 0, RESERVED_PAE}}};
static const struct format format_4level = {
    4, 8, PHYS_MASK & ~0xFFFull,
    {{39, 9, false, 0, PHYS_RESERVED | PTE_PS},
     {30, 9, true, PHYS_RESERVED | 0x3FFFE000, PHYS_RESERVED},
     {21, 9, true, PHYS_RESERVED | 0x1FE000, PHYS_RESERVED},
     {12, 9, false, 0, PHYS_RESERVED}}};

/* What a walk found: the entries, to be marked, and all rights together. */
struct walk {
    uint64_t linear;
    enum access access;
    enum rights rights;
    unsigned count;
    uint64_t at[4], entry[4];
    uint64_t table;    /* the next one, or the page */
    uint64_t inside;   /* the bits of an address within that */
    uint64_t all, any; /* bits that all entries have, and that some have */
};

/* --- faults --- */

static _Noreturn void page_fault(struct soft *s, const struct walk *w, uint32_t code) {
    bool tells_fetch = s->cr4 & CR4_SMEP || (s->cr4 & CR4_PAE && s->efer & EFER_NX);
    code |= w->access == ACCESS_WRITE ? ERROR_W : 0;
    code |= w->access == ACCESS_FETCH && tells_fetch ? ERROR_FETCH : 0;
    raise_page_fault(s, w->linear, code | (w->rights == RIGHTS_USER ? ERROR_U : 0));
}

/* --- the walk: a function for each format, in which that is a constant --- */

/* PAE's first level are four registers, loaded with CR3 (4.4.1). */
ALWAYS uint64_t top_table(struct soft *s, const struct walk *w, const struct format *f) {
    if (f != &format_pae)
        return s->cr3 & f->frame;
    uint64_t pdpte = s->pdpte[w->linear >> 30 & 3];
    if (!(pdpte & PTE_P))
        page_fault(s, w, 0);
    return pdpte & f->frame;
}

/* 1 GiB pages are a feature; without it PS is reserved there. */
ALWAYS bool is_page(const struct soft *s, const struct format *f, const struct level *l,
                    uint64_t entry) {
    if (!l->large || !(entry & PTE_PS))
        return false;
    return f->entry_size == 4 ? s->cr4 & CR4_PSE : l->shift < 30 || has_feature(s, FEATURE_PDPE1GB);
}

ALWAYS bool is_reserved(const struct soft *s, const struct format *f, const struct level *l,
                        uint64_t entry, bool page) {
    uint64_t reserved = page ? l->reserved_large : l->reserved;
    if (f->entry_size == 8 && !(s->efer & EFER_NX))
        reserved |= PTE_NX;
    if (l->shift == 30 && !page)
        reserved |= PTE_PS;
    return entry & reserved;
}

/* The entry at level n; returns whether it maps a page. */
ALWAYS bool walk_level(struct soft *s, struct walk *w, const struct format *f, unsigned n) {
    const struct level *l = &f->level[n];
    uint64_t index = w->linear >> l->shift & ((1u << l->bits) - 1), entry;
    w->at[n] = w->table + index * f->entry_size;
    w->entry[n] = entry = phys_read_entry(s, w->at[n], f->entry_size);
    w->count = n + 1;
    w->table = entry & f->frame;
    if (!(entry & PTE_P))
        page_fault(s, w, 0);
    bool page = is_page(s, f, l, entry);
    if (is_reserved(s, f, l, entry, page))
        page_fault(s, w, ERROR_P | ERROR_RESERVED);
    w->all &= entry;
    w->any |= entry;
    w->inside = (1ull << l->shift) - 1;
    return page || l->shift == 12;
}

/* --- rights (4.6) --- */

static bool is_allowed(const struct soft *s, const struct walk *w) {
    bool user_page = w->all & PTE_U, writable = w->all & PTE_W;
    if (w->access == ACCESS_FETCH && w->any & PTE_NX)
        return false;
    if (w->rights == RIGHTS_USER)
        return user_page && (w->access != ACCESS_WRITE || writable);
    if (user_page && w->access == ACCESS_FETCH)
        return !(s->cr4 & CR4_SMEP);
    if (user_page && w->rights == RIGHTS_SYSTEM && s->cr4 & CR4_SMAP)
        return false;
    return w->access != ACCESS_WRITE || writable || !(s->cr0 & CR0_WP);
}

/* Accessed and dirty bits, written only when they change (4.8). */
ALWAYS void mark(struct soft *s, struct walk *w, const struct format *f) {
    for (unsigned n = 0; n < w->count; n++) {
        bool dirty = n + 1 == w->count && w->access == ACCESS_WRITE;
        uint64_t bits = PTE_A | (dirty ? PTE_D : 0);
        if ((w->entry[n] & bits) != bits)
            phys_write_entry(s, w->at[n], f->entry_size, w->entry[n] |= bits);
    }
}

ALWAYS void walk(struct soft *s, struct tlb_entry *e, struct walk *w, const struct format *f) {
    w->table = top_table(s, w, f);
    if (!walk_level(s, w, f, 0) && !walk_level(s, w, f, 1) && f->levels == 4 &&
        !walk_level(s, w, f, 2))
        walk_level(s, w, f, 3);
    if (!is_allowed(s, w))
        page_fault(s, w, ERROR_P);
    mark(s, w, f);
    uint64_t leaf = w->entry[w->count - 1];
    e->phys = ((w->table & ~w->inside) | (w->linear & w->inside)) & ~0xFFFull;
    e->writable = w->all & PTE_W || (w->rights != RIGHTS_USER && !(s->cr0 & CR0_WP));
    e->dirty = leaf & PTE_D;
    e->global = leaf & PTE_G && s->cr4 & CR4_PGE;
    e->shift = (uint8_t)(64 - __builtin_clzll(w->inside));
    s->large_pages |= w->inside > 0xFFF;
}

void walk_tables(struct soft *s, struct tlb_entry *e, uint64_t linear, enum access access,
               enum rights rights) {
    struct walk w;
    w.linear = linear;
    w.access = access;
    w.rights = rights;
    w.count = 0;
    w.all = ~0ull;
    w.any = 0;
    if (s->long_mode)
        walk(s, e, &w, &format_4level);
    else if (s->cr4 & CR4_PAE)
        walk(s, e, &w, &format_pae);
    else
        walk(s, e, &w, &format_32);
}

/* --- the PDPTE registers --- */

static bool uses_pdptes(const struct soft *s) {
    return s->cr0 & CR0_PG && s->cr4 & CR4_PAE && !s->long_mode;
}

/* false: a reserved bit is set, which is #GP to who loads them; then they stay as they were. */
bool pdptes_load(struct soft *s, uint64_t cr3) {
    uint64_t pdpte[4];
    bool good = true;
    if (!uses_pdptes(s))
        return true;
    for (unsigned n = 0; n < 4; n++) {
        pdpte[n] = phys_read_entry(s, (cr3 & 0xFFFFFFE0) + n * 8, 8);
        good &= !(pdpte[n] & PTE_P) || !(pdpte[n] & PDPTE_RESERVED);
    }
    for (unsigned n = 0; good && n < 4; n++)
        s->pdpte[n] = pdpte[n];
    return good;
}
