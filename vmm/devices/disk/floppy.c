/* The floppy controller's registers; see floppy.h. */
#include "vmm/devices/disk/floppy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/devices/devices.h"
#include "vmm/devices/disk/drives.h"
#include "vmm/devices/disk/geometry.h"

enum { FIRST = 0x3f0, DOR = 2, TAPE, MSR_DSR, FIFO, LAST = FIRST + FIFO, DIR_CCR = 0x3f7 }; /* 3F6h is IDE's */
enum { IRQ = 6, CHANNEL = 2, DSR_RESET = 0x80, DSR_RATE = 3, DIR_CHANGED = 0x80 };
enum { CMOS_TYPES = 0x10, CMOS_HARD = 0x12, CMOS_EQUIPMENT = 0x14, CMOS_HARD_TYPES = 0x19 };
enum { CONFIG_AFTER_RESET = 0x20 }; /* no FIFO, polling (5.2.7) */

void floppy_tell(struct floppy *f, enum floppy_told what, const char *format, ...) {
    char text[300];
    va_list args;
    if (f->told >> what & 1 || !f->board->tell)
        return;
    f->told |= 1u << what;
    int n = snprintf(text, sizeof text, "floppy controller: ");
    va_start(args, format);
    vsnprintf(text + n, sizeof text - n, format, args);
    va_end(args);
    f->board->tell(f->board->machine, text);
}

/* --- the interrupt ------------------------------------------------------------------------ */

/* In a PC bit 3 of the DOR lets INT and DRQ through. */
static void update_line(struct floppy *f) {
    f->board->irq(f->board->machine, IRQ, f->r.interrupt && f->r.dor & DOR_DMA);
}

void floppy_interrupt(struct floppy *f, bool level) {
    f->r.interrupt = level;
    update_line(f);
}

/* --- reset (5.4) -------------------------------------------------------------------------- */

/* What CONFIGURE has set stays if it was locked, but for implied seeks and polling. */
static void reset_controller(struct floppy *f) {
    struct floppy_registers *r = &f->r;
    r->phase = FLOPPY_COMMAND;
    r->at = r->length = 0;
    r->perpendicular &= 0x3c;
    memset(r->seek_st0, 0, sizeof r->seek_st0);
    r->polls = 0;
    r->config = r->locked ? r->config & 0x2f : CONFIG_AFTER_RESET;
    if (!r->locked)
        r->precompensation = 0;
    floppy_interrupt(f, false);
}

/* It polls the drives, and tells of each (6.4). */
static void leave_reset(struct floppy *f) {
    f->r.polls = FLOPPY_UNITS;
    floppy_interrupt(f, true);
}

static void write_dor(struct floppy *f, uint8_t value) {
    bool ran = f->r.dor & DOR_RUNS, runs = value & DOR_RUNS;
    f->r.dor = value;
    if (ran && !runs)
        reset_controller(f);
    else if (!ran && runs)
        leave_reset(f);
    else
        update_line(f);
}

static void write_dsr(struct floppy *f, uint8_t value) {
    f->r.rate = value & DSR_RATE;
    if (!(value & DSR_RESET) || !(f->r.dor & DOR_RUNS))
        return;
    reset_controller(f);
    leave_reset(f);
}

/* --- registers ------------------------------------------------------------------------------ */

static uint8_t main_status(const struct floppy *f) {
    static const uint8_t status[] = {
        [FLOPPY_COMMAND] = MSR_RQM, [FLOPPY_WAITS_DMA] = MSR_BUSY,
        [FLOPPY_BYTES_IN] = MSR_RQM | MSR_DIO | MSR_NO_DMA | MSR_BUSY,
        [FLOPPY_BYTES_OUT] = MSR_RQM | MSR_NO_DMA | MSR_BUSY, [FLOPPY_RESULT] = MSR_RQM | MSR_DIO | MSR_BUSY};
    if (!(f->r.dor & DOR_RUNS))
        return 0;
    return status[f->r.phase] | (f->r.phase == FLOPPY_COMMAND && f->r.at ? MSR_BUSY : 0);
}

/* The change line is that of the drive that the DOR selects. */
static uint8_t digital_input(const struct floppy *f) {
    unsigned unit = f->r.dor & DOR_DRIVE;
    bool on = f->r.dor & DOR_MOTOR << unit;
    return on && f->drive[unit].disk && f->r.changed[unit] ? DIR_CHANGED : 0;
}

static uint8_t floppy_read(struct floppy *f, unsigned n) {
    switch (n) {
    case DOR: return f->r.dor;
    case TAPE: return 0xfc | f->r.tape;
    case MSR_DSR: return main_status(f);
    case FIFO: return f->r.dor & DOR_RUNS ? floppy_get(f) : 0xff;
    case DIR_CCR - FIRST: return digital_input(f);
    default: return 0xff; /* SRA and SRB: of the PS/2 */
    }
}

static void floppy_write(struct floppy *f, unsigned n, uint8_t value) {
    switch (n) {
    case DOR: write_dor(f, value); break;
    case TAPE: f->r.tape = value & 3; break;
    case MSR_DSR: write_dsr(f, value); break;
    case FIFO:
        if (f->r.dor & DOR_RUNS)
            floppy_put(f, value);
        break;
    case DIR_CCR - FIRST: f->r.rate = value & DSR_RATE; break;
    }
}

static enum io_result access_floppy(void *device, const struct access *a) {
    struct floppy *f = device;
    unsigned n = (unsigned)a->address - FIRST;
    if (!a->write)
        return access_reply(a, UINT64_MAX << 8 | floppy_read(f, n));
    floppy_write(f, n, access_byte(a));
    return IO_DONE;
}

/* --- the device ------------------------------------------------------------------------------- */

static void find_disk(struct floppy *f, unsigned unit) {
    struct disk *disk = f->drives && unit < FLOPPY_DRIVES ? drives_bios(f->drives, unit) : NULL;
    f->drive[unit] = (struct floppy_drive){.disk = disk};
    if (disk)
        f->drive[unit].geometry = disk_bios_geometry(disk);
}

/* Type 15 is one that the second byte names: 47, with parameters of its own. */
static void tell_hard_disks(uint8_t *cmos, const struct drives *drives) {
    for (unsigned n = 0; drives && n < 2; n++)
        if (drives->hard[n]) {
            cmos[CMOS_HARD] |= n ? 0x0f : 0xf0;
            cmos[CMOS_HARD_TYPES + n] = 47;
        }
}

/* The kinds of the drives are in the clock's RAM, as setup leaves them. */
static void tell_cmos(struct floppy *f) {
    unsigned count = 0, types = 0;
    for (unsigned unit = 0; unit < FLOPPY_DRIVES; unit++) {
        const struct floppy_drive *d = &f->drive[unit];
        types = types << 4 | (d->disk ? geometry_floppy_type(&d->geometry) : 0);
        count += d->disk != NULL;
    }
    tell_hard_disks(f->cmos, f->drives);
    f->cmos[CMOS_TYPES] = (uint8_t)types;
    f->cmos[CMOS_EQUIPMENT] |= count ? (uint8_t)(1 | (count - 1) << 6) : 0;
}

/* Diskettes have been put in since the heads moved last. */
static void reset(void *device) {
    struct floppy *f = device;
    f->r = (struct floppy_registers){.rate = RATE_250, .config = CONFIG_AFTER_RESET};
    f->told = 0;
    for (unsigned unit = 0; unit < FLOPPY_UNITS; unit++) {
        f->r.changed[unit] = true;
        find_disk(f, unit);
    }
    tell_cmos(f);
}

static void save(const void *device, struct device_state *s) {
    const struct floppy *f = device;
    device_put(s, &f->r, sizeof f->r);
}

static void load(void *device, struct device_state *s) {
    struct floppy *f = device;
    device_take(s, &f->r, sizeof f->r);
}

static void describe(const void *device, const struct device_sink *sink) {
    static const char *const phases[] = {"command", "waits for DMA", "bytes to the guest", "bytes from the guest",
                                         "result"};
    const struct floppy *f = device;
    if (!f->r.dor)
        return;
    device_row(sink, "floppy", "DOR, MSR", "0x%02x, 0x%02x", f->r.dor, main_status(f));
    device_row(sink, "floppy", "phase", "%s, command 0x%02x", phases[f->r.phase], f->r.byte[0]);
    for (unsigned unit = 0; unit < FLOPPY_DRIVES; unit++)
        if (f->drive[unit].disk)
            device_row(sink, "floppy", unit ? "drive 1" : "drive 0", "motor %s, cylinder %u of %u",
                       f->r.dor & DOR_MOTOR << unit ? "on" : "off", f->r.cylinder[unit],
                       f->drive[unit].geometry.cylinders);
    device_row(sink, "floppy", "interrupt", "%s", f->r.interrupt ? "wanted" : "none");
}

static void *open_on(const struct device_site *site) {
    struct floppy *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->board = site->board;
    f->drives = site->drives;
    f->dma = &site->devices->dma;
    f->cmos = site->devices->cmos.ram;
    dma_connect(f->dma, CHANNEL, floppy_go, f);
    bus_add(site->bus, "floppy", FIRST, LAST, access_floppy, f);
    bus_add(site->bus, "floppy", DIR_CCR, DIR_CCR, access_floppy, f);
    return f;
}

const struct device_class device_floppy = {
    .name = "floppy",
    .open = open_on,
    .reset = reset,
    .save = save,
    .load = load,
    .describe = describe,
    .close = free,
};
