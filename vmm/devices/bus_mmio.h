/* Devices' registers in physical memory, on the same bus as ports. */
#ifndef MINIKVM_BUS_MMIO_H
#define MINIKVM_BUS_MMIO_H

#include "vmm/devices/bus.h"

/* Physical addresses [base, base + length). Only where there is never RAM or ROM: from
 * MEMORY_MAX on, outside the ROM below 4 GiB. An access that is not wholly inside is not the
 * device's. */
void bus_add_mmio(struct bus *, const char *name, uint64_t base, uint64_t length,
                  access_function *, void *device);

/* To a physical address; IO_NOBODY: no device is there. */
enum io_result bus_mmio(struct bus *, const struct access *);
/* The name of the device that answers [phys, phys + size), or NULL. */
const char *bus_mmio_name(const struct bus *, uint64_t phys, unsigned size);

/* What is written, as a number. */
uint64_t access_value(const struct access *);

#endif
