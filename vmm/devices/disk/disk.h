/* A disk: numbered sectors of 512 bytes, from an image file that the guest's writes leave as
 * it is, or (DISK_WRITE) change. Controllers and the BIOS read and write it; neither knows
 * where the bytes are.
 *
 * Rule: nothing that is wrong with the file is more than an error to the guest and one line.
 * It may be short, shrink while it is in use, or fail in the middle; so it is read by pread()
 * and never mapped.
 */
#ifndef MINIKVM_DISK_H
#define MINIKVM_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Everything here counts sectors of 512 bytes; the blocks of a CD have four of them. */
enum { DISK_SECTOR = 512, DISK_CD_BLOCK = 2048, DISK_CD_SECTORS = DISK_CD_BLOCK / DISK_SECTOR };

enum disk_flags {
    DISK_FLOPPY = 1,
    DISK_WRITE = 2,     /* the guest's writes go to the file */
    DISK_READ_ONLY = 4, /* the guest cannot write at all */
    /* A hard disk that may have been meant for a floppy: it has a floppy's sectors and BIOS
     * geometry, and zeros behind the file's end. */
    DISK_EITHER = 8,
    DISK_CD = 16, /* a CD or DVD: whole blocks, read-only, in a drive that opens */
};

struct disk_geometry {
    unsigned cylinders, heads, sectors; /* sectors of one track, numbered from 1 */
};

/* What a drive answers. */
enum disk_result {
    DISK_DONE,
    DISK_BEYOND,     /* there is no such sector */
    DISK_UNREADABLE, /* the host cannot read the file there */
    DISK_PROTECTED,  /* read-only */
    DISK_UNWRITABLE, /* the host cannot write the file there */
    DISK_FULL,       /* there is no more memory for what the guest writes */
    DISK_NO_MEDIUM,  /* the drive's tray is open */
};

/* Where the run stands when a disk is written. */
enum disk_time {
    DISK_NO_PAST, /* nothing of it is kept */
    DISK_PRESENT,
    DISK_PAST, /* what happens now has happened before: the file has it already */
};

/* What a disk asks of its machine. NULL in tests: nobody is told, and there is no past. */
struct disk_host {
    void *context;
    void (*tell)(void *context, const char *text);
    enum disk_time (*time)(void *context);
};

/* What a disk has done. */
struct disk_use {
    uint64_t sectors_read, sectors_written;
    uint64_t overlay; /* bytes that the guest's writes take */
};

/* The tray of a CD drive, as the guest has left it. */
struct disk_tray {
    bool open;
    uint8_t locks; /* while there are any it does not open */
};

struct disk;
struct overlay;

/* A regular file. 0; or -errno, and why in a sentence. */
int disk_open(struct disk **, const char *path, unsigned flags, char *error, size_t size);
/* One that is open already, and closed by the caller when the disk is. `path` is for
 * messages; it is copied. */
int disk_open_fd(struct disk **, int fd, const char *path, unsigned flags, char *error, size_t size);
void disk_close(struct disk *); /* may be NULL */
void disk_connect(struct disk *, const struct disk_host *);

const char *disk_path(const struct disk *);
unsigned disk_flags(const struct disk *);
/* A floppy (or DISK_EITHER) has as many as its geometry says, whatever the file's size. */
uint64_t disk_sectors(const struct disk *);
/* As the drive itself tells it: a hard disk has 16 heads and 63 sectors, as those with IDE do. */
struct disk_geometry disk_geometry(const struct disk *);
/* As the BIOS tells it (int 13h): cylinders are at most 1024. A hard disk's partition table
 * may decide; else there are as many heads as it takes. */
struct disk_geometry disk_bios_geometry(const struct disk *);
struct disk_use disk_use(const struct disk *);
/* DISK_CD: closed at first. An open one has no sectors to be read. */
struct disk_tray disk_tray(const struct disk *);
void disk_set_tray(struct disk *, struct disk_tray);

/* All the sectors or none. What a floppy (or DISK_EITHER) has behind the file's end reads as zeros. */
enum disk_result disk_read(struct disk *, uint64_t lba, void *to, unsigned sectors);
/* The same for a person's look: nothing is counted, nobody told. */
enum disk_result disk_peek(struct disk *, uint64_t lba, void *to, unsigned sectors);
/* When it fails, none or some of them are written. */
enum disk_result disk_write(struct disk *, uint64_t lba, const void *from, unsigned sectors);
/* What was written is in the file for good. */
enum disk_result disk_flush(struct disk *);
/* The same words everywhere: "beyond the end", "read-only", ... */
const char *disk_result_text(enum disk_result);

/* As the file is now, in length too: what the guest wrote is forgotten, but for what went to
 * the file. No state of before may be set again. */
void disk_reset(struct disk *);
/* What the guest wrote until now, and back to it. The caller of disk_overlay() keeps it
 * (overlay.h); disk_set_overlay() takes a reference of its own. */
struct overlay *disk_overlay(const struct disk *);
void disk_set_overlay(struct disk *, struct overlay *);
/* Memory that only earlier states hold. */
uint64_t disk_past_memory(const struct disk *);

#endif
