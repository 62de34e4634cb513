/* Port 402h, where firmware writes what it does, in lines of text. Reading it gives E9: it is there. */
#include "vmm/devices/fw_cfg.h"

#include <stdio.h>
#include <stdlib.h>

#include "vmm/devices/devices.h"

enum { PORT = 0x402, THERE = 0xe9, LINE = 200 };

struct debug_port {
    const struct board *board;
    bool logs;
    unsigned length;
    char line[LINE + 1];
};

static void end_line(struct debug_port *d) {
    char text[LINE + 16];
    d->line[d->length] = 0;
    snprintf(text, sizeof text, "BIOS: %s", d->line);
    if (d->logs && d->length)
        d->board->tell(d->board->machine, text);
    d->length = 0;
}

/* What a terminal would not show as it is, is left out. */
static enum io_result access_debug_port(void *device, const struct access *a) {
    struct debug_port *d = device;
    if (!a->write)
        return access_reply(a, THERE);
    uint8_t byte = access_byte(a);
    if (byte == '\n' || d->length == LINE)
        end_line(d);
    if (byte >= ' ' && byte <= '~')
        d->line[d->length++] = (char)byte;
    return IO_DONE;
}

static void reset(void *device) {
    struct debug_port *d = device;
    d->length = 0;
}

static void *open_on(const struct device_site *site) {
    struct debug_port *d = calloc(1, sizeof *d);
    if (!d || !site->firmware)
        return d;
    d->board = site->board;
    d->logs = site->firmware->logs;
    bus_add(site->bus, "debug port", PORT, PORT, access_debug_port, d);
    return d;
}

const struct device_class device_debug_port = {
    .name = "debug port",
    .open = open_on,
    .reset = reset,
    .size = sizeof(struct debug_port),
    .close = free,
};
