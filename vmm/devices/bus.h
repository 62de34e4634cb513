/* The bus: I/O ports and memory-mapped registers (MMIO), and what a device needs of the
 * machine around it.
 *
 * A device is a struct of its own with an access function; it says which ports it answers
 * with bus_add(), and which physical addresses with bus_add_mmio(). What nobody answers reads
 * as ones and swallows writes.
 *
 * RAM and ROM are not on the bus: engines come here only for addresses outside of both.
 * A person's look at memory never comes here, so no device notices it.
 *
 * Rule: devices run on the thread of their machine's CPU, except input_* and
 * *_notice(), which any thread may call.
 */
#ifndef MINIKVM_BUS_H
#define MINIKVM_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/cpu/io.h"

struct cpu;

struct access {
    struct cpu *cpu;  /* that accesses; NULL in tests */
    bool mmio;        /* a physical address; else a port */
    uint64_t address;
    bool write;
    /* Bytes. Ports: 1, 2 or 4. MMIO: 1 to 8, since the CPU splits an access at a page's edge. */
    unsigned size;
    void *data; /* little-endian; to be filled in by a read */
};

/* IO_RETRY and IO_SERVICE are for ports: an engine may be unable to take back an access to
 * memory, or to stop right behind it. */
typedef enum io_result access_function(void *device, const struct access *);

enum { BUS_MAX = 64 };

struct bus_range {
    const char *name;
    bool mmio;
    uint64_t first, last;
    access_function *access;
    void *device;
};

struct bus {
    struct bus_range range[BUS_MAX];
    unsigned count;
    char error[200]; /* why a range could not be added, the first time; else empty */
    /* A port that nobody answers was accessed; may be NULL. */
    void (*unassigned)(void *machine, const struct access *);
    void *machine;
};

/* A range that has no room, or where another device answers already, is not added, and
 * bus->error says so: a machine with such a bus does not start. `name` must last. */
void bus_add(struct bus *, const char *name, uint16_t first, uint16_t last, access_function *,
             void *device);
/* Both, and the reason that a machine does not start with; the first one stays. */
void bus_add_range(struct bus *, const struct bus_range *);
void bus_refuse(struct bus *, const char *why);
bool bus_overlaps(const struct bus_range *, const struct bus_range *);
/* The range that has [first, last], or NULL. */
const struct bus_range *bus_find(const struct bus *, bool mmio, uint64_t first, uint64_t last);

/* To a port. */
enum io_result bus_access(struct bus *, const struct access *);

/* For devices with byte registers. */
static inline uint8_t access_byte(const struct access *a) { return *(const uint8_t *)a->data; }
/* Answers a read: as many bytes of the value as were asked for. */
enum io_result access_reply(const struct access *, uint64_t value);

/* What a person or a pipe sends to the machine (input.h): a byte 0..255, INPUT_NONE when
 * none is there yet, INPUT_END when none will ever be. peek leaves it there. */
struct input;
enum { INPUT_NONE = -1, INPUT_END = -2 };
int input_take(struct input *);
int input_peek(struct input *);

/* What a device may ask of its machine. */
struct board {
    void *machine;
    struct input *input; /* keyboard and serial line share it: who reads first, has it */
    void (*put)(void *machine, const char *text, size_t length);
    void (*irq)(void *machine, unsigned irq, bool level);
    /* An access of this CPU (struct access has it) ends the machine; or something makes it
     * stop, and why. The device answers IO_STOP after either. */
    void (*end)(void *machine, struct cpu *, int status);
    void (*stop)(void *machine, struct cpu *, const char *why);
    /* It resets the machine, and by what. */
    enum io_result (*reset)(void *machine, struct cpu *, const char *by);
    /* It lets address line 20 through, or makes it 0. IO_STOP: that failed (and why). */
    enum io_result (*a20)(void *machine, struct cpu *, bool open);
    /* What is at which address follows from its registers, and they have changed. IO_STOP: likewise. */
    enum io_result (*remap)(void *machine, struct cpu *);
    /* memory_set_window() or memory_set_framebuffer() said that something is new. */
    void (*moved)(void *machine);
    /* The firmware would get the next key, and nobody has asked it for one: so long (guest ns, from
     * when it came) is that held back; 0: it is not. NULL: there is no firmware. */
    uint64_t (*holds_keys)(void *firmware);
    void *firmware;
    /* The PIC's INTR line. */
    void (*intr)(void *machine, bool level);
    /* The guest programs the interrupt chips: what to answer to that write. */
    enum io_result (*uses_irqchip)(void *machine);
    uint64_t (*now)(void *machine); /* guest time, nanoseconds */
    void (*dma)(void *machine, uint64_t phys, void *data, size_t length, bool to_memory);
    void (*alarm)(void *machine); /* a device that goes by time is due at another one; may be NULL */
    /* Seconds since 1970 as the guest shall see them. */
    int64_t (*clock)(void *machine);
    /* A person is told, in a line. In the past nobody is: then it was told before. */
    void (*tell)(void *machine, const char *text);
};

#endif
