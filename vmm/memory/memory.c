/* Guest-physical memory; see memory.h. */
#include "vmm/memory/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static uint8_t *map(uint64_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static uint64_t round_up(uint64_t n) {
    return (n + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

int memory_open(struct memory *m, uint64_t ram_size) {
    *m = (struct memory){0};
    if (ram_size == 0 || ram_size > MEMORY_MAX)
        return -EINVAL;
    m->ram_size = round_up(ram_size);
    m->ram = map(m->ram_size);
    return m->ram ? 0 : -ENOMEM;
}

int memory_add_rom(struct memory *m, const void *image, size_t size) {
    if (size == 0 || size > ROM_MAX)
        return -EFBIG;
    uint32_t rounded = round_up(size);
    uint8_t *rom = map(rounded);
    if (!rom)
        return -ENOMEM;
    memcpy(rom + (rounded - size), image, size);
    m->rom = rom;
    m->rom_size = rounded;
    return 0;
}

/* Private anonymous pages read as zero after madvise(), and cost nothing. */
void memory_zero(struct memory *m, uint64_t phys, uint64_t length) {
    uint64_t end = phys + length, first = round_up(phys), last = end / PAGE_SIZE * PAGE_SIZE;
    if (first >= last) {
        memset(m->ram + phys, 0, length);
        return;
    }
    memset(m->ram + phys, 0, first - phys);
    madvise(m->ram + first, last - first, MADV_DONTNEED);
    memset(m->ram + last, 0, end - last);
}

void memory_cut_low(struct memory *m, uint32_t low_end) { m->low_end = low_end; }

void memory_clear(struct memory *m) { memory_zero(m, 0, m->ram_size); }

void memory_close(struct memory *m) {
    if (m->ram)
        munmap(m->ram, m->ram_size);
    if (m->rom)
        munmap(m->rom, m->rom_size);
    *m = (struct memory){0};
}

/* What backs an address, and how far. */
struct piece {
    uint8_t *at; /* NULL: nothing is there */
    uint64_t length;
    bool rom;
};

/* With A20 open. */
static struct piece open_piece_at(const struct memory *m, uint64_t phys) {
    const uint64_t low_end = 1ull << 20, high_end = 1ull << 32;
    const uint64_t low = low_end - m->rom_size, high = high_end - m->rom_size;
    if (m->rom && phys >= low && phys < low_end)
        return (struct piece){m->rom + (phys - low), low_end - phys, true};
    if (m->rom && phys >= high && phys < high_end)
        return (struct piece){m->rom + (phys - high), high_end - phys, true};
    if (m->low_end && phys >= m->low_end && phys < MEMORY_VIDEO)
        return (struct piece){NULL, MEMORY_VIDEO - phys, false};
    if (phys < m->ram_size) {
        uint64_t end = m->rom && phys < low && low < m->ram_size ? low : m->ram_size;
        if (m->low_end && phys < m->low_end)
            end = m->low_end;
        return (struct piece){m->ram + phys, end - phys, false};
    }
    if (m->rom && phys < low)
        return (struct piece){NULL, low - phys, false};
    if (m->rom && phys < high)
        return (struct piece){NULL, high - phys, false};
    return (struct piece){NULL, UINT64_MAX - phys, false};
}

/* RAM alone is the usual case, and the built-in CPU's page walks are to be quick. */
static inline struct piece piece_at(const struct memory *m, uint64_t phys) {
    if (phys < m->ram_size && !m->rom && !m->low_end && !m->a20_off)
        return (struct piece){m->ram + phys, m->ram_size - phys, false};
    struct piece p = open_piece_at(m, memory_wrap(m, phys));
    uint64_t room = MEMORY_A20 - (phys & (MEMORY_A20 - 1));
    if (m->a20_off && p.length > room)
        p.length = room;
    return p;
}

bool memory_next(const struct memory *m, uint64_t from, struct memory_piece *out) {
    while (from < 1ull << 32) {
        struct piece p = piece_at(m, from);
        *out = (struct memory_piece){from, p.length, p.at, p.rom};
        if (p.at)
            return true;
        from = p.length < (1ull << 32) - from ? from + p.length : 1ull << 32;
    }
    return false;
}

uint8_t *memory_at(const struct memory *m, uint64_t phys, uint64_t length, bool write) {
    struct piece p = piece_at(m, phys);
    return length <= p.length && !(write && (p.rom || m->trial)) ? p.at : NULL;
}

/* --- any length --- */

size_t memory_read(const struct memory *m, uint64_t phys, void *to, size_t length) {
    size_t there = 0;
    for (size_t done = 0; done < length;) {
        struct piece p = piece_at(m, phys + done);
        size_t n = p.length < length - done ? p.length : length - done;
        if (n == 0) /* the last byte of the address space */
            n = 1;
        if (p.at)
            memcpy((uint8_t *)to + done, p.at, n);
        else
            memset((uint8_t *)to + done, 0xff, n);
        there += p.at ? n : 0;
        done += n;
    }
    return there;
}

static void put(struct memory *m, uint64_t phys, uint8_t *at, const uint8_t *from, size_t length) {
    if (m->trial) {
        m->trial->write(m->trial, at, from, length);
        return;
    }
    memcpy(at, from, length);
    memory_dirty(m, phys, length);
}

static void poke_rom(struct memory *m, uint8_t *at, const uint8_t *from, size_t length) {
    memcpy(at, from, length);
    m->rom_pokes++;
}

static size_t write_any(struct memory *m, uint64_t phys, const uint8_t *from, size_t length,
                        bool to_rom) {
    size_t there = 0;
    for (size_t done = 0; done < length;) {
        struct piece p = piece_at(m, phys + done);
        size_t n = p.length < length - done ? p.length : length - done;
        if (n == 0)
            n = 1;
        if (p.at && p.rom && to_rom)
            poke_rom(m, p.at, from + done, n);
        else if (p.at && !p.rom)
            put(m, phys + done, p.at, from + done, n);
        there += p.at && (!p.rom || to_rom) ? n : 0;
        done += n;
    }
    return there;
}

size_t memory_write(struct memory *m, uint64_t phys, const void *from, size_t length) {
    return write_any(m, phys, from, length, false);
}

size_t memory_poke(struct memory *m, uint64_t phys, const void *from, size_t length) {
    return write_any(m, phys, from, length, true);
}
