/* Address spaces. Each has a page directory of its own; the kernel's entries are
 * the same in all, those below are its page tables (§4.3):
 *
 *   linear   31       22 21       12 11        0
 *           +-----------+-----------+-----------+
 *           | directory |   table   |  offset   |
 *           +-----------+-----------+-----------+
 *
 * An entry of either is the physical address of a page, the flags in the bits
 * below 12.
 */
#include "kernel.h"

enum { ENTRIES = 1024, FIRST_USER = USER_BASE >> 22, STACKS = KERNEL_STACKS >> 22,
       FIRST_KERNEL = KERNEL_BASE >> 22 };

/* What an entry points to, if it is present. */
static void *target(uint32_t entry) {
    uint32_t page = entry & -PAGE;
    return entry & PAGE_PRESENT ? (void *)(page + KERNEL_BASE) : NULL;
}

static uint32_t *directory_entry(uint32_t *directory, uint32_t linear) {
    return &directory[linear >> 22];
}

static uint32_t *table_entry(uint32_t *table, uint32_t linear) {
    return &table[linear >> 12 & (ENTRIES - 1)];
}

uint32_t *space_create(void) {
    uint32_t *directory = page_alloc();
    const uint32_t *kernel = higher_half_of(page_directory);
    if (!directory)
        return NULL;
    directory[STACKS] = kernel[STACKS];
    for (int i = FIRST_KERNEL; i < ENTRIES; i++)
        directory[i] = kernel[i];
    return directory;
}

void space_destroy(uint32_t *directory) {
    uint32_t *table = target(directory[FIRST_USER]);
    for (int i = 0; table && i < ENTRIES; i++)
        if (table[i])
            page_free(target(table[i]));
    if (table)
        page_free(table);
    page_free(directory);
}

void space_use(const uint32_t *directory) {
    __asm__ volatile("movl %0, %%cr3" : : "r"(physical(directory)) : "memory");
}

/* Puts a fresh page at a linear address, and a page table if there is none. The
 * table allows all, its entries decide. */
void *space_map(uint32_t *directory, uint32_t linear, unsigned flags) {
    uint32_t *entry = directory_entry(directory, linear);
    if (!*entry) {
        void *table = page_alloc();
        if (!table)
            return NULL;
        *entry = physical(table) | PAGE_PRESENT | PAGE_WRITE | PAGE_USER;
    }
    void *page = page_alloc();
    if (page)
        *table_entry(target(*entry), linear) = physical(page) | PAGE_PRESENT | flags;
    return page;
}

/* May the user program read this? Only what is mapped for it: what it hands to a
 * system call is as doubtful as the program. */
bool space_has(const uint32_t *directory, uint32_t linear, uint32_t length) {
    if (linear < USER_BASE || linear > USER_END || length > USER_END - linear)
        return false;
    uint32_t *table = target(directory[FIRST_USER]);
    for (uint32_t page = linear & -PAGE; page < linear + length; page += PAGE)
        if (!table || !target(*table_entry(table, page)))
            return false;
    return true;
}
