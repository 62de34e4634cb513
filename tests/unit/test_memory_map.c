/* The memory map: it covers each byte of RAM that a guest may use, and no two ranges overlap. */
#include "tests/unit/unit.h"

#include "vmm/board/memory_map.h"
#include "vmm/memory/layout.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

static void is(const struct memory *m, unsigned n, uint64_t base, uint64_t end, enum memory_kind kind) {
    struct memory_range r;
    CHECK(memory_map_range(m, n, &r));
    CHECK(r.base == base && r.base + r.length == end && r.kind == kind);
}

static void a_pc_of_16_mib(void) {
    struct memory m;
    struct memory_range none;
    CHECK(memory_open(&m, 16 * MIB) == 0);
    is(&m, 0, 0, 0x9fc00, MEMORY_USABLE);
    is(&m, 1, 0x9fc00, 0xa0000, MEMORY_RESERVED);
    is(&m, 2, 0xf0000, MIB, MEMORY_RESERVED);
    is(&m, 3, MIB, 16 * MIB, MEMORY_USABLE);
    is(&m, 4, 0xfffc0000, 1ull << 32, MEMORY_RESERVED);
    CHECK(!memory_map_range(&m, 5, &none));
    CHECK(memory_map_lower(&m) == 639 && memory_map_upper(&m) == 15 * KIB);
    memory_close(&m);
}

static void a_pc_of_640_kib(void) {
    struct memory m;
    struct memory_range none;
    CHECK(memory_open(&m, MIB) == 0);
    is(&m, 2, 0xf0000, MIB, MEMORY_RESERVED);
    is(&m, 3, 0xfffc0000, 1ull << 32, MEMORY_RESERVED);
    CHECK(!memory_map_range(&m, 4, &none) && memory_map_upper(&m) == 0);
    memory_close(&m);
}

/* --mem=64K: what is not there is not told. */
static void less_than_conventional_memory(void) {
    struct memory m;
    CHECK(memory_open(&m, MIB) == 0);
    memory_cut_low(&m, 64 * KIB);
    CHECK(memory_map_ebda(&m) == 63 * KIB && memory_map_lower(&m) == 63);
    is(&m, 0, 0, 63 * KIB, MEMORY_USABLE);
    is(&m, 1, 63 * KIB, 64 * KIB, MEMORY_RESERVED);
    is(&m, 2, 0xf0000, MIB, MEMORY_RESERVED);
    memory_close(&m);
}

static void a_large_rom(void) {
    struct memory m;
    static const uint8_t rom[ROM_MAX] = {1};
    CHECK(memory_open(&m, MEMORY_MAX) == 0 && memory_add_rom(&m, rom, sizeof rom) == 0);
    is(&m, 2, 0xe0000, MIB, MEMORY_RESERVED); /* its last 128 KiB */
    is(&m, 3, MIB, MEMORY_MAX, MEMORY_USABLE);
    memory_close(&m);
}

/* What is usable is RAM, and can be written to its last byte. */
static void usable_is_ram(void) {
    static const uint64_t sizes[] = {MIB, 2 * MIB, 17 * MIB + 4096, MEMORY_MAX};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct memory m;
        struct memory_range r;
        uint64_t behind = 0;
        CHECK(memory_open(&m, sizes[i]) == 0);
        for (unsigned n = 0; memory_map_range(&m, n, &r); n++) {
            CHECK(r.base >= behind && r.length);
            behind = r.base + r.length;
            CHECK(r.kind != MEMORY_USABLE || memory_at(&m, r.base, r.length, true));
        }
        memory_close(&m);
    }
}

int main(void) {
    a_pc_of_16_mib();
    a_pc_of_640_kib();
    less_than_conventional_memory();
    a_large_rom();
    usable_is_ram();
    return unit_end();
}
