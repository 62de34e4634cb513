/* The registers of the two IDE channels; see ide.h. */
#include "vmm/devices/disk/ide.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/devices/device.h"
#include "vmm/devices/disk/drives.h"
#include "vmm/devices/pci.h"

enum { DATA, ERROR_FEATURE, COUNT, LOW, MID, HIGH, DEVICE, STATUS_COMMAND, REGISTERS };
enum { CONTROL_OFFSET = 0x206 };
/* So many looks at Status in a row, with no drive there, are a guest that hangs. */
enum { POLLS_TOLD = 20000 };

struct ide {
    struct ide_channel channel[IDE_CHANNELS];
    const struct drives *drives; /* another image is another first disk: looked at when reset */
};

/* --- drives and the interrupt ----------------------------------------------------------- */

struct ide_drive *ide_selected(struct ide_channel *c) {
    return &c->drive[c->lines.device & IDE_DEV ? 1 : 0];
}

/* Only the selected drive has the line (ATA-6 5.2.9). */
static void update_irq(struct ide_channel *c) {
    bool level = ide_selected(c)->r.interrupt && !(c->lines.control & IDE_NIEN);
    if (level == c->lines.irq)
        return;
    c->lines.irq = level;
    c->board->irq(c->board->machine, c->irq, level);
}

void ide_tell(struct ide_channel *c, const struct ide_drive *d, const char *format, ...) {
    char text[300];
    int n = snprintf(text, sizeof text, "IDE %u %s: ", d->number / IDE_DRIVES,
                     d->number % IDE_DRIVES ? "slave" : "master");
    va_list args;
    va_start(args, format);
    vsnprintf(text + n, sizeof text - n, format, args);
    va_end(args);
    if (c->board->tell)
        c->board->tell(c->board->machine, text);
}

/* That of a packet device is not ready before its first command (ATA-6 9.12). */
void ide_signature(struct ide_drive *d) {
    bool cd = ide_is_cd(d);
    d->r.task = (struct ide_task){.count = {1}, .low = {1}, .mid = {cd ? IDE_PACKET_MID : 0},
                                  .high = {cd ? IDE_PACKET_HIGH : 0}};
    d->r.error = IDE_PASSED;
    d->r.status = d->disk && !cd ? IDE_DRDY | IDE_DSC : 0;
    d->r.phase = IDE_IDLE;
    d->r.interrupt = false;
    d->r.left = d->r.at = d->r.length = 0;
    d->r.packet.drq = 0;
    d->r.packet.left = 0;
}

/* READ MULTIPLE can be used at once, as with many drives: some drivers never set it. */
static void power_on(struct ide_drive *d, struct disk *disk) {
    d->disk = disk;
    d->r = (struct ide_registers){.cache = 1, .multiple = IDE_MULTIPLE_MAX};
    if (d->disk && !ide_is_cd(d)) {
        d->r.track = (uint8_t)disk_geometry(d->disk).sectors;
        d->r.heads = (uint8_t)disk_geometry(d->disk).heads;
    }
    ide_signature(d);
}

/* --- reading ------------------------------------------------------------------------------ */

static uint8_t ide_read_status(struct ide_channel *c, struct ide_drive *d) {
    if (c->lines.control & IDE_SRST)
        return d->disk ? IDE_BSY : 0;
    return d->disk ? d->r.status : 0;
}

/* A driver that waits for DRDY without a bound would hang without a word. */
static void notice_poll(struct ide_channel *c, struct ide_drive *d) {
    if (d->disk || ++c->lines.polls != POLLS_TOLD || c->told_poll)
        return;
    c->told_poll = true;
    ide_tell(c, d, "the guest waits for this drive, and there is none (Status reads 0); add one with --disk=FILE "
             "or --cdrom=FILE");
}

static uint8_t read_register(struct ide_channel *c, struct ide_drive *d, unsigned n) {
    const struct ide_task *t = &d->r.task;
    bool before = c->lines.control & IDE_HOB;
    if (n == STATUS_COMMAND)
        return ide_read_status(c, d);
    if (!d->disk)
        return n == DEVICE && (c->drive[0].disk || c->drive[1].disk) ? c->lines.device : 0;
    switch (n) {
    case ERROR_FEATURE: return d->r.error;
    case COUNT: return t->count[before];
    case LOW: return t->low[before];
    case MID: return t->mid[before];
    case HIGH: return t->high[before];
    default: return c->lines.device;
    }
}

/* Reading Status takes the interrupt; Alternate Status does not. */
static uint8_t read_byte(struct ide_channel *c, unsigned n) {
    struct ide_drive *d = ide_selected(c);
    uint8_t value = read_register(c, d, n);
    if (n != STATUS_COMMAND)
        c->lines.polls = 0;
    else if (d->r.interrupt)
        d->r.interrupt = false, update_irq(c);
    else
        notice_poll(c, d);
    return value;
}

/* --- writing ------------------------------------------------------------------------------ */

static void push(uint8_t two[2], uint8_t value) {
    two[1] = two[0];
    two[0] = value;
}

/* Both drives of a channel have what is written. */
static void write_task(struct ide_channel *c, unsigned n, uint8_t value) {
    for (unsigned i = 0; i < IDE_DRIVES; i++) {
        struct ide_task *t = &c->drive[i].r.task;
        uint8_t *const registers[] = {[ERROR_FEATURE] = t->feature, [COUNT] = t->count, [LOW] = t->low,
                                      [MID] = t->mid, [HIGH] = t->high};
        push(registers[n], value);
    }
}

static void write_byte(struct ide_channel *c, unsigned n, uint8_t value) {
    if (c->lines.control & IDE_SRST)
        return; /* the drives are busy */
    c->lines.control &= (uint8_t)~IDE_HOB; /* ATA-6 7.8.4 */
    c->lines.polls = 0;
    if (n == STATUS_COMMAND)
        ide_command(c, value);
    else if (n == DEVICE)
        c->lines.device = value | IDE_OBSOLETE;
    else
        write_task(c, n, value);
    update_irq(c);
}

/* SRST held is BSY; what comes after it is as after power-on, but for what SET MULTIPLE and
 * INITIALIZE DEVICE PARAMETERS have set. */
static void write_control(struct ide_channel *c, uint8_t value) {
    bool ends = c->lines.control & IDE_SRST && !(value & IDE_SRST);
    bool begins = value & IDE_SRST;
    c->lines.control = value & (IDE_HOB | IDE_SRST | IDE_NIEN);
    for (unsigned i = 0; (begins || ends) && i < IDE_DRIVES; i++)
        ide_signature(&c->drive[i]);
    if (begins || ends)
        c->lines.device = IDE_OBSOLETE;
    update_irq(c);
}

/* --- the ports ------------------------------------------------------------------------------ */

/* The data port is 16 bits wide; two words for an access of four bytes. Of one byte a drive
 * takes or gives a word all the same, and half of it is lost. */
static void access_data(struct ide_channel *c, const struct access *a) {
    struct ide_drive *d = ide_selected(c);
    uint32_t value = 0;
    unsigned words = a->size < 4 ? 1 : 2;
    if (a->size < 2 && !c->told_bytes && d->disk) {
        c->told_bytes = true;
        ide_tell(c, d, "the guest accesses the data port 0x%x by a byte, of each word half is lost; use inw and "
                 "outw", c->port);
    }
    memcpy(&value, a->data, a->write ? a->size : 0);
    if (a->write)
        ide_data_out(c, d, value, words);
    else
        access_reply(a, ide_data_in(c, d, words));
    update_irq(c);
}

/* A wide access to the other registers is one byte each. */
static enum io_result access_registers(void *device, const struct access *a) {
    struct ide_channel *c = device;
    unsigned first = (unsigned)a->address - c->port;
    uint8_t *data = a->data;
    if (first == DATA) {
        access_data(c, a);
        return IO_DONE;
    }
    for (unsigned i = 0; i < a->size; i++) {
        if (a->write && first + i < REGISTERS)
            write_byte(c, first + i, data[i]);
        else if (!a->write)
            data[i] = first + i < REGISTERS ? read_byte(c, first + i) : 0xff;
    }
    return IO_DONE;
}

static enum io_result access_control(void *device, const struct access *a) {
    struct ide_channel *c = device;
    struct ide_drive *d = ide_selected(c);
    if (!a->write)
        return access_reply(a, UINT64_MAX << 8 | ide_read_status(c, d));
    write_control(c, access_byte(a));
    return IO_DONE;
}

/* --- the device ------------------------------------------------------------------------------- */

/* A machine that is reset may boot from another one than before. */
static void find_disks(struct ide_channel *c) {
    for (unsigned n = 0; n < IDE_DRIVES; n++)
        c->drive[n].disk = c->drives ? drives_ide(c->drives, c->drive[n].number) : NULL;
}

static void reset(void *device) {
    struct ide *ide = device;
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        struct ide_channel *c = &ide->channel[i];
        c->lines = (struct ide_lines){.device = IDE_OBSOLETE};
        c->told_poll = c->told_bytes = c->told_dropped = c->told_dma = false;
        memset(c->told_commands, 0, sizeof c->told_commands);
        memset(c->told_packets, 0, sizeof c->told_packets);
        find_disks(c);
        for (unsigned n = 0; n < IDE_DRIVES; n++)
            power_on(&c->drive[n], drives_ide(ide->drives, c->drive[n].number));
    }
}

/* Of a buffer what is still to pass. */
static void save(const void *device, struct device_state *s) {
    const struct ide *ide = device;
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        const struct ide_channel *c = &ide->channel[i];
        device_put(s, &c->lines, sizeof c->lines);
        for (unsigned n = 0; n < IDE_DRIVES; n++) {
            device_put(s, &c->drive[n].r, sizeof c->drive[n].r);
            device_put(s, c->drive[n].buffer, c->drive[n].r.length);
        }
    }
}

static void load(void *device, struct device_state *s) {
    struct ide *ide = device;
    for (unsigned i = 0; i < IDE_CHANNELS; i++) {
        struct ide_channel *c = &ide->channel[i];
        device_take(s, &c->lines, sizeof c->lines);
        for (unsigned n = 0; n < IDE_DRIVES; n++) {
            device_take(s, &c->drive[n].r, sizeof c->drive[n].r);
            device_take(s, c->drive[n].buffer, c->drive[n].r.length);
        }
    }
}

static void describe_drive(const struct ide_channel *c, const struct ide_drive *d, const struct device_sink *sink) {
    char name[32];
    const struct ide_registers *r = &d->r;
    if (!d->disk)
        return;
    snprintf(name, sizeof name, "IDE %u %s", d->number / IDE_DRIVES, d->number % IDE_DRIVES ? "slave" : "master");
    device_row(sink, name, "status, error", "0x%02x, 0x%02x%s", r->status, r->error,
               &c->drive[c->lines.device & IDE_DEV ? 1 : 0] == d ? ", selected" : "");
    device_row(sink, name, "command", "0x%02x", r->command);
    if (ide_is_cd(d) && r->packet.sense)
        device_row(sink, name, "sense", "%x/%02x/%02x", r->packet.sense, r->packet.code, r->packet.qualifier);
    if (r->phase != IDE_IDLE)
        device_row(sink, name, "transfer", "%s, byte %u of %u, then %u sectors", r->phase == IDE_DATA_IN ? "read" : "write",
                   r->at, r->length, r->left);
    device_row(sink, name, "interrupt", "%s%s", r->interrupt ? "wanted" : "none",
               c->lines.control & IDE_NIEN ? ", disabled (nIEN)" : "");
}

static void describe(const void *device, const struct device_sink *sink) {
    const struct ide *ide = device;
    for (unsigned i = 0; i < IDE_CHANNELS; i++)
        for (unsigned n = 0; n < IDE_DRIVES; n++)
            describe_drive(&ide->channel[i], &ide->channel[i].drive[n], sink);
}

static void open_channel(struct ide_channel *c, unsigned which, const struct device_site *site) {
    static const uint16_t ports[] = {0x1f0, 0x170};
    c->irq = 14 + which;
    c->port = ports[which];
    c->board = site->board;
    c->drives = site->drives;
    for (unsigned n = 0; n < IDE_DRIVES; n++)
        c->drive[n].number = which * IDE_DRIVES + n;
    bus_add(site->bus, "ide", c->port, c->port + REGISTERS - 1, access_registers, c);
    bus_add(site->bus, "ide", c->port + CONTROL_OFFSET, c->port + CONTROL_OFFSET, access_control, c);
}

static void *open_on(const struct device_site *site) {
    struct ide *ide = calloc(1, sizeof *ide);
    if (ide)
        ide->drives = site->drives;
    for (unsigned i = 0; ide && i < IDE_CHANNELS; i++)
        open_channel(&ide->channel[i], i, site);
    return ide;
}

/* At the ports of old, and without bus mastering, so there is no BAR. 40h to 43h: timing, and
 * whether a channel is decoded, which both always are. */
static const struct pci_register pci_registers[] = {
    {0x40, 0x00, 0xff}, {0x41, 0x80, 0xff}, {0x42, 0x00, 0xff}, {0x43, 0x80, 0xff}, {0},
};
static const struct pci_function function = {
    .name = "IDE", .slot = PCI_SLOT(1, 1), .vendor = 0x8086, .device = 0x7010, .class = 0x010100,
    .command = PCI_COMMAND_IO | PCI_COMMAND_MASTER, .registers = pci_registers,
};

const struct device_class device_ide = {
    .name = "ide",
    .open = open_on,
    .reset = reset,
    .save = save,
    .load = load,
    .describe = describe,
    .close = free,
    .pci = &function,
};
