/* The drives as a device: without a port of its own, it is what of them a snapshot keeps. Controllers
 * and the BIOS share the disks, so neither saves them. */
#include "vmm/devices/device.h"
#include "vmm/devices/disk/drives.h"
#include "vmm/devices/disk/overlay.h"

static void *open_on(const struct device_site *site) { return site->drives; }

/* A disk stays as it is when its machine is reset. */
static void reset(void *device) { (void)device; }

static void release(void *overlay) { overlay_release(overlay); }

static void save(const void *device, struct device_state *s) {
    struct disk *disk;
    unsigned number;
    for (unsigned i = 0; (disk = drives_nth(device, i, &number)); i++) {
        struct disk_tray tray = disk_tray(disk);
        device_put(s, &tray, sizeof tray);
        device_keep(s, overlay_keep(disk_overlay(disk)), release);
    }
}

static void load(void *device, struct device_state *s) {
    struct disk *disk;
    unsigned number;
    for (unsigned i = 0; (disk = drives_nth(device, i, &number)); i++) {
        struct disk_tray tray = {0};
        device_take(s, &tray, sizeof tray);
        disk_set_tray(disk, tray);
        struct overlay *overlay = device_kept(s);
        if (overlay)
            disk_set_overlay(disk, overlay);
    }
}

static uint64_t shared(const void *device) {
    uint64_t bytes = 0;
    struct disk *disk;
    unsigned number;
    for (unsigned i = 0; (disk = drives_nth(device, i, &number)); i++)
        bytes += disk_past_memory(disk);
    return bytes;
}

const struct device_class device_disks = {
    .name = "disks",
    .open = open_on,
    .reset = reset,
    .save = save,
    .load = load,
    .shared = shared,
};
