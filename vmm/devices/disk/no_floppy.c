/* The ports of the floppy controller, which is not emulated: floppies are read by the BIOS.
 * A driver that waits for it would hang without a word. Port 3F6h is IDE's. */
#include <stdio.h>
#include <stdlib.h>

#include "vmm/devices/device.h"

enum { FIRST = 0x3f0, LAST = 0x3f5, INPUT_REGISTER = 0x3f7 };

struct no_floppy {
    const struct board *board;
    bool told;
};

static enum io_result access_floppy(void *device, const struct access *a) {
    struct no_floppy *f = device;
    char text[160];
    if (!f->told && f->board->tell) {
        f->told = true;
        snprintf(text, sizeof text, "the guest %s port 0x%x: there is no floppy controller; read floppies by "
                 "the BIOS (int 13h)", a->write ? "writes to" : "reads", (unsigned)a->address);
        f->board->tell(f->board->machine, text);
    }
    return a->write ? IO_DONE : access_reply(a, UINT64_MAX);
}

static void *open_on(const struct device_site *site) {
    struct no_floppy *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    f->board = site->board;
    bus_add(site->bus, "floppy", FIRST, LAST, access_floppy, f);
    bus_add(site->bus, "floppy", INPUT_REGISTER, INPUT_REGISTER, access_floppy, f);
    return f;
}

static void reset(void *device) { ((struct no_floppy *)device)->told = false; }

/* What was told is no state of the machine. */
static void save(const void *device, struct device_state *s) { (void)device, (void)s; }
static void load(void *device, struct device_state *s) { (void)device, (void)s; }

const struct device_class device_no_floppy = {
    .name = "floppy",
    .open = open_on,
    .reset = reset,
    .save = save,
    .load = load,
    .close = free,
};
