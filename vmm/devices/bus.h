/* The I/O ports, and what a device needs of the machine around it.
 *
 * A device is a struct of its own with an access function; it says which ports
 * it answers with bus_add(). Ports that nobody answers read as ones and swallow
 * writes.
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

struct access {
    uint16_t port;
    bool out;
    unsigned size; /* bytes: 1, 2 or 4 */
    void *data;    /* little-endian; to be filled in when !out */
};

typedef enum io_result access_function(void *device, const struct access *);

enum { BUS_MAX = 24 };

struct bus {
    struct {
        const char *name;
        uint16_t first, last;
        access_function *access;
        void *device;
    } range[BUS_MAX];
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
enum io_result bus_access(struct bus *, const struct access *);

/* For devices with byte registers. */
static inline uint8_t access_byte(const struct access *a) { return *(const uint8_t *)a->data; }
enum io_result access_reply(const struct access *, uint32_t value);

struct input;

/* What a device may ask of its machine. */
struct board {
    void *machine;
    struct input *input; /* keyboard and serial line share it: who reads first, has it */
    void (*put)(void *machine, const char *text, size_t length);
    void (*irq)(void *machine, unsigned irq, bool level);
    /* The guest ends the machine; or something makes it stop, and why. The
     * device answers IO_STOP after either. */
    void (*end)(void *machine, int status);
    void (*stop)(void *machine, const char *why);
    /* The guest resets its machine, and by what. */
    enum io_result (*reset)(void *machine, const char *by);
    /* Address line 20 is let through, or is 0. IO_STOP: it could not be (and why). */
    enum io_result (*a20)(void *machine, bool open);
    /* The PIC's INTR line. */
    void (*intr)(void *machine, bool level);
    /* The guest programs the interrupt chips: what to answer to that write. */
    enum io_result (*uses_irqchip)(void *machine);
    uint64_t (*now)(void *machine); /* guest time, nanoseconds */
    /* Seconds since 1970 as the guest shall see them. */
    int64_t (*clock)(void *machine);
};

#endif
