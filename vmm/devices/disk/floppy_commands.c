/* The floppy controller's commands: table 5-1 of the 82077AA's data sheet; see floppy.h. */
#include "vmm/devices/disk/floppy.h"

#include <string.h>

enum { VERSION = 0x90, CONFIG_SEEKS = 0x40, LOCK_BIT = 0x80, MFM = 0x40, SECTOR_SIZE = 2 };
enum { ST3_READY = 0x28, ST3_TRACK_0 = 0x10, ST3_PROTECTED = 0x40 };
enum { SEEK_AWAY = 0x40, CYLINDERS_MAX = 85 };
enum { TRANSFER_RESULT = 7 }; /* its bytes */

/* --- results ---------------------------------------------------------------------------------- */

void floppy_result(struct floppy *f, unsigned length) {
    f->r.phase = length ? FLOPPY_RESULT : FLOPPY_COMMAND;
    f->r.at = 0;
    f->r.length = (uint8_t)length;
}

static void result_byte(struct floppy *f, uint8_t value) {
    f->r.byte[0] = value;
    floppy_result(f, 1);
}

void floppy_end_transfer(struct floppy *f, uint8_t c, uint8_t h, uint8_t r, uint8_t n) {
    uint8_t st0 = f->r.byte[1] & 7;
    if (f->r.st1 || f->r.st2)
        st0 |= ST0_FAILED;
    const uint8_t result[TRANSFER_RESULT] = {st0, f->r.st1, f->r.st2, c, h, r, n};
    memcpy(f->r.byte, result, sizeof result);
    floppy_result(f, sizeof result);
    floppy_interrupt(f, true);
}

/* The first byte of a transfer's result takes INT away (6.2). */
uint8_t floppy_get(struct floppy *f) {
    struct floppy_registers *r = &f->r;
    if (r->phase == FLOPPY_BYTES_IN)
        return floppy_take_byte(f);
    if (r->phase != FLOPPY_RESULT)
        return 0;
    if (r->at == 0 && r->length == TRANSFER_RESULT)
        floppy_interrupt(f, false);
    uint8_t value = r->byte[r->at++];
    if (r->at == r->length)
        floppy_result(f, 0);
    return value;
}

/* --- heads (5.2) -------------------------------------------------------------------------------- */

/* A step with a diskette in the drive takes the change line back. */
static void move_head(struct floppy *f, unsigned unit, unsigned cylinder) {
    f->r.cylinder[unit] = (uint8_t)(cylinder < CYLINDERS_MAX ? cylinder : CYLINDERS_MAX);
    f->r.changed[unit] = false;
}

static void end_seek(struct floppy *f, unsigned unit, uint8_t st0) {
    f->r.seek_st0[unit] = (uint8_t)(ST0_SEEK | st0 | unit);
    f->r.polls = 0; /* a reset need not be told of any more */
    floppy_result(f, 0);
    floppy_interrupt(f, true);
}

/* Without a drive no track 0 comes. */
static void recalibrate(struct floppy *f) {
    unsigned unit = floppy_unit(f);
    if (f->drive[unit].disk)
        move_head(f, unit, 0);
    end_seek(f, unit, f->drive[unit].disk ? 0 : ST0_FAILED | ST0_EQUIPMENT);
}

static void seek_to(struct floppy *f) {
    unsigned unit = floppy_unit(f);
    if (f->drive[unit].disk)
        move_head(f, unit, f->r.byte[2]);
    end_seek(f, unit, 0);
}

/* 8Fh towards track 0, CFh away from it. */
static void relative_seek(struct floppy *f) {
    unsigned unit = floppy_unit(f), now = f->r.cylinder[unit], by = f->r.byte[2];
    bool away = f->r.byte[0] & SEEK_AWAY;
    if (f->drive[unit].disk)
        move_head(f, unit, away ? now + by : now > by ? now - by : 0);
    end_seek(f, unit, 0);
}

/* The next thing there is to say; INT stays up while there is more (5.2.4). */
static bool next_seek(struct floppy *f, uint8_t *st0, unsigned *unit) {
    struct floppy_registers *r = &f->r;
    if (r->polls) {
        *unit = FLOPPY_UNITS - r->polls--;
        *st0 = (uint8_t)(ST0_POLLED | *unit);
        return true;
    }
    for (*unit = 0; *unit < FLOPPY_UNITS; ++*unit)
        if ((*st0 = r->seek_st0[*unit])) {
            r->seek_st0[*unit] = 0;
            return true;
        }
    return false;
}

static bool seek_waits(const struct floppy *f) {
    bool any = false;
    for (unsigned unit = 0; unit < FLOPPY_UNITS; unit++)
        any |= f->r.seek_st0[unit] != 0;
    return any;
}

/* With nothing to say it is no command. */
static void sense_interrupt(struct floppy *f) {
    uint8_t st0;
    unsigned unit;
    floppy_interrupt(f, false);
    if (!next_seek(f, &st0, &unit)) {
        result_byte(f, ST0_INVALID);
        return;
    }
    f->r.byte[0] = st0;
    f->r.byte[1] = f->r.cylinder[unit];
    floppy_result(f, 2);
    if (seek_waits(f))
        floppy_interrupt(f, true);
}

static void sense_drive(struct floppy *f) {
    unsigned unit = floppy_unit(f);
    struct disk *disk = f->drive[unit].disk;
    uint8_t st3 = ST3_READY | (f->r.byte[1] & 7);
    if (disk && !f->r.cylinder[unit])
        st3 |= ST3_TRACK_0;
    if (disk && disk_flags(disk) & DISK_READ_ONLY)
        st3 |= ST3_PROTECTED;
    result_byte(f, st3);
}

/* --- modes (5.2.5 to 5.2.9) -------------------------------------------------------------------------- */

static void specify(struct floppy *f) {
    f->r.step_rate = f->r.byte[1];
    f->r.load_time = f->r.byte[2];
    floppy_result(f, 0);
}

static void configure(struct floppy *f) {
    f->r.config = f->r.byte[2] & 0x7f;
    f->r.precompensation = f->r.byte[3];
    floppy_result(f, 0);
}

/* Bits 2 to 5 are written with bit 7. */
static void perpendicular_mode(struct floppy *f) {
    uint8_t value = f->r.byte[1] & 0x3f, old = f->r.perpendicular;
    f->r.perpendicular = f->r.byte[1] & 0x80 ? value : (uint8_t)((old & 0x3c) | (value & 3));
    floppy_result(f, 0);
}

static void lock_modes(struct floppy *f) {
    f->r.locked = f->r.byte[0] & LOCK_BIT;
    result_byte(f, f->r.locked << 4);
}

static void dump_registers(struct floppy *f) {
    struct floppy_registers *r = &f->r;
    const uint8_t dump[] = {r->cylinder[0], r->cylinder[1], r->cylinder[2], r->cylinder[3], r->step_rate,
                            r->load_time, r->r, (uint8_t)(r->locked << 7 | r->perpendicular), r->config,
                            r->precompensation};
    memcpy(r->byte, dump, sizeof dump);
    floppy_result(f, sizeof dump);
}

static void version(struct floppy *f) { result_byte(f, VERSION); }

/* --- sectors (5.1) -------------------------------------------------------------------------------------- */

static void implied_seek(struct floppy *f) {
    if (f->r.config & CONFIG_SEEKS && f->drive[floppy_unit(f)].disk)
        move_head(f, floppy_unit(f), f->r.byte[2]);
}

static void begin_read(struct floppy *f) {
    implied_seek(f);
    floppy_begin(f, JOB_READ);
}

static void begin_write(struct floppy *f) {
    implied_seek(f);
    floppy_begin(f, JOB_WRITE);
}

static void begin_verify(struct floppy *f) {
    implied_seek(f);
    floppy_verify(f);
}

static void begin_format(struct floppy *f) { floppy_begin(f, JOB_FORMAT); }

/* The diskette turns: each time it is the next sector's. */
static void read_id(struct floppy *f) {
    unsigned unit = floppy_unit(f), head = floppy_head(f);
    uint8_t *next = &f->r.next_id[unit];
    if (!floppy_is_ready(f)) {
        floppy_end_transfer(f, 0, 0, 0, 0);
        return;
    }
    *next = (uint8_t)(*next % f->drive[unit].geometry.sectors + 1);
    floppy_end_transfer(f, f->r.cylinder[unit], (uint8_t)head, *next, SECTOR_SIZE);
}

/* --- the table --------------------------------------------------------------------------------------------- */

static const struct floppy_command {
    uint8_t code, mask; /* which of its bits count: MT, MFM, SK and the like do not */
    uint8_t length;     /* with its parameters */
    void (*run)(struct floppy *);
} commands[] = {
    {0x03, 0xff, 3, specify},         {0x04, 0xff, 2, sense_drive},
    {0x05, 0x3f, 9, begin_write},      {0x06, 0x1f, 9, begin_read},
    {0x07, 0xff, 2, recalibrate},     {0x08, 0xff, 1, sense_interrupt},
    {0x0a, 0xbf, 2, read_id},         {0x0d, 0xbf, 6, begin_format},
    {0x0e, 0xff, 1, dump_registers},  {0x0f, 0xff, 3, seek_to},
    {0x10, 0xff, 1, version},         {0x12, 0xff, 2, perpendicular_mode},
    {0x13, 0xff, 4, configure},       {0x14, 0x7f, 1, lock_modes},
    {0x16, 0x1f, 9, begin_verify},          {0x8f, 0xbf, 3, relative_seek},
};

static const struct floppy_command *find_floppy_command(uint8_t code) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if ((code & commands[i].mask) == commands[i].code)
            return &commands[i];
    return NULL;
}

static void invalid(struct floppy *f, uint8_t code) {
    floppy_tell(f, TOLD_COMMAND, "the guest gives command 0x%02x, which is none of an 82077AA, or one that is not "
                "done here (deleted data, whole tracks, scans): answered as invalid", code);
    result_byte(f, ST0_INVALID);
}

void floppy_put(struct floppy *f, uint8_t byte) {
    struct floppy_registers *r = &f->r;
    if (r->phase == FLOPPY_BYTES_OUT)
        floppy_give_byte(f, byte);
    if (r->phase != FLOPPY_COMMAND)
        return;
    const struct floppy_command *c = find_floppy_command(r->at ? r->byte[0] : byte);
    if (!c) {
        invalid(f, byte);
        return;
    }
    r->byte[r->at++] = byte;
    if (r->at < c->length)
        return;
    r->at = 0;
    r->st1 = r->st2 = 0;
    c->run(f);
}
