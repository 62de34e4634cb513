/* Which disk is where; see drives.h. */
#include "vmm/devices/disk/drives.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HARD = 0x80 };

struct places {
    struct disk **first;
    unsigned count;
};

static struct places places_for(struct drives *d, bool floppy) {
    return floppy ? (struct places){d->floppy, DRIVES_FLOPPY} : (struct places){d->hard, DRIVES_HARD};
}

unsigned drives_count(const struct drives *d, bool floppy) {
    struct places p = places_for((struct drives *)d, floppy);
    unsigned n = 0;
    while (n < p.count && p.first[n])
        n++;
    return n;
}

static bool is_floppy_drive(const struct disk *disk) { return disk_flags(disk) & DISK_FLOPPY; }

bool drives_add(struct drives *d, struct disk *disk) {
    struct places p = places_for(d, is_floppy_drive(disk));
    unsigned n = drives_count(d, is_floppy_drive(disk));
    if (n < p.count)
        p.first[n] = disk;
    return n < p.count;
}

bool drives_add_first(struct drives *d, struct disk *disk) {
    struct places p = places_for(d, is_floppy_drive(disk));
    if (p.first[p.count - 1])
        return false;
    memmove(p.first + 1, p.first, (p.count - 1) * sizeof *p.first);
    p.first[0] = disk;
    return true;
}

struct disk *drives_take_first(struct drives *d, bool floppy) {
    struct places p = places_for(d, floppy);
    struct disk *taken = p.first[0];
    memmove(p.first, p.first + 1, (p.count - 1) * sizeof *p.first);
    p.first[p.count - 1] = NULL;
    return taken;
}

static int open_drive(struct drives *d, const struct drive_file *f, char *error, size_t size) {
    struct disk *disk;
    int err = disk_open_fd(&disk, f->fd, f->path, f->flags, error, size);
    if (err || drives_add(d, disk))
        return err;
    disk_close(disk);
    snprintf(error, size, "%s: a PC of ours has %d floppy drives and %d hard disks, and these are taken",
             f->path, DRIVES_FLOPPY, DRIVES_HARD);
    return -ENOSPC;
}

int drives_open(struct drives *d, const struct drive_file *files, unsigned count, char *error, size_t size) {
    int err = 0;
    for (unsigned i = 0; i < count && !err; i++)
        err = open_drive(d, &files[i], error, size);
    return err;
}

void drives_connect(struct drives *d, const struct disk_host *host) {
    unsigned number;
    struct disk *disk;
    for (unsigned i = 0; (disk = drives_nth(d, i, &number)); i++)
        disk_connect(disk, host);
}

void drives_reset(struct drives *d) {
    unsigned number;
    struct disk *disk;
    for (unsigned i = 0; (disk = drives_nth(d, i, &number)); i++)
        disk_reset(disk);
}

void drives_close(struct drives *d) {
    unsigned number;
    struct disk *disk;
    for (unsigned i = 0; (disk = drives_nth(d, i, &number)); i++)
        disk_close(disk);
    *d = (struct drives){0};
}

/* The first hard disk, where a program that was made for a floppy looks for it. */
static struct disk *as_floppy(const struct drives *d, unsigned number) {
    bool either = number == 0 && d->hard[0] && disk_flags(d->hard[0]) & DISK_EITHER;
    return either ? d->hard[0] : NULL;
}

struct disk *drives_bios(const struct drives *d, unsigned number) {
    if (number < DRIVES_FLOPPY)
        return d->floppy[number] ? d->floppy[number] : as_floppy(d, number);
    return number - HARD < DRIVES_HARD ? d->hard[number - HARD] : NULL;
}

struct disk *drives_nth(const struct drives *d, unsigned n, unsigned *number) {
    unsigned floppies = drives_count(d, true), disks = drives_count(d, false);
    if (n >= floppies + disks)
        return NULL;
    *number = n < floppies ? n : HARD + n - floppies;
    return drives_bios(d, *number);
}

const char *drives_name(unsigned number) {
    static const char *const names[] = {"floppy 0 (00h)", "floppy 1 (01h)", "IDE 0 master (80h)",
                                        "IDE 0 slave (81h)", "IDE 1 master (82h)", "IDE 1 slave (83h)"};
    return names[number < HARD ? number : DRIVES_FLOPPY + number - HARD];
}

/* --- their sum --------------------------------------------------------------------------- */

enum { SUM_SECTORS = (64 << 20) / DISK_SECTOR, PART = 64 };

static uint64_t mix_hash(uint64_t sum, uint64_t word) { return (sum ^ word) * 0x100000001b3ull; } /* FNV-1a */

static uint64_t sum_of_drive(struct disk *d, uint64_t sum) {
    uint64_t words[PART * DISK_SECTOR / sizeof(uint64_t)], sectors = disk_sectors(d);
    sum = mix_hash(sum, sectors);
    for (uint64_t lba = 0; lba < sectors && lba < SUM_SECTORS; lba += PART) {
        unsigned n = sectors - lba < PART ? (unsigned)(sectors - lba) : PART;
        if (disk_peek(d, lba, words, n))
            return mix_hash(sum, lba);
        for (size_t i = 0; i < n * DISK_SECTOR / sizeof *words; i++)
            sum = mix_hash(sum, words[i]);
    }
    return sum;
}

uint64_t drives_sum(const struct drives *d) {
    uint64_t sum = 0;
    unsigned number;
    struct disk *disk;
    for (unsigned i = 0; (disk = drives_nth(d, i, &number)); i++)
        sum = sum_of_drive(disk, mix_hash(sum, number));
    return sum;
}
