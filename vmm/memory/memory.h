/* Guest-physical memory: RAM from 0, and optionally a ROM that ends at 1 MiB
 * and again at 4 GiB. Everything else reads as ones and swallows writes, as an
 * open bus does.
 *
 *   0       low_end  A0000   C0000             1 MiB      ram_size    4 GiB-rom   4 GiB
 *   | RAM ....| nothing | RAM ..| RAM, ROM ......| RAM ......|  nothing  |  ROM .....|
 *
 * From C0000 to 1 MiB the host bridge decides for each 16 KiB whether reads and writes go to RAM
 * (the "shadow") or to the ROM (layout.h).
 *
 * With A20 closed, address bit 20 is 0 for everybody: odd megabytes show the even
 * ones below them.
 *
 * Rule: no address from a guest, a client or a file is used before it went
 * through one of the functions here.
 */
#ifndef MINIKVM_MEMORY_H
#define MINIKVM_MEMORY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#undef PAGE_SIZE /* musl's limits.h has the host's */
#define PAGE_SIZE  4096u
#define MEMORY_MAX (3ull << 30) /* RAM ends below the ROM's upper image */
#define ROM_MAX    (256u << 10)

enum { MEMORY_PIECES = 28 };
#define MEMORY_VIDEO 0xa0000u   /* where a PC's conventional memory ends at the latest */
#define MEMORY_A20   (1u << 20) /* address line 20 */
/* A display adapter's own memory: behind RAM in `ram`, and where layout.h puts it. */
#define MEMORY_VRAM        (16u << 20)
#define MEMORY_FRAMEBUFFER 0xe0000000u /* where it is found, unless a guest moves it */

/* One stretch of the physical address space that one thing backs. */
struct memory_piece {
    uint64_t phys, length;
    uint8_t *at; /* its host address */
    bool rom;    /* guests cannot write there: ROM, or RAM that is write-protected */
};

/* Takes the writes while it is in use (journal.c). */
struct memory_journal {
    void (*write)(struct memory_journal *, uint8_t *at, const uint8_t *from, size_t length);
};

struct memory {
    uint8_t *ram;
    uint64_t ram_size; /* bytes, a multiple of PAGE_SIZE; MEMORY_VRAM bytes are behind them */
    /* What is where, by address; the first is RAM at 0. */
    struct memory_piece pieces[MEMORY_PIECES];
    unsigned count;
    uint32_t a20_off; /* MEMORY_A20 while the line is closed, else 0 */
    uint64_t *dirty;  /* a bit for each page of `ram` that was written; NULL: nobody asks */
    struct memory_journal *journal; /* while set, writes go there and can be undone; else NULL */
    /* layout.c */
    uint32_t low_end;    /* from here to MEMORY_VIDEO nothing is; 0: RAM is there, too */
    uint8_t *rom;        /* NULL: none */
    uint32_t rom_size;   /* bytes, a multiple of PAGE_SIZE, up to ROM_MAX */
    uint8_t *option_rom; /* at MEMORY_SHADOW; likewise */
    uint32_t option_rom_size;
    unsigned rom_pokes;               /* how often a debugger has written to where guests cannot */
    uint32_t shadow, shadow_at_reset; /* for each 16 KiB from MEMORY_SHADOW on two bits */
    struct memory_piece window;       /* in place of RAM; its length is 0: there is none */
    uint64_t framebuffer;             /* where the display adapter's memory is, too; 0: nowhere */
    uint32_t vram_used;               /* bytes of it; behind them are zeros */
};

/* 0 or -errno. The RAM is zero-filled and takes host memory as it is touched. */
int memory_open(struct memory *, uint64_t ram_size);
/* Zeroes a part that lies in RAM; whole pages give their host memory back. */
void memory_zero(struct memory *, uint64_t phys, uint64_t length);
/* The first piece that begins at or after `from`; false: there are no more. */
bool memory_next(const struct memory *, uint64_t from, struct memory_piece *);

/* The address that goes out with A20 as it is. */
static inline uint64_t memory_wrap(const struct memory *m, uint64_t phys) {
    return phys & ~(uint64_t)m->a20_off;
}

/* Host address of [phys, phys+length) if that lies in one piece of RAM (or of
 * ROM, when not for writing), else NULL. */
uint8_t *memory_at(const struct memory *, uint64_t phys, uint64_t length, bool write);

/* These bytes, and zeros behind them up to `room`. false: that is not in one piece of RAM. */
bool memory_load(struct memory *, uint64_t phys, const void *from, size_t length, uint64_t room);

/* `length` bytes from `at` on are about to be written. */
static inline void memory_dirty(struct memory *m, const uint8_t *at, uint64_t length) {
    uint64_t first = (uint64_t)(at - m->ram), n = first / PAGE_SIZE;
    for (; m->dirty && length && n <= (first + length - 1) / PAGE_SIZE; n++)
        if (n < (m->ram_size + MEMORY_VRAM) / PAGE_SIZE) /* else it is the ROM */
            m->dirty[n / 64] |= 1ull << n % 64;
}

/* Any length, any address; what is not RAM or ROM reads as 0xFF, and writes to
 * it (and to ROM) are dropped. Returns how many bytes were really there. */
size_t memory_read(const struct memory *, uint64_t phys, void *to, size_t length);
size_t memory_write(struct memory *, uint64_t phys, const void *from, size_t length);
/* memory_write() for a debugger, which may write to ROM, too. */
size_t memory_poke(struct memory *, uint64_t phys, const void *from, size_t length);

/* Whole pages; anonymous memory that costs nothing until it is touched, or NULL. */
uint64_t memory_round_up(uint64_t size);
uint8_t *memory_map(uint64_t size);

#endif
