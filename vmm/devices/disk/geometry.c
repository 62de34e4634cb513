/* Cylinders, heads and sectors; see geometry.h. */
#include "vmm/devices/disk/geometry.h"

static unsigned little_word(const uint8_t *at) { return at[0] | at[1] << 8; }

static uint32_t dword(const uint8_t *at) { return little_word(at) | (uint32_t)little_word(at + 2) << 16; }

static uint64_t sectors_of(const struct disk_geometry *g) {
    return (uint64_t)g->cylinders * g->heads * g->sectors;
}

/* --- floppies ------------------------------------------------------------------------- */

/* 160K, 180K, 320K, 360K, 720K, 1.2M, 1.44M, 2.88M */
static const struct disk_geometry formats[] = {{40, 1, 8},  {40, 1, 9},  {40, 2, 8},  {40, 2, 9},
                                               {80, 2, 9},  {80, 2, 15}, {80, 2, 18}, {80, 2, 36}};
enum { FORMATS = sizeof formats / sizeof *formats, FORMAT_1440K = 6, FORMAT_2880K = 7 };

/* The BIOS parameter block of FAT: bytes a sector at 0Bh, sectors in all at 13h (or 20h),
 * sectors a track at 18h, heads at 1Ah. */
static bool geometry_of_bpb(uint64_t bytes, const uint8_t *sector, struct disk_geometry *g) {
    uint64_t total = little_word(sector + 0x13) ? little_word(sector + 0x13) : dword(sector + 0x20);
    unsigned sectors = little_word(sector + 0x18), heads = little_word(sector + 0x1a);
    if (little_word(sector + 0x0b) != DISK_SECTOR || sectors < 8 || sectors > 36 || heads < 1 || heads > 2)
        return false;
    *g = (struct disk_geometry){(unsigned)(total / (heads * sectors)), heads, sectors};
    return total <= FLOPPY_MAX / DISK_SECTOR && sectors_of(g) == total && g->cylinders >= 40 &&
           g->cylinders <= 86 && total * DISK_SECTOR >= bytes;
}

struct disk_geometry geometry_floppy(uint64_t bytes, const uint8_t sector[DISK_SECTOR]) {
    struct disk_geometry g;
    for (unsigned i = 0; i < FORMATS; i++)
        if (sectors_of(&formats[i]) * DISK_SECTOR == bytes)
            return formats[i];
    if (geometry_of_bpb(bytes, sector, &g))
        return g;
    bool fits = bytes <= sectors_of(&formats[FORMAT_1440K]) * DISK_SECTOR;
    return formats[fits ? FORMAT_1440K : FORMAT_2880K];
}

uint8_t geometry_floppy_type(const struct disk_geometry *g) {
    if (g->cylinders <= 42)
        return 1;
    return g->sectors <= 9 ? 3 : g->sectors <= 15 ? 2 : g->sectors <= 21 ? 4 : 5;
}

unsigned geometry_floppy_rate(const struct disk_geometry *g) {
    return g->sectors <= 10 ? 2 : g->sectors <= 21 ? 0 : 3;
}

/* --- hard disks ------------------------------------------------------------------------ */

enum { IDE_HEADS = 16, SECTORS = 63, IDE_CYLINDERS = 16383, BIOS_CYLINDERS = 1024 };

static unsigned cylinders_of(uint64_t sectors, unsigned heads, unsigned track, unsigned most) {
    uint64_t n = sectors / (heads * track);
    return n > most ? most : n ? (unsigned)n : 1;
}

struct disk_geometry geometry_ide(uint64_t sectors) {
    unsigned cylinders = cylinders_of(sectors, IDE_HEADS, SECTORS, IDE_CYLINDERS);
    return (struct disk_geometry){cylinders, IDE_HEADS, SECTORS};
}

/* A partition ends at the end of a cylinder, so its last head and sector are the disk's.
 * What it says of LBA must be the same place. */
static bool geometry_of_partition(const uint8_t *entry, struct disk_geometry *g) {
    unsigned head = entry[5], sector = entry[6] & 63;
    unsigned cylinder = entry[7] | (entry[6] & 0xc0) << 2;
    uint64_t end = (uint64_t)dword(entry + 8) + dword(entry + 12);
    bool is_end = ((uint64_t)cylinder * (head + 1) + head) * sector + sector == end;
    if (!entry[4] || !dword(entry + 12) || !head || !sector || head == 255 || !is_end)
        return false;
    *g = (struct disk_geometry){0, head + 1, sector};
    return true;
}

static bool geometry_of_table(const uint8_t *sector, struct disk_geometry *g) {
    enum { TABLE = 446, ENTRY = 16, ENTRIES = 4 };
    if (little_word(sector + 510) != 0xaa55)
        return false;
    for (unsigned i = 0; i < ENTRIES; i++)
        if (geometry_of_partition(sector + TABLE + i * ENTRY, g))
            return true;
    return false;
}

struct disk_geometry geometry_bios(uint64_t sectors, const uint8_t sector[DISK_SECTOR]) {
    struct disk_geometry g = {0, IDE_HEADS, SECTORS};
    if (!geometry_of_table(sector, &g))
        while (g.heads < 255 && sectors / (g.heads * SECTORS) > BIOS_CYLINDERS)
            g.heads = g.heads == 128 ? 255 : 2 * g.heads;
    g.cylinders = cylinders_of(sectors, g.heads, g.sectors, BIOS_CYLINDERS);
    return g;
}
