/* Ports of an IDE channel as a driver's accesses see them, for tests of what hangs there. */
#ifndef MINIKVM_IDE_PORTS_H
#define MINIKVM_IDE_PORTS_H

#include "vmm/devices/device.h"

static struct bus bus;
static char last_told[400];
static bool line[16];
static unsigned edges[16], told;
static unsigned port; /* the channel's first */

static void take_irq(void *machine, unsigned irq, bool level) {
    (void)machine;
    edges[irq] += level && !line[irq];
    line[irq] = level;
}

static void take_tell(void *machine, const char *text) {
    (void)machine;
    snprintf(last_told, sizeof last_told, "%s", text);
    told++;
}

static const struct board board = {.irq = take_irq, .tell = take_tell};

static void access_port(unsigned to, bool write, unsigned size, void *data) {
    bus_access(&bus, &(struct access){.address = to, .write = write, .size = size, .data = data});
}

static void out(unsigned n, unsigned value) {
    uint8_t byte = (uint8_t)value;
    access_port(port + n, true, 1, &byte);
}

static uint8_t in(unsigned n) {
    uint8_t byte = 0x5a;
    access_port(port + n, false, 1, &byte);
    return byte;
}

#endif
