/* Paging: the walk from a linear to a physical address (4.3 to 4.5), for none, 32-bit, PAE
 * and 4-level paging, and memory by linear address. Nothing here sets an accessed bit.
 */
#ifndef MINIKVM_PAGE_WALK_H
#define MINIKVM_PAGE_WALK_H

#include "vmm/memory/memory.h"
#include "vmm/x86/x86.h"

struct page_level {
    const char *name;  /* "PML4E", "PDPTE", "PDE", "PTE" */
    uint64_t address;  /* physical, of the entry */
    uint64_t entry;
};
struct page_walk {
    struct page_level level[4];
    unsigned levels;   /* entries read; 0 when paging is off */
    bool present;      /* it maps: phys, size and the rights are set */
    uint64_t phys;
    uint64_t size;     /* of the page: 4 KiB, 2 MiB, 4 MiB, 1 GiB */
    bool writable, user, executable; /* of all levels together */
};
/* Bits 63 to 47 are alike (Vol. 1, 3.3.7.1): others are no addresses in long mode. */
static inline bool x86_is_canonical(uint64_t linear) { return linear + (1ull << 47) < 1ull << 48; }
/* Reads only; sets no accessed bits. Returns walk->present. */
bool x86_walk(const struct memory *, const struct kvm_sregs *, uint64_t linear,
              struct page_walk *walk);

/* A linear address as the CPU's mode cuts it: to 32 bits outside long mode. */
uint64_t x86_wrap(const struct kvm_sregs *, uint64_t linear);
/* Copies by linear address, through the walk; no rights are checked (it is the
 * debugger that reads, and may write to ROM). Returns how many bytes were done: less than length when
 * a page on the way is not mapped or not there. */
size_t x86_read(const struct memory *, const struct kvm_sregs *, uint64_t linear, void *to,
                size_t length);
size_t x86_write(struct memory *, const struct kvm_sregs *, uint64_t linear, const void *from,
                 size_t length);

#endif
