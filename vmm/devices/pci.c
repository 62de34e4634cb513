/* PCI configuration space; see pci.h. */
#include "vmm/devices/pci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/devices/devices.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc, DATA_END = 0xcff };
#define ENABLE 0x80000000u

/* --- rows ------------------------------------------------------------------------------------ */

static void put_field(uint8_t *bytes, unsigned at, uint32_t value, unsigned size) {
    memcpy(bytes + at, &value, size);
}

static void fill_bars(struct pci_slot *s, const struct pci_function *f) {
    for (unsigned n = 0; n < PCI_BARS; n++) {
        if (!f->bar[n].size)
            continue;
        put_field(s->config, PCI_BAR + 4 * n, f->bar[n].kind, 4);
        put_field(s->writable, PCI_BAR + 4 * n, ~(f->bar[n].size - 1), 4);
    }
}

/* As after a reset. */
static void fill_slot(struct pci_slot *s) {
    const struct pci_function *f = s->class->pci;
    memset(s->config, 0, sizeof s->config);
    memset(s->writable, 0, sizeof s->writable);
    put_field(s->config, PCI_VENDOR, f->vendor, 2);
    put_field(s->config, PCI_DEVICE, f->device, 2);
    put_field(s->config, PCI_REVISION, f->class << 8 | f->revision, 4);
    put_field(s->config, PCI_HEADER, f->header, 1);
    put_field(s->config, PCI_SUBSYSTEM, PCI_SUBSYSTEM_ID, 4);
    put_field(s->config, PCI_PIN, f->pin, 1);
    put_field(s->writable, PCI_COMMAND, f->command, 1);
    put_field(s->writable, PCI_CACHE_LINE, 0xffff, 2);
    put_field(s->writable, PCI_LINE, 0xff, 1);
    fill_bars(s, f);
    for (const struct pci_register *r = f->registers; r && r->at; r++) {
        s->config[r->at] = r->value;
        s->writable[r->at] = r->writable;
    }
}

static struct pci_slot *find_function(struct pci *p, uint8_t slot) {
    for (unsigned i = 0; i < p->count; i++)
        if (p->slot[i].class->pci->slot == slot)
            return &p->slot[i];
    return NULL;
}

const uint8_t *pci_config(const struct pci *p, uint8_t slot) {
    const struct pci_slot *s = find_function((struct pci *)p, slot);
    return s ? s->config : NULL;
}

bool pci_bar(const struct pci *p, uint8_t slot, unsigned bar, uint32_t *base) {
    const struct pci_slot *s = find_function((struct pci *)p, slot);
    uint8_t kind = s ? s->class->pci->bar[bar].kind : 0;
    if (!s || !s->class->pci->bar[bar].size)
        return false;
    memcpy(base, s->config + PCI_BAR + 4 * bar, sizeof *base);
    *base &= ~(s->class->pci->bar[bar].size - 1);
    return s->config[PCI_COMMAND] & (kind & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

/* --- accesses ---------------------------------------------------------------------------------- */

/* The function that port CF8 names; NULL: none is there. On bus 0 only. */
static struct pci_slot *addressed(struct pci *p) {
    bool here = p->address & ENABLE && !(p->address >> 16 & 0xff);
    return here ? find_function(p, (uint8_t)(p->address >> 8)) : NULL;
}

static enum io_result write_config(struct pci_slot *s, unsigned at, const struct access *a) {
    const uint8_t *from = a->data;
    uint8_t was[PCI_CONFIG_SIZE];
    memcpy(was, s->config, sizeof was);
    for (unsigned i = 0; i < a->size && at + i < PCI_CONFIG_SIZE; i++)
        s->config[at + i] = (uint8_t)((was[at + i] & ~s->writable[at + i]) | (from[i] & s->writable[at + i]));
    if (s->class->configured && memcmp(was, s->config, sizeof was))
        return s->class->configured(s->device, a->cpu);
    return IO_DONE;
}

/* An access of more bytes than are left in the double word finds nothing behind it. */
static enum io_result access_config_data(void *pci, const struct access *a) {
    struct pci *p = pci;
    struct pci_slot *s = addressed(p);
    unsigned byte = (unsigned)(a->address - DATA), at = (p->address & 0xfc) + byte;
    struct access part = *a;
    uint32_t value = UINT32_MAX;
    part.size = byte + a->size > 4 ? 4 - byte : a->size;
    if (s && a->write)
        return write_config(s, at, &part);
    if (s)
        memcpy(&value, s->config + at, part.size);
    return a->write ? IO_DONE : access_reply(a, value | UINT64_MAX << 32);
}

/* A double word only: CF9 alone is another device's, and other accesses are for nobody. */
static enum io_result access_config_address(void *pci, const struct access *a) {
    struct pci *p = pci;
    if (a->size != 4)
        return a->write ? IO_DONE : access_reply(a, UINT64_MAX);
    if (!a->write)
        return access_reply(a, p->address);
    memcpy(&p->address, a->data, sizeof p->address);
    p->address &= ENABLE | 0x00fffffc;
    return IO_DONE;
}

/* --- the device ---------------------------------------------------------------------------------- */

/* By their places. */
static void insert_function(struct pci *p, const struct opened_device *o) {
    unsigned n = p->count++;
    for (; n && p->slot[n - 1].class->pci->slot > o->class->pci->slot; n--)
        p->slot[n] = p->slot[n - 1];
    p->slot[n] = (struct pci_slot){.class = o->class, .device = o->device};
}

static void find_functions(struct pci *p) {
    const struct devices *d = p->devices;
    p->count = 0;
    for (unsigned i = 0; i < d->count && p->count < PCI_FUNCTIONS; i++)
        if (d->opened[i].class->pci)
            insert_function(p, &d->opened[i]);
}

static void reset(void *device) {
    struct pci *p = device;
    p->address = 0;
    find_functions(p);
    for (unsigned i = 0; i < p->count; i++)
        fill_slot(&p->slot[i]);
}

static void save(const void *device, struct device_state *s) {
    const struct pci *p = device;
    device_put(s, &p->address, sizeof p->address);
    for (unsigned i = 0; i < p->count; i++)
        device_put(s, p->slot[i].config, PCI_CONFIG_SIZE);
}

static void load(void *device, struct device_state *s) {
    struct pci *p = device;
    device_take(s, &p->address, sizeof p->address);
    for (unsigned i = 0; i < p->count; i++)
        device_take(s, p->slot[i].config, PCI_CONFIG_SIZE);
}

static void describe_bars(const struct pci *p, const struct pci_function *f, const char *name,
                          const struct device_sink *sink) {
    char bar[16];
    uint32_t base;
    for (unsigned n = 0; n < PCI_BARS; n++) {
        if (!f->bar[n].size)
            continue;
        bool on = pci_bar(p, f->slot, n, &base);
        snprintf(bar, sizeof bar, "BAR %u", n);
        device_row(sink, name, bar, "%s at 0x%08x, %u KiB%s", f->bar[n].kind & PCI_BAR_IO ? "ports" : "memory",
                   base, f->bar[n].size >> 10, on ? "" : ", disabled");
    }
}

static void describe(const void *device, const struct device_sink *sink) {
    const struct pci *p = device;
    char name[32];
    for (unsigned i = 0; i < p->count; i++) {
        const struct pci_function *f = p->slot[i].class->pci;
        snprintf(name, sizeof name, "PCI 00:%02x.%x", f->slot >> 3, f->slot & 7);
        device_row(sink, name, f->name, "%04x:%04x, class %06x, command 0x%02x", f->vendor, f->device, f->class,
                   p->slot[i].config[PCI_COMMAND]);
        describe_bars(p, f, name, sink);
    }
}

static void *open_on(const struct device_site *site) {
    struct pci *p = site->devices->pci = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->board = site->board;
    p->devices = site->devices;
    bus_add(site->bus, "pci", ADDRESS, ADDRESS, access_config_address, p);
    bus_add(site->bus, "pci", DATA, DATA_END, access_config_data, p);
    return p;
}

const struct device_class device_pci = {
    .name = "pci",
    .open = open_on,
    .reset = reset,
    .save = save,
    .load = load,
    .describe = describe,
    .close = free,
};
