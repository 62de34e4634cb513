/* Facts of the architecture; see x86.h. */
#include "vmm/x86/x86.h"

enum cpu_mode x86_mode(const struct kvm_sregs *s, uint64_t rflags) {
    if (!(s->cr0 & CR0_PE))
        return MODE_REAL;
    if (s->efer & EFER_LMA)
        return s->cs.l ? MODE_LONG : s->cs.db ? MODE_COMPAT32 : MODE_COMPAT16;
    if (rflags & FLAG_VM)
        return MODE_VM86;
    return s->cs.db ? MODE_PROT32 : MODE_PROT16;
}

static const struct {
    const char *name;
    unsigned bits;
} modes[] = {
    [MODE_REAL] = {"REAL16", 16},     [MODE_VM86] = {"VM86", 16},
    [MODE_PROT16] = {"PROT16", 16},   [MODE_PROT32] = {"PROT32", 32},
    [MODE_COMPAT16] = {"COMPAT16", 16}, [MODE_COMPAT32] = {"COMPAT32", 32},
    [MODE_LONG] = {"LONG64", 64},
};

const char *x86_mode_name(enum cpu_mode mode) { return modes[mode].name; }
unsigned x86_mode_bits(enum cpu_mode mode) { return modes[mode].bits; }

/* The CPL is SS.DPL (real mode and VM86 keep 0 and 3 there themselves). */
unsigned x86_cpl(const struct kvm_sregs *s) {
    return s->cr0 & CR0_PE ? s->ss.dpl & 3 : 0;
}

uint64_t x86_linear(const struct kvm_sregs *s, uint64_t rflags, const struct kvm_segment *seg,
                    uint64_t offset) {
    if (x86_mode(s, rflags) != MODE_LONG)
        return (uint32_t)(seg->base + offset);
    bool based = seg == &s->fs || seg == &s->gs;
    return offset + (based ? seg->base : 0);
}

uint64_t x86_pc(const struct kvm_regs *r, const struct kvm_sregs *s) {
    return x86_linear(s, r->rflags, &s->cs, r->rip);
}

struct kvm_segment x86_descriptor(uint16_t selector, uint64_t raw) {
    uint32_t limit = x86_bits(raw, 0, 16) | x86_bits(raw, 48, 4) << 16;
    bool pages = x86_bits(raw, 55, 1);
    return (struct kvm_segment){
        .base = x86_bits(raw, 16, 24) | (uint64_t)x86_bits(raw, 56, 8) << 24,
        .limit = pages ? limit << 12 | 0xfff : limit,
        .selector = selector,
        .type = x86_bits(raw, 40, 4),
        .s = x86_bits(raw, 44, 1),
        .dpl = x86_bits(raw, 45, 2),
        .present = x86_bits(raw, 47, 1),
        .avl = x86_bits(raw, 52, 1),
        .l = x86_bits(raw, 53, 1),
        .db = x86_bits(raw, 54, 1),
        .g = pages,
        .unusable = !x86_bits(raw, 47, 1),
    };
}

struct kvm_segment x86_real_segment(uint16_t selector, bool code) {
    return (struct kvm_segment){
        .base = selector * 16u,
        .limit = 0xffff,
        .selector = selector,
        .type = code ? 11 : 3, /* accessed; execute/read or read/write */
        .s = 1,
        .present = 1,
    };
}

/* --- the page walk -------------------------------------------------------- */

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

static void add_rights(struct page_walk *w, const struct paging *p, bool pdpte, uint64_t entry) {
    if (pdpte) /* a PAE PDPTE has no rights bits (4.4.1) */
        return;
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
    for (unsigned i = 0; i < p->levels; i++) {
        unsigned level = p->levels - 1 - i; /* 0 is the page table */
        unsigned shift = 12 + level * p->index_bits;
        uint64_t index = x86_bits(linear, shift, i == 0 ? p->top_bits : p->index_bits);
        uint64_t address = table + index * p->entry_size, entry = 0;
        bool there = memory_read(m, address, &entry, p->entry_size) == p->entry_size;
        w->level[w->levels++] = (struct page_level){p->names[i], address, entry};
        if (!there || !(entry & PTE_P))
            return false;
        add_rights(w, p, p == &paging_pae && i == 0, entry);
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

size_t x86_read(const struct memory *m, const struct kvm_sregs *s, uint64_t linear, void *to,
                size_t length) {
    struct page_walk w;
    size_t done = 0;
    while (done < length) {
        uint64_t at = x86_wrap(s, linear + done);
        size_t n = within_page(at, length - done);
        if (!x86_walk(m, s, at, &w))
            break;
        size_t got = memory_read(m, w.phys, (uint8_t *)to + done, n);
        done += got;
        if (got < n)
            break;
    }
    return done;
}

size_t x86_write(struct memory *m, const struct kvm_sregs *s, uint64_t linear, const void *from,
                 size_t length) {
    struct page_walk w;
    size_t done = 0;
    while (done < length) {
        uint64_t at = x86_wrap(s, linear + done);
        size_t n = within_page(at, length - done);
        if (!x86_walk(m, s, at, &w))
            break;
        size_t put = memory_poke(m, w.phys, (const uint8_t *)from + done, n);
        done += put;
        if (put < n)
            break;
    }
    return done;
}
