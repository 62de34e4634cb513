/* ROM, the end of conventional memory, and memory_close(); see layout.h. */
#include "vmm/memory/layout.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* Unless it is empty; RAM only as far as there is some. */
static void add_piece(struct memory *m, uint64_t from, uint64_t end, uint8_t *at, bool rom) {
    if (!rom && end > m->ram_size)
        end = m->ram_size;
    if (from < end)
        m->pieces[m->count++] = (struct memory_piece){from, end - from, at, rom};
}

static void lay_out(struct memory *m) {
    const uint64_t low_end = 1ull << 20, high_end = 1ull << 32;
    uint64_t low = m->rom ? low_end - m->rom_size : m->ram_size;
    uint64_t video = m->low_end ? MEMORY_VIDEO : 0;
    m->count = 0;
    add_piece(m, 0, m->low_end, m->ram, false);
    add_piece(m, video, low, m->ram + video, false);
    if (!m->rom)
        return;
    add_piece(m, low, low_end, m->rom, true);
    add_piece(m, low_end, m->ram_size, m->ram + low_end, false);
    add_piece(m, high_end - m->rom_size, high_end, m->rom, true);
}

int memory_add_rom(struct memory *m, const void *image, size_t size) {
    if (size == 0 || size > ROM_MAX)
        return -EFBIG;
    uint32_t rounded = memory_round_up(size);
    uint8_t *rom = memory_map(rounded);
    if (!rom)
        return -ENOMEM;
    memcpy(rom + (rounded - size), image, size);
    m->rom = rom;
    m->rom_size = rounded;
    lay_out(m);
    return 0;
}

void memory_cut_low(struct memory *m, uint32_t low_end) {
    m->low_end = low_end;
    lay_out(m);
}

void memory_clear(struct memory *m) { memory_zero(m, 0, m->ram_size); }

void memory_close(struct memory *m) {
    if (m->ram)
        munmap(m->ram, m->ram_size);
    if (m->rom)
        munmap(m->rom, m->rom_size);
    *m = (struct memory){0};
}
