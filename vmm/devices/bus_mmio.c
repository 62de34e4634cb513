/* Devices' registers in physical memory; see bus_mmio.h. */
#include "vmm/devices/bus_mmio.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/invariant.h"
#include "vmm/memory/memory.h"

/* RAM ends at MEMORY_MAX at the latest, and a ROM ends at 4 GiB. */
static bool may_be_memory(const struct bus_range *r) {
    struct bus_range rom = {.mmio = true, .first = (1ull << 32) - ROM_MAX, .last = UINT32_MAX};
    return r->first < MEMORY_MAX || r->last < r->first || bus_overlaps(r, &rom);
}

void bus_add_mmio(struct bus *bus, const char *name, uint64_t base, uint64_t length,
                  access_function *access, void *device) {
    struct bus_range r = {name, true, base, base + length - 1, access, device};
    char why[sizeof bus->error];
    snprintf(why, sizeof why,
             "%s at physical 0x%" PRIx64 ": RAM or ROM may be there; devices are from 0x%llx to "
             "0x%llx, or above 4 GiB",
             name, base, MEMORY_MAX, (1ull << 32) - ROM_MAX);
    if (may_be_memory(&r))
        bus_refuse(bus, why);
    else
        bus_add_range(bus, &r);
}

uint64_t access_value(const struct access *a) {
    uint64_t value = 0;
    memcpy(&value, a->data, a->size < sizeof value ? a->size : sizeof value);
    return value;
}

enum io_result bus_mmio(struct bus *bus, const struct access *a) {
    const struct bus_range *r = bus_find(bus, true, a->address, a->address + a->size - 1);
    if (!r)
        return IO_NOBODY;
    enum io_result result = r->access(r->device, a);
    INVARIANT(result == IO_DONE || result == IO_STOP || result == IO_NOBODY);
    return result;
}

const char *bus_mmio_name(const struct bus *bus, uint64_t phys, unsigned size) {
    const struct bus_range *r = bus_find(bus, true, phys, phys + size - 1);
    return r ? r->name : NULL;
}
