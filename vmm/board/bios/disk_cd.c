/* INT 13h of CDs: what was booted as which drive (AH=4Ah to 4Dh, El Torito), and the tray (AH=45h, 46h,
 * 49h: Enhanced Disk Drive Specification 3.0). */
#include "vmm/board/bios/cd.h"
#include "vmm/cpu/service.h"

/* --- AH=4Ah to 4Dh ------------------------------------------------------------------------------------ */

static void change_packet(struct bios *b, const struct cd_packet *s) {
    cd_keep_packet(b, s);
    disk_count_drives(b);
}

static uint8_t number_of_packet(const struct cd_packet *s, uint8_t cd) {
    struct eltorito e = {.media = s->media & CD_MEDIA};
    return eltorito_drive(&e, cd);
}

/* The BIOS's number of the CD that the packet names. */
static uint8_t number_of_disc(struct bios *b, const struct cd_packet *s) {
    unsigned n = 0;
    while (n < DRIVES_CD && b->drives->cd[n] != cd_of_packet(b, s))
        n++;
    return (uint8_t)(DRIVES_FIRST_CD + n);
}

static struct cd_packet asked_packet(struct call *c) {
    struct cd_packet s;
    far_read(c, c->ds, c->si, &s, sizeof s);
    return s;
}

/* What the packet asks for becomes what is kept; the status. */
static uint8_t start_emulation(struct call *c, struct cd_packet *s) {
    struct disk *disk = cd_of_packet(c->bios, s);
    unsigned media = s->media & CD_MEDIA;
    if (s->size < CD_PACKET || media >= ELTORITO_MEDIA || !disk)
        return DISK_BAD_CALL;
    if (s->image >= disk_sectors(disk) / DISK_CD_SECTORS)
        return DISK_NOT_FOUND;
    s->size = CD_PACKET;
    s->drive = number_of_packet(s, number_of_disc(c->bios, s));
    if (media && (media < ELTORITO_HARD_DISK || !(s->sector & 0x3f)))
        cd_put_geometry(s, disk);
    change_packet(c->bios, s);
    return DISK_OK;
}

void cd_start_emulation(struct call *c) {
    struct cd_packet s = asked_packet(c);
    disk_answer(c, start_emulation(c, &s));
}

/* DL is the drive that was booted, or 7Fh. */
static bool is_of_boot(struct call *c, const struct cd_packet *s) {
    return s->size == CD_PACKET && (c->dl == s->drive || c->dl == 0x7f);
}

void cd_status(struct call *c) {
    struct cd_packet s = cd_kept_packet(c->bios);
    if (!is_of_boot(c, &s)) {
        disk_answer(c, DISK_BAD_CALL);
        return;
    }
    far_write(c, c->ds, c->si, &s, sizeof s);
    disk_answer(c, DISK_OK);
}

/* The drives have their own numbers again. */
void cd_end_emulation(struct call *c) {
    struct cd_packet s = cd_kept_packet(c->bios);
    bool ends = is_of_boot(c, &s);
    cd_status(c);
    if (!ends || !(s.media & CD_MEDIA))
        return;
    s.media &= (uint8_t)~CD_MEDIA;
    s.drive = number_of_disc(c->bios, &s);
    change_packet(c->bios, &s);
}

void cd_boot_emulated(struct call *c) {
    struct bios *b = c->bios;
    struct cd_packet s = asked_packet(c);
    uint8_t status = start_emulation(c, &s);
    struct eltorito e = {.image = s.image, .media = s.media & CD_MEDIA, .sectors = s.sectors ? s.sectors : 1,
                         .address = (s.segment ? s.segment : 0x7c0u) * 16};
    if (status == DISK_OK && !cd_load(b, number_of_disc(b, &s), &e))
        status = DISK_CONTROLLER;
    disk_answer(c, status);
    if (status != DISK_OK)
        return;
    bios_boot_state(bios_cpu_anew(b), e.address, s.drive);
    c->elsewhere = true;
}

/* The packet: size, blocks, the buffer, the first block of the catalog. DL names a CD; else it is the one
 * that was booted. */
void cd_read_catalog(struct call *c) {
    struct {
        uint8_t size, blocks;
        uint16_t offset, segment, first;
    } p;
    _Static_assert(sizeof p == 8, "as the specification has it");
    struct bios *b = c->bios;
    struct cd_packet s = cd_kept_packet(b);
    struct bios_drive d = drive_of(c);
    uint8_t block[ELTORITO_BLOCK];
    struct disk *disk = d.disk && d.kind == DRIVE_CD ? d.disk : cd_of_packet(b, &s);
    far_read(c, c->ds, c->si, &p, sizeof p);
    if (p.size < sizeof p || s.size != CD_PACKET || !disk) {
        disk_answer(c, DISK_BAD_CALL);
        return;
    }
    uint32_t catalog = peek32(b, ebda(b, EBDA_CD_CATALOG)) + p.first;
    for (unsigned n = 0; n < p.blocks; n++) {
        if (!cd_read_block(disk, catalog + n, block)) {
            disk_answer(c, DISK_NOT_FOUND);
            return;
        }
        service_write(b->cpu, p.segment * 16u + p.offset + n * ELTORITO_BLOCK, block, sizeof block);
    }
    disk_answer(c, DISK_OK);
}

/* --- words ---------------------------------------------------------------------------------------------- */

static void packet_words(const struct cd_packet *s, struct words *w) {
    words_add(w, "%s, drive %02xh, image at block %u of IDE %u %s", eltorito_media_name(s->media & CD_MEDIA), s->drive,
              s->image, s->controller, s->device & 1 ? "slave" : "master");
}

void cd_ask_packet(struct call *c, struct words *w) {
    struct cd_packet s = asked_packet(c);
    packet_words(&s, w);
}

void cd_answer_packet(struct call *c, struct words *w) {
    struct cd_packet s = asked_packet(c);
    if (c->ah)
        disk_answer_words(c, w);
    else
        packet_words(&s, w);
}

/* --- the tray --------------------------------------------------------------------------------------------- */

/* AL: 0 locks, 1 unlocks, 2 asks; AL is whether it is locked. Of a hard disk nothing can be taken. */
void cd_lock(struct call *c) {
    enum { LOCK, UNLOCK, ASK };
    struct bios_drive d = drive_of(c);
    if (!d.disk || c->al > ASK || d.kind == DRIVE_FLOPPY) {
        disk_answer(c, DISK_BAD_CALL);
        return;
    }
    struct disk_tray tray = disk_tray(d.disk);
    uint8_t status = c->al == LOCK && tray.locks == 0xff ? DISK_LOCKS_FULL
                     : c->al == UNLOCK && !tray.locks    ? DISK_NOT_LOCKED : DISK_OK;
    if (d.kind == DRIVE_CD && status == DISK_OK) {
        tray.locks = (uint8_t)(tray.locks + (c->al == LOCK) - (c->al == UNLOCK));
        disk_set_tray(d.disk, tray);
    }
    c->al = tray.locks != 0;
    disk_answer(c, d.kind == DRIVE_CD ? status : DISK_OK);
}

void cd_eject(struct call *c) {
    struct bios_drive d = drive_of(c);
    if (!d.disk || d.kind != DRIVE_CD) {
        disk_answer(c, d.disk ? DISK_NOT_REMOVABLE : DISK_BAD_CALL);
        return;
    }
    struct disk_tray tray = disk_tray(d.disk);
    if (tray.locks) {
        disk_answer(c, DISK_LOCKED);
        return;
    }
    tray.open = true;
    disk_set_tray(d.disk, tray);
    disk_answer(c, DISK_OK);
}

/* Nobody but the guest opens the tray. */
void cd_has_changed(struct call *c) { disk_answer(c, drive_of(c).disk ? DISK_OK : DISK_BAD_CALL); }
