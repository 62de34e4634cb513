/* Finding the device behind a port; see bus.h. */
#include "vmm/devices/bus.h"

#include <stdio.h>
#include <string.h>

static bool has_room(struct bus *bus, const char *name, uint16_t first, uint16_t last) {
    char why[sizeof bus->error] = "";
    if (bus->count == BUS_MAX)
        snprintf(why, sizeof why, "no room on the bus for %s: it holds %d ranges (BUS_MAX)", name,
                 BUS_MAX);
    for (unsigned i = 0; i < bus->count && !*why; i++)
        if (first <= bus->range[i].last && last >= bus->range[i].first)
            snprintf(why, sizeof why, "two devices at port 0x%x: %s and %s",
                     first > bus->range[i].first ? first : bus->range[i].first,
                     bus->range[i].name, name);
    if (*why && !*bus->error)
        memcpy(bus->error, why, sizeof why);
    return !*why;
}

void bus_add(struct bus *bus, const char *name, uint16_t first, uint16_t last,
             access_function *access, void *device) {
    if (!has_room(bus, name, first, last))
        return;
    bus->range[bus->count].name = name;
    bus->range[bus->count].first = first;
    bus->range[bus->count].last = last;
    bus->range[bus->count].access = access;
    bus->range[bus->count].device = device;
    bus->count++;
}

enum io_result access_reply(const struct access *a, uint32_t value) {
    memset(a->data, 0xff, a->size);
    memcpy(a->data, &value, a->size < 4 ? a->size : 4);
    return IO_DONE;
}

enum io_result bus_access(struct bus *bus, const struct access *a) {
    for (unsigned i = 0; i < bus->count; i++)
        if (a->port >= bus->range[i].first && a->port <= bus->range[i].last)
            return bus->range[i].access(bus->range[i].device, a);
    if (bus->unassigned)
        bus->unassigned(bus->machine, a);
    return a->out ? IO_DONE : access_reply(a, 0xffffffff);
}
