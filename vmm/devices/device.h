/* What a device is to the rest: a row in the table of devices.c.
 *
 * A device is opened once for a machine, reset at each power-on, and saved and loaded
 * whenever a snapshot is. It may own memory: it says itself what of its state to save.
 *
 * Rule: what save() has put is all that decides how the device goes on. A device that
 * keeps something else makes a run that cannot be done again.
 */
#ifndef MINIKVM_DEVICE_H
#define MINIKVM_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/devices/bus.h"

struct cpu;
struct device_class;
struct devices;
struct drives;
struct firmware;
struct memory;
struct pci_function;

/* Where devices are opened. It outlives them. */
struct device_site {
    struct devices *devices; /* the machine's, where a PC's own have their place */
    struct bus *bus;
    const struct board *board;
    struct memory *memory;
    struct drives *drives;
    const struct firmware *firmware; /* of the user's (fw_cfg.h), or NULL */
    bool irqchip; /* PIC and PIT may be used: they have ports */
    bool verbose;
    const struct device_class *const *extra; /* more than a PC's; ends with NULL, may be NULL */
};

/* An object that a saved state shares with its device and with other states. */
struct device_kept {
    void *object;
    void (*release)(void *object);
};

/* The saved state of all devices, one behind the other. */
struct device_state {
    uint8_t *bytes; /* owned; device_state_free() */
    size_t length, room;
    size_t at, end; /* device_take(): the next byte, and where this device's end */
    struct device_kept *kept; /* likewise */
    size_t kept_count, kept_at;
    bool failed;    /* there was no memory for all of it */
};

/* For save() and load(). What was not put is taken as zeros. */
void device_put(struct device_state *, const void *from, size_t length);
void device_take(struct device_state *, void *to, size_t length);
/* How many bytes of this device are still to be taken. */
size_t device_left(const struct device_state *);
/* Keeps a reference to what is too large to be put each time; the state releases it when it
 * is freed, at once if there is no memory. */
void device_keep(struct device_state *, void *object, void (*release)(void *object));
/* The objects again, one by one as they were kept; they stay the state's. */
void *device_kept(struct device_state *);
void device_state_free(struct device_state *);

/* Takes the rows of `monitor info devices`. */
struct device_sink {
    void (*row)(void *context, const char *device, const char *name, const char *value);
    void *context;
};
void device_row(const struct device_sink *, const char *device, const char *name,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* One kind of device. `device` is what open() returned. */
struct device_class {
    const char *name;
    /* Puts it on the bus. The device, or NULL: no memory. Once for each machine. */
    void *(*open)(const struct device_site *);
    /* To its state at power-on. */
    void (*reset)(void *device);
    /* State out of and into the device; load() cannot fail, so what it needs memory for
     * is there already or is freed. Both NULL: `size` bytes, its struct, are all of it. */
    void (*save)(const void *device, struct device_state *);
    void (*load)(void *device, struct device_state *);
    size_t size;
    /* Bytes of the objects that states keep, each counted once. NULL: it keeps none. */
    uint64_t (*shared)(const void *device);
    void (*notice)(void *device); /* input has come; NULL: it does not care */
    /* For `monitor info devices`; changes nothing. NULL: it is not shown. */
    void (*describe)(const void *device, const struct device_sink *);
    void (*close)(void *device); /* NULL: it owns nothing */
    /* The PCI function that it is (pci.h); NULL: none. */
    const struct pci_function *pci;
    /* A CPU has changed its configuration space; may be NULL. */
    enum io_result (*configured)(void *device, struct cpu *);
};

/* All devices of a machine. 0; -ENOMEM, or -EEXIST when two answer one address, with a
 * sentence. After either devices_close(). */
int devices_open(struct devices *, const struct device_site *, char *error, size_t size);
void devices_close(struct devices *);
void devices_reset(struct devices *);
/* false: there is no memory for it. */
bool devices_save(const struct devices *, struct device_state *);
void devices_load(struct devices *, struct device_state *);
/* What all the states saved take beside their bytes. */
uint64_t devices_shared(const struct devices *);
/* Input has come: those that interrupt for it look, the table's last row first. */
void devices_notice(struct devices *);
void devices_describe(const struct devices *, const struct device_sink *);

#endif
