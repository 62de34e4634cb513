/* El Torito: how a CD says what a PC boots from it (Phoenix and IBM, "El Torito" Bootable CD-ROM
 * Format Specification 1.0). A volume descriptor names the block of the boot catalog; an entry of
 * that says where the boot image is, how much of it is loaded where, and as what drive it is seen.
 *
 * Rule: nothing on a disc is believed; what is read of it is bounded.
 */
#ifndef MINIKVM_ELTORITO_H
#define MINIKVM_ELTORITO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELTORITO_BLOCK = 2048, ELTORITO_SECTOR = 512 };

/* The entry's media type: the drive that the boot image is seen as. */
enum eltorito_media {
    ELTORITO_NONE, ELTORITO_1200K, ELTORITO_1440K, ELTORITO_2880K, ELTORITO_HARD_DISK, ELTORITO_MEDIA
};

struct eltorito {
    uint32_t catalog; /* its block */
    uint8_t media;    /* enum eltorito_media */
    uint32_t image;   /* the first block of the boot image */
    uint32_t sectors; /* that are loaded, of 512 bytes each */
    uint32_t address; /* physical, where to, and where the program begins */
    char note[160];   /* what is odd and does not hinder it, or empty */
};

/* Of a block's 2048 bytes; false: there is no such block, or it cannot be read. */
typedef bool eltorito_read(void *context, uint32_t block, uint8_t to[ELTORITO_BLOCK]);

/* What a PC boots from the disc. false, and why not: half a sentence, "it has ..." */
bool eltorito_find(eltorito_read *, void *context, struct eltorito *, char *error, size_t size);

/* The BIOS's number of the drive that the program is told of, when the CD is `cd`. */
uint8_t eltorito_drive(const struct eltorito *, uint8_t cd);
/* "no emulation", "1.44M floppy emulation", ... */
const char *eltorito_media_name(unsigned media);

#endif
