/* What IDENTIFY DEVICE and IDENTIFY PACKET DEVICE answer: ATA-6 8.15, Table 27, and 8.16, Table 28. */
#include "vmm/devices/disk/ide.h"

#include <stdio.h>
#include <string.h>

static void put_word(uint8_t *to, unsigned n, unsigned value) {
    to[2 * n] = (uint8_t)value;
    to[2 * n + 1] = (uint8_t)(value >> 8);
}

static void put_number(uint8_t *to, unsigned n, unsigned words, uint64_t value) {
    for (unsigned i = 0; i < words; i++)
        put_word(to, n + i, (unsigned)(value >> 16 * i & 0xffff));
}

/* Padded with spaces; the first character of a word is its high byte. */
static void put_swapped_text(uint8_t *to, unsigned n, unsigned words, const char *text) {
    memset(to + 2 * n, ' ', 2 * words);
    for (unsigned i = 0; i < 2 * words && text[i]; i++)
        to[2 * n + (i ^ 1)] = (uint8_t)text[i];
}

static void put_names(const struct ide_drive *d, uint8_t *to, const char *model) {
    char serial[21];
    snprintf(serial, sizeof serial, "MK%05u", d->number + 1);
    put_swapped_text(to, 10, 10, serial);
    put_swapped_text(to, 23, 4, "1.0");
    put_swapped_text(to, 27, 20, model);
}

/* Words 1 to 6 are the drive's own geometry, 54 to 58 the one that is set now. */
static void put_geometry(const struct ide_drive *d, uint8_t *to) {
    struct disk_geometry g = disk_geometry(d->disk);
    uint64_t sectors = disk_sectors(d->disk);
    uint32_t cylinder = (uint32_t)d->r.track * d->r.heads;
    uint64_t cylinders = cylinder ? sectors / cylinder : 0;
    cylinders = cylinders > 65535 ? 65535 : cylinders;
    put_word(to, 1, g.cylinders);
    put_word(to, 3, g.heads);
    put_word(to, 4, DISK_SECTOR * g.sectors);   /* these two as in ATA-1: bytes of a track, of a */
    put_word(to, 5, DISK_SECTOR);               /* sector; some BIOSes read by the second */
    put_word(to, 6, g.sectors);
    put_word(to, 54, (unsigned)cylinders);
    put_word(to, 55, d->r.heads);
    put_word(to, 56, d->r.track);
    put_number(to, 57, 2, cylinders * cylinder);
    put_number(to, 60, 2, sectors > 0x0fffffff ? 0x0fffffff : sectors);
    put_number(to, 100, 4, sectors);
}

static void put_cycles(uint8_t *to) {
    put_word(to, 64, 3);                        /* PIO modes 3 and 4 */
    for (unsigned n = 65; n <= 68; n++)
        put_word(to, n, 120);                   /* ns of a cycle */
}

static void put_features(const struct ide_drive *d, uint8_t *to) {
    enum { POWER = 1 << 3, CACHE = 1 << 5, NOP = 1 << 14, LBA48 = 1 << 10, FLUSH = 1 << 12,
           FLUSH_EXT = 1 << 13, VALID = 1 << 14, MULTIPLE_VALID = 1 << 8 };
    unsigned multiple = d->r.multiple;
    put_word(to, 0, 0x0040);                    /* a fixed disk */
    put_word(to, 2, 0xc837);                    /* no SET FEATURES to spin up; this is complete */
    put_word(to, 47, 0x8000 | IDE_MULTIPLE_MAX);
    put_word(to, 48, 1);                        /* the data port may be accessed by 32 bits */
    put_word(to, 49, 1 << 13 | 1 << 11 | 1 << 9); /* standby timer, IORDY, LBA; no DMA */
    put_word(to, 50, VALID);
    put_word(to, 51, 0x0200);                   /* PIO mode 2 at least */
    put_word(to, 53, 3);                        /* words 54 to 58 and 64 to 70 are valid */
    put_word(to, 59, multiple ? MULTIPLE_VALID | multiple : 0);
    put_cycles(to);
    put_word(to, 80, 0x7e);                     /* ATA-1 to ATA-6 */
    put_word(to, 81, 0x0019);                   /* T13/1410D revision 3a */
    put_word(to, 82, NOP | CACHE | POWER);
    put_word(to, 83, VALID | LBA48 | FLUSH | FLUSH_EXT);
    put_word(to, 84, VALID);
    put_word(to, 85, NOP | POWER | (d->r.cache ? CACHE : 0));
    put_word(to, 86, LBA48 | FLUSH | FLUSH_EXT);
    put_word(to, 87, VALID);
    put_word(to, 93, VALID | 1 << 13 | 1);      /* the cable, by the drive's number */
}

/* Word 255: a signature, and what makes the sum of all bytes 0. */
static void put_sum(uint8_t *to) {
    uint8_t sum = 0xa5;
    to[510] = 0xa5;
    for (unsigned i = 0; i < 510; i++)
        sum += to[i];
    to[511] = (uint8_t)-sum;
}

void ide_identify(struct ide_drive *d) {
    memset(d->buffer, 0, DISK_SECTOR);
    put_names(d, d->buffer, "MINIKVM HARDDISK");
    put_geometry(d, d->buffer);
    put_features(d, d->buffer);
    put_sum(d->buffer);
    ide_send_buffer(d);
}

/* A CD drive, removable; packets of 12 bytes, for which DRQ comes at once and without an interrupt. */
void ide_identify_packet(struct ide_drive *d) {
    enum { POWER = 1 << 3, PACKET = 1 << 4, DEVICE_RESET = 1 << 9, NOP = 1 << 14, VALID = 1 << 14 };
    uint8_t *to = d->buffer;
    memset(to, 0, DISK_SECTOR);
    put_names(d, to, "MINIKVM CD-ROM");
    put_word(to, 0, 0x85c0);
    put_word(to, 48, 1);               /* the data port may be accessed by 32 bits */
    put_word(to, 49, 1 << 11 | 1 << 9); /* IORDY, LBA; no DMA */
    put_word(to, 50, VALID);
    put_word(to, 51, 0x0200);          /* PIO mode 2 at least */
    put_word(to, 53, 2);               /* words 64 to 70 are valid */
    put_cycles(to);
    put_word(to, 80, 0x7e);            /* up to ATA-6 */
    put_word(to, 81, 0x0019);
    for (unsigned n = 82; n <= 85; n += 3)
        put_word(to, n, NOP | DEVICE_RESET | PACKET | POWER);
    put_word(to, 83, VALID);
    put_word(to, 84, VALID);
    put_word(to, 87, VALID);
    put_word(to, 93, VALID | 1 << 13 | 1); /* the cable, by the drive's number */
    put_sum(to);
    ide_send_buffer(d);
}
