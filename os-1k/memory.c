/* The physical memory behind the kernel, given out in pages of 4 KiB. Free pages
 * form a list that lies in the pages themselves.
 */
#include "kernel.h"

enum { CMOS_INDEX = 0x70, CMOS_DATA = 0x71, ABOVE_1M_LOW = 0x17, ABOVE_1M_HIGH = 0x18 };

extern char kernel_end[]; /* kernel.ld */

static struct free_page { struct free_page *next; } *free_list;
static unsigned free_pages;

static uint8_t cmos(uint8_t index) {
    outb(CMOS_INDEX, index);
    return inb(CMOS_DATA);
}

/* A BIOS leaves the memory above 1 MiB in the CMOS, in KiB. More than the boot
 * code has mapped is of no use to us. */
static uint32_t memory_size(void) {
    uint32_t size = 0x100000 + (cmos(ABOVE_1M_LOW) | cmos(ABOVE_1M_HIGH) << 8) * 1024u;
    return size > MAPPED_MEMORY ? MAPPED_MEMORY : size;
}

void memory_init(void) {
    /* from the top down, so that the list gives out the lowest page first */
    uint32_t page = KERNEL_BASE + memory_size();
    while (page - PAGE >= (uint32_t)kernel_end)
        page_free((void *)(page -= PAGE));
    printf("memory: %u KiB free\n", memory_free());
}

void *page_alloc(void) {
    struct free_page *page = free_list;
    if (!page)
        return NULL;
    free_list = page->next;
    free_pages--;
    return memset(page, 0, PAGE);
}

void page_free(void *p) {
    struct free_page *page = p;
    page->next = free_list;
    free_list = page;
    free_pages++;
}

unsigned memory_free(void) {
    return free_pages * (PAGE / 1024);
}
