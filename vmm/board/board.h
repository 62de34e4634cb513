/* The board of a PC: its devices on their bus, the interrupt lines, the A20 gate, and the
 * way of the CPU's accesses to all of them.
 *
 * Rule: the board knows a CPU, memory and devices. What only the machine around them can
 * know (where output goes, what time it is) it asks by its hooks.
 */
#ifndef MINIKVM_BOARD_H
#define MINIKVM_BOARD_H

#include "vmm/base/lock.h"
#include "vmm/cpu/cpu.h"
#include "vmm/devices/devices.h"
#include "vmm/devices/disk/drives.h"
#include "vmm/memory/layout.h"

/* What the board asks of its machine, on the thread of the CPU. */
struct board_hooks {
    /* What a device prints. */
    void (*put)(void *machine, const char *text, size_t length);
    /* An access of this CPU ends the machine; or a device makes it stop, and says why. */
    void (*end)(void *machine, struct cpu *, int status);
    void (*stop)(void *machine, struct cpu *, const char *why);
    /* The guest programs the interrupt chips: what to answer to that write. */
    enum io_result (*uses_irqchip)(void *machine);
    /* Are the chips in use those of the engine, in the kernel? Any thread. */
    bool (*has_kernel_irqchip)(void *machine);
    uint64_t (*now)(void *machine);  /* guest time, nanoseconds */
    int64_t (*clock)(void *machine); /* seconds since 1970 as the guest shall see them */
    void (*alarm)(void *machine);    /* rtc_advance() is due at another time than before */
    void (*tell)(void *machine, const char *text); /* a person, in a line */
    enum disk_time (*disk_time)(void *machine);
    /* The guest resets its machine, and by what: the answer if firmware starts it anew
     * (IO_SERVICE), else IO_NOBODY. May be NULL. */
    enum io_result (*restart)(void *machine, const char *by);
    /* A port that no device answers was accessed. */
    void (*unassigned)(void *machine, const struct access *);
};

struct board_options {
    bool irqchip; /* PIC and PIT may be used */
    bool verbose;
    const struct firmware *firmware; /* of the user's (fw_cfg.h), or NULL */
    const struct device_class *const *devices; /* more than a PC's; ends with NULL, may be NULL */
};

struct pc_board {
    struct cpu *cpu; /* the boot CPU: INTR and A20 are its pins */
    struct memory *memory;
    struct bus bus;
    struct devices devices;
    struct drives drives;  /* filled before board_open() */
    struct input input;
    struct board services; /* what the devices may ask of all this */
    struct lock lock;  /* bus and devices: the CPU's thread against input */
    bool moved;        /* memory is not where the engine has it: board_settle() */
    struct board_options options;
    const struct board_hooks *hooks;
    void *machine; /* for the hooks */
};

/* The queue of input and the lock; the rest is zero. */
void board_init(struct pc_board *);
/* Puts the devices on the bus; cpu, memory, options, hooks and machine are set before, and
 * outlive the board. 0, or -errno with a sentence. */
int board_open(struct pc_board *, char *error, size_t size);
void board_close(struct pc_board *); /* after either */
/* There are others in b->drives than before, while the machine stands; a reset follows. */
void board_connect_drives(struct pc_board *);
/* At each power-on: the devices are as they begin. */
void board_reset(struct pc_board *);
/* The guest has reset its machine: the same, but the CMOS chip has a battery. */
void board_reset_by_guest(struct pc_board *);
/* The devices' state was replaced: A20 and the shadow as they say. The engine's translations are
 * to be flushed by the caller. */
void board_memory_as_devices(struct pc_board *);
/* Devices have moved display memory: the engine is told. board_io() does it by itself. IO_STOP:
 * that failed (and why). */
enum io_result board_settle(struct pc_board *);

/* An access of a CPU to a port. */
enum io_result board_io(struct pc_board *, const struct access *);
/* An access of a CPU to physical memory that is neither RAM nor ROM; IO_NOBODY: no device is
 * there. */
enum io_result board_mmio(struct pc_board *, const struct access *);
/* The device at a physical address, or NULL. */
const char *board_mmio_name(const struct pc_board *, uint64_t phys, unsigned size);

#endif
