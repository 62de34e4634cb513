/* What firmware is told of its machine; see fw_cfg.h. */
#include "vmm/devices/fw_cfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/devices/devices.h"

enum { SELECTOR = 0x510, DATA = 0x511 };
/* Keys that have no name, and the first that has. */
enum { SIGNATURE = 0x00, ID = 0x01, CPUS = 0x05, BOOT_MENU = 0x0e, CPUS_MAX = 0x0f, DIRECTORY = 0x19,
       FIRST_FILE = 0x20 };
enum { BOOT_3 = 0x38, BOOT_1_2 = 0x3d }; /* in CMOS */
enum { ITEMS = 16, FILE_NAME = 56, FILES = 4 };

struct item {
    uint16_t key;
    const void *data;
    size_t size;
};

/* Of the directory; big-endian. */
struct file {
    uint32_t size;
    uint16_t key, reserved;
    char name[FILE_NAME];
};

/* Saved as it is. */
struct position {
    uint16_t key;
    uint32_t offset;
};

struct fw_cfg {
    uint8_t *cmos;
    const struct firmware *firmware; /* NULL: there is none */
    struct position at;
    struct item items[ITEMS];
    unsigned count;
    struct {
        uint32_t count;
        struct file file[FILES];
    } directory;
    unsigned files;
};

/* --- what there is to read ----------------------------------------------------------------------- */

static void add(struct fw_cfg *f, uint16_t key, const void *data, size_t size) {
    if (f->count < ITEMS)
        f->items[f->count++] = (struct item){key, data, size};
}

static void add_file(struct fw_cfg *f, const char *name, const void *data, size_t size) {
    uint16_t key = (uint16_t)(FIRST_FILE + f->files);
    if (f->files == FILES || !data)
        return;
    struct file *file = &f->directory.file[f->files++];
    *file = (struct file){.size = __builtin_bswap32((uint32_t)size), .key = __builtin_bswap16(key)};
    snprintf(file->name, sizeof file->name, "%s", name);
    f->directory.count = __builtin_bswap32(f->files);
    add(f, key, data, size);
}

/* Numbers are little-endian. Without a boot menu the firmware does not wait for a key. */
static void fill_items(struct fw_cfg *f, const struct firmware *firmware) {
    static const uint8_t id[] = {1, 0, 0, 0}, one[] = {1, 0}, no[] = {0, 0}, forever[] = {0xff, 0xff, 0xff, 0xff};
    add(f, SIGNATURE, "QEMU", 4);
    add(f, ID, id, sizeof id);
    add(f, CPUS, one, sizeof one);
    add(f, CPUS_MAX, one, sizeof one);
    add(f, BOOT_MENU, no, sizeof no);
    add_file(f, "bootorder", firmware->boot_order, sizeof firmware->boot_order);
    add_file(f, "etc/boot-fail-wait", forever, sizeof forever);
    add_file(f, "pci1234,1111.rom", firmware->vga_rom, firmware->vga_rom_size);
    add(f, DIRECTORY, &f->directory, sizeof f->directory.count + f->files * sizeof *f->directory.file);
}

/* --- accesses ---------------------------------------------------------------------------------------- */

static const struct item *selected(const struct fw_cfg *f) {
    for (unsigned i = 0; i < f->count; i++)
        if (f->items[i].key == f->at.key)
            return &f->items[i];
    return NULL;
}

/* Behind an item's end, and where no item is, are zeros. */
static uint8_t next_byte(struct fw_cfg *f) {
    const struct item *item = selected(f);
    bool there = item && f->at.offset < item->size;
    return there ? ((const uint8_t *)item->data)[f->at.offset++] : 0;
}

static enum io_result access_fw_cfg(void *device, const struct access *a) {
    struct fw_cfg *f = device;
    if (!a->write)
        return access_reply(a, a->size == 1 ? next_byte(f) : 0);
    if (a->address == SELECTOR && a->size == 2) {
        memcpy(&f->at.key, a->data, sizeof f->at.key);
        f->at.offset = 0;
    }
    return IO_DONE;
}

/* --- the device ---------------------------------------------------------------------------------------- */

static void reset(void *device) {
    struct fw_cfg *f = device;
    f->at = (struct position){0};
    if (!f->firmware)
        return;
    const uint8_t *kinds = f->firmware->boot_kinds;
    f->cmos[BOOT_1_2] = (uint8_t)(kinds[1] << 4 | kinds[0]);
    f->cmos[BOOT_3] = (uint8_t)(kinds[2] << 4);
}

static void save(const void *device, struct device_state *s) {
    const struct fw_cfg *f = device;
    device_put(s, &f->at, sizeof f->at);
}

static void load(void *device, struct device_state *s) {
    struct fw_cfg *f = device;
    device_take(s, &f->at, sizeof f->at);
}

static void describe(const void *device, const struct device_sink *sink) {
    const struct fw_cfg *f = device;
    if (f->count)
        device_row(sink, "fw_cfg", "key, offset", "0x%02x, %u", f->at.key, f->at.offset);
}

static void *open_on(const struct device_site *site) {
    struct fw_cfg *f = calloc(1, sizeof *f);
    if (!f || !site->firmware)
        return f;
    f->cmos = site->devices->cmos.ram;
    f->firmware = site->firmware;
    fill_items(f, site->firmware);
    bus_add(site->bus, "fw_cfg", SELECTOR, DATA, access_fw_cfg, f);
    return f;
}

const struct device_class device_fw_cfg = {
    .name = "fw_cfg",
    .open = open_on,
    .reset = reset,
    .save = save,
    .load = load,
    .describe = describe,
    .close = free,
};
