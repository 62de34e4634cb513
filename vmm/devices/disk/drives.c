/* Which disk is where; see drives.h. */
#include "vmm/devices/disk/drives.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- kinds and their places ---------------------------------------------------------------- */

struct places {
    struct disk **first;
    unsigned count;
};

static struct places places_for(struct drives *d, enum drive_kind kind) {
    switch (kind) {
    case DRIVE_FLOPPY: return (struct places){d->floppy, DRIVES_FLOPPY};
    case DRIVE_HARD: return (struct places){d->hard, DRIVES_HARD};
    default: return (struct places){d->cd, DRIVES_CD};
    }
}

enum drive_kind drives_kind(unsigned flags) {
    return flags & DISK_FLOPPY ? DRIVE_FLOPPY : flags & DISK_CD ? DRIVE_CD : DRIVE_HARD;
}

enum drive_kind drives_kind_of_number(unsigned number) {
    return number < DRIVES_FIRST_HARD ? DRIVE_FLOPPY : number < DRIVES_FIRST_CD ? DRIVE_HARD : DRIVE_CD;
}

unsigned drives_count(const struct drives *d, enum drive_kind kind) {
    struct places p = places_for((struct drives *)d, kind);
    unsigned n = 0;
    while (n < p.count && p.first[n])
        n++;
    return n;
}

bool drives_have_room(const struct drives *d, enum drive_kind kind, const struct disk *less) {
    struct places p = places_for((struct drives *)d, kind);
    enum drive_kind goes = less ? drives_kind(disk_flags(less)) : kind;
    unsigned ide = drives_count(d, DRIVE_HARD) + drives_count(d, DRIVE_CD) - (less && goes != DRIVE_FLOPPY);
    return drives_count(d, kind) - (less && goes == kind) < p.count && (kind == DRIVE_FLOPPY || ide < DRIVES_IDE);
}

bool drives_add(struct drives *d, struct disk *disk) {
    enum drive_kind kind = drives_kind(disk_flags(disk));
    bool room = drives_have_room(d, kind, NULL);
    if (room)
        places_for(d, kind).first[drives_count(d, kind)] = disk;
    return room;
}

bool drives_add_first(struct drives *d, struct disk *disk) {
    enum drive_kind kind = drives_kind(disk_flags(disk));
    struct places p = places_for(d, kind);
    if (!drives_have_room(d, kind, NULL))
        return false;
    memmove(p.first + 1, p.first, (p.count - 1) * sizeof *p.first);
    p.first[0] = disk;
    return true;
}

struct disk *drives_take_first(struct drives *d, enum drive_kind kind) {
    struct places p = places_for(d, kind);
    struct disk *taken = p.first[0];
    memmove(p.first, p.first + 1, (p.count - 1) * sizeof *p.first);
    p.first[p.count - 1] = NULL;
    return taken;
}

/* --- all of them ----------------------------------------------------------------------------- */

static int open_drive(struct drives *d, const struct drive_file *f, char *error, size_t size) {
    struct disk *disk;
    int err = disk_open_fd(&disk, f->fd, f->path, f->flags, error, size);
    if (err || drives_add(d, disk))
        return err;
    disk_close(disk);
    snprintf(error, size, "%s: a PC of ours has %d floppy drives, and %d places on IDE, at most %d of them for CDs; "
             "these are taken", f->path, DRIVES_FLOPPY, DRIVES_IDE, DRIVES_CD);
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
    if (number >= DRIVES_FIRST_CD)
        return number - DRIVES_FIRST_CD < DRIVES_CD ? d->cd[number - DRIVES_FIRST_CD] : NULL;
    return number - DRIVES_FIRST_HARD < DRIVES_HARD ? d->hard[number - DRIVES_FIRST_HARD] : NULL;
}

struct disk *drives_nth(const struct drives *d, unsigned n, unsigned *number) {
    static const unsigned first[] = {[DRIVE_HARD] = DRIVES_FIRST_HARD, [DRIVE_CD] = DRIVES_FIRST_CD};
    for (enum drive_kind kind = DRIVE_FLOPPY; kind <= DRIVE_CD; kind++) {
        unsigned count = drives_count(d, kind);
        if (n < count)
            return drives_bios(d, *number = first[kind] + n);
        n -= count;
    }
    return NULL;
}

/* --- on IDE ------------------------------------------------------------------------------------ */

unsigned drives_cd_place(const struct drives *d, unsigned n) {
    static const uint8_t order[DRIVES_IDE] = {2, 3, 1, 0};
    for (unsigned i = 0; i < DRIVES_IDE; i++)
        if (!d->hard[order[i]] && n-- == 0)
            return order[i];
    return DRIVES_IDE;
}

struct disk *drives_ide(const struct drives *d, unsigned place) {
    for (unsigned n = 0; n < DRIVES_CD; n++)
        if (d->cd[n] && drives_cd_place(d, n) == place)
            return d->cd[n];
    return d->hard[place];
}

void drives_name(const struct drives *d, unsigned number, unsigned now, char name[DRIVES_NAME]) {
    unsigned place = number >= DRIVES_FIRST_CD ? drives_cd_place(d, number - DRIVES_FIRST_CD) : number & 0x7f;
    if (number < DRIVES_FIRST_HARD)
        snprintf(name, DRIVES_NAME, "floppy %u (%02Xh)", number, now & 0xff);
    else
        snprintf(name, DRIVES_NAME, "IDE %u %s (%02Xh)", place / 2 & 1, place % 2 ? "slave" : "master", now & 0xff);
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
