/* What both ways to address a disk share: drives, answers, and the transfer itself. */
#include "vmm/board/bios/disk.h"

#include "vmm/cpu/service.h"

/* --- drives and answers ------------------------------------------------------------------------- */

static struct bios_drive whole_disk(struct disk *disk, uint8_t number) {
    struct bios_drive d = {.disk = disk, .kind = drives_kind_of_number(number), .block = 1};
    if (!disk)
        return d;
    d.sectors = disk_sectors(disk);
    if (d.kind == DRIVE_CD)
        d.block = DISK_CD_SECTORS;
    else
        d.geometry = disk_bios_geometry(disk);
    return d;
}

/* An emulated drive is the first of its kind; the others move up by one number. */
struct bios_drive drive_with_number(struct bios *b, uint8_t number) {
    struct bios_drive emulated;
    uint8_t taken;
    if (!b->drives)
        return (struct bios_drive){.block = 1};
    if (cd_emulation(b, &emulated, &taken) && drives_kind_of_number(taken) == drives_kind_of_number(number)) {
        if (number == taken)
            return emulated;
        return whole_disk(drives_bios(b->drives, number - 1), number);
    }
    return whole_disk(drives_bios(b->drives, number), number);
}

struct bios_drive drive_of(struct call *c) { return drive_with_number(c->bios, c->dl); }

/* A disk that is drive 80h and 00h both is one of each. */
unsigned drive_count(struct bios *b, bool floppy) {
    unsigned n = 0;
    while (drive_with_number(b, (uint8_t)((floppy ? 0 : 0x80) + n)).disk)
        n++;
    return n;
}

void disk_count_drives(struct bios *b) {
    enum { FLOPPIES = 1 | 3 << 6 };
    unsigned floppies = drive_count(b, true);
    uint16_t equipment = peek16(b, BDA_EQUIPMENT) & ~FLOPPIES;
    if (floppies)
        equipment |= (uint16_t)(1 | (floppies - 1) << 6);
    poke16(b, BDA_EQUIPMENT, equipment);
    poke8(b, BDA_DISKS, (uint8_t)drive_count(b, false));
}

void disk_answer(struct call *c, uint8_t status) {
    c->ah = status;
    set_carry(c, status != DISK_OK);
    poke8(c->bios, disk_is_hard(c->dl) ? BDA_DISK_STATUS : BDA_FLOPPY_STATUS, status);
}

uint8_t disk_status(enum disk_result result) {
    static const uint8_t status[] = {
        [DISK_DONE] = DISK_OK, [DISK_BEYOND] = DISK_NOT_FOUND, [DISK_UNREADABLE] = DISK_CONTROLLER,
        [DISK_PROTECTED] = DISK_WRITE_PROTECTED, [DISK_UNWRITABLE] = DISK_WRITE_FAULT,
        [DISK_FULL] = DISK_WRITE_FAULT, [DISK_NO_MEDIUM] = DISK_NO_DISC};
    return status[result];
}

const char *disk_status_text(uint8_t status) {
    switch (status) {
    case DISK_OK: return "done";
    case DISK_BAD_CALL: return "bad parameter, or no such drive";
    case DISK_WRITE_PROTECTED: return "write-protected";
    case DISK_NOT_FOUND: return "sector not found";
    case DISK_BOUNDARY: return "it crosses a 64 KiB boundary, which DMA cannot";
    case DISK_BAD_MEDIA: return "not this medium";
    case DISK_CONTROLLER: return "the controller failed";
    case DISK_WRITE_FAULT: return "write fault";
    case DISK_NO_DISC: return "no medium in the drive";
    case DISK_NOT_LOCKED: return "not locked";
    case DISK_LOCKED: return "locked";
    case DISK_NOT_REMOVABLE: return "not removable";
    case DISK_LOCKS_FULL: return "locked too often";
    }
    return "failed";
}

/* --- sectors -------------------------------------------------------------------------------------- */

/* A piece at a time between disk and memory. Returns the status, and how many were done. */
uint8_t disk_transfer(struct call *c, const struct disk_transfer *t, unsigned *done) {
    enum { PIECE = 8 };
    struct cpu *cpu = c->bios->cpu;
    uint8_t bytes[PIECE * DISK_SECTOR];
    enum disk_result result = DISK_DONE;
    *done = 0;
    for (unsigned n; *done < t->count && result == DISK_DONE; *done += result ? 0 : n) {
        n = t->count - *done < PIECE ? t->count - *done : PIECE;
        uint32_t at = t->address + *done * DISK_SECTOR;
        if (t->kind == DISK_DO_WRITE)
            service_read(cpu, at, bytes, n * DISK_SECTOR);
        result = t->kind == DISK_DO_WRITE ? disk_write(t->disk, t->lba + *done, bytes, n)
                                          : disk_read(t->disk, t->lba + *done, bytes, n);
        if (result == DISK_DONE && t->kind == DISK_DO_READ)
            service_write(cpu, at, bytes, n * DISK_SECTOR);
    }
    return disk_status(result);
}

void disk_answer_words(struct call *c, struct words *w) {
    words_add(w, "%s", disk_status_text(c->ah));
    if (c->ah)
        words_add(w, " (AH=%02xh, CF)", c->ah);
}
