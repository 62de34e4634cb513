/* The table of devices, and what is done with each of them; see device.h. */
#include "vmm/devices/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the table ------------------------------------------------------------------------- */

/* One row for each device: device_NAME is its class. Later rows are told of new input first:
 * the keyboard drops what no key types before the serial port looks. */
#define TABLE(ROW)                                                                                 \
    ROW(hypercall)                                                                                 \
    ROW(dma)                                                                                       \
    ROW(uart)                                                                                      \
    ROW(keyboard)                                                                                  \
    ROW(pic)                                                                                       \
    ROW(pit)                                                                                       \
    ROW(cmos)                                                                                      \
    ROW(ports)                                                                                     \
    ROW(vga)                                                                                       \
    ROW(disks)                                                                                     \
    ROW(ide)                                                                                       \
    ROW(pci)                                                                                       \
    ROW(host_bridge)                                                                               \
    ROW(isa_bridge)                                                                                \
    ROW(fw_cfg)                                                                                    \
    ROW(debug_port)                                                                                \
    ROW(floppy)

#define DECLARE(NAME) extern const struct device_class device_##NAME;
TABLE(DECLARE)

#define ELEMENT(NAME) &device_##NAME,
static const struct device_class *const table[] = {TABLE(ELEMENT)};

enum { TABLE_ROWS = sizeof table / sizeof *table };

static bool open_device(struct devices *d, const struct device_class *class,
                     const struct device_site *site) {
    void *device = d->count < DEVICES_MAX ? class->open(site) : NULL;
    if (!device)
        return false;
    d->opened[d->count++] = (struct opened_device){class, device};
    return true;
}

static bool open_devices(struct devices *d, const struct device_site *site) {
    for (unsigned i = 0; i < TABLE_ROWS; i++)
        if (!open_device(d, table[i], site))
            return false;
    for (unsigned i = 0; site->extra && site->extra[i]; i++)
        if (!open_device(d, site->extra[i], site))
            return false;
    return true;
}

int devices_open(struct devices *d, const struct device_site *site, char *error, size_t size) {
    d->count = 0;
    if (!open_devices(d, site)) {
        snprintf(error, size, "cannot make the devices: out of memory, or more than %d of them",
                 DEVICES_MAX);
        return -ENOMEM;
    }
    if (*site->bus->error) {
        snprintf(error, size, "%s", site->bus->error);
        return -EEXIST;
    }
    devices_reset(d);
    return 0;
}

void devices_close(struct devices *d) {
    while (d->count) {
        const struct opened_device *o = &d->opened[--d->count];
        if (o->class->close)
            o->class->close(o->device);
    }
}

void devices_reset(struct devices *d) {
    for (unsigned i = 0; i < d->count; i++)
        d->opened[i].class->reset(d->opened[i].device);
}

void devices_notice(struct devices *d) {
    for (unsigned i = d->count; i-- > 0;)
        if (d->opened[i].class->notice)
            d->opened[i].class->notice(d->opened[i].device);
}

/* --- words ------------------------------------------------------------------------------- */

void devices_describe(const struct devices *d, const struct device_sink *sink) {
    for (unsigned i = 0; i < d->count; i++)
        if (d->opened[i].class->describe)
            d->opened[i].class->describe(d->opened[i].device, sink);
}

/* --- saved state: for each device its length, then its bytes ------------------------------ */

static bool state_make_room(struct device_state *s, size_t length) {
    size_t room = s->room ? s->room : 1024;
    while (room - s->length < length)
        room *= 2;
    if (room == s->room)
        return true;
    uint8_t *bytes = realloc(s->bytes, room);
    if (!bytes)
        return false;
    s->bytes = bytes;
    s->room = room;
    return true;
}

void device_put(struct device_state *s, const void *from, size_t length) {
    if (s->failed || !length)
        return;
    if (!state_make_room(s, length)) {
        s->failed = true;
        return;
    }
    memcpy(s->bytes + s->length, from, length);
    s->length += length;
}

size_t device_left(const struct device_state *s) { return s->end - s->at; }

void device_take(struct device_state *s, void *to, size_t length) {
    size_t n = device_left(s) < length ? device_left(s) : length;
    if (n)
        memcpy(to, s->bytes + s->at, n);
    memset((uint8_t *)to + n, 0, length - n);
    s->at += n;
}

void device_keep(struct device_state *s, void *object, void (*release)(void *object)) {
    struct device_kept *kept =
        s->failed ? NULL : realloc(s->kept, (s->kept_count + 1) * sizeof *kept);
    if (!kept) {
        s->failed = true;
        release(object);
        return;
    }
    s->kept = kept;
    s->kept[s->kept_count++] = (struct device_kept){object, release};
}

void *device_kept(struct device_state *s) {
    return s->kept_at < s->kept_count ? s->kept[s->kept_at++].object : NULL;
}

void device_state_free(struct device_state *s) {
    while (s->kept_count) {
        const struct device_kept *k = &s->kept[--s->kept_count];
        k->release(k->object);
    }
    free(s->kept);
    free(s->bytes);
    *s = (struct device_state){0};
}

static void save_one(const struct opened_device *o, struct device_state *s) {
    size_t length = 0, start = s->length + sizeof length;
    device_put(s, &length, sizeof length);
    if (o->class->save)
        o->class->save(o->device, s);
    else
        device_put(s, o->device, o->class->size);
    if (s->failed)
        return;
    length = s->length - start;
    memcpy(s->bytes + start - sizeof length, &length, sizeof length);
}

bool devices_save(const struct devices *d, struct device_state *s) {
    *s = (struct device_state){0};
    for (unsigned i = 0; i < d->count; i++)
        save_one(&d->opened[i], s);
    if (s->failed)
        device_state_free(s);
    return s->bytes;
}

static void load_one(const struct opened_device *o, struct device_state *s) {
    size_t length;
    s->end = s->length;
    device_take(s, &length, sizeof length);
    s->end = s->at + length;
    if (o->class->load)
        o->class->load(o->device, s);
    else
        device_take(s, o->device, o->class->size);
    s->at = s->end;
}

void devices_load(struct devices *d, struct device_state *s) {
    s->at = s->kept_at = 0;
    for (unsigned i = 0; i < d->count; i++)
        load_one(&d->opened[i], s);
}

uint64_t devices_shared(const struct devices *d) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < d->count; i++)
        if (d->opened[i].class->shared)
            bytes += d->opened[i].class->shared(d->opened[i].device);
    return bytes;
}
