/* Guest-physical memory: RAM from 0, and optionally a ROM that ends at 1 MiB
 * and again at 4 GiB. Everything else reads as ones and swallows writes, as an
 * open bus does.
 *
 *   0            rom_base     1 MiB           ram_size     4 GiB-rom   4 GiB
 *   | RAM ........| ROM ......| RAM ...........|  nothing  |  ROM .....|
 *
 * Rule: no address from a guest, a client or a file is used before it went
 * through one of the functions here.
 */
#ifndef MINIKVM_MEMORY_H
#define MINIKVM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096u
#define MEMORY_MAX (3ull << 30) /* RAM ends below the ROM's upper image */
#define ROM_MAX (256u << 10)

struct memory {
    uint8_t *ram;
    uint64_t ram_size; /* bytes, a multiple of PAGE_SIZE */
    uint8_t *rom;      /* NULL without --rom */
    uint32_t rom_size; /* bytes, a multiple of PAGE_SIZE, up to ROM_MAX */
    uint64_t *dirty;   /* a bit for each page of RAM that was written; NULL: nobody asks */
    struct memory_trial *trial; /* its writes are undone; NULL: writes are for good */
};

/* 0 or -errno. The RAM is zero-filled and takes host memory as it is touched. */
int memory_open(struct memory *, uint64_t ram_size);
/* Copies the image in; 0, -EFBIG or -ENOMEM. Sizes are rounded up to a page,
 * the image at the end. */
int memory_add_rom(struct memory *, const void *image, size_t size);
void memory_clear(struct memory *); /* all RAM zero again */
/* The same of a part that lies in RAM; whole pages give their host memory back. */
void memory_zero(struct memory *, uint64_t phys, uint64_t length);
void memory_close(struct memory *);

/* Host address of [phys, phys+length) if that lies in one piece of RAM (or of
 * ROM, when not for writing), else NULL. */
uint8_t *memory_at(const struct memory *, uint64_t phys, uint64_t length, bool write);

/* [phys, phys+length) is about to be written by its host address. */
static inline void memory_dirty(struct memory *m, uint64_t phys, uint64_t length) {
    for (uint64_t n = phys / PAGE_SIZE; m->dirty && length && n <= (phys + length - 1) / PAGE_SIZE; n++)
        if (n < m->ram_size / PAGE_SIZE)
            m->dirty[n / 64] |= 1ull << n % 64;
}

/* Any length, any address; what is not RAM or ROM reads as 0xFF, and writes to
 * it (and to ROM) are dropped. Returns how many bytes were really there. */
size_t memory_read(const struct memory *, uint64_t phys, void *to, size_t length);
size_t memory_write(struct memory *, uint64_t phys, const void *from, size_t length);

/* Between the two every write is noted, and taken back at the end: memory is what it
 * was. Meanwhile there is no host address for writing. A write for whose note there is
 * no memory is not done. false: there is none to begin with. */
bool memory_begin_trial(struct memory *);
void memory_end_trial(struct memory *);

#endif
