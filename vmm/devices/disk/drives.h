/* The drives of a machine: which disk is where. IDE and the BIOS see the same.
 *
 *   floppy[n]   the BIOS's drive n
 *   hard[n]     the BIOS's drive 80h + n; 0 and 1 are master and slave of the first IDE
 *               channel, 2 and 3 of the second
 *
 * Rule: a place is filled only if those before it are, so that the BIOS's numbers have no gap.
 */
#ifndef MINIKVM_DRIVES_H
#define MINIKVM_DRIVES_H

#include "vmm/devices/disk/disk.h"

enum { DRIVES_FLOPPY = 2, DRIVES_HARD = 4, DRIVES_CD = 2, DRIVES_IDE = 4, DRIVES_MAX = DRIVES_FLOPPY + DRIVES_IDE };
enum drive_kind { DRIVE_FLOPPY, DRIVE_HARD, DRIVE_CD };
/* The BIOS's number of the first of each. */
enum { DRIVES_FIRST_HARD = 0x80, DRIVES_FIRST_CD = 0xe0 };

struct drives {
    struct disk *floppy[DRIVES_FLOPPY];
    struct disk *hard[DRIVES_HARD];
    struct disk *cd[DRIVES_CD];
};

/* A file for a drive, as the command line has it; `fd` is open for as long as machines are. */
struct drive_file {
    const char *path;
    unsigned flags; /* enum disk_flags */
    int fd;
};

/* Behind those that are there; the disk is the drives' then. false: there is no place. */
bool drives_add(struct drives *, struct disk *);
/* Before those that are there, as what a machine boots is; these move one place on. */
bool drives_add_first(struct drives *, struct disk *);
/* The first of a kind goes, as when another image is booted; those behind it move one place up.
 * The disk is the caller's. */
struct disk *drives_take_first(struct drives *, enum drive_kind);
/* Is there a place for one more, if `less` of those that are there go? */
bool drives_have_room(const struct drives *, enum drive_kind, const struct disk *less);
/* Of each file a drive. 0; or -errno, and why in a sentence: those made stay until they are closed. */
int drives_open(struct drives *, const struct drive_file *, unsigned count, char *error, size_t size);
void drives_connect(struct drives *, const struct disk_host *);
/* As the files are (disk_reset()). */
void drives_reset(struct drives *);
void drives_close(struct drives *);

/* Of where the drives are, their sizes, and what is on them now: their first 64 MiB. */
uint64_t drives_sum(const struct drives *);

/* By the BIOS's number; NULL: there is none. A first hard disk that is DISK_EITHER is drive 0,
 * too, unless a floppy is there. */
struct disk *drives_bios(const struct drives *, unsigned number);
/* What is on IDE at a place: 0 and 1 master and slave of the first channel, 2 and 3 of the second. */
struct disk *drives_ide(const struct drives *, unsigned place);
/* The place of the nth CD. */
unsigned drives_cd_place(const struct drives *, unsigned n);
/* The nth of all, floppies first, CDs last, with the BIOS's number; NULL: no more. */
struct disk *drives_nth(const struct drives *, unsigned n, unsigned *number);
unsigned drives_count(const struct drives *, enum drive_kind);
/* Of a disk with these flags (enum disk_flags); of the BIOS's number. */
enum drive_kind drives_kind(unsigned flags);
enum drive_kind drives_kind_of_number(unsigned number);
/* "floppy 0 (00h)", "IDE 0 master (80h)", "IDE 1 master (E0h)". */
enum { DRIVES_NAME = 24 };
/* `now`: the number that it has now, if it is another one by what was booted from a CD. */
void drives_name(const struct drives *, unsigned number, unsigned now, char name[DRIVES_NAME]);

#endif
