/* The page walk, and memory by linear address; see page_walk.h. */
#include "vmm/x86/page_walk.h"

enum { PTE_P = 1, PTE_RW = 2, PTE_US = 4, PTE_PS = 0x80 };
#define PTE_NX (1ull << 63)
#define PTE_ADDRESS 0x000ffffffffff000ull

/* One way to page: how many levels, how wide entries and indices are, which
 * levels may map a large page. Tables 4-2 to 4-4. */
struct paging {
    unsigned levels, entry_size, index_bits, top_bits;
    const char *names[4];
    unsigned large; /* bitmap of levels, counted from the lowest = bit 0 */
};
static const struct paging paging_32 = {2, 4, 10, 10, {"PDE", "PTE"}, 0};
static const struct paging paging_32_pse = {2, 4, 10, 10, {"PDE", "PTE"}, 1 << 1};
static const struct paging paging_pae = {3, 8, 9, 2, {"PDPTE", "PDE", "PTE"}, 1 << 1};
static const struct paging paging_4level = {
    4, 8, 9, 9, {"PML4E", "PDPTE", "PDE", "PTE"}, 1 << 1 | 1 << 2};

static const struct paging *paging_of(const struct kvm_sregs *s) {
    if (!(s->cr4 & CR4_PAE))
        return s->cr4 & CR4_PSE ? &paging_32_pse : &paging_32;
    return s->efer & EFER_LMA ? &paging_4level : &paging_pae;
}

static void walk_off(uint64_t linear, struct page_walk *w) {
    *w = (struct page_walk){.present = true, .phys = linear, .size = PAGE_SIZE,
                            .writable = true, .user = true, .executable = true};
}

/* A large page's frame. With PSE-36 bits 13 to 16 of a 4 MiB PDE are address
 * bits 32 to 35 (4.3, figure 4-4). */
static uint64_t large_frame(const struct paging *p, uint64_t entry, uint64_t size) {
    if (p->entry_size == 4)
        return (entry & ~(size - 1) & 0xffffffff) | (uint64_t)x86_bits(entry, 13, 4) << 32;
    return entry & PTE_ADDRESS & ~(size - 1);
}

static void add_rights(struct page_walk *w, const struct paging *p, uint64_t entry) {
    w->writable &= !!(entry & PTE_RW);
    w->user &= !!(entry & PTE_US);
    w->executable &= p->entry_size == 4 || !(entry & PTE_NX);
}

bool x86_walk(const struct memory *m, const struct kvm_sregs *s, uint64_t linear,
              struct page_walk *w) {
    walk_off(linear, w);
    if (!(s->cr0 & CR0_PG))
        return true;
    const struct paging *p = paging_of(s);
    uint64_t table = p == &paging_pae ? s->cr3 & 0xffffffe0u
                     : p->entry_size == 4 ? s->cr3 & 0xfffff000u : s->cr3 & PTE_ADDRESS;
    w->present = false;
    bool exists = p != &paging_4level || x86_is_canonical(linear);
    for (unsigned i = 0; exists && i < p->levels; i++) {
        unsigned level = p->levels - 1 - i, shift = 12 + level * p->index_bits; /* 0: page table */
        uint64_t index = x86_bits(linear, shift, i == 0 ? p->top_bits : p->index_bits);
        uint64_t address = table + index * p->entry_size, entry = 0;
        bool there = memory_read(m, address, &entry, p->entry_size) == p->entry_size;
        w->level[w->levels++] = (struct page_level){p->names[i], address, entry};
        if (!there || !(entry & PTE_P))
            return false;
        if (p != &paging_pae || i > 0) /* a PAE PDPTE has no rights bits (4.4.1) */
            add_rights(w, p, entry);
        bool large = (p->large >> level & 1) && (entry & PTE_PS);
        if (large || level == 0) {
            w->size = 1ull << shift;
            uint64_t frame = large ? large_frame(p, entry, w->size)
                             : p->entry_size == 4 ? entry & 0xfffff000u : entry & PTE_ADDRESS;
            w->phys = frame | (linear & (w->size - 1));
            return w->present = true;
        }
        table = p->entry_size == 4 ? entry & 0xfffff000u : entry & PTE_ADDRESS;
    }
    return false;
}

/* Longest stretch from a linear address on that one walk answers for. */
static size_t within_page(uint64_t linear, size_t length) {
    size_t room = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
    return room < length ? room : length;
}

/* Outside 64-bit code a linear address has 32 bits. */
uint64_t x86_wrap(const struct kvm_sregs *s, uint64_t linear) {
    return s->efer & EFER_LMA ? linear : (uint32_t)linear;
}

/* Copies to `to` or else from `from`. */
static size_t copy(struct memory *m, const struct kvm_sregs *s, uint64_t linear, uint8_t *to,
                   const uint8_t *from, size_t length) {
    struct page_walk w;
    size_t done = 0, n = 0, copied = 0;
    for (; done < length && copied == n; done += copied) {
        uint64_t at = x86_wrap(s, linear + done);
        if (!x86_walk(m, s, at, &w))
            break;
        n = within_page(at, length - done);
        copied = to ? memory_read(m, w.phys, to + done, n) : memory_poke(m, w.phys, from + done, n);
    }
    return done;
}

size_t x86_read(const struct memory *m, const struct kvm_sregs *s, uint64_t linear, void *to,
                size_t length) {
    return copy((struct memory *)m, s, linear, to, NULL, length);
}

size_t x86_write(struct memory *m, const struct kvm_sregs *s, uint64_t linear, const void *from,
                 size_t length) {
    return copy(m, s, linear, NULL, from, length);
}
