/* Any file as a disk or a floppy: it has a geometry that makes sense, and whatever is written,
 * kept and taken back, each sector reads as a plain array would have it.
 *
 *     flags    a byte
 *     length   two bytes: steps, of three bytes each
 *     steps    what, and where
 *     file     the rest
 */
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmm/devices/disk/disk.h"
#include "vmm/devices/disk/geometry.h"
#include "vmm/devices/disk/overlay.h"

enum { MODEL = 64 * DISK_SECTOR, STEPS_MAX = 500, FLAGS = DISK_FLOPPY | DISK_WRITE };

static uint8_t model[MODEL], kept_model[MODEL];
static struct overlay *kept;
static enum disk_time now;

static enum disk_time time_now(void *context) { (void)context; return now; }

static unsigned model_sectors(const struct disk *d) {
    return disk_sectors(d) < MODEL / DISK_SECTOR ? (unsigned)disk_sectors(d) : MODEL / DISK_SECTOR;
}

static void check_geometry(const struct disk *d, size_t bytes) {
    struct disk_geometry g = disk_geometry(d), b = disk_bios_geometry(d);
    uint64_t product = (uint64_t)g.cylinders * g.heads * g.sectors;
    must(g.cylinders && g.heads && g.sectors && g.cylinders <= 16383 && g.heads <= 16 && g.sectors <= 63, "IDE's geometry");
    must(b.cylinders && b.heads && b.sectors && b.cylinders <= 1024 && b.heads <= 255 && b.sectors <= 63, "the BIOS's");
    must(disk_sectors(d) * DISK_SECTOR >= bytes, "all of the file is on the disk");
    must(!(disk_flags(d) & DISK_FLOPPY) || product == disk_sectors(d), "a floppy is its geometry");
}

static void check_all(struct disk *d) {
    uint8_t got[MODEL];
    unsigned n = model_sectors(d);
    must(disk_read(d, 0, got, n) == DISK_DONE && !memcmp(got, model, n * DISK_SECTOR), "a disk reads as it was written");
    must(disk_read(d, disk_sectors(d), got, 1) == DISK_BEYOND, "it has an end");
}

static void write_some(struct disk *d, unsigned lba, unsigned count, uint8_t with) {
    uint8_t bytes[8 * DISK_SECTOR];
    unsigned sectors = model_sectors(d);
    lba %= sectors;
    count = count > sectors - lba ? sectors - lba : count;
    memset(bytes, with, sizeof bytes);
    must(disk_write(d, lba, bytes, count) == DISK_DONE, "there is room for what is written");
    memset(model + lba * DISK_SECTOR, with, count * DISK_SECTOR);
}

/* A state is kept, and taken back; as when a machine goes back in time. */
static void keep(struct disk *d) {
    overlay_release(kept);
    kept = overlay_keep(disk_overlay(d));
    now = DISK_PRESENT;
    memcpy(kept_model, model, sizeof model);
}

static void take_back(struct disk *d) {
    if (!kept)
        return;
    disk_set_overlay(d, kept);
    memcpy(model, kept_model, sizeof model);
}

static void act(struct disk *d, struct feed *in) {
    uint8_t what = (uint8_t)feed_number(in, 1), lba = (uint8_t)feed_number(in, 1), with = (uint8_t)feed_number(in, 1);
    switch (what % 8) {
    case 0: keep(d); break;
    case 1: take_back(d); break;
    case 2: check_all(d); break;
    default: write_some(d, lba, 1 + what / 8 % 8, with); break;
    }
}

static void act_all(struct disk *d, struct feed in) {
    for (unsigned n = 0; in.left && n < STEPS_MAX; n++)
        act(d, &in);
    check_all(d);
    overlay_release(kept);
    kept = NULL;
    if (!(disk_flags(d) & DISK_WRITE)) {
        disk_reset(d);
        must(disk_past_memory(d) == 0, "nothing is held any more");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct feed in = {bytes, size};
    struct disk *d;
    char error[400] = "";
    unsigned flags = (unsigned)feed_number(&in, 1) & FLAGS;
    struct feed steps = feed_part(&in, feed_number(&in, 2) % 1024);
    int fd = memfd_create("disk", MFD_CLOEXEC);
    must(fd >= 0 && write(fd, in.at, in.left) == (ssize_t)in.left, "a file");
    now = DISK_NO_PAST;
    memset(model, 0, sizeof model);
    memcpy(model, in.at, in.left < MODEL ? in.left : MODEL);
    int err = disk_open_fd(&d, fd, "disk", flags, error, sizeof error);
    must(err ? !d && *error : d && in.left, "a disk, or why not");
    if (!err) {
        disk_connect(d, &(struct disk_host){.time = time_now});
        check_geometry(d, in.left);
        act_all(d, steps);
    }
    disk_close(d);
    close(fd);
    return 0;
}
