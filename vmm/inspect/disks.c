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

void fill_disks(struct machine *m, const struct table_sink *sink) {
    struct disk *d;
    unsigned number;
    char overlay[32];
    for (unsigned i = 0; (d = drives_nth(&m->board.drives, i, &number)); i++) {
        struct disk_geometry g = disk_geometry(d);
        struct disk_use use = disk_use(d);
        fill_row(sink, "%s\t%" PRIu64 "\t%u/%u/%u\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s%s", drives_name(number),
                 disk_sectors(d), g.cylinders, g.heads, g.sectors, use.sectors_read, use.sectors_written,
                 bytes_text(use.overlay, overlay, sizeof overlay), short_path(disk_path(d), CELL - 8),
                 disk_flags(d) & DISK_WRITE ? ",write" : "");
    }
}
