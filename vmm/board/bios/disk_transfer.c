/* What both ways to address a disk share: drives, answers, and the transfer itself. */
#include "vmm/board/bios/disk.h"

#include "vmm/cpu/service.h"

/* --- drives and answers ------------------------------------------------------------------------- */

struct disk *drive_of(struct call *c) {
    return c->bios->drives ? drives_bios(c->bios->drives, c->dl) : NULL;
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
        [DISK_FULL] = DISK_WRITE_FAULT};
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
