/* The devices that are one register each. */
#include "vmm/devices/devices.h"

#include <stdio.h>

enum { FAST_A20 = 0x92, DEBUG_CONSOLE = 0xe9, EXIT = 0xf4, POST = 0x80, POST2 = 0x190,
       FPU_BUSY = 0xf0, FPU_RESET = 0xf1, FPU_IRQ = 13, RESET_CONTROL = 0xcf9 };

/* Bit 1 gates A20, as the keyboard controller does; bit 0 resets. */
static enum io_result access_a20(void *device, const struct access *a) {
    struct ports *p = device;
    if (!a->write)
        return access_reply(a, p->port92);
    p->port92 = access_byte(a) & ~1;
    if (access_byte(a) & 1)
        return p->board->reset(p->board->machine, a->cpu, "port 0x92");
    return p->board->a20(p->board->machine, a->cpu, access_byte(a) & PORTS_A20);
}

static enum io_result access_console(void *device, const struct access *a) {
    struct ports *p = device;
    if (!a->write)
        return access_reply(a, DEBUG_CONSOLE); /* how software knows that it is there */
    p->board->put(p->board->machine, a->data, 1);
    return IO_DONE;
}

static enum io_result access_exit(void *device, const struct access *a) {
    struct ports *p = device;
    if (!a->write)
        return access_reply(a, 0);
    p->board->end(p->board->machine, a->cpu, (access_byte(a) << 1 | 1) & 0xff);
    return IO_STOP;
}

static enum io_result access_post(void *device, const struct access *a) {
    struct ports *p = device;
    if (!a->write)
        return access_reply(a, 0xff);
    if (p->verbose)
        fprintf(stderr, "minikvm: POST code %02x\n", access_byte(a));
    return IO_DONE;
}

/* Bit 2 going up resets (PIIX, reset control register); bit 1 says how much of it. */
static enum io_result access_reset(void *device, const struct access *a) {
    struct ports *p = device;
    uint8_t was = p->reset_control;
    if (!a->write)
        return access_reply(a, was);
    p->reset_control = access_byte(a);
    bool resets = access_byte(a) & ~was & 4;
    return resets ? p->board->reset(p->board->machine, a->cpu, "port 0xcf9") : IO_DONE;
}

/* FERR# raises IRQ 13; a write takes it back, and asserts IGNNE# until FERR# has gone
 * (volume 1, appendix D). */
static enum io_result access_fpu(void *device, const struct access *a) {
    struct ports *p = device;
    if (!a->write)
        return access_reply(a, 0xff);
    p->board->irq(p->board->machine, FPU_IRQ, false);
    p->ignne = p->ferr;
    return IO_DONE;
}

bool ports_ferr(struct ports *p, bool asserted) {
    if (asserted && !p->ferr)
        p->board->irq(p->board->machine, FPU_IRQ, true);
    p->ferr = asserted;
    p->ignne = p->ignne && asserted;
    return p->ignne;
}

static void reset(void *device) {
    struct ports *p = device;
    *p = (struct ports){.board = p->board, .port92 = PORTS_A20, .verbose = p->verbose};
}

static void describe(const void *device, const struct device_sink *sink) {
    const struct ports *p = device;
    device_row(sink, "A20", "port 0x92", "0x%02x", p->port92);
}

void ports_open(struct ports *p, struct bus *bus, const struct board *board, bool verbose) {
    *p = (struct ports){.board = board, .verbose = verbose};
    reset(p);
    bus_add(bus, "a20", FAST_A20, FAST_A20, access_a20, p);
    bus_add(bus, "console", DEBUG_CONSOLE, DEBUG_CONSOLE, access_console, p);
    bus_add(bus, "exit", EXIT, EXIT, access_exit, p);
    bus_add(bus, "post", POST, POST, access_post, p);
    bus_add(bus, "post", POST2, POST2, access_post, p);
    bus_add(bus, "FPU", FPU_BUSY, FPU_RESET, access_fpu, p);
    bus_add(bus, "reset control", RESET_CONTROL, RESET_CONTROL, access_reset, p);
}

static void *open_on(const struct device_site *site) {
    ports_open(&site->devices->ports, site->bus, site->board, site->verbose);
    return &site->devices->ports;
}

const struct device_class device_ports = {
    .name = "ports",
    .open = open_on,
    .reset = reset,
    .size = sizeof(struct ports),
    .describe = describe,
};
