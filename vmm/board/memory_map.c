/* What firmware tells a guest of its memory; see memory_map.h. */
#include "vmm/board/memory_map.h"

#include "vmm/memory/layout.h"

enum { MIB = 1 << 20, ROM_LOW = 0xf0000 };

uint32_t memory_map_ebda(const struct memory *m) {
    uint32_t end = m->low_end ? m->low_end : MEMORY_VIDEO;
    return end - MEMORY_EBDA_SIZE;
}

unsigned memory_map_lower(const struct memory *m) { return memory_map_ebda(m) >> 10; }

uint32_t memory_map_upper(const struct memory *m) {
    return m->ram_size > MIB ? (m->ram_size - MIB) >> 10 : 0;
}

/* A PC has its ROM here whether one of ours is in it or not. */
static uint32_t reserved_from(const struct memory *m) {
    uint32_t base = memory_rom_base(m);
    return base < ROM_LOW ? base : ROM_LOW;
}

bool memory_map_range(const struct memory *m, unsigned n, struct memory_range *out) {
    uint64_t ebda = memory_map_ebda(m), high = 1ull << 32;
    const struct memory_range all[MEMORY_RANGES] = {
        {0, ebda, MEMORY_USABLE},
        {ebda, MEMORY_EBDA_SIZE, MEMORY_RESERVED},
        {reserved_from(m), MIB - reserved_from(m), MEMORY_RESERVED},
        {MIB, (uint64_t)memory_map_upper(m) << 10, MEMORY_USABLE},
        {high - ROM_MAX, ROM_MAX, MEMORY_RESERVED},
    };
    unsigned left = n;
    for (unsigned i = 0; i < MEMORY_RANGES; i++) {
        if (!all[i].length || left--)
            continue;
        *out = all[i];
        return true;
    }
    return false;
}
