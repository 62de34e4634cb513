/* A drive for CDs on IDE: its commands, and how packets pass (ATA-6 9.8, the PACKET protocol).
 *
 *   the host writes PACKET        DRQ, Interrupt Reason C/D: the drive wants 12 bytes
 *   data for the host             DRQ, I/O, Byte Count says how many, an interrupt; the host
 *                                 reads them; again, until all have passed
 *   the end                       C/D and I/O, an interrupt; ERR: Error has the sense key
 *
 * One DRQ may be longer than the buffer, which is filled anew meanwhile, unseen.
 */
#include "vmm/devices/disk/ide.h"

#include <string.h>

/* ATA-6 7.11, Interrupt Reason, in the place of Sector Count. */
enum { REASON_COMMAND = 1, REASON_IN = 2, REASON_BITS = 7 };

static void show_reason(struct ide_registers *r, uint8_t reason) {
    r->task.count[0] = (uint8_t)((r->task.count[0] & ~REASON_BITS) | reason);
}

static void show_byte_count(struct ide_registers *r, unsigned bytes) {
    r->task.mid[0] = (uint8_t)bytes;
    r->task.high[0] = (uint8_t)(bytes >> 8);
}

/* --- how a packet's command ends ------------------------------------------------------------ */

static void end_packet(struct ide_drive *d) {
    d->r.packet.drq = 0;
    d->r.packet.left = 0;
    d->r.left = 0;
    show_reason(&d->r, REASON_COMMAND | REASON_IN);
}

void ide_packet_done(struct ide_drive *d) {
    end_packet(d);
    ide_done(d);
}

void ide_packet_fail(struct ide_drive *d, struct atapi_sense sense) {
    d->r.packet.sense = sense.key;
    d->r.packet.code = sense.code;
    d->r.packet.qualifier = sense.qualifier;
    end_packet(d);
    ide_fail(d, (uint8_t)(sense.key << 4));
    d->r.status = IDE_DRDY | IDE_ERR;
}

/* --- data for the host ------------------------------------------------------------------------ */

static void begin_drq(struct ide_drive *d) {
    struct ide_registers *r = &d->r;
    struct ide_packet *p = &r->packet;
    uint32_t limit = p->limit == 0xffff ? 0xfffe : p->limit;
    if (p->left > limit)
        limit &= ~1u; /* an odd count is for the last */
    p->drq = p->left < limit ? (uint32_t)p->left : limit;
    p->left -= p->drq;
    show_byte_count(r, p->drq);
    show_reason(r, REASON_IN);
    r->phase = IDE_DATA_IN;
    r->status = IDE_DRDY | IDE_DSC | IDE_DRQ;
    r->interrupt = true;
}

/* The data that begin in the buffer. No byte count is no way for them to pass: ATA/ATAPI-7 6.24.6. */
static void send_data(struct ide_drive *d, uint64_t length) {
    uint16_t limit = d->r.packet.limit;
    if (!length) {
        ide_packet_done(d);
    } else if (limit < 2 && length > limit) {
        end_packet(d);
        ide_fail(d, IDE_ABRT);
    } else {
        d->r.packet.left = length;
        begin_drq(d);
    }
}

void ide_packet_reply(struct ide_drive *d, unsigned length, unsigned allocation) {
    unsigned passed = length < allocation ? length : allocation;
    d->r.at = 0;
    d->r.length = (passed + 1) & ~1u; /* words pass */
    if (d->r.length > passed)
        d->buffer[passed] = 0;
    send_data(d, passed);
}

/* The next block; false: it cannot be read, and the command has failed. */
static bool fill_buffer(struct ide_drive *d) {
    enum disk_result result = disk_read(d->disk, d->r.lba * DISK_CD_SECTORS, d->buffer, DISK_CD_SECTORS);
    if (result) {
        ide_packet_fail(d, atapi_sense_of(result));
        return false;
    }
    d->r.lba++;
    d->r.left--;
    d->r.at = 0;
    d->r.length = DISK_CD_BLOCK;
    return true;
}

void ide_packet_read(struct ide_drive *d, uint32_t blocks) {
    d->r.left = blocks;
    if (!blocks || fill_buffer(d))
        send_data(d, (uint64_t)blocks * DISK_CD_BLOCK);
}

static void end_drq(struct ide_drive *d) {
    struct ide_registers *r = &d->r;
    if (!r->packet.left)
        ide_packet_done(d);
    else if (r->at < r->length || fill_buffer(d))
        begin_drq(d);
}

uint32_t ide_packet_word_in(struct ide_drive *d) {
    struct ide_registers *r = &d->r;
    const uint8_t *at = d->buffer + r->at;
    uint32_t word = at[0] | at[1] << 8;
    r->at += 2;
    r->packet.drq -= r->packet.drq < 2 ? r->packet.drq : 2;
    if (!r->packet.drq)
        end_drq(d);
    else if (r->at == r->length)
        fill_buffer(d);
    return word;
}

/* --- the packet ------------------------------------------------------------------------------- */

void ide_packet_word_out(struct ide_channel *c, struct ide_drive *d, uint32_t word) {
    uint8_t *at = d->buffer + d->r.at, packet[ATAPI_PACKET];
    at[0] = (uint8_t)word;
    at[1] = (uint8_t)(word >> 8);
    d->r.at += 2;
    if (d->r.at < d->r.length)
        return;
    memcpy(packet, d->buffer, sizeof packet);
    d->r.phase = IDE_IDLE;
    d->r.at = d->r.length = 0;
    atapi_command(c, d, packet);
}

/* Features bit 0 asks for DMA, bit 1 for an overlapped command. */
static void do_packet(const struct ide_call *c) {
    enum { DMA = 1, OVERLAPPED = 2 };
    struct ide_registers *r = &c->drive->r;
    if (r->task.feature[0] & (DMA | OVERLAPPED)) {
        if (!c->channel->told_dma)
            ide_tell(c->channel, c->drive, "a packet is aborted: the guest wants its data by DMA, and the drive has "
                     "programmed I/O alone, as IDENTIFY PACKET DEVICE says");
        c->channel->told_dma = true;
        ide_fail(c->drive, IDE_ABRT);
        return;
    }
    r->packet.limit = (uint16_t)(r->task.mid[0] | r->task.high[0] << 8);
    end_packet(c->drive);
    show_reason(r, REASON_COMMAND);
    r->phase = IDE_DATA_OUT;
    r->at = 0;
    r->length = ATAPI_PACKET;
    r->status = IDE_DRDY | IDE_DSC | IDE_DRQ;
}

/* --- the other commands ---------------------------------------------------------------------- */

static void do_identify_packet_device(const struct ide_call *c) {
    ide_identify_packet(c->drive);
}

/* So a driver knows that it is no disk (ATA-6 8.15.5.2, 8.27.5.2). */
static void do_show_signature(const struct ide_call *c) {
    ide_signature(c->drive);
    ide_fail(c->drive, IDE_ABRT);
}

/* ATA-6 8.10: no interrupt. */
static void do_device_reset(const struct ide_call *c) { ide_signature(c->drive); }

const struct ide_row ide_packet_rows[] = {
    {0xa0, 0xa0, false, do_packet, NULL},
    {0xa1, 0xa1, false, do_identify_packet_device, NULL},
    {0xec, 0xec, false, do_show_signature, NULL}, /* IDENTIFY DEVICE */
    {0x20, 0x21, false, do_show_signature, NULL}, /* READ SECTORS */
    {0x08, 0x08, false, do_device_reset, NULL},
    {0x90, 0x90, false, ide_do_diagnose, NULL},
    {0xef, 0xef, false, ide_do_set_features, NULL},
    {0xe0, 0xe3, false, ide_do_nothing, NULL}, /* STANDBY IMMEDIATE, IDLE IMMEDIATE, STANDBY, IDLE */
    {0xe5, 0xe5, false, ide_do_check_power, NULL},
    {0xe6, 0xe6, false, ide_do_nothing, NULL}, /* SLEEP */
    {0xe7, 0xe7, false, ide_do_nothing, NULL}, /* FLUSH CACHE: nothing is written */
    {0x00, 0x00, false, ide_do_abort, NULL},   /* NOP always ends so */
    {0x00, 0xff, false, ide_do_abort, "not one of a CD drive's"},
};
