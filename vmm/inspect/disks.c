/* Drives as a table. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/inspect/fill.h"
#include "vmm/machine/machine.h"

/* The end of a long path says more than its begin. */
static const char *short_path(const char *path, size_t room) {
    size_t length = strlen(path);
    return length > room ? path + length - room : path;
}

static const char *bytes_text(uint64_t bytes, char *out, size_t size) {
    if (bytes < 1 << 20)
        snprintf(out, size, "%" PRIu64 " KiB", bytes >> 10);
    else
        snprintf(out, size, "%" PRIu64 ".%" PRIu64 " MiB", bytes >> 20, (bytes & 0xfffff) * 10 >> 20);
    return out;
}

/* A CD has blocks, and no cylinders. */
static void geometry_text(const struct disk *d, char *out, size_t size) {
    struct disk_geometry g = disk_geometry(d);
    if (disk_flags(d) & DISK_CD)
        snprintf(out, size, "%" PRIu64 " x %d", disk_sectors(d) / DISK_CD_SECTORS, DISK_CD_BLOCK);
    else
        snprintf(out, size, "%u/%u/%u", g.cylinders, g.heads, g.sectors);
}

static const char *suffix_of(struct machine *m, const struct disk *d) {
    unsigned emulated;
    if (bios_emulates(&m->bios, d, &emulated))
        return emulated ? " (booted as 80h)" : " (booted as 00h)";
    return disk_flags(d) & DISK_WRITE ? ",write" : disk_tray(d).open ? " (ejected)" : "";
}

void fill_disks(struct machine *m, const struct table_sink *sink) {
    struct disk *d;
    unsigned number;
    char overlay[32], name[DRIVES_NAME], geometry[40];
    for (unsigned i = 0; (d = drives_nth(&m->board.drives, i, &number)); i++) {
        struct disk_use use = disk_use(d);
        drives_name(&m->board.drives, number, bios_drive_number(&m->bios, number), name);
        geometry_text(d, geometry, sizeof geometry);
        fill_row(sink, "%s\t%" PRIu64 "\t%s\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s%s", name, disk_sectors(d),
                 geometry, use.sectors_read, use.sectors_written, bytes_text(use.overlay, overlay, sizeof overlay),
                 short_path(disk_path(d), CELL - 18), suffix_of(m, d));
    }
}
