/* Guest-physical memory; see memory.h. */
#include "vmm/memory/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

uint8_t *memory_map(uint64_t size) {
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

uint64_t memory_round_up(uint64_t n) { return (n + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1); }

int memory_open(struct memory *m, uint64_t ram_size) {
    *m = (struct memory){0};
    if (ram_size == 0 || ram_size > MEMORY_MAX)
        return -EINVAL;
    m->ram_size = memory_round_up(ram_size);
    m->ram = memory_map(m->ram_size + MEMORY_VRAM);
    m->shadow = m->shadow_at_reset = UINT32_MAX;
    m->pieces[m->count++] = (struct memory_piece){0, m->ram_size, m->ram, false};
    return m->ram ? 0 : -ENOMEM;
}

/* Private anonymous pages read as zero after madvise(), and cost nothing. */
void memory_zero(struct memory *m, uint64_t phys, uint64_t length) {
    uint64_t end = phys + length, first = memory_round_up(phys), last = end / PAGE_SIZE * PAGE_SIZE;
    if (first >= last) {
        memset(m->ram + phys, 0, length);
        return;
    }
    memset(m->ram + phys, 0, first - phys);
    madvise(m->ram + first, last - first, MADV_DONTNEED);
    memset(m->ram + last, 0, end - last);
}

/* What backs an address, and how far: at is NULL where nothing is. With A20 open. */
static struct memory_piece open_piece_at(const struct memory *m, uint64_t phys) {
    const struct memory_piece *p = m->pieces, *end = p + m->count;
    while (p < end && phys >= p->phys + p->length)
        p++;
    if (p < end && phys >= p->phys)
        return (struct memory_piece){phys, p->phys + p->length - phys, p->at + (phys - p->phys),
                                     p->rom};
    return (struct memory_piece){phys, (p < end ? p->phys : UINT64_MAX) - phys, NULL, false};
}

/* The first RAM is the usual case, and the built-in CPU's page walks are to be quick. */
static inline struct memory_piece piece_at(const struct memory *m, uint64_t phys) {
    if (phys < m->pieces->length && !m->a20_off)
        return (struct memory_piece){phys, m->pieces->length - phys, m->ram + phys, false};
    struct memory_piece p = open_piece_at(m, memory_wrap(m, phys));
    uint64_t room = MEMORY_A20 - (phys & (MEMORY_A20 - 1));
    if (m->a20_off && p.length > room)
        p.length = room;
    return p;
}

bool memory_next(const struct memory *m, uint64_t from, struct memory_piece *out) {
    for (; from < 1ull << 32; from += out->length) {
        *out = piece_at(m, from);
        out->phys = from;
        if (out->at)
            return true;
    }
    return false;
}

uint8_t *memory_at(const struct memory *m, uint64_t phys, uint64_t length, bool write) {
    struct memory_piece p = piece_at(m, phys);
    return length <= p.length && !(write && (p.rom || m->journal)) ? p.at : NULL;
}

bool memory_load(struct memory *m, uint64_t phys, const void *from, size_t length, uint64_t room) {
    uint8_t *to = memory_at(m, phys, room, true);
    if (!to)
        return false;
    memcpy(to, from, length);
    memory_zero(m, phys + length, room - length);
    return true;
}

/* --- any length --- */

/* No longer than `length`, and at least a byte: the last address has no length left. */
static struct memory_piece part_at(const struct memory *m, uint64_t phys, size_t length) {
    struct memory_piece p = piece_at(m, phys);
    if (p.length > length || p.length == 0)
        p.length = p.length ? length : 1;
    return p;
}

size_t memory_read(const struct memory *m, uint64_t phys, void *to, size_t length) {
    struct memory_piece p;
    size_t there = 0;
    for (size_t done = 0; done < length; done += p.length) {
        p = part_at(m, phys + done, length - done);
        if (p.at)
            memcpy((uint8_t *)to + done, p.at, p.length);
        else
            memset((uint8_t *)to + done, 0xff, p.length);
        there += p.at ? p.length : 0;
    }
    return there;
}

static void put_piece(struct memory *m, const struct memory_piece *p, const uint8_t *from) {
    if (m->journal && !p->rom) {
        m->journal->write(m->journal, p->at, from, p->length);
        return;
    }
    memcpy(p->at, from, p->length);
    m->rom_pokes += p->rom && (p->at < m->ram || p->at >= m->ram + m->ram_size);
    memory_dirty(m, p->at, p->length);
}

static size_t write_any(struct memory *m, uint64_t phys, const uint8_t *from, size_t length,
                        bool to_rom) {
    struct memory_piece p;
    size_t there = 0;
    for (size_t done = 0; done < length; done += p.length) {
        p = part_at(m, phys + done, length - done);
        if (!p.at || (p.rom && !to_rom))
            continue;
        put_piece(m, &p, from + done);
        there += p.length;
    }
    return there;
}

size_t memory_write(struct memory *m, uint64_t phys, const void *from, size_t length) {
    return write_any(m, phys, from, length, false);
}

size_t memory_poke(struct memory *m, uint64_t phys, const void *from, size_t length) {
    return write_any(m, phys, from, length, true);
}
