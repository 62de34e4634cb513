/* Addresses, and sectors on their way through the data port; see ide.h.
 *
 * ATA-6 9.5, 9.6. Data in: a block is in the buffer, DRQ, an interrupt; the host reads it; the
 * next. Data out: DRQ; the host fills the buffer; it is written, an interrupt; the next. */
#include "vmm/devices/disk/ide.h"

#include <string.h>

/* --- addresses ---------------------------------------------------------------------------- */

static uint64_t lba_of_chs(const struct ide_registers *r, uint8_t device) {
    unsigned cylinder = r->task.mid[0] | r->task.high[0] << 8, head = device & IDE_HEAD, sector = r->task.low[0];
    if (sector == 0 || sector > r->track || head >= r->heads)
        return UINT64_MAX;
    return ((uint64_t)cylinder * r->heads + head) * r->track + sector - 1;
}

static uint64_t lba_of_task(const struct ide_registers *r, uint8_t device) {
    const struct ide_task *t = &r->task;
    uint64_t low = t->low[0] | t->mid[0] << 8 | (uint32_t)t->high[0] << 16;
    uint64_t high = t->low[1] | t->mid[1] << 8 | (uint32_t)t->high[1] << 16;
    switch (r->addressing) {
    case IDE_LBA48: return low | high << 24;
    case IDE_LBA28: return low | (uint64_t)(device & IDE_HEAD) << 24;
    default: return lba_of_chs(r, device);
    }
}

/* The registers show the sector that was done last, or that failed. The head, in the Device
 * register, stays: both drives have that one. */
static void show_address(struct ide_registers *r, uint64_t lba) {
    struct ide_task *t = &r->task;
    unsigned cylinder = r->track && r->heads ? (unsigned)(lba / ((uint64_t)r->track * r->heads)) : 0;
    if (r->addressing == IDE_CHS) {
        t->low[0] = r->track ? (uint8_t)(lba % r->track + 1) : 0;
        t->mid[0] = (uint8_t)cylinder;
        t->high[0] = (uint8_t)(cylinder >> 8);
        return;
    }
    t->low[0] = (uint8_t)lba;
    t->mid[0] = (uint8_t)(lba >> 8);
    t->high[0] = (uint8_t)(lba >> 16);
    if (r->addressing == IDE_LBA48) {
        t->low[1] = (uint8_t)(lba >> 24);
        t->mid[1] = (uint8_t)(lba >> 32);
        t->high[1] = (uint8_t)(lba >> 40);
    }
}

static void show_count(struct ide_registers *r, uint32_t left) {
    r->task.count[0] = (uint8_t)left;
    if (r->addressing == IDE_LBA48)
        r->task.count[1] = (uint8_t)(left >> 8);
}

/* A count of 0 is as many as there can be. */
bool ide_address(struct ide_drive *d, uint8_t device, bool extended) {
    struct ide_registers *r = &d->r;
    uint32_t count = r->task.count[0] | (extended ? (uint32_t)r->task.count[1] << 8 : 0);
    r->addressing = extended ? IDE_LBA48 : device & IDE_LBA ? IDE_LBA28 : IDE_CHS;
    r->lba = lba_of_task(r, device);
    r->left = count ? count : extended ? 65536 : 256;
    if (r->lba == UINT64_MAX)
        ide_fail(d, IDE_IDNF);
    return r->lba != UINT64_MAX;
}

/* --- blocks --------------------------------------------------------------------------------- */

static uint8_t error_of(enum disk_result result) {
    switch (result) {
    case DISK_BEYOND: return IDE_IDNF;
    case DISK_UNREADABLE: return IDE_UNC;
    default: return IDE_ABRT;
    }
}

/* The command ends at this sector. What could not be written is a device fault, too. */
static void fail_at(struct ide_drive *d, uint64_t lba, uint32_t left, enum disk_result result) {
    show_address(&d->r, lba);
    show_count(&d->r, left);
    ide_fail(d, error_of(result));
    if (result == DISK_UNWRITABLE || result == DISK_FULL)
        d->r.status |= IDE_DF;
}

/* Which of the sectors it is that cannot be read: those before it can. */
static void fail_in_block(struct ide_drive *d, unsigned sectors) {
    enum disk_result result = DISK_DONE;
    unsigned n = 0;
    while (n < sectors && !(result = disk_read(d->disk, d->r.lba + n, d->buffer, 1)))
        n++;
    fail_at(d, d->r.lba + n, d->r.left - n, result ? result : DISK_UNREADABLE);
}

static unsigned block_of(const struct ide_registers *r) { return r->left < r->block ? r->left : r->block; }

static void offer(struct ide_drive *d, enum ide_phase phase, unsigned sectors) {
    d->r.phase = phase;
    d->r.at = 0;
    d->r.length = sectors * DISK_SECTOR;
    d->r.status = IDE_DRDY | IDE_DSC | IDE_DRQ;
}

static void read_block(struct ide_drive *d) {
    struct ide_registers *r = &d->r;
    unsigned n = block_of(r);
    if (disk_read(d->disk, r->lba, d->buffer, n)) {
        fail_in_block(d, n);
        return;
    }
    r->lba += n;
    r->left -= n;
    show_address(r, r->lba - 1);
    show_count(r, r->left);
    offer(d, IDE_DATA_IN, n);
    r->interrupt = true;
}

/* After the last block there is no interrupt: the one before it told. */
static void end_block_in(struct ide_drive *d) {
    if (d->r.left) {
        read_block(d);
        return;
    }
    d->r.phase = IDE_IDLE;
    d->r.length = 0;
    d->r.status = IDE_DRDY | IDE_DSC;
}

static void end_block_out(struct ide_drive *d) {
    struct ide_registers *r = &d->r;
    unsigned n = r->length / DISK_SECTOR;
    enum disk_result result = disk_write(d->disk, r->lba, d->buffer, n);
    if (result) {
        fail_at(d, r->lba, r->left, result);
        return;
    }
    r->lba += n;
    r->left -= n;
    show_address(r, r->lba - 1);
    show_count(r, r->left);
    ide_done(d);
    if (r->left)
        offer(d, IDE_DATA_OUT, block_of(r));
}

/* --- commands -------------------------------------------------------------------------------- */

void ide_read(struct ide_drive *d, unsigned block) {
    d->r.block = (uint16_t)block;
    read_block(d);
}

/* The first block is asked for without an interrupt. */
void ide_write(struct ide_drive *d, unsigned block) {
    if (d->r.lba >= disk_sectors(d->disk)) {
        fail_at(d, d->r.lba, d->r.left, disk_write(d->disk, d->r.lba, d->buffer, 1));
        return;
    }
    d->r.block = (uint16_t)block;
    offer(d, IDE_DATA_OUT, block_of(&d->r));
}

/* Nothing goes to the host: the sectors are read, and dropped. */
void ide_verify(struct ide_drive *d) {
    struct ide_registers *r = &d->r;
    r->block = IDE_MULTIPLE_MAX;
    while (r->left) {
        unsigned n = block_of(r);
        if (disk_read(d->disk, r->lba, d->buffer, n)) {
            fail_in_block(d, n);
            return;
        }
        r->lba += n;
        r->left -= n;
    }
    show_address(r, r->lba - 1);
    show_count(r, 0);
    ide_done(d);
}

void ide_send_buffer(struct ide_drive *d) {
    d->r.left = 0;
    offer(d, IDE_DATA_IN, 1);
    d->r.interrupt = true;
}

/* --- the data port ---------------------------------------------------------------------------- */

static uint32_t word_in(struct ide_drive *d) {
    if (ide_is_cd(d) && d->r.packet.drq)
        return ide_packet_word_in(d);
    const uint8_t *at = d->buffer + d->r.at;
    uint32_t word = at[0] | at[1] << 8;
    d->r.at += 2;
    if (d->r.at == d->r.length)
        end_block_in(d);
    return word;
}

static void word_out(struct ide_channel *c, struct ide_drive *d, uint32_t word) {
    if (ide_is_cd(d)) {
        ide_packet_word_out(c, d, word);
        return;
    }
    uint8_t *at = d->buffer + d->r.at;
    at[0] = (uint8_t)word;
    at[1] = (uint8_t)(word >> 8);
    d->r.at += 2;
    if (d->r.at == d->r.length)
        end_block_out(d);
}

/* Word by word: any of them may be a block's last. */
uint32_t ide_data_in(struct ide_channel *c, struct ide_drive *d, unsigned words) {
    uint32_t value = 0;
    for (unsigned i = 0; i < words; i++)
        if (d->r.phase == IDE_DATA_IN && !(c->lines.control & IDE_SRST))
            value |= word_in(d) << 16 * i;
    return value;
}

void ide_data_out(struct ide_channel *c, struct ide_drive *d, uint32_t value, unsigned words) {
    for (unsigned i = 0; i < words; i++)
        if (d->r.phase == IDE_DATA_OUT && !(c->lines.control & IDE_SRST))
            word_out(c, d, value >> 16 * i & 0xffff);
}
