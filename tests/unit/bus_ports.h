/* For tests of devices: a bus as a driver's port accesses see it, and what the devices ask of the
 * board around it, interrupts and messages. */
#ifndef MINIKVM_BUS_PORTS_H
#define MINIKVM_BUS_PORTS_H

#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/devices/device.h"

static struct bus bus;
static bool line[16];      /* interrupt lines */
static unsigned edges[16]; /* how often each rose */
static unsigned told;      /* how many messages, and the last one */
static char last_told[400];
static struct cpu *driver; /* that accesses the ports; NULL: the device does not look */

static inline void take_irq(void *machine, unsigned irq, bool level) {
    (void)machine;
    edges[irq] += level && !line[irq];
    line[irq] = level;
}

static inline void take_tell(void *machine, const char *text) {
    (void)machine;
    snprintf(last_told, sizeof last_told, "%s", text);
    told++;
}

static inline void forget_edges(void) { memset(edges, 0, sizeof edges); }

/* Of whatever line. */
static inline unsigned all_edges(void) {
    unsigned sum = 0;
    for (unsigned irq = 0; irq < sizeof edges / sizeof *edges; irq++)
        sum += edges[irq];
    return sum;
}

static inline void new_bus(void) {
    bus = (struct bus){0};
    memset(line, 0, sizeof line);
    forget_edges();
    told = 0;
}

static inline enum io_result access_port(unsigned port, bool write, unsigned size, void *data) {
    return bus_access(&bus, &(struct access){.cpu = driver, .address = port, .write = write, .size = size, .data = data});
}

static inline enum io_result out(unsigned port, unsigned value) {
    uint8_t byte = (uint8_t)value;
    return access_port(port, true, 1, &byte);
}

static inline uint8_t in(unsigned port) {
    uint8_t byte = 0x5a;
    CHECK(access_port(port, false, 1, &byte) == IO_DONE);
    return byte;
}

#endif
