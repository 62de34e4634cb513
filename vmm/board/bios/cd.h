/* What was booted from a CD, between the BIOS's files. */
#ifndef MINIKVM_BIOS_CD_H
#define MINIKVM_BIOS_CD_H

#include "vmm/board/bios/disk.h"
#include "vmm/board/eltorito.h"

/* El Torito's specification packet. */
struct cd_packet {
    uint8_t size, media, drive, controller;
    uint32_t image;      /* the boot image's block */
    uint16_t device;     /* bit 0: the slave */
    uint16_t buffer;     /* segment of a cache; 0: there is none */
    uint16_t segment, sectors; /* what is loaded, and where; 0: 07C0 */
    uint8_t cylinder, sector, heads; /* as AH=08h answers in CH, CL, DH */
} __attribute__((packed));
enum { CD_PACKET = 0x13, CD_MEDIA = 15 }; /* its size; the media type in `media` */
_Static_assert(sizeof(struct cd_packet) == CD_PACKET, "as the specification has it");

/* What was booted, or zeros. A guest may have written to it: nothing of it is believed. */
struct cd_packet cd_kept_packet(struct bios *);
void cd_keep_packet(struct bios *, const struct cd_packet *);
/* The CD at the place on IDE that the packet names, or NULL. */
struct disk *cd_of_packet(const struct bios *, const struct cd_packet *);
/* That of the emulated drive, by the media type and what is on the disc. */
void cd_put_geometry(struct cd_packet *, struct disk *);
/* For eltorito_find() and others; `disk` is a struct disk. */
bool cd_read_block(void *disk, uint32_t block, uint8_t to[ELTORITO_BLOCK]);

#endif
