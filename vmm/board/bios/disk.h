/* INT 13h, between its files. */
#ifndef MINIKVM_BIOS_DISK_H
#define MINIKVM_BIOS_DISK_H

#include "vmm/board/bios/call.h"
#include "vmm/devices/disk/drives.h"

/* AH. */
enum disk_ah {
    DISK_OK = 0x00,
    DISK_BAD_CALL = 0x01,
    DISK_WRITE_PROTECTED = 0x03,
    DISK_NOT_FOUND = 0x04,
    DISK_BOUNDARY = 0x09,
    DISK_BAD_MEDIA = 0x0c,
    DISK_CONTROLLER = 0x20,
    DISK_NO_DISC = 0x31,
    DISK_SEEK = 0x40,
    DISK_NOT_LOCKED = 0xb0,
    DISK_LOCKED = 0xb1,
    DISK_NOT_REMOVABLE = 0xb2,
    DISK_LOCKS_FULL = 0xb4,
    DISK_WRITE_FAULT = 0xcc,
};

enum disk_do { DISK_DO_READ, DISK_DO_WRITE, DISK_DO_VERIFY };

/* A drive as int 13h shows it: a disk, or a part of a CD that is booted as if it were one. */
struct bios_drive {
    struct disk *disk; /* NULL: there is none */
    enum drive_kind kind;
    bool emulated;
    struct disk_geometry geometry; /* of a CD: zeros, it has none */
    uint64_t first, sectors; /* of 512 bytes: where on the disk it begins, how many it has */
    unsigned block;          /* of these in a block of AH=42h to 48h */
};

struct disk_transfer {
    struct disk *disk;
    enum disk_do kind;
    uint64_t lba; /* of the disk, in sectors of 512 bytes, as the count */
    unsigned count;
    uint32_t address; /* linear: a transfer does not wrap within its segment */
};

static inline bool disk_is_hard(uint8_t number) { return number & 0x80; }

/* --- disk_transfer.c --- */
struct bios_drive drive_with_number(struct bios *, uint8_t number);
struct bios_drive drive_of(struct call *); /* DL's */
unsigned drive_count(struct bios *, bool floppy);
void disk_answer(struct call *, uint8_t status);
uint8_t disk_status(enum disk_result);
const char *disk_status_text(uint8_t status);
uint8_t disk_transfer(struct call *, const struct disk_transfer *, unsigned *done);
void disk_answer_words(struct call *, struct words *);

/* --- cd.c --- */
/* The drive that a boot image on a CD is seen as, and its number; false: there is none. */
bool cd_emulation(struct bios *, struct bios_drive *, uint8_t *number);
void cd_forget(struct bios *);

/* --- disk_cd.c: AH=45h, 46h, 49h to 4Dh --- */
void cd_lock(struct call *);
void cd_eject(struct call *);
void cd_has_changed(struct call *);
void cd_start_emulation(struct call *);
void cd_end_emulation(struct call *);
void cd_status(struct call *);
void cd_boot_emulated(struct call *);
void cd_read_catalog(struct call *);
void cd_ask_packet(struct call *, struct words *);
void cd_answer_packet(struct call *, struct words *);

/* --- disk_extended.c: AH=41h to 48h --- */
void disk_has_extensions(struct call *);
void disk_extended_read(struct call *);
void disk_extended_write(struct call *);
void disk_extended_verify(struct call *);
void disk_extended_seek(struct call *);
void disk_extended_parameters(struct call *);
void disk_ask_packet(struct call *, struct words *);

#endif
