/* Finding the device behind a port or a physical address; see bus.h. */
#include "vmm/devices/bus.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/memory/memory.h"

static bool overlaps(const struct bus_range *a, const struct bus_range *b) {
    return a->mmio == b->mmio && a->first <= b->last && a->last >= b->first;
}

/* RAM ends at MEMORY_MAX at the latest, and a ROM ends at 4 GiB. */
static bool may_be_memory(const struct bus_range *r) {
    struct bus_range rom = {.mmio = true, .first = (1ull << 32) - ROM_MAX, .last = UINT32_MAX};
    return r->mmio && (r->first < MEMORY_MAX || r->last < r->first || overlaps(r, &rom));
}

static void explain_overlap(const struct bus_range *old, const struct bus_range *new, char *why,
                            size_t size) {
    snprintf(why, size, "two devices at %s 0x%" PRIx64 ": %s and %s",
             new->mmio ? "physical" : "port", new->first > old->first ? new->first : old->first,
             old->name, new->name);
}

static bool has_room(struct bus *bus, const struct bus_range *r) {
    char why[sizeof bus->error] = "";
    if (bus->count == BUS_MAX)
        snprintf(why, sizeof why, "no room on the bus for %s: it holds %d ranges (BUS_MAX)",
                 r->name, BUS_MAX);
    else if (may_be_memory(r))
        snprintf(why, sizeof why, "%s at physical 0x%" PRIx64 ": RAM or ROM may be there; "
                 "devices are from 0x%llx to 0x%llx, or above 4 GiB", r->name, r->first, MEMORY_MAX,
                 (1ull << 32) - ROM_MAX);
    for (unsigned i = 0; i < bus->count && !*why; i++)
        if (overlaps(&bus->range[i], r))
            explain_overlap(&bus->range[i], r, why, sizeof why);
    if (*why && !*bus->error)
        memcpy(bus->error, why, sizeof why);
    return !*why;
}

static void add(struct bus *bus, const struct bus_range *r) {
    if (has_room(bus, r))
        bus->range[bus->count++] = *r;
}

void bus_add(struct bus *bus, const char *name, uint16_t first, uint16_t last,
             access_function *access, void *device) {
    add(bus, &(struct bus_range){name, false, first, last, access, device});
}

void bus_add_mmio(struct bus *bus, const char *name, uint64_t base, uint64_t length,
                  access_function *access, void *device) {
    add(bus, &(struct bus_range){name, true, base, base + length - 1, access, device});
}

uint64_t access_value(const struct access *a) {
    uint64_t value = 0;
    memcpy(&value, a->data, a->size < sizeof value ? a->size : sizeof value);
    return value;
}

enum io_result access_reply(const struct access *a, uint64_t value) {
    memcpy(a->data, &value, a->size < sizeof value ? a->size : sizeof value);
    return IO_DONE;
}

static const struct bus_range *find(const struct bus *bus, bool mmio, uint64_t first,
                                    uint64_t last) {
    for (unsigned i = 0; i < bus->count; i++)
        if (bus->range[i].mmio == mmio && first >= bus->range[i].first &&
            last <= bus->range[i].last && first <= last)
            return &bus->range[i];
    return NULL;
}

/* A wide access that begins at a device's last port is that device's. */
enum io_result bus_access(struct bus *bus, const struct access *a) {
    const struct bus_range *r = find(bus, false, a->address, a->address);
    if (r)
        return r->access(r->device, a);
    if (bus->unassigned)
        bus->unassigned(bus->machine, a);
    return a->write ? IO_DONE : access_reply(a, UINT64_MAX);
}

enum io_result bus_mmio(struct bus *bus, const struct access *a) {
    const struct bus_range *r = find(bus, true, a->address, a->address + a->size - 1);
    if (!r)
        return IO_NOBODY;
    enum io_result result = r->access(r->device, a);
    return result == IO_RETRY ? IO_DONE : result;
}

const char *bus_mmio_name(const struct bus *bus, uint64_t phys, unsigned size) {
    const struct bus_range *r = find(bus, true, phys, phys + size - 1);
    return r ? r->name : NULL;
}
