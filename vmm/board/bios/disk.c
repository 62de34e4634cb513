/* INT 13h: diskettes and hard disks by cylinder, head and sector. By number: disk_extended.c; what is only
 * of CDs: disk_cd.c. */
#include "vmm/board/bios/disk.h"

#include <string.h>

#include "vmm/devices/disk/geometry.h"

/* --- by cylinder, head and sector ------------------------------------------------------------- */

struct place {
    unsigned cylinder, head, sector;
};

/* CH, CL, DH: eight bits of the cylinder and two more; sectors begin at 1. */
static struct place disk_place(const struct call *c) {
    return (struct place){c->ch | (c->cl & 0xc0) << 2, c->dh, c->cl & 0x3f};
}

static bool is_inside(const struct place *p, const struct disk_geometry *g) {
    return p->cylinder < g->cylinders && p->head < g->heads && p->sector && p->sector <= g->sectors;
}

static uint64_t lba_of(const struct place *p, const struct disk_geometry *g) {
    return ((uint64_t)p->cylinder * g->heads + p->head) * g->sectors + p->sector - 1;
}

/* A diskette's data come by DMA, whose page register does not count on. */
static bool crosses_dma_page(const struct call *c, const struct bios_drive *d, unsigned count) {
    uint32_t first = c->es * 16u + c->bx;
    return d->kind == DRIVE_FLOPPY && !d->emulated && first >> 16 != (first + count * DISK_SECTOR - 1) >> 16;
}

/* What AH=02, 03 and 04 ask for; the status if that cannot be. */
static uint8_t plan_by_place(struct call *c, enum disk_do kind, struct disk_transfer *t) {
    struct bios_drive d = drive_of(c);
    if (!d.disk || !c->al || c->al > 128)
        return DISK_BAD_CALL;
    struct place p = disk_place(c);
    if (!is_inside(&p, &d.geometry))
        return disk_is_hard(c->dl) ? DISK_BAD_CALL : DISK_NOT_FOUND;
    uint64_t lba = lba_of(&p, &d.geometry);
    *t = (struct disk_transfer){d.disk, kind, d.first + lba, c->al, c->es * 16u + c->bx};
    if (lba + t->count > d.sectors)
        return DISK_NOT_FOUND;
    return kind != DISK_DO_VERIFY && crosses_dma_page(c, &d, t->count) ? DISK_BOUNDARY : DISK_OK;
}

/* AL is how many were done. */
static void transfer_by_place(struct call *c, enum disk_do kind) {
    struct disk_transfer t;
    unsigned done = 0;
    uint8_t status = plan_by_place(c, kind, &t);
    if (status == DISK_OK)
        status = disk_transfer(c, &t, &done);
    c->al = (uint8_t)done;
    disk_answer(c, status);
}

static void read_sectors(struct call *c) { transfer_by_place(c, DISK_DO_READ); }
static void write_sectors(struct call *c) { transfer_by_place(c, DISK_DO_WRITE); }
static void verify_sectors(struct call *c) { transfer_by_place(c, DISK_DO_VERIFY); }

/* --- words ---------------------------------------------------------------------------------------- */

static void ask_transfer(struct call *c, struct words *w, enum disk_do kind) {
    static const char *const ways[] = {"to", "from", "at"};
    struct place p = disk_place(c);
    struct disk_transfer t;
    uint8_t status = plan_by_place(c, kind, &t);
    words_add(w, "%u from C%u H%u S%u of drive %02xh %s %04x:%04x; ", c->al, p.cylinder, p.head, p.sector,
        c->dl, ways[kind], c->es, c->bx);
    if (status != DISK_OK)
        words_add(w, "it will fail: %s", disk_status_text(status));
    else
        words_add(w, "the disk has %s", t.count > 1 ? "them" : "it");
}

static void ask_read(struct call *c, struct words *w) { ask_transfer(c, w, DISK_DO_READ); }
static void ask_disk_write(struct call *c, struct words *w) { ask_transfer(c, w, DISK_DO_WRITE); }
static void ask_verify(struct call *c, struct words *w) { ask_transfer(c, w, DISK_DO_VERIFY); }

static void ask_drive(struct call *c, struct words *w) { words_add(w, "drive %02xh", c->dl); }

/* --- what is known of a drive -------------------------------------------------------------------- */

static void put_last_place(struct call *c, const struct disk_geometry *g) {
    unsigned last = g->cylinders - 1;
    c->ch = (uint8_t)last;
    c->cl = (uint8_t)((last >> 8 & 3) << 6 | g->sectors);
    c->dh = (uint8_t)(g->heads - 1);
}

static void drive_parameters(struct call *c) {
    struct bios_drive d = drive_of(c);
    if (!d.disk || d.kind == DRIVE_CD) {
        disk_answer(c, DISK_BAD_CALL);
        return;
    }
    disk_answer(c, DISK_OK);
    c->al = 0;
    put_last_place(c, &d.geometry);
    c->dl = (uint8_t)drive_count(c->bios, d.kind == DRIVE_FLOPPY);
    if (d.kind == DRIVE_FLOPPY) {
        c->bx = geometry_floppy_type(&d.geometry);
        c->es = peek16(c->bios, 0x1e * 4 + 2);
        c->di = peek16(c->bios, 0x1e * 4);
    }
}

static void answer_parameters(struct call *c, struct words *w) {
    if (c->ah)
        disk_answer_words(c, w);
    else
        words_add(w, "%u cylinders, %u heads, %u sectors; %u drive%s", (c->ch | (c->cl & 0xc0) << 2) + 1,
            c->dh + 1, c->cl & 0x3f, c->dl, c->dl == 1 ? "" : "s");
}

/* AH=15: 1 a drive that does not tell a change of its medium, 3 a hard disk of CX:DX sectors, 0 none. */
static void drive_type(struct call *c) {
    struct bios_drive d = drive_of(c);
    disk_answer(c, DISK_OK);
    c->ah = !d.disk ? 0 : d.kind == DRIVE_HARD ? 3 : 1;
    if (c->ah != 3)
        return;
    uint32_t sectors = d.geometry.cylinders * d.geometry.heads * d.geometry.sectors;
    c->cx = (uint16_t)(sectors >> 16);
    c->dx = (uint16_t)sectors;
}

/* --- the rest ------------------------------------------------------------------------------------------ */

static void check_drive(struct call *c) { disk_answer(c, drive_of(c).disk ? DISK_OK : DISK_BAD_CALL); }

static void last_status(struct call *c) {
    c->ah = peek8(c->bios, disk_is_hard(c->dl) ? BDA_DISK_STATUS : BDA_FLOPPY_STATUS);
    set_carry(c, c->ah);
}

static void seek(struct call *c) {
    struct bios_drive d = drive_of(c);
    if (!d.disk || disk_place(c).cylinder >= d.geometry.cylinders)
        disk_answer(c, d.disk ? DISK_SEEK : DISK_BAD_CALL);
    else
        disk_answer(c, DISK_OK);
}

/* A diskette's track is filled as DOS does it. A hard disk is not formatted like this any more. */
static void format_track(struct call *c) {
    struct bios_drive d = drive_of(c);
    uint8_t bytes[DISK_SECTOR];
    struct place p = disk_place(c);
    p.sector = 1;
    if (d.kind != DRIVE_FLOPPY || !d.disk || !is_inside(&p, &d.geometry)) {
        disk_answer(c, d.disk && d.kind == DRIVE_HARD ? DISK_OK : DISK_BAD_CALL);
        return;
    }
    memset(bytes, 0xf6, sizeof bytes);
    enum disk_result result = DISK_DONE;
    for (unsigned n = 0; n < d.geometry.sectors && result == DISK_DONE; n++)
        result = disk_write(d.disk, d.first + lba_of(&p, &d.geometry) + n, bytes, 1);
    disk_answer(c, disk_status(result));
}

/* AH=18: are these the tracks and sectors of the drive's medium? */
static void set_media(struct call *c) {
    struct bios_drive d = drive_of(c);
    struct place p = disk_place(c);
    if (!d.disk || d.kind != DRIVE_FLOPPY) {
        disk_answer(c, DISK_BAD_CALL);
        return;
    }
    if (p.cylinder != d.geometry.cylinders - 1 || p.sector != d.geometry.sectors) {
        disk_answer(c, DISK_BAD_MEDIA);
        return;
    }
    c->es = peek16(c->bios, 0x1e * 4 + 2);
    c->di = peek16(c->bios, 0x1e * 4);
    disk_answer(c, DISK_OK);
}

static const struct service list[] = {
    TOLD(0x13, BY_AH(0x00), "reset", check_drive, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x01), "status of the last operation", last_status, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x02), "read sectors", read_sectors, ask_read, disk_answer_words),
    TOLD(0x13, BY_AH(0x03), "write sectors", write_sectors, ask_disk_write, disk_answer_words),
    TOLD(0x13, BY_AH(0x04), "verify sectors", verify_sectors, ask_verify, disk_answer_words),
    TOLD(0x13, BY_AH(0x05), "format a track", format_track, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x08), "drive parameters", drive_parameters, ask_drive, answer_parameters),
    TOLD(0x13, BY_AH(0x09), "set the drive's parameters", check_drive, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x0c), "seek", seek, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x0d), "reset", check_drive, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x10), "is it ready", check_drive, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x11), "recalibrate", check_drive, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x14), "diagnose the controller", check_drive, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x15), "drive type", drive_type, ask_drive, NULL),
    TOLD(0x13, BY_AH(0x16), "has the diskette changed", check_drive, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x17), "set the diskette's type", check_drive, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x18), "set the medium", set_media, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x41), "are there extensions", disk_has_extensions, ask_drive, NULL),
    TOLD(0x13, BY_AH(0x42), "read sectors by number", disk_extended_read, disk_ask_packet, disk_answer_words),
    TOLD(0x13, BY_AH(0x43), "write sectors by number", disk_extended_write, disk_ask_packet, disk_answer_words),
    TOLD(0x13, BY_AH(0x44), "verify sectors by number", disk_extended_verify, disk_ask_packet,
         disk_answer_words),
    TOLD(0x13, BY_AH(0x45), "lock the drive", cd_lock, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x46), "eject", cd_eject, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x47), "seek by number", disk_extended_seek, disk_ask_packet, disk_answer_words),
    TOLD(0x13, BY_AH(0x48), "drive parameters", disk_extended_parameters, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AH(0x49), "has the medium changed", cd_has_changed, ask_drive, disk_answer_words),
    TOLD(0x13, BY_AX(0x4a00), "CD: start emulation", cd_start_emulation, cd_ask_packet, disk_answer_words),
    TOLD(0x13, BY_AX(0x4b00), "CD: end emulation", cd_end_emulation, ask_drive, cd_answer_packet),
    TOLD(0x13, BY_AX(0x4b01), "CD: status of emulation", cd_status, ask_drive, cd_answer_packet),
    TOLD(0x13, BY_AX(0x4c00), "CD: start emulation, and boot", cd_boot_emulated, cd_ask_packet, disk_answer_words),
    TOLD(0x13, BY_AX(0x4d00), "CD: read the boot catalog", cd_read_catalog, ask_drive, disk_answer_words),
};
const struct services services_disk = {list, sizeof list / sizeof *list};

/* --- at power-on ------------------------------------------------------------------------------------------ */

/* INT 41h and 46h: cylinders, heads, write precompensation, control, landing zone, sectors. */
static void put_table(struct bios *b, unsigned n) {
    struct disk *disk = drives_bios(b->drives, 0x80 + n);
    uint32_t at = ebda(b, n ? EBDA_DISK1 : EBDA_DISK0);
    if (!disk)
        return;
    struct disk_geometry g = disk_bios_geometry(disk);
    poke16(b, at, (uint16_t)g.cylinders);
    poke8(b, at + 2, (uint8_t)g.heads);
    poke16(b, at + 5, 0xffff);
    poke8(b, at + 8, (uint8_t)(0xc0 | (g.heads > 8) << 3));
    poke16(b, at + 12, (uint16_t)(g.cylinders - 1));
    poke8(b, at + 14, (uint8_t)g.sectors);
    set_vector(b, n ? 0x46 : 0x41, (uint16_t)(ebda(b, 0) >> 4), (uint16_t)(n ? EBDA_DISK1 : EBDA_DISK0));
}

enum { DOR = 0x3f2, STATUS = 0x3f4, FIFO = 0x3f5, RATE = 0x3f7, DOR_RUNS = 0x0c };

/* As a BIOS leaves the controller: reset, with times, the diskette's rate, and the first drive's
 * head at cylinder 0. Services do not go through it. */
static void start_floppies(struct bios *b, const struct disk *disk) {
    static const uint8_t bytes[] = {8, 8, 8, 8, 3, 0xaf, 2, 7, 0, 8}; /* SENSE INTERRUPT, SPECIFY, RECALIBRATE */
    struct disk_geometry g = disk_bios_geometry(disk);
    port_out(b, DOR, DOR_RUNS);
    port_out(b, RATE, (uint8_t)geometry_floppy_rate(&g));
    for (size_t i = 0; i < sizeof bytes; i++) {
        port_out(b, FIFO, bytes[i]);
        while ((port_in(b, STATUS) & 0xc0) == 0xc0)
            port_in(b, FIFO);
    }
}

void disk_post(struct bios *b) {
    if (!b->drives)
        return;
    cd_forget(b);
    disk_count_drives(b);
    unsigned floppies = drive_count(b, true);
    if (drives_bios(b->drives, 0))
        start_floppies(b, drives_bios(b->drives, 0));
    for (unsigned n = 0; n < 2; n++) {
        poke8(b, BDA_FLOPPY_STATES + n, n < floppies ? 0x17 : 0);
        put_table(b, n);
    }
}
