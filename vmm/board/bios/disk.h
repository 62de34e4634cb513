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
    DISK_SEEK = 0x40,
    DISK_WRITE_FAULT = 0xcc,
};

enum disk_do { DISK_DO_READ, DISK_DO_WRITE, DISK_DO_VERIFY };

struct disk_transfer {
    struct disk *disk;
    enum disk_do kind;
    uint64_t lba;
    unsigned count;
    uint32_t address; /* linear: a transfer does not wrap within its segment */
};

static inline bool disk_is_hard(uint8_t number) { return number & 0x80; }

/* --- disk_transfer.c --- */
struct disk *drive_of(struct call *); /* DL's, or NULL */
void disk_answer(struct call *, uint8_t status);
uint8_t disk_status(enum disk_result);
const char *disk_status_text(uint8_t status);
uint8_t disk_transfer(struct call *, const struct disk_transfer *, unsigned *done);
void disk_answer_words(struct call *, struct words *);

/* --- disk_extended.c: AH=41h to 4Bh --- */
void disk_has_extensions(struct call *);
void disk_extended_read(struct call *);
void disk_extended_write(struct call *);
void disk_extended_verify(struct call *);
void disk_extended_seek(struct call *);
void disk_extended_parameters(struct call *);
void disk_cannot(struct call *);
void disk_ask_packet(struct call *, struct words *);

#endif
