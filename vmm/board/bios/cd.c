/* Booting from a CD, and the drive that the boot image is seen as from then on (El Torito). What was
 * booted is in the EBDA, as the specification packet that a program may ask for: cd.h. */
#include "vmm/board/bios/cd.h"

#include <stdio.h>

#include "vmm/board/eltorito.h"
#include "vmm/board/memory_map.h"
#include "vmm/cpu/service.h"
#include "vmm/devices/disk/geometry.h"

/* --- the specification packet ----------------------------------------------------------------- */

struct cd_packet cd_kept_packet(struct bios *b) {
    struct cd_packet s;
    service_read(b->cpu, ebda(b, EBDA_CD), &s, sizeof s);
    return s;
}

void cd_keep_packet(struct bios *b, const struct cd_packet *s) {
    service_write(b->cpu, ebda(b, EBDA_CD), s, sizeof *s);
}

void cd_forget(struct bios *b) { cd_keep_packet(b, &(struct cd_packet){0}); }

struct disk *cd_of_packet(const struct bios *b, const struct cd_packet *s) {
    unsigned place = s->controller * 2u + (s->device & 1);
    struct disk *disk = b->drives && place < DRIVES_IDE ? drives_ide(b->drives, place) : NULL;
    return disk && disk_flags(disk) & DISK_CD ? disk : NULL;
}

/* --- emulation ----------------------------------------------------------------------------------- */

static struct disk_geometry geometry_of_packet(const struct cd_packet *s) {
    return (struct disk_geometry){(s->cylinder | (s->sector & 0xc0u) << 2) + 1, s->heads + 1u, s->sector & 0x3fu};
}

static void put_geometry_in_packet(struct cd_packet *s, const struct disk_geometry *g) {
    unsigned last = g->cylinders - 1;
    s->cylinder = (uint8_t)last;
    s->sector = (uint8_t)((last >> 8 & 3) << 6 | g->sectors);
    s->heads = (uint8_t)(g->heads - 1);
}

/* A guest may have written to the packet: what it says is not believed. */
bool cd_emulation(struct bios *b, struct bios_drive *d, uint8_t *number) {
    struct cd_packet s = cd_kept_packet(b);
    struct disk *disk = cd_of_packet(b, &s);
    if (s.size != CD_PACKET || !(s.media & CD_MEDIA) || !disk)
        return false;
    struct disk_geometry g = geometry_of_packet(&s);
    uint64_t all = disk_sectors(disk), first = (uint64_t)s.image * DISK_CD_SECTORS;
    uint64_t sectors = (uint64_t)g.cylinders * g.heads * g.sectors, there = first < all ? all - first : 0;
    bool hard = (s.media & CD_MEDIA) == ELTORITO_HARD_DISK;
    *number = hard ? DRIVES_FIRST_HARD : 0;
    *d = (struct bios_drive){disk, hard ? DRIVE_HARD : DRIVE_FLOPPY, true, g, first,
                             sectors < there ? sectors : there, 1};
    return true;
}

/* A hard disk's is as its only partition ends (El Torito 2.2.1); without one as a disk's of that length. */
static struct disk_geometry geometry_of_image(struct disk *disk, unsigned media, uint32_t image) {
    static const struct disk_geometry floppies[] = {[ELTORITO_1200K] = {80, 2, 15}, [ELTORITO_1440K] = {80, 2, 18},
                                                    [ELTORITO_2880K] = {80, 2, 36}};
    uint8_t sector[DISK_SECTOR] = {0};
    const uint8_t *end = sector + 0x1be + 5; /* head, sector, cylinder */
    uint64_t first = (uint64_t)image * DISK_CD_SECTORS, all = disk_sectors(disk);
    if (media < ELTORITO_HARD_DISK)
        return floppies[media];
    disk_peek(disk, first, sector, 1);
    if (end[-1] && end[1] & 0x3f)
        return (struct disk_geometry){(end[2] | (end[1] & 0xc0u) << 2) + 1, end[0] + 1u, end[1] & 0x3fu};
    return geometry_bios(all > first ? all - first : 1, sector);
}

void cd_put_geometry(struct cd_packet *s, struct disk *disk) {
    struct disk_geometry g = geometry_of_image(disk, s->media & CD_MEDIA, s->image);
    put_geometry_in_packet(s, &g);
}

/* --- for a debugger, whatever the CPU does --- */

bool bios_emulates(const struct bios *b, const struct disk *cd, unsigned *emulated) {
    struct cd_packet s = {0};
    uint32_t at = memory_map_ebda(b->board->memory) + EBDA_CD;
    if (!b->on || !b->boots || memory_read(b->board->memory, at, &s, sizeof s) != sizeof s || s.size != CD_PACKET)
        return false;
    struct disk *disk = cd_of_packet(b, &s);
    *emulated = (s.media & CD_MEDIA) == ELTORITO_HARD_DISK ? DRIVES_FIRST_HARD : 0;
    return s.media & CD_MEDIA && disk && (!cd || cd == disk);
}

unsigned bios_drive_number(const struct bios *b, unsigned number) {
    unsigned emulated;
    bool moved = bios_emulates(b, NULL, &emulated) && drives_kind_of_number(emulated) == drives_kind_of_number(number);
    return moved ? number + 1 : number;
}

/* --- booting --------------------------------------------------------------------------------------- */

/* What the firmware looks at is not counted as read. */
bool cd_read_block(void *disk, uint32_t block, uint8_t to[ELTORITO_BLOCK]) {
    return !disk_tray(disk).open && !disk_peek(disk, (uint64_t)block * DISK_CD_SECTORS, to, DISK_CD_SECTORS);
}

bool cd_find_boot(struct bios *b, uint8_t number, struct eltorito *e, char *error, size_t size) {
    struct disk *disk = b->drives ? drives_bios(b->drives, number) : NULL;
    if (disk)
        return eltorito_find(cd_read_block, disk, e, error, size);
    snprintf(error, size, "the machine has no such drive");
    return false;
}

void cd_note_boot(struct bios *b, uint8_t number, const struct eltorito *e) {
    unsigned place = drives_cd_place(b->drives, number - DRIVES_FIRST_CD);
    struct cd_packet s = {.size = CD_PACKET, .media = e->media, .drive = eltorito_drive(e, number),
                              .controller = (uint8_t)(place / 2), .device = place % 2, .image = e->image,
                              .segment = (uint16_t)(e->address >> 4), .sectors = (uint16_t)e->sectors};
    if (e->media)
        cd_put_geometry(&s, drives_bios(b->drives, number));
    poke32(b, ebda(b, EBDA_CD_CATALOG), e->catalog);
    cd_keep_packet(b, &s);
}

bool cd_load(struct bios *b, uint8_t number, const struct eltorito *e) {
    struct disk *disk = drives_bios(b->drives, number);
    uint8_t sector[DISK_SECTOR];
    for (uint32_t n = 0; n < e->sectors; n++) {
        if (disk_read(disk, (uint64_t)e->image * DISK_CD_SECTORS + n, sector, 1))
            return false;
        service_write(b->cpu, e->address + n * DISK_SECTOR, sector, sizeof sector);
    }
    return true;
}
