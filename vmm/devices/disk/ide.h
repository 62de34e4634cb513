/* Two IDE channels with two drives each, as ATA-6 (T13/1410D) has them, by programmed I/O:
 *
 *   first    1F0h-1F7h, 3F6h, IRQ 14    hard[0] is the master (device 0), hard[1] the slave
 *   second   170h-177h, 376h, IRQ 15    hard[2] and hard[3]
 *
 * A place without a hard disk may have a drive for CDs (drives.h).
 *
 *   ide.c            ports and registers
 *   ide_commands.c   the table of commands
 *   ide_transfer.c   addresses, and sectors through the data port
 *   ide_identify.c   what IDENTIFY DEVICE and IDENTIFY PACKET DEVICE answer
 *   ide_packet.c     a CD drive's commands, and how packets and their data pass
 *   atapi.c          the packets' commands
 *
 * A command takes no time: BSY is seen only while the guest holds the channel in reset. What a
 * PC's controller shows where no drive is, is 0, in each register.
 *
 * Rule: everything but the buffers is in structs without pointers, so that it is saved as it is.
 */
#ifndef MINIKVM_IDE_H
#define MINIKVM_IDE_H

#include "vmm/devices/bus.h"
#include "vmm/devices/disk/disk.h"

/* ATA-6 7.15, 7.9, 7.8: Status, Error, Device Control, Device. */
enum ide_status { IDE_BSY = 0x80, IDE_DRDY = 0x40, IDE_DF = 0x20, IDE_DSC = 0x10, IDE_DRQ = 0x08, IDE_ERR = 0x01 };
enum ide_error { IDE_UNC = 0x40, IDE_IDNF = 0x10, IDE_ABRT = 0x04, IDE_PASSED = 0x01 };
enum ide_control { IDE_HOB = 0x80, IDE_SRST = 0x04, IDE_NIEN = 0x02 };
enum ide_device { IDE_LBA = 0x40, IDE_DEV = 0x10, IDE_HEAD = 0x0f, IDE_OBSOLETE = 0xa0 };

enum { IDE_MULTIPLE_MAX = 16, IDE_CHANNELS = 2, IDE_DRIVES = 2 };

/* What a command reads: each register holds two bytes, the one written before is for LBA48. */
struct ide_task {
    uint8_t feature[2], count[2], low[2], mid[2], high[2]; /* [0] the latest */
};

enum ide_phase { IDE_IDLE, IDE_DATA_IN, IDE_DATA_OUT };
/* What a drive for CDs has in its registers for a signature. */
enum { IDE_PACKET_MID = 0x14, IDE_PACKET_HIGH = 0xeb };
enum ide_addressing { IDE_CHS, IDE_LBA28, IDE_LBA48 };

/* Of a drive for CDs. */
struct ide_packet {
    uint8_t sense, code, qualifier; /* why the last command failed, for REQUEST SENSE */
    uint8_t changed;  /* there may be another medium, and the guest does not know */
    uint16_t limit;   /* bytes of one DRQ, by the Byte Count registers */
    uint32_t drq;     /* bytes of this DRQ that are still to pass */
    uint64_t left;    /* bytes of the command behind those */
};

/* Saved as it is. */
struct ide_registers {
    struct ide_task task;
    uint8_t status, error, command;
    uint8_t multiple;      /* sectors of a block, by SET MULTIPLE MODE; 0: not set */
    bool interrupt;        /* INTRQ is wanted */
    uint8_t track, heads;  /* for CHS, by INITIALIZE DEVICE PARAMETERS */
    uint8_t cache;         /* is the write cache on? */
    uint8_t phase;         /* enum ide_phase */
    uint8_t addressing;    /* enum ide_addressing, of the command under way */
    uint16_t block;        /* its sectors in one DRQ */
    uint64_t lba;          /* the first that has not passed through the buffer */
    uint32_t left;         /* sectors from there on */
    uint32_t at, length;   /* bytes of the buffer */
    struct ide_packet packet;
};

struct ide_drive {
    struct disk *disk; /* NULL: there is none */
    unsigned number;   /* 0 to 3 */
    struct ide_registers r;
    uint8_t buffer[IDE_MULTIPLE_MAX * DISK_SECTOR];
};

/* Saved as it is, too. */
struct ide_lines {
    uint8_t device;  /* the register: which drive, and the head */
    uint8_t control; /* likewise */
    bool irq;        /* the line as it is now */
    uint32_t polls;  /* Status was read so often in a row where no drive is */
};

struct ide_channel {
    const struct drives *drives; /* of the machine; NULL: none */
    struct ide_drive drive[IDE_DRIVES];
    struct ide_lines lines;
    unsigned irq;
    uint16_t port;
    const struct board *board;
    uint8_t told_commands[256 / 8], told_packets[256 / 8]; /* each that is not done is told once */
    bool told_poll, told_bytes, told_dropped, told_dma;
};

/* --- ide.c --- */
struct ide_drive *ide_selected(struct ide_channel *);
/* The registers as after a reset: ATA-6 9.12, the signature of a disk. */
void ide_signature(struct ide_drive *);
/* "IDE 0 master: ..." to a person. */
void ide_tell(struct ide_channel *, const struct ide_drive *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static inline bool ide_is_cd(const struct ide_drive *d) { return d->disk && disk_flags(d->disk) & DISK_CD; }

/* --- ide_commands.c --- */
/* One command, as the table has it. */
struct ide_call {
    struct ide_channel *channel;
    struct ide_drive *drive;
    bool extended; /* LBA48 */
};
struct ide_row {
    uint8_t first, last; /* codes */
    bool extended;
    void (*run)(const struct ide_call *);
    const char *name; /* of those that are aborted and told */
};
/* Those that both kinds of drive have. */
void ide_do_nothing(const struct ide_call *);
void ide_do_abort(const struct ide_call *);
void ide_do_check_power(const struct ide_call *);
void ide_do_set_features(const struct ide_call *);
void ide_do_diagnose(const struct ide_call *);
void ide_command(struct ide_channel *, uint8_t command);
/* How a command ends: well, or with bits of the Error register. Either interrupts. */
void ide_done(struct ide_drive *);
void ide_fail(struct ide_drive *, uint8_t error);

/* --- ide_transfer.c --- */
/* Where the task says, and how many sectors. false: there is no such place by CHS; told. */
bool ide_address(struct ide_drive *, uint8_t device, bool extended);
void ide_read(struct ide_drive *, unsigned block);
void ide_write(struct ide_drive *, unsigned block);
void ide_verify(struct ide_drive *);
/* A buffer of the drive's own, to be read. */
void ide_send_buffer(struct ide_drive *);
/* Through the data port: one word or two. Without DRQ 0, and dropped. */
uint32_t ide_data_in(struct ide_channel *, struct ide_drive *, unsigned words);
void ide_data_out(struct ide_channel *, struct ide_drive *, uint32_t value, unsigned words);

/* --- ide_identify.c --- */
void ide_identify(struct ide_drive *);
void ide_identify_packet(struct ide_drive *);

/* --- ide_packet.c --- */
extern const struct ide_row ide_packet_rows[];
/* A buffer of an ATAPI drive passes through the data port, word by word. */
uint32_t ide_packet_word_in(struct ide_drive *);
void ide_packet_word_out(struct ide_channel *, struct ide_drive *, uint32_t word);
/* How a packet's command goes on: so many bytes of the buffer, of which the guest wants no more
 * than `allocation`; so many blocks from r.lba; the end; CHECK CONDITION. */
void ide_packet_reply(struct ide_drive *, unsigned length, unsigned allocation);
void ide_packet_read(struct ide_drive *, uint32_t blocks);
void ide_packet_done(struct ide_drive *);
struct atapi_sense {
    uint8_t key, code, qualifier;
};
void ide_packet_fail(struct ide_drive *, struct atapi_sense);

/* --- atapi.c --- */
enum { ATAPI_PACKET = 12 };
void atapi_command(struct ide_channel *, struct ide_drive *, const uint8_t packet[ATAPI_PACKET]);
/* Why a block cannot be read. */
struct atapi_sense atapi_sense_of(enum disk_result);

#endif
