/* Finding the device behind a port; see bus.h. Physical addresses: bus_mmio.c. */
#include "vmm/devices/bus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/invariant.h"

bool bus_overlaps(const struct bus_range *a, const struct bus_range *b) {
    return a->mmio == b->mmio && a->first <= b->last && a->last >= b->first;
}

static void explain_overlap(const struct bus_range *old, const struct bus_range *new, char *why,
                            size_t size) {
    snprintf(why, size, "two devices at %s 0x%" PRIx64 ": %s and %s",
             new->mmio ? "physical" : "port", new->first > old->first ? new->first : old->first,
             old->name, new->name);
}

void bus_refuse(struct bus *bus, const char *why) {
    if (!*bus->error)
        snprintf(bus->error, sizeof bus->error, "%s", why);
}

static bool bus_has_room(struct bus *bus, const struct bus_range *r) {
    char why[sizeof bus->error] = "";
    if (bus->count == BUS_MAX)
        snprintf(why, sizeof why, "no room on the bus for %s: it holds %d ranges (BUS_MAX)",
                 r->name, BUS_MAX);
    for (unsigned i = 0; i < bus->count && !*why; i++)
        if (bus_overlaps(&bus->range[i], r))
            explain_overlap(&bus->range[i], r, why, sizeof why);
    if (*why)
        bus_refuse(bus, why);
    return !*why;
}

void bus_add_range(struct bus *bus, const struct bus_range *r) {
    INVARIANT(bus->count <= BUS_MAX && r->first <= r->last);
    if (bus_has_room(bus, r))
        bus->range[bus->count++] = *r;
}

void bus_add(struct bus *bus, const char *name, uint16_t first, uint16_t last,
             access_function *access, void *device) {
    bus_add_range(bus, &(struct bus_range){name, false, first, last, access, device});
}

enum io_result access_reply(const struct access *a, uint64_t value) {
    memcpy(a->data, &value, a->size < sizeof value ? a->size : sizeof value);
    return IO_DONE;
}

const struct bus_range *bus_find(const struct bus *bus, bool mmio, uint64_t first, uint64_t last) {
    for (unsigned i = 0; i < bus->count; i++)
        if (bus->range[i].mmio == mmio && first >= bus->range[i].first &&
            last <= bus->range[i].last && first <= last)
            return &bus->range[i];
    return NULL;
}

/* A wide access that begins at a device's last port is that device's. */
enum io_result bus_access(struct bus *bus, const struct access *a) {
    const struct bus_range *r = bus_find(bus, false, a->address, a->address);
    if (r)
        return r->access(r->device, a);
    if (bus->unassigned)
        bus->unassigned(bus->machine, a);
    return a->write ? IO_DONE : access_reply(a, UINT64_MAX);
}
