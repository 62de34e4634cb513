/* What the floppy controller moves to and from sectors, by DMA or byte by byte; see floppy.h. */
#include "vmm/devices/disk/floppy.h"

#include <stdio.h>
#include <string.h>

#include "vmm/devices/disk/geometry.h"
#include "vmm/devices/dma.h"

enum { CHANNEL = 2, MULTI_TRACK = 0x80, MFM = 0x40, SECTOR_SIZE = 2, ID_SIZE = 4, SPECIFY_NO_DMA = 1 };
enum { CONFIG_NO_FIFO = 0x20, CONFIG_THRESHOLD = 0xf, VERIFY_COUNTS = 0x80 };
enum { C = 2, H, R, N, EOT, VERIFY_COUNT = 8 };           /* parameters of READ and its like */
enum { FORMAT_N = 2, FORMAT_SECTORS, FORMAT_FILL = 5 };   /* of FORMAT TRACK */

static const struct floppy_drive *drive(const struct floppy *f) { return &f->drive[floppy_unit(f)]; }
static unsigned head_at(const struct floppy *f) { return f->r.cylinder[floppy_unit(f)]; }

/* --- is there anything to read ------------------------------------------------------------------ */

/* In a drive of 1.2M, which turns faster, the old diskettes have 300 kbit/s. */
static bool rate_fits(const struct floppy *f) {
    unsigned rate = geometry_floppy_rate(&drive(f)->geometry);
    return f->r.rate == rate || (rate == RATE_250 && f->r.rate == RATE_300);
}

static bool tell_rate(struct floppy *f) {
    static const char *const rates[] = {"500", "300", "250", "1000"};
    floppy_tell(f, TOLD_RATE, "the guest has set %s kbit/s, and the diskette has %s: no sector is found; the rate is "
                "at port 0x3f7", rates[f->r.rate], rates[geometry_floppy_rate(&drive(f)->geometry)]);
    return false;
}

static bool hears_anything(struct floppy *f) {
    unsigned unit = floppy_unit(f);
    if (!drive(f)->disk)
        floppy_tell(f, TOLD_NO_DRIVE, "the guest reads or writes drive %u, which is not there; add one with --floppy=FILE",
                    unit);
    else if (!(f->r.dor & DOR_MOTOR << unit))
        floppy_tell(f, TOLD_MOTOR, "the guest reads or writes drive %u, and its motor is off: bit %u of port 0x3f2",
                    unit, unit + 4);
    else if (!(f->r.byte[0] & MFM))
        floppy_tell(f, TOLD_FM, "the guest reads or writes in FM, and the diskette has MFM: bit 6 of the command");
    else if (!rate_fits(f))
        return tell_rate(f);
    else
        return head_at(f) < drive(f)->geometry.cylinders && floppy_head(f) < drive(f)->geometry.heads;
    return false;
}

bool floppy_is_ready(struct floppy *f) {
    bool ready = hears_anything(f);
    f->r.st1 |= ready ? 0 : ST1_NO_MARK;
    return ready;
}

/* --- sectors ---------------------------------------------------------------------------------------- */

/* The IDs under the head have its cylinder and side. */
static bool sector_is_there(struct floppy *f) {
    const struct floppy_registers *r = &f->r;
    if (r->c != head_at(f)) {
        floppy_tell(f, TOLD_SEEK, "the guest reads or writes cylinder %u, and the head is at %u: there was no seek",
                    r->c, head_at(f));
        f->r.st2 |= ST2_WRONG_CYLINDER;
        return false;
    }
    if (r->byte[N] != SECTOR_SIZE || r->h != floppy_head(f)) {
        floppy_tell(f, TOLD_ID, "the guest looks for a sector of head %u and size code %u under head %u, and all "
                    "there have head %u and code 2 (512 bytes)", r->h, r->byte[N], floppy_head(f), floppy_head(f));
        return false;
    }
    return r->r >= 1 && r->r <= drive(f)->geometry.sectors;
}

static bool find_sector(struct floppy *f) {
    if (!floppy_is_ready(f))
        return false;
    bool there = sector_is_there(f);
    f->r.st1 |= there ? 0 : ST1_NO_DATA;
    return there;
}

static uint64_t lba_of_head(const struct floppy *f, unsigned sector) {
    const struct disk_geometry *g = &drive(f)->geometry;
    return ((uint64_t)head_at(f) * g->heads + floppy_head(f)) * g->sectors + sector - 1;
}

static bool disk_did(struct floppy *f, enum disk_result result) {
    if (result == DISK_PROTECTED)
        f->r.st1 |= ST1_PROTECTED;
    else if (result)
        f->r.st1 |= ST1_DATA, f->r.st2 |= ST2_DATA;
    return !result;
}

static bool read_sector(struct floppy *f) {
    return disk_did(f, disk_read(drive(f)->disk, lba_of_head(f, f->r.r), f->r.buffer, 1));
}

static bool write_sector(struct floppy *f) {
    return disk_did(f, disk_write(drive(f)->disk, lba_of_head(f, f->r.r), f->r.buffer, 1));
}

/* The four bytes of an ID are in the buffer. What no image can hold is not formatted. */
static bool format_sector(struct floppy *f) {
    const uint8_t *id = f->r.buffer;
    uint8_t sector = id[2], bytes[DISK_SECTOR];
    if (id[0] != head_at(f) || id[1] != floppy_head(f) || id[3] != SECTOR_SIZE || sector < 1 ||
        sector > drive(f)->geometry.sectors) {
        floppy_tell(f, TOLD_SIZE, "the guest formats a sector %u/%u/%u of size code %u, which the image cannot hold; "
                    "it gets an error", id[0], id[1], sector, id[3]);
        f->r.st1 |= ST1_NO_DATA;
        return false;
    }
    memset(bytes, f->r.byte[FORMAT_FILL], sizeof bytes);
    return disk_did(f, disk_write(drive(f)->disk, lba_of_head(f, sector), bytes, 1));
}

/* --- from one to the next ----------------------------------------------------------------------------- */

static void end_job(struct floppy *f) {
    struct floppy_registers *r = &f->r;
    if (r->job == JOB_FORMAT)
        floppy_end_transfer(f, r->buffer[0], r->buffer[1], r->buffer[2], r->byte[FORMAT_N]);
    else
        floppy_end_transfer(f, r->c, r->h, r->r, r->byte[N]);
}

/* C, H and R are those of the next sector (table 5-3). true: the last one of the track, or with
 * MT of the cylinder, is done. */
static bool next_sector(struct floppy *f) {
    struct floppy_registers *r = &f->r;
    bool multi = r->byte[0] & MULTI_TRACK, second = r->h & 1;
    if (r->r != r->byte[EOT]) {
        r->r++;
        return false;
    }
    r->r = 1;
    if (multi) {
        r->h ^= 1;
        r->byte[1] ^= 4;
    }
    if (multi && !second)
        return false;
    r->byte[1] ^= multi ? 4 : 0; /* the head has not moved for the cylinder that follows */
    r->c++;
    return true;
}

/* A sector or ID has passed; `done`: DMA has no more. true: there is another one. */
static bool next_unit(struct floppy *f, bool done) {
    struct floppy_registers *r = &f->r;
    r->done = 0;
    if (r->job == JOB_FORMAT)
        return ++r->r < r->byte[FORMAT_SECTORS] && !done;
    bool over = next_sector(f);
    if (over && !done)
        r->st1 |= ST1_END;
    return !done && !over && find_sector(f);
}

/* The buffer has what comes from the guest. */
static bool write_unit(struct floppy *f) { return f->r.job == JOB_FORMAT ? format_sector(f) : write_sector(f); }

/* --- by DMA ---------------------------------------------------------------------------------------------- */

/* A count that ends within a sector leaves zeros in the rest of what is written (5.1.2). */
static bool pass_by_dma(struct floppy *f, enum dma_direction direction, bool *done) {
    struct floppy_registers *r = &f->r;
    bool reads = direction == DMA_TO_MEMORY;
    if (reads && !read_sector(f))
        return false;
    if (!reads)
        memset(r->buffer, 0, r->size);
    dma_transfer(f->dma, CHANNEL, direction, r->buffer, r->size, done);
    return reads || write_unit(f);
}

static void fail_by_dma(struct floppy *f) {
    floppy_tell(f, TOLD_WAY, "DMA channel 2 is set for the other direction: the guest's command 0x%02x gets an overrun",
                f->r.byte[0]);
    f->r.st1 |= ST1_OVERRUN;
    end_job(f);
}

void floppy_go(void *floppy) {
    struct floppy *f = floppy;
    enum dma_direction direction = f->r.job == JOB_READ ? DMA_TO_MEMORY : DMA_FROM_MEMORY;
    while (f->r.phase == FLOPPY_WAITS_DMA) {
        bool done = false;
        enum dma_state state = dma_state(f->dma, CHANNEL, direction);
        if (state == DMA_MASKED)
            return;
        if (state == DMA_WRONG_WAY)
            fail_by_dma(f);
        else if (!pass_by_dma(f, direction, &done) || !next_unit(f, done))
            end_job(f);
    }
}

/* --- byte by byte (SPECIFY's ND) ----------------------------------------------------------------------------- */

/* INT for each byte, or with the FIFO for as many as the threshold says. */
static void ask_for_byte(struct floppy *f) {
    unsigned each = f->r.config & CONFIG_NO_FIFO ? 1 : (f->r.config & CONFIG_THRESHOLD) + 1u;
    if (f->r.done % each)
        return;
    floppy_interrupt(f, false);
    floppy_interrupt(f, true);
}

static void begin_bytes(struct floppy *f) {
    bool reads = f->r.job == JOB_READ;
    f->r.phase = reads ? FLOPPY_BYTES_IN : FLOPPY_BYTES_OUT;
    if (reads && !read_sector(f))
        end_job(f);
    else
        ask_for_byte(f);
}

static void end_unit(struct floppy *f, bool good) {
    floppy_interrupt(f, false);
    if (good && next_unit(f, false))
        begin_bytes(f);
    else
        end_job(f);
}

uint8_t floppy_take_byte(struct floppy *f) {
    uint8_t byte = f->r.buffer[f->r.done++];
    if (f->r.done < f->r.size)
        ask_for_byte(f);
    else
        end_unit(f, true);
    return byte;
}

void floppy_give_byte(struct floppy *f, uint8_t byte) {
    f->r.buffer[f->r.done++] = byte;
    if (f->r.done < f->r.size)
        ask_for_byte(f);
    else
        end_unit(f, write_unit(f));
}

/* --- commands --------------------------------------------------------------------------------------------------- */

static void take_parameters(struct floppy *f, enum floppy_job job) {
    struct floppy_registers *r = &f->r;
    bool formats = job == JOB_FORMAT;
    r->job = job;
    r->done = 0;
    r->size = formats ? ID_SIZE : DISK_SECTOR;
    r->c = r->byte[C];
    r->h = r->byte[H];
    r->r = formats ? 0 : r->byte[R];
}

static bool transfer_may_begin(struct floppy *f) {
    if (f->r.job == JOB_FORMAT ? !floppy_is_ready(f) : !find_sector(f))
        return false;
    bool protected = disk_flags(drive(f)->disk) & DISK_READ_ONLY;
    return f->r.job == JOB_READ || !protected || disk_did(f, DISK_PROTECTED);
}

void floppy_begin(struct floppy *f, enum floppy_job job) {
    take_parameters(f, job);
    if (!transfer_may_begin(f) || (job == JOB_FORMAT && !f->r.byte[FORMAT_SECTORS])) {
        end_job(f);
    } else if (f->r.load_time & SPECIFY_NO_DMA) {
        begin_bytes(f);
    } else {
        f->r.phase = FLOPPY_WAITS_DMA;
        floppy_go(f);
    }
}

/* Reads, and passes nothing on: up to EOT, or with EC as many as it says. */
void floppy_verify(struct floppy *f) {
    bool counts = f->r.byte[1] & VERIFY_COUNTS, more = true;
    unsigned left = counts ? f->r.byte[VERIFY_COUNT] : 0;
    take_parameters(f, JOB_READ);
    while (more && find_sector(f) && read_sector(f)) {
        more = !next_sector(f);
        if (counts && !--left)
            more = false;
    }
    end_job(f);
}
