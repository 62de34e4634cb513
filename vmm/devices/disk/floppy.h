/* The floppy controller, an 82077AA as PCs have it: 0x3F0-0x3F5 and 0x3F7, IRQ 6, DMA channel 2.
 * Section numbers are those of its data sheet. Drives and diskettes are those of the BIOS.
 *
 *   floppy.c           registers, interrupt, reset
 *   floppy_commands.c  command, parameters, result
 *   floppy_transfer.c  what goes to and from sectors
 *
 * Rule: nothing takes time. A command that has all its parameters is done, unless DMA is masked
 * or the guest passes the bytes itself; then it waits for that alone.
 */
#ifndef MINIKVM_FLOPPY_H
#define MINIKVM_FLOPPY_H

#include "vmm/devices/device.h"
#include "vmm/devices/disk/disk.h"

struct dma;

enum { FLOPPY_DRIVES = 2, FLOPPY_UNITS = 4, FLOPPY_BYTES = 16 };

/* --- registers (2.1) --- */
enum floppy_dor { DOR_DRIVE = 3, DOR_RUNS = 4, DOR_DMA = 8, DOR_MOTOR = 0x10 };
enum floppy_msr { MSR_BUSY = 0x10, MSR_NO_DMA = 0x20, MSR_DIO = 0x40, MSR_RQM = 0x80 };

/* --- status bytes (8.0) --- */
enum floppy_st0 { ST0_FAILED = 0x40, ST0_INVALID = 0x80, ST0_POLLED = 0xc0, ST0_SEEK = 0x20, ST0_EQUIPMENT = 0x10 };
enum floppy_st1 { ST1_NO_MARK = 1, ST1_PROTECTED = 2, ST1_NO_DATA = 4, ST1_OVERRUN = 0x10, ST1_DATA = 0x20,
                  ST1_END = 0x80 };
enum floppy_st2 { ST2_BAD_CYLINDER = 2, ST2_WRONG_CYLINDER = 0x10, ST2_DATA = 0x20 };

enum floppy_phase { FLOPPY_COMMAND, FLOPPY_WAITS_DMA, FLOPPY_BYTES_IN, FLOPPY_BYTES_OUT, FLOPPY_RESULT };
/* What the execution phase does; in and out as the guest has it. */
enum floppy_job { JOB_READ, JOB_WRITE, JOB_FORMAT };

/* Saved as it is. */
struct floppy_registers {
    uint8_t dor, rate, tape;
    uint8_t phase;             /* enum floppy_phase */
    uint8_t byte[FLOPPY_BYTES]; /* of the command, or of the result */
    uint8_t at, length;        /* of these */
    uint8_t st1, st2;          /* why the transfer fails */
    bool interrupt;            /* INT is up */
    uint8_t polls;             /* so many drives are still to be told of after a reset */
    uint8_t seek_st0[FLOPPY_UNITS]; /* of a seek that is over; 0: none */
    /* by SPECIFY, CONFIGURE, PERPENDICULAR MODE, LOCK */
    uint8_t step_rate, load_time, config, precompensation, perpendicular;
    bool locked;
    /* of the drives */
    uint8_t cylinder[FLOPPY_UNITS];
    uint8_t next_id[FLOPPY_UNITS]; /* the sector that READ ID sees next, less one */
    bool changed[FLOPPY_UNITS];    /* the change line */
    /* of a transfer */
    uint8_t job;             /* enum floppy_job */
    uint8_t c, h, r;         /* the sector under way; formatting: how many are done is `r` */
    uint16_t done, size;     /* bytes of the buffer, and of one sector or ID */
    uint8_t buffer[DISK_SECTOR];
};

struct floppy_drive {
    struct disk *disk; /* NULL: there is no drive */
    struct disk_geometry geometry;
};

struct floppy {
    struct floppy_registers r;
    struct floppy_drive drive[FLOPPY_UNITS];
    const struct board *board;
    const struct drives *drives;
    struct dma *dma;
    uint8_t *cmos; /* the RAM of the clock's chip, which tells of drives */
    unsigned told; /* bits of what has been told once */
};

/* The rate register: 500, 300, 250 kbit/s, 1 Mbit/s. */
enum { RATE_500, RATE_300, RATE_250, RATE_1000 };

/* --- floppy.c --- */
/* INT goes up or down; an edge for the PIC each time that it goes up. */
void floppy_interrupt(struct floppy *, bool level);
/* What a guest does wrong, each once. */
enum floppy_told { TOLD_NO_DRIVE, TOLD_MOTOR, TOLD_RATE, TOLD_SEEK, TOLD_FM, TOLD_ID, TOLD_WAY, TOLD_SIZE,
                   TOLD_COMMAND };
void floppy_tell(struct floppy *, enum floppy_told, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- floppy_commands.c --- */
/* The drive and head that the command's second byte says. */
static inline unsigned floppy_unit(const struct floppy *f) { return f->r.byte[1] & 3; }
static inline unsigned floppy_head(const struct floppy *f) { return f->r.byte[1] >> 2 & 1; }
void floppy_put(struct floppy *, uint8_t byte); /* of a command or its parameters */
uint8_t floppy_get(struct floppy *);            /* of a result */
/* The result phase, with so many bytes of r.byte. */
void floppy_result(struct floppy *, unsigned length);
/* Of commands that transfer: ST0, ST1, ST2, C, H, R, N, and INT. */
void floppy_end_transfer(struct floppy *, uint8_t c, uint8_t h, uint8_t r, uint8_t n);

/* --- floppy_transfer.c --- */
/* Can the drive's head read or write what is under it? false: ST1 says why not. */
bool floppy_is_ready(struct floppy *);
void floppy_begin(struct floppy *, enum floppy_job);
void floppy_verify(struct floppy *);
/* DMA may go on. */
void floppy_go(void *floppy);
uint8_t floppy_take_byte(struct floppy *);
void floppy_give_byte(struct floppy *, uint8_t byte);

#endif
