/* What a PC's memory is beside RAM, and what is done with all of it: ROM, the end of
 * conventional memory, a fingerprint, an undo journal.
 */
#ifndef MINIKVM_LAYOUT_H
#define MINIKVM_LAYOUT_H

#include "vmm/memory/memory.h"

void memory_close(struct memory *);

/* Copies the image in; 0, -EFBIG or -ENOMEM. Sizes are rounded up to a page,
 * the image at the end; below 1 MiB are its last 128 KiB. The rest there is RAM. */
int memory_add_rom(struct memory *, const void *image, size_t size);

/* The same of a card's ROM at MEMORY_SHADOW, which is seen where reads do not go to RAM. */
enum { OPTION_ROM_MAX = 64 << 10 };
int memory_add_option_rom(struct memory *, const void *image, size_t size);
/* Where it begins below 1 MiB; without one 1 MiB. */
uint32_t memory_rom_base(const struct memory *);

/* The shadow: bits 2n and 2n + 1 are of the n-th 16 KiB from MEMORY_SHADOW on, up to 1 MiB. What
 * is not read from RAM is ROM, or nothing where there is no ROM. */
#define MEMORY_SHADOW 0xc0000u
enum { SHADOW_READ = 1, SHADOW_WRITE = 2, SHADOW_PAGES = 16, SHADOW_SIZE = 16 << 10 };
void memory_set_shadow(struct memory *, uint32_t shadow);
/* Neither reads nor writes there go to RAM, where there is some. */
bool memory_shadow_is_off(const struct memory *, uint64_t phys);
/* A write where reads do not go to RAM. false: neither do writes. */
bool memory_write_shadow(struct memory *, uint64_t phys, const void *from, size_t length);
/* Conventional memory ends at `low_end`, a multiple of PAGE_SIZE below MEMORY_VIDEO. */
void memory_cut_low(struct memory *, uint32_t low_end);
/* What --mem said: without the video memory that every PC has above it. */
static inline uint64_t memory_size(const struct memory *m) {
    return m->low_end ? m->low_end : m->ram_size;
}
void memory_clear(struct memory *); /* all RAM zero again */

/* Pages of `ram`. */
static inline uint64_t memory_pages(const struct memory *m) {
    return (m->ram_size + MEMORY_VRAM) / PAGE_SIZE;
}

/* The display adapter's memory. */
static inline uint8_t *memory_vram(const struct memory *m) { return m->ram + m->ram_size; }
/* From now on this is in place of RAM: a part of the display adapter's memory, or (at is NULL)
 * nothing, so that accesses go to a device. true: that is new, and the engine is to be told.
 * It lies within A0000 to BFFFF, in whole pages. */
bool memory_set_window(struct memory *, const struct memory_piece *);
/* All of the display adapter's memory is there, too, between RAM and ROM; 0, and what has no
 * room there: it is nowhere. true: that is new. */
bool memory_set_framebuffer(struct memory *, uint64_t base);
/* The physical address of a page of `ram`; of the display adapter's memory in the framebuffer,
 * also when that is nowhere. */
uint64_t memory_phys_of_page(const struct memory *, uint64_t n);

/* A fingerprint of all of RAM: FNV-1a over 64-bit words. */
uint64_t memory_hash(const struct memory *);

/* An undo journal: between the two every write is recorded, and memory_journal_undo() puts
 * back what was there. Meanwhile there is no host address for writing, and a write that
 * cannot be recorded is not done. false: no memory to begin with. */
bool memory_journal_begin(struct memory *);
void memory_journal_undo(struct memory *);

#endif
