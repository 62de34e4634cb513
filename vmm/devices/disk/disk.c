/* A disk: a file, and over it what the guest has written; see disk.h.
 *
 *   reading    the overlay; then, of what DISK_WRITE has changed in the file while a past is
 *              kept, the sectors as they were (`before`); then the file
 *   writing    the overlay; with DISK_WRITE the file
 */
#include "vmm/devices/disk/disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/devices/disk/geometry.h"
#include "vmm/devices/disk/overlay.h"
#include "vmm/host/files.h"

/* Bytes of clusters that a guest may have written. */
#define OVERLAY_MAX (256ull << 20)

/* Each is told once. */
enum told { TOLD_SHRUNK = 1, TOLD_READ = 2, TOLD_WRITE = 4, TOLD_BEYOND = 8, TOLD_FULL = 16,
            TOLD_TAIL = 32, TOLD_PROTECTED = 64, TOLD_BACK = 128, TOLD_DIRECT = 256 };

struct disk {
    int fd;
    bool owns_fd;
    char *path;
    unsigned flags;
    uint64_t bytes; /* of the file */
    uint64_t sectors;
    struct disk_geometry geometry, bios_geometry;
    struct disk_host host;
    struct overlay_pool pool;
    struct overlay *overlay; /* what the guest has written */
    struct overlay *before;  /* DISK_WRITE: the file's sectors before they were written */
    bool direct;             /* DISK_WRITE: there is no room for more of these two */
    struct disk_tray tray;
    struct disk_use use;
    unsigned told;
    bool peeks; /* disk_peek() is at work */
};

/* --- telling ------------------------------------------------------------------------------ */

static enum disk_time time_of(const struct disk *d) {
    return d->host.time ? d->host.time(d->host.context) : DISK_NO_PAST;
}

/* What happens again in the past was told when it happened first. */
__attribute__((format(printf, 3, 4)))
static void tell_once(struct disk *d, enum told what, const char *format, ...) {
    char text[400];
    va_list args;
    if (d->told & what || d->peeks || !d->host.tell || (time_of(d) == DISK_PAST && what != TOLD_BACK))
        return;
    d->told |= what;
    int n = snprintf(text, sizeof text, "disk %.160s: ", d->path);
    va_start(args, format);
    vsnprintf(text + n, sizeof text - n, format, args);
    va_end(args);
    d->host.tell(d->host.context, text);
}

const char *disk_result_text(enum disk_result result) {
    static const char *const texts[] = {
        [DISK_DONE] = "done", [DISK_BEYOND] = "beyond the end", [DISK_UNREADABLE] = "unreadable",
        [DISK_PROTECTED] = "read-only", [DISK_UNWRITABLE] = "cannot be written",
        [DISK_FULL] = "no memory for what is written", [DISK_NO_MEDIUM] = "no medium in the drive"};
    return texts[result];
}

/* --- the file ----------------------------------------------------------------------------- */

/* As many of the bytes as there are; the number, or -errno. */
static int64_t read_bytes(int fd, uint64_t at, uint8_t *to, size_t size) {
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, to + done, size - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    return (int64_t)done;
}

static int write_all_bytes(int fd, uint64_t at, const uint8_t *from, size_t size) {
    while (size) {
        ssize_t n = pwrite(fd, from, size, (off_t)at);
        if (n == 0 || (n < 0 && errno != EINTR))
            return n ? -errno : -EIO;
        if (n > 0) {
            from += n;
            at += (uint64_t)n;
            size -= (size_t)n;
        }
    }
    return 0;
}

/* A floppy that is longer than its file ends in zeros, and so does a last sector, or block of a CD, that
 * is not whole. */
static enum disk_result read_image_file(struct disk *d, uint64_t lba, uint8_t *to, size_t sectors) {
    uint64_t at = lba * DISK_SECTOR, size = sectors * DISK_SECTOR;
    uint64_t there = at >= d->bytes ? 0 : d->bytes - at < size ? d->bytes - at : size;
    int64_t n = read_bytes(d->fd, at, to, there);
    if (n < 0)
        tell_once(d, TOLD_READ, "cannot read sector %" PRIu64 ": %s; the guest gets an error", lba,
                  strerror((int)-n));
    else if ((uint64_t)n < there)
        tell_once(d, TOLD_SHRUNK, "the file has become shorter: it had %" PRIu64 " bytes, and ends at %" PRIu64
                  "; the guest gets an error", d->bytes, at + (uint64_t)n);
    if (n < 0 || (uint64_t)n < there)
        return DISK_UNREADABLE;
    if (at >= d->bytes && !(d->flags & DISK_CD))
        tell_once(d, TOLD_TAIL, "the file has %" PRIu64 " bytes, a floppy of this kind %" PRIu64
                  ": sectors behind the file's end read as zeros", d->bytes, d->sectors * DISK_SECTOR);
    memset(to + there, 0, size - there);
    return DISK_DONE;
}

static enum disk_result write_image_file(struct disk *d, uint64_t lba, const uint8_t *from, size_t sectors) {
    uint64_t end = (lba + sectors) * DISK_SECTOR;
    int err = write_all_bytes(d->fd, lba * DISK_SECTOR, from, sectors * DISK_SECTOR);
    if (err) {
        tell_once(d, TOLD_WRITE, "cannot write sector %" PRIu64 ": %s; the guest gets an error", lba,
                  strerror(-err));
        return DISK_UNWRITABLE;
    }
    if (end > d->bytes)
        d->bytes = end;
    return DISK_DONE;
}

/* --- reading -------------------------------------------------------------------------------- */

/* NULL: it is as in the file. */
static const uint8_t *in_memory(const struct disk *d, uint64_t lba) {
    const uint8_t *bytes = overlay_find(d->overlay, lba);
    return bytes || !d->before ? bytes : overlay_find(d->before, lba);
}

static unsigned count_in_file(const struct disk *d, uint64_t lba, unsigned sectors) {
    unsigned n = 0;
    while (n < sectors && !in_memory(d, lba + n))
        n++;
    return n;
}

static bool is_there(struct disk *d, uint64_t lba, unsigned sectors, const char *verb) {
    if (lba < d->sectors && sectors <= d->sectors - lba)
        return true;
    tell_once(d, TOLD_BEYOND, "the guest %s sector %" PRIu64 ", and the disk has %" PRIu64
              "; it gets an error", verb, lba < d->sectors ? d->sectors : lba, d->sectors);
    return false;
}

enum disk_result disk_read(struct disk *d, uint64_t lba, void *to, unsigned sectors) {
    uint8_t *at = to;
    if (d->tray.open && !d->peeks)
        return DISK_NO_MEDIUM;
    if (!is_there(d, lba, sectors, "reads"))
        return DISK_BEYOND;
    for (unsigned done = 0, n; done < sectors; done += n) {
        uint8_t *part = at + (size_t)done * DISK_SECTOR;
        n = count_in_file(d, lba + done, sectors - done);
        enum disk_result result = n ? read_image_file(d, lba + done, part, n) : DISK_DONE;
        if (result)
            return result;
        if (!n)
            memcpy(part, in_memory(d, lba + done), DISK_SECTOR), n = 1;
    }
    if (time_of(d) != DISK_PAST && !d->peeks)
        d->use.sectors_read += sectors;
    return DISK_DONE;
}

enum disk_result disk_peek(struct disk *d, uint64_t lba, void *to, unsigned sectors) {
    d->peeks = true;
    enum disk_result result = disk_read(d, lba, to, sectors);
    d->peeks = false;
    return result;
}

/* --- writing -------------------------------------------------------------------------------- */

static bool overlay_has_room(const struct disk *d, uint64_t lba) {
    uint64_t bytes = overlay_bytes(d->overlay) + (d->before ? overlay_bytes(d->before) : 0);
    return overlay_has_cluster(d->overlay, lba) || bytes < OVERLAY_MAX;
}

static enum disk_result tell_full(struct disk *d, const char *why) {
    tell_once(d, TOLD_FULL, "%s for what the guest writes; it gets an error (with ,write it goes to the file)",
              why);
    return DISK_FULL;
}

static enum disk_result write_overlay(struct disk *d, uint64_t lba, const uint8_t *from) {
    if (!overlay_has_room(d, lba))
        return tell_full(d, "256 MiB is the most");
    return overlay_write(&d->overlay, lba, from) ? DISK_DONE : tell_full(d, "there is no memory");
}

/* The file's sector as it is before it is written, so that the past can be read. One that
 * cannot be read need not be kept. */
static bool keep_before(struct disk *d, uint64_t lba) {
    uint8_t old[DISK_SECTOR];
    if (!d->before && !(d->before = overlay_new(&d->pool, d->sectors)))
        return false;
    return read_image_file(d, lba, old, 1) || overlay_write(&d->before, lba, old);
}

/* Without a past nothing is kept. With one it is, up to the bound: what comes after is in the
 * file alone, and how it was is lost. */
static enum disk_result remember(struct disk *d, uint64_t lba, const uint8_t *from) {
    enum disk_time time = time_of(d);
    if (time == DISK_NO_PAST && !overlay_bytes(d->overlay))
        return DISK_DONE;
    if (!d->direct && !in_memory(d, lba) &&
        !(overlay_has_room(d, lba) && (time == DISK_PAST || keep_before(d, lba)))) {
        d->direct = true;
        tell_once(d, TOLD_DIRECT, "the guest has written more than is kept of the past (256 MiB): "
                  "going back shows later sectors as they are in the file");
    }
    if (d->direct && !in_memory(d, lba))
        return DISK_DONE;
    return overlay_write(&d->overlay, lba, from) ? DISK_DONE : tell_full(d, "there is no memory");
}

static enum disk_result write_through(struct disk *d, uint64_t lba, const uint8_t *from) {
    enum disk_result result = remember(d, lba, from);
    return result || time_of(d) == DISK_PAST ? result : write_image_file(d, lba, from, 1);
}

enum disk_result disk_write(struct disk *d, uint64_t lba, const void *from, unsigned sectors) {
    const uint8_t *at = from;
    if (d->flags & DISK_READ_ONLY) {
        tell_once(d, TOLD_PROTECTED, "the guest writes to it, and it is read-only; it gets an error");
        return DISK_PROTECTED;
    }
    if (!is_there(d, lba, sectors, "writes"))
        return DISK_BEYOND;
    for (unsigned i = 0; i < sectors; i++, at += DISK_SECTOR) {
        enum disk_result result = d->flags & DISK_WRITE ? write_through(d, lba + i, at)
                                                        : write_overlay(d, lba + i, at);
        if (result)
            return result;
    }
    if (time_of(d) != DISK_PAST)
        d->use.sectors_written += sectors;
    return DISK_DONE;
}

enum disk_result disk_flush(struct disk *d) {
    if (!(d->flags & DISK_WRITE) || time_of(d) == DISK_PAST || !fdatasync(d->fd))
        return DISK_DONE;
    tell_once(d, TOLD_WRITE, "cannot write what the guest wrote: %s; it gets an error", strerror(errno));
    return DISK_UNWRITABLE;
}

/* --- its past -------------------------------------------------------------------------------- */

struct overlay *disk_overlay(const struct disk *d) { return d->overlay; }

/* Another tree: the guest has written between then and now. */
void disk_set_overlay(struct disk *d, struct overlay *overlay) {
    if (overlay == d->overlay)
        return;
    if (d->flags & DISK_WRITE)
        tell_once(d, TOLD_BACK, "going back does not take back what the guest wrote to the file (,write); "
                  "the guest sees its disk as it was");
    overlay_keep(overlay);
    overlay_release(d->overlay);
    d->overlay = overlay;
}

uint64_t disk_past_memory(const struct disk *d) {
    uint64_t now = overlay_memory(d->overlay) + (d->before ? overlay_memory(d->before) : 0);
    return d->pool.bytes - now;
}

/* --- opening ---------------------------------------------------------------------------------- */

const char *disk_path(const struct disk *d) { return d->path; }
unsigned disk_flags(const struct disk *d) { return d->flags; }
uint64_t disk_sectors(const struct disk *d) { return d->sectors; }
struct disk_geometry disk_geometry(const struct disk *d) { return d->geometry; }
struct disk_geometry disk_bios_geometry(const struct disk *d) { return d->bios_geometry; }
void disk_connect(struct disk *d, const struct disk_host *host) { d->host = *host; }
struct disk_tray disk_tray(const struct disk *d) { return d->tray; }
void disk_set_tray(struct disk *d, struct disk_tray tray) { d->tray = tray; }

struct disk_use disk_use(const struct disk *d) {
    struct disk_use use = d->use;
    use.overlay = overlay_bytes(d->overlay) + (d->before ? overlay_bytes(d->before) : 0);
    return use;
}

static bool is_like_floppy(const struct disk *d) { return d->flags & (DISK_FLOPPY | DISK_EITHER); }

static void measure_disk(struct disk *d, uint64_t bytes, const uint8_t *first) {
    d->bytes = bytes;
    if (d->flags & DISK_CD) {
        d->sectors = (bytes + DISK_CD_BLOCK - 1) / DISK_CD_BLOCK * DISK_CD_SECTORS;
        return;
    }
    d->sectors = (d->bytes + DISK_SECTOR - 1) / DISK_SECTOR;
    d->geometry = d->bios_geometry = geometry_floppy(d->bytes, first);
    if (is_like_floppy(d))
        d->sectors = (uint64_t)d->geometry.cylinders * d->geometry.heads * d->geometry.sectors;
    if (d->flags & DISK_FLOPPY)
        return;
    d->geometry = geometry_ide(d->sectors);
    if (!is_like_floppy(d))
        d->bios_geometry = geometry_bios(d->sectors, first);
}

/* The file's length and first sector; 0, or -errno with a sentence, and all is as it was. */
static int look_at_file(struct disk *d, char *error, size_t size) {
    uint8_t first[DISK_SECTOR] = {0};
    struct stat st;
    int64_t n = file_stat(d->fd, &st) < 0 ? -errno : read_bytes(d->fd, 0, first, sizeof first);
    uint64_t bytes = n < 0 ? 0 : (uint64_t)st.st_size;
    if (n < 0)
        snprintf(error, size, "%s: %s", d->path, file_error((int)-n));
    else if (!bytes)
        snprintf(error, size, "%s: the file is empty, and a disk has sectors%s", d->path,
                 d->flags & DISK_CD ? "" : "; truncate -s 10M makes one");
    else if (is_like_floppy(d) && bytes > FLOPPY_MAX)
        snprintf(error, size, "%s: %" PRIu64 " bytes are more than a floppy of 2.88M has; use --disk",
                 d->path, bytes);
    else
        return measure_disk(d, bytes, first), 0;
    return n < 0 ? (int)n : -EINVAL;
}

/* The file may be another one by now, as when its maker has written it anew. */
void disk_reset(struct disk *d) {
    char error[400];
    uint64_t sectors = d->sectors;
    overlay_release(d->before);
    d->before = NULL;
    d->direct = false;
    d->told = 0;
    d->tray = (struct disk_tray){0};
    look_at_file(d, error, sizeof error); /* what cannot be read is told when the guest wants it */
    struct overlay *empty = overlay_new(&d->pool, d->sectors);
    if (!empty) { /* the old one stays, and knows no more sectors than those */
        d->sectors = d->sectors < sectors ? d->sectors : sectors;
        return;
    }
    overlay_release(d->overlay);
    d->overlay = empty;
}

int disk_open_fd(struct disk **out, int fd, const char *path, unsigned flags, char *error, size_t size) {
    struct disk *d = calloc(1, sizeof *d);
    *out = NULL;
    int err = d && (d->path = strdup(path)) ? 0 : -ENOMEM;
    if (!err) {
        d->fd = fd;
        d->flags = flags | (flags & DISK_CD ? DISK_READ_ONLY : 0);
        err = look_at_file(d, error, size);
    }
    if (!err && !(d->overlay = overlay_new(&d->pool, d->sectors)))
        err = -ENOMEM;
    if (err == -ENOMEM)
        snprintf(error, size, "%s: out of memory", path);
    if (err)
        disk_close(d);
    else
        *out = d;
    return err;
}

int disk_open(struct disk **out, const char *path, unsigned flags, char *error, size_t size) {
    int fd = flags & DISK_WRITE ? file_open_writable_fd(path) : file_open_fd(path), err = -errno;
    *out = NULL;
    if (fd < 0) {
        snprintf(error, size, "%s: %s", path, file_error(-err));
        return err;
    }
    err = disk_open_fd(out, fd, path, flags, error, size);
    if (err)
        close(fd);
    else
        (*out)->owns_fd = true;
    return err;
}

void disk_close(struct disk *d) {
    if (!d)
        return;
    overlay_release(d->overlay);
    overlay_release(d->before);
    if (d->owns_fd)
        close(d->fd);
    free(d->path);
    free(d);
}
