/* The commands of a disk: ATA-6 chapter 8, and those of ATA-1 that old drivers use. */
#include "vmm/devices/disk/ide.h"

/* --- how they end ------------------------------------------------------------------------- */

static void end_command(struct ide_drive *d, uint8_t status, uint8_t error) {
    d->r.status = status;
    d->r.error = error;
    d->r.phase = IDE_IDLE;
    d->r.at = d->r.length = 0;
    d->r.interrupt = true;
}

void ide_done(struct ide_drive *d) { end_command(d, IDE_DRDY | IDE_DSC, 0); }

void ide_fail(struct ide_drive *d, uint8_t error) { end_command(d, IDE_DRDY | IDE_DSC | IDE_ERR, error); }

/* --- each ------------------------------------------------------------------------------------ */

static bool address(const struct ide_call *c) {
    return ide_address(c->drive, c->channel->lines.device, c->extended);
}

void ide_do_nothing(const struct ide_call *c) { ide_done(c->drive); }

void ide_do_abort(const struct ide_call *c) { ide_fail(c->drive, IDE_ABRT); }

static void do_read(const struct ide_call *c) {
    if (address(c))
        ide_read(c->drive, 1);
}

static void do_write(const struct ide_call *c) {
    if (address(c))
        ide_write(c->drive, 1);
}

static void do_read_multiple(const struct ide_call *c) {
    if (!c->drive->r.multiple)
        ide_fail(c->drive, IDE_ABRT);
    else if (address(c))
        ide_read(c->drive, c->drive->r.multiple);
}

static void do_write_multiple(const struct ide_call *c) {
    if (!c->drive->r.multiple)
        ide_fail(c->drive, IDE_ABRT);
    else if (address(c))
        ide_write(c->drive, c->drive->r.multiple);
}

static void do_verify(const struct ide_call *c) {
    if (address(c))
        ide_verify(c->drive);
}

/* The place must be one; a count does not matter. */
static void do_seek(const struct ide_call *c) {
    if (!address(c))
        return;
    if (c->drive->r.lba >= disk_sectors(c->drive->disk))
        ide_fail(c->drive, IDE_IDNF);
    else
        ide_done(c->drive);
}

/* 0 turns READ MULTIPLE off. */
static void do_set_multiple(const struct ide_call *c) {
    unsigned n = c->drive->r.task.count[0];
    if (n > IDE_MULTIPLE_MAX || n & (n - 1)) {
        ide_fail(c->drive, IDE_ABRT);
        return;
    }
    c->drive->r.multiple = (uint8_t)n;
    ide_done(c->drive);
}

/* ATA-1 9.10: sectors of a track, and the highest head, for CHS from now on. */
static void do_set_geometry(const struct ide_call *c) {
    struct ide_registers *r = &c->drive->r;
    if (!r->task.count[0] || r->task.count[0] > 63) {
        ide_fail(c->drive, IDE_ABRT);
        return;
    }
    r->track = r->task.count[0];
    r->heads = (c->channel->lines.device & IDE_HEAD) + 1;
    ide_done(c->drive);
}

static void do_identify(const struct ide_call *c) { ide_identify(c->drive); }

/* So a driver knows that it is a disk, and none of ATAPI. */
static void do_identify_packet(const struct ide_call *c) {
    ide_signature(c->drive);
    ide_fail(c->drive, IDE_ABRT);
}

static void do_flush(const struct ide_call *c) {
    if (disk_flush(c->drive->disk) == DISK_DONE) {
        ide_done(c->drive);
        return;
    }
    ide_fail(c->drive, IDE_ABRT);
    c->drive->r.status |= IDE_DF;
}

/* It is active or idle. */
void ide_do_check_power(const struct ide_call *c) {
    c->drive->r.task.count[0] = 0xff;
    ide_done(c->drive);
}

/* The last sector. Without LBA48 it is the last one that LBA28 reaches. */
static void do_native_max(const struct ide_call *c) {
    struct ide_task *t = &c->drive->r.task;
    uint64_t last = disk_sectors(c->drive->disk) - 1;
    if (!c->extended && last > 0x0fffffff)
        last = 0x0fffffff;
    t->low[0] = (uint8_t)last;
    t->mid[0] = (uint8_t)(last >> 8);
    t->high[0] = (uint8_t)(last >> 16);
    if (c->extended) {
        t->low[1] = (uint8_t)(last >> 24);
        t->mid[1] = (uint8_t)(last >> 32);
        t->high[1] = (uint8_t)(last >> 40);
    } else {
        c->channel->lines.device = (uint8_t)((c->channel->lines.device & ~IDE_HEAD) | (last >> 24 & IDE_HEAD));
    }
    ide_done(c->drive);
}

/* ATA-6 8.46: a mode of PIO may be set; there is no DMA. */
static bool is_pio_mode(unsigned mode) { return mode <= 1 || (mode >= 8 && mode <= 0x0c); }

void ide_do_set_features(const struct ide_call *c) {
    enum { CACHE_ON = 0x02, MODE = 0x03, KEEP_SETTINGS = 0x66, NO_LOOK_AHEAD = 0x55, CACHE_OFF = 0x82,
           LOOK_AHEAD = 0xaa, DROP_SETTINGS = 0xcc };
    struct ide_registers *r = &c->drive->r;
    bool good = true;
    switch (r->task.feature[0]) {
    case CACHE_ON: r->cache = 1; break;
    case CACHE_OFF: r->cache = 0; break;
    case MODE: good = is_pio_mode(r->task.count[0]); break;
    case KEEP_SETTINGS: case DROP_SETTINGS: case LOOK_AHEAD: case NO_LOOK_AHEAD: break;
    default: good = false; break;
    }
    if (good)
        ide_done(c->drive);
    else
        ide_fail(c->drive, IDE_ABRT);
}

/* Both drives test themselves; the master tells (ATA-6 8.11). */
void ide_do_diagnose(const struct ide_call *c) {
    for (unsigned i = 0; i < IDE_DRIVES; i++)
        ide_signature(&c->channel->drive[i]);
    c->channel->lines.device = IDE_OBSOLETE;
    c->channel->drive[0].r.interrupt = c->channel->drive[0].disk != NULL;
}

/* --- the table --------------------------------------------------------------------------------- */

enum { DIAGNOSE = 0x90 };

static const struct ide_row rows[] = {
    {0x20, 0x21, false, do_read, NULL},
    {0x30, 0x31, false, do_write, NULL},
    {0x24, 0x24, true, do_read, NULL},
    {0x34, 0x34, true, do_write, NULL},
    {0xc4, 0xc4, false, do_read_multiple, NULL},
    {0xc5, 0xc5, false, do_write_multiple, NULL},
    {0x29, 0x29, true, do_read_multiple, NULL},
    {0x39, 0x39, true, do_write_multiple, NULL},
    {0xc6, 0xc6, false, do_set_multiple, NULL},
    {0xec, 0xec, false, do_identify, NULL},
    {0xe7, 0xe7, false, do_flush, NULL},
    {0xea, 0xea, true, do_flush, NULL},
    {0x40, 0x41, false, do_verify, NULL},
    {0x42, 0x42, true, do_verify, NULL},
    {0x70, 0x7f, false, do_seek, NULL},
    {0x10, 0x1f, false, ide_do_nothing, NULL}, /* RECALIBRATE */
    {0x91, 0x91, false, do_set_geometry, NULL},
    {0xef, 0xef, false, ide_do_set_features, NULL},
    {0xf8, 0xf8, false, do_native_max, NULL},
    {0x27, 0x27, true, do_native_max, NULL},
    {DIAGNOSE, DIAGNOSE, false, ide_do_diagnose, NULL},
    {0x94, 0x97, false, ide_do_nothing, NULL}, /* STANDBY IMMEDIATE, IDLE IMMEDIATE, STANDBY, IDLE */
    {0xe0, 0xe3, false, ide_do_nothing, NULL}, /* the same */
    {0x98, 0x98, false, ide_do_check_power, NULL},
    {0xe5, 0xe5, false, ide_do_check_power, NULL},
    {0x99, 0x99, false, ide_do_nothing, NULL}, /* SLEEP */
    {0xe6, 0xe6, false, ide_do_nothing, NULL},
    {0xa1, 0xa1, false, do_identify_packet, NULL},
    {0x00, 0x00, false, ide_do_abort, NULL}, /* NOP always ends so */
    {0xa0, 0xa0, false, ide_do_abort, NULL}, /* PACKET, DEVICE RESET: how drivers look for ATAPI */
    {0x08, 0x08, false, ide_do_abort, NULL},
    {0x25, 0x25, false, ide_do_abort, "READ DMA EXT"},
    {0x35, 0x35, false, ide_do_abort, "WRITE DMA EXT"},
    {0xc8, 0xc9, false, ide_do_abort, "READ DMA"},
    {0xca, 0xcb, false, ide_do_abort, "WRITE DMA"},
    {0x00, 0xff, false, ide_do_abort, "not one of this drive's"},
};

static const struct ide_row *find_command(const struct ide_drive *d, uint8_t command) {
    const struct ide_row *r = ide_is_cd(d) ? ide_packet_rows : rows;
    while (command < r->first || command > r->last)
        r++;
    return r;
}

static void tell_aborted(struct ide_channel *c, const struct ide_drive *d, const struct ide_row *r, uint8_t command) {
    uint8_t bit = 1 << (command & 7), *byte = &c->told_commands[command >> 3];
    if (!r->name || *byte & bit)
        return;
    *byte |= bit;
    ide_tell(c, d, "command 0x%02x (%s) is aborted: the drive has ATA-6's programmed I/O, without DMA", command,
             r->name);
}

/* Data of the command before is dropped, which hangs other drives: a person may want to know. */
static void tell_dropped(struct ide_channel *c, const struct ide_drive *d, uint8_t command) {
    if (d->r.phase == IDE_IDLE || c->told_dropped)
        return;
    c->told_dropped = true;
    ide_tell(c, d, "command 0x%02x comes while command 0x%02x still has data to pass (DRQ); that is dropped",
             command, d->r.command);
}

/* A drive that is not there hears nothing, but for EXECUTE DEVICE DIAGNOSTIC, which goes to both. */
void ide_command(struct ide_channel *c, uint8_t command) {
    struct ide_call call = {.channel = c, .drive = ide_selected(c)};
    if (command == DIAGNOSE && !call.drive->disk)
        call.drive = &c->drive[0];
    if (!call.drive->disk)
        return;
    const struct ide_row *r = find_command(call.drive, command);
    tell_dropped(c, call.drive, command);
    tell_aborted(c, call.drive, r, command);
    call.extended = r->extended;
    call.drive->r.command = command;
    call.drive->r.phase = IDE_IDLE;
    call.drive->r.packet.drq = 0;
    call.drive->r.interrupt = false;
    call.drive->r.error = 0;
    r->run(&call);
}
