/* ROM, the end of conventional memory, and memory_close(); see layout.h. */
#include "vmm/memory/layout.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum { MIB = 1 << 20, ROM_LOW = 128 << 10 };

/* --- what is where -------------------------------------------------------------------------- */

/* Unless it is empty; RAM only as far as there is some. It may go on with the one before. */
static void add_piece(struct memory *m, uint64_t from, uint64_t end, uint8_t *at, bool rom) {
    struct memory_piece *last = m->count ? &m->pieces[m->count - 1] : NULL;
    if (from >= end)
        return;
    if (last && last->phys + last->length == from && last->at + last->length == at &&
        last->rom == rom)
        last->length += end - from;
    else
        m->pieces[m->count++] = (struct memory_piece){from, end - from, at, rom};
}

static void add_ram(struct memory *m, uint64_t from, uint64_t end, bool rom) {
    add_piece(m, from, end < m->ram_size ? end : m->ram_size, m->ram + from, rom);
}

uint32_t memory_rom_base(const struct memory *m) {
    return MIB - (m->rom_size < ROM_LOW ? m->rom_size : ROM_LOW);
}

static void add_shadow(struct memory *m, unsigned page) {
    uint32_t from = MEMORY_SHADOW + page * SHADOW_SIZE, end = from + SHADOW_SIZE,
             base = memory_rom_base(m);
    unsigned bits = m->shadow >> 2 * page & 3;
    if (bits & SHADOW_READ) {
        add_ram(m, from, end, !(bits & SHADOW_WRITE));
        return;
    }
    uint32_t option_end = MEMORY_SHADOW + m->option_rom_size;
    if (m->option_rom && from < option_end)
        add_piece(m, from, end < option_end ? end : option_end,
                  m->option_rom + (from - MEMORY_SHADOW), true);
    from = from < base ? base : from;
    if (m->rom && from < end)
        add_piece(m, from, end, m->rom + (m->rom_size - (MIB - from)), true);
}

/* With the window in the middle, if there is one. */
static void add_display(struct memory *m) {
    const struct memory_piece *w = &m->window;
    uint64_t from = w->length ? w->phys : MEMORY_SHADOW;
    add_ram(m, MEMORY_VIDEO, from, false);
    if (w->at)
        add_piece(m, from, from + w->length, w->at, false);
    add_ram(m, from + w->length, MEMORY_SHADOW, false);
}

static void lay_out(struct memory *m) {
    const uint64_t high_end = 1ull << 32;
    m->count = 0;
    add_ram(m, 0, m->low_end ? m->low_end : MEMORY_VIDEO, false);
    add_display(m);
    for (unsigned page = 0; page < SHADOW_PAGES; page++)
        add_shadow(m, page);
    add_ram(m, MIB, m->ram_size, false);
    if (m->framebuffer)
        add_piece(m, m->framebuffer, m->framebuffer + MEMORY_VRAM, memory_vram(m), false);
    if (m->rom)
        add_piece(m, high_end - m->rom_size, high_end, m->rom, true);
}

/* All is RAM but where the ROM is; F0000 to FFFFF is one. */
static uint32_t shadow_around_rom(const struct memory *m) {
    enum { LAST = 12 };
    unsigned pages = (memory_rom_base(m) - MEMORY_SHADOW) / SHADOW_SIZE;
    return m->rom ? (1u << 2 * (pages < LAST ? pages : LAST)) - 1 : UINT32_MAX;
}

void memory_set_shadow(struct memory *m, uint32_t shadow) {
    m->shadow = shadow;
    lay_out(m);
}

/* Of an address that RAM is behind. -1: the host bridge does not decide there. */
static int shadow_bits(const struct memory *m, uint64_t phys) {
    uint64_t page = (phys - MEMORY_SHADOW) / SHADOW_SIZE;
    if (phys < MEMORY_SHADOW || page >= SHADOW_PAGES || phys >= m->ram_size)
        return -1;
    return m->shadow >> 2 * page & 3;
}

bool memory_shadow_is_off(const struct memory *m, uint64_t phys) {
    return shadow_bits(m, phys) == 0;
}

bool memory_write_shadow(struct memory *m, uint64_t phys, const void *from, size_t length) {
    if (shadow_bits(m, phys) != SHADOW_WRITE || shadow_bits(m, phys + length - 1) != SHADOW_WRITE)
        return false;
    if (m->journal)
        m->journal->write(m->journal, m->ram + phys, from, length);
    else
        memcpy(m->ram + phys, from, length);
    memory_dirty(m, m->ram + phys, length);
    return true;
}

/* --- changes ----------------------------------------------------------------------------------- */

/* Of whole pages; the image at their end or their start. */
static int fill_rom(uint8_t **rom, uint32_t *rom_size, const void *image, size_t size,
                    bool at_end) {
    *rom_size = memory_round_up(size);
    *rom = memory_map(*rom_size);
    if (!*rom)
        return -ENOMEM;
    memcpy(*rom + (at_end ? *rom_size - size : 0), image, size);
    return 0;
}

int memory_add_rom(struct memory *m, const void *image, size_t size) {
    if (size == 0 || size > ROM_MAX)
        return -EFBIG;
    int err = fill_rom(&m->rom, &m->rom_size, image, size, true);
    m->shadow_at_reset = shadow_around_rom(m);
    memory_set_shadow(m, m->shadow_at_reset);
    return err;
}

int memory_add_option_rom(struct memory *m, const void *image, size_t size) {
    if (size == 0 || size > OPTION_ROM_MAX)
        return -EFBIG;
    int err = fill_rom(&m->option_rom, &m->option_rom_size, image, size, false);
    lay_out(m);
    return err;
}

void memory_cut_low(struct memory *m, uint32_t low_end) {
    m->low_end = low_end;
    m->shadow_at_reset = shadow_around_rom(m);
    memory_set_shadow(m, m->shadow_at_reset);
}

bool memory_set_window(struct memory *m, const struct memory_piece *w) {
    const struct memory_piece *now = &m->window;
    if (w->length == now->length && w->phys == now->phys && w->at == now->at)
        return false;
    m->window = *w;
    m->vram_used = w->at ? MEMORY_VRAM : m->vram_used;
    lay_out(m);
    return true;
}

bool memory_set_framebuffer(struct memory *m, uint64_t base) {
    uint64_t end = (1ull << 32) - ROM_MAX;
    if (base < MEMORY_MAX || base > end - MEMORY_VRAM || base % PAGE_SIZE)
        base = 0;
    if (base == m->framebuffer)
        return false;
    m->framebuffer = base;
    m->vram_used = base ? MEMORY_VRAM : m->vram_used;
    lay_out(m);
    return true;
}

uint64_t memory_phys_of_page(const struct memory *m, uint64_t n) {
    uint64_t phys = n * PAGE_SIZE;
    return phys < m->ram_size ? phys : phys - m->ram_size + m->framebuffer;
}

void memory_clear(struct memory *m) { memory_zero(m, 0, m->ram_size + MEMORY_VRAM); }

void memory_close(struct memory *m) {
    if (m->ram)
        munmap(m->ram, m->ram_size + MEMORY_VRAM);
    if (m->rom)
        munmap(m->rom, m->rom_size);
    if (m->option_rom)
        munmap(m->option_rom, m->option_rom_size);
    *m = (struct memory){0};
}
