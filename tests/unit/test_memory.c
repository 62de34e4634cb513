/* Guest-physical memory: what is RAM, what is ROM, what is nothing, and that no
 * address and no length leaves them. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"

enum { KIB = 1 << 10, MIB = 1 << 20 };

static void sizes(void) {
    struct memory m;
    CHECK(memory_open(&m, 0) == -EINVAL);
    CHECK(memory_open(&m, MEMORY_MAX + 1) == -EINVAL);
    CHECK(memory_open(&m, UINT64_MAX) == -EINVAL);
    CHECK(memory_open(&m, 1) == 0 && m.ram_size == PAGE_SIZE); /* whole pages */
    memory_close(&m);
    CHECK(memory_open(&m, MEMORY_MAX) == 0); /* taken as it is touched */
    m.ram[MEMORY_MAX - 1] = 1;
    memory_close(&m);
    CHECK(m.ram == NULL);
    memory_close(&m); /* once more does no harm */
}

static void bounds(void) {
    struct memory m;
    uint8_t b[16];
    memory_open(&m, 64 * KIB);
    CHECK(memory_at(&m, 0, 64 * KIB, true) == m.ram);
    CHECK(memory_at(&m, 0, 64 * KIB + 1, true) == NULL);
    CHECK(memory_at(&m, 64 * KIB - 1, 1, true) == m.ram + 64 * KIB - 1);
    CHECK(memory_at(&m, 64 * KIB - 1, 2, true) == NULL);
    CHECK(memory_at(&m, 64 * KIB, 1, false) == NULL);
    CHECK(memory_at(&m, UINT64_MAX, 1, false) == NULL);
    CHECK(memory_at(&m, UINT64_MAX, UINT64_MAX, false) == NULL);
    CHECK(memory_at(&m, 1, UINT64_MAX, false) == NULL); /* would wrap to 0 */

    memset(b, 0x5a, sizeof b);
    CHECK(memory_write(&m, 64 * KIB - 4, b, 16) == 4); /* the rest falls off the end */
    memset(b, 0, sizeof b);
    CHECK(memory_read(&m, 64 * KIB - 4, b, 16) == 4);
    CHECK(b[3] == 0x5a && b[4] == 0xff && b[15] == 0xff); /* an open bus reads as ones */
    CHECK(memory_read(&m, 1ull << 40, b, 16) == 0 && b[0] == 0xff && b[15] == 0xff);
    CHECK(memory_write(&m, 1ull << 40, b, 16) == 0);
    CHECK(memory_read(&m, 0, b, 0) == 0);
    memory_close(&m);
}

/* Less conventional memory than A0000: nothing up to there, RAM behind it. */
static void hole(void) {
    struct memory m;
    uint8_t b[4] = {1, 2, 3, 4};
    memory_open(&m, MIB);
    memory_cut_low(&m, 256 * KIB);
    CHECK(memory_size(&m) == 256 * KIB);
    CHECK(memory_write(&m, 256 * KIB - 2, b, 4) == 2 && m.ram[256 * KIB] == 0);
    CHECK(memory_write(&m, MEMORY_VIDEO - 2, b, 4) == 2 && m.ram[MEMORY_VIDEO] == 3);
    CHECK(memory_read(&m, 0x90000, b, 4) == 0 && b[0] == 0xff);
    CHECK(!memory_at(&m, 256 * KIB, 1, false) && memory_at(&m, MEMORY_VIDEO, 0x60000, true));
    struct memory_piece p;
    CHECK(memory_next(&m, 0, &p) && p.phys == 0 && p.length == 256 * KIB);
    CHECK(memory_next(&m, p.phys + p.length, &p) && p.phys == MEMORY_VIDEO && p.length == 0x60000);
    CHECK(!memory_next(&m, p.phys + p.length, &p));
    memory_close(&m);
}

/* With A20 closed the odd megabytes are the even ones, the ROM's as well. */
static void a20(void) {
    struct memory m;
    struct memory_piece p;
    uint8_t b[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    memory_open(&m, 4 * MIB);
    memory_add_rom(&m, b, sizeof b);
    m.a20_off = MEMORY_A20;
    CHECK(memory_write(&m, MIB + 0x600, b, 8) == 8 && m.ram[0x600] == 1 && !m.ram[MIB + 0x600]);
    CHECK(memory_read(&m, 0x100600, b, 1) == 1 && b[0] == 1);
    CHECK(memory_at(&m, 0x100600, 1, true) == m.ram + 0x600);
    CHECK(memory_read(&m, 2 * MIB - 1, b, 1) == 1 && b[0] == 8);
    CHECK(memory_read(&m, 0xffffffff, b, 1) == 0); /* FFFFFFFF goes out as FFEFFFFF */
    CHECK(memory_write(&m, 3 * MIB - 1, "ab", 2) == 2 && m.ram[3 * MIB - 1] == 'a' &&
          m.ram[2 * MIB] == 'b');
    CHECK(!memory_at(&m, 3 * MIB - 1, 2, true));
    unsigned pieces = 0;
    for (uint64_t from = 0; memory_next(&m, from, &p); from = p.phys + p.length)
        pieces++;
    CHECK(pieces == 6 && p.length == MIB); /* four megabytes, two of them with a ROM */
    m.a20_off = 0;
    CHECK(memory_write(&m, MIB + 0x600, b, 1) == 1 && m.ram[MIB + 0x600] == b[0]);
    memory_close(&m);
}

static void rom_by_a_person(void) {
    struct memory m;
    uint8_t b[2] = {0};
    memory_open(&m, MIB);
    memory_add_rom(&m, "rom", 3);
    CHECK(memory_write(&m, MIB - 1, "x", 1) == 0 && m.rom_pokes == 0);
    CHECK(memory_poke(&m, MIB - 1, "x", 1) == 1 && m.rom_pokes == 1);
    CHECK(memory_read(&m, 0xfffffffe, b, 2) == 2 && b[0] == 'o' && b[1] == 'x');
    CHECK(memory_poke(&m, 1ull << 40, "x", 1) == 0 && memory_poke(&m, 0, "x", 1) == 1);
    memory_close(&m);
}

/* Over the last byte of the address space and on from 0. */
static void wrap_around(void) {
    struct memory m;
    uint8_t b[32];
    memory_open(&m, 64 * KIB);
    memset(m.ram, 0x11, 16);
    CHECK(memory_read(&m, UINT64_MAX, b, 1) == 0 && b[0] == 0xff);
    memset(b, 0, sizeof b);
    size_t there = memory_read(&m, UINT64_MAX - 7, b, 16);
    CHECK(there <= 8 && b[0] == 0xff && b[7] == 0xff);
    CHECK(memory_write(&m, UINT64_MAX - 7, b, 16) <= 8);
    memory_close(&m);
}

static void cleared(void) {
    struct memory m;
    memory_open(&m, MIB);
    CHECK(m.ram[0] == 0 && m.ram[MIB - 1] == 0);
    memset(m.ram, 0xee, MIB);
    memory_clear(&m);
    CHECK(m.ram[0] == 0 && m.ram[MIB / 2] == 0 && m.ram[MIB - 1] == 0);
    memory_close(&m);
}

/* A ROM ends at 1 MiB and at 4 GiB; RAM goes on behind the first. */
static void rom(void) {
    struct memory m;
    uint8_t image[5000], b[16];
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = i;
    memory_open(&m, 2 * MIB);
    CHECK(memory_add_rom(&m, image, 0) == -EFBIG);
    CHECK(memory_add_rom(&m, image, ROM_MAX + 1) == -EFBIG);
    CHECK(memory_add_rom(&m, image, sizeof image) == 0);
    CHECK(m.rom_size == 8192); /* whole pages, the image at the end */

    const uint64_t ends[] = {1ull << 20, 1ull << 32};
    for (int i = 0; i < 2; i++) {
        CHECK(memory_read(&m, ends[i] - 5000, b, 16) == 16 && !memcmp(b, image, 16));
        CHECK(memory_read(&m, ends[i] - 16, b, 16) == 16 && !memcmp(b, image + 4984, 16));
        CHECK(memory_read(&m, ends[i] - 8192, b, 16) == 16 && b[0] == 0); /* filled up */
        CHECK(memory_at(&m, ends[i] - 16, 16, false) != NULL);
        CHECK(memory_at(&m, ends[i] - 16, 17, false) == NULL);
        CHECK(memory_at(&m, ends[i] - 16, 1, true) == NULL); /* not for writing */
        CHECK(memory_write(&m, ends[i] - 16, "overwritten", 11) == 0);
        CHECK(memory_read(&m, ends[i] - 16, b, 16) == 16 && !memcmp(b, image + 4984, 16));
    }
    /* across both edges of the low one */
    CHECK(memory_at(&m, MIB - 8192 - 1, 2, false) == NULL);
    CHECK(memory_at(&m, 0, 0xf0000, true) == m.ram);
    memset(b, 0x77, sizeof b);
    CHECK(memory_write(&m, MIB - 8, b, 16) == 8); /* ROM, then RAM */
    CHECK(m.ram[MIB] == 0x77 && m.ram[MIB + 7] == 0x77 && m.ram[MIB + 8] == 0);
    CHECK(memory_write(&m, 0xf0000 - 8, b, 16) == 8); /* RAM, then nothing up to the ROM */
    CHECK(memory_read(&m, MIB - 8, b, 16) == 16 && !memcmp(b, image + 4992, 8) && b[8] == 0x77);
    memory_close(&m);
}

/* A ROM in a machine whose RAM ends below it: a hole is in between. */
static void hole_below_rom(void) {
    struct memory m;
    uint8_t b[4], image[PAGE_SIZE];
    memset(image, 0xc3, sizeof image);
    memory_open(&m, 64 * KIB);
    CHECK(memory_add_rom(&m, image, sizeof image) == 0);
    CHECK(memory_read(&m, 64 * KIB, b, 4) == 0 && b[0] == 0xff);
    CHECK(memory_read(&m, MIB - PAGE_SIZE - 2, b, 4) == 2 && b[1] == 0xff && b[2] == 0xc3);
    CHECK(memory_read(&m, MIB - 2, b, 4) == 2 && b[1] == 0xc3 && b[2] == 0xff);
    CHECK(memory_read(&m, (1ull << 32) - 2, b, 4) == 2 && b[1] == 0xc3 && b[2] == 0xff);
    CHECK(memory_read(&m, 1ull << 32, b, 4) == 0);
    memory_close(&m);
}

/* Whatever is asked for, the answer is that of a byte-by-byte copy. */
static void random_accesses(void) {
    struct memory m;
    uint8_t image[3 * PAGE_SIZE], whole[64], one;
    memset(image, 0xab, sizeof image);
    memory_open(&m, MIB + 64 * KIB);
    memory_add_rom(&m, image, sizeof image);
    static const uint64_t edges[] = {0, MIB - 3 * PAGE_SIZE, MIB, MIB + 64 * KIB,
                                     (1ull << 32) - 3 * PAGE_SIZE, 1ull << 32};
    srand(2);
    for (size_t i = 0; i < sizeof whole; i++)
        whole[i] = i;
    for (int i = 0; i < 5000; i++) {
        uint64_t at = edges[rand() % 6] + (uint64_t)(rand() % 128) - 64;
        size_t length = rand() % sizeof whole, there = 0;
        if (at > 1ull << 33)
            continue; /* below 0: wrap_around() is about that */
        if (rand() % 4 == 0)
            memory_write(&m, at, whole, length);
        size_t got = memory_read(&m, at, whole, length);
        int same = 1;
        for (size_t j = 0; j < length; j++) {
            there += memory_read(&m, at + j, &one, 1);
            same &= one == whole[j];
        }
        CHECK(same && there == got);
    }
    memory_close(&m);
}

int main(void) {
    sizes();
    bounds();
    wrap_around();
    cleared();
    rom();
    hole_below_rom();
    hole();
    a20();
    rom_by_a_person();
    random_accesses();
    return unit_end();
}
