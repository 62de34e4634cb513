/* The files of --disk, --floppy and --cdrom; see drive_files.h. */
#include "vmm/app/drive_files.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "vmm/host/files.h"
#include "vmm/host/stderr.h"

static const char *option_of(const struct drive_file *f) {
    static const char *const options[] = {"--floppy", "--disk", "--cdrom"};
    return options[drives_kind(f->flags)];
}

/* --- which is booted ------------------------------------------------------------------------ */

/* A file that cannot be read is told of when it is opened. */
static bool ends_in_signature(const struct drive_file *f) {
    uint8_t end[2] = {0x55, 0xaa};
    int fd = file_open_fd(f->path);
    bool read = fd >= 0 && pread(fd, end, 2, 510) >= 0;
    if (fd >= 0)
        close(fd);
    return !read || (end[0] == 0x55 && end[1] == 0xaa);
}

static enum boot_drive boot_of(const struct drive_file *f) {
    static const enum boot_drive boots[] = {BOOT_FLOPPY, BOOT_DISK, BOOT_CDROM};
    return boots[drives_kind(f->flags)];
}

static bool has_cd(const struct machine_options *m) {
    bool has = false;
    for (unsigned i = 0; i < m->drive_count; i++)
        has |= drives_kind(m->drives[i].flags) == DRIVE_CD;
    return has;
}

/* The first floppy, hard disk, CD, in that order, or of the kind that --boot says. What does not end in
 * 55 AA is passed over if a CD is there: a system is to be installed from that. */
static unsigned choose_boot(const struct machine_options *m) {
    unsigned best = m->drive_count;
    for (unsigned i = m->drive_count; i-- > 0;) {
        const struct drive_file *f = &m->drives[i];
        enum drive_kind kind = drives_kind(f->flags);
        if (m->image.boot != BOOT_AUTO && m->image.boot != boot_of(f))
            continue;
        if (m->image.boot == BOOT_AUTO && kind != DRIVE_CD && has_cd(m) && !ends_in_signature(f))
            continue;
        if (best == m->drive_count || kind <= drives_kind(m->drives[best].flags))
            best = i;
    }
    return best;
}

void drive_files_boot(struct options *o) {
    struct machine_options *m = &o->machine;
    unsigned n = choose_boot(m);
    if (n == m->drive_count)
        return;
    m->boot_drive = m->drives[n];
    m->image.boot = boot_of(&m->boot_drive);
    memmove(&m->drives[n], &m->drives[n + 1], (m->drive_count - n - 1) * sizeof *m->drives);
    m->drive_count--;
    o->images[o->count++] = (char *)m->boot_drive.path;
}

/* The first hard disk, or else the first floppy, or else the CD. */
void drive_files_note_boot(struct machine_options *m) {
    static const uint8_t numbers[] = {0, DRIVES_FIRST_HARD, DRIVES_FIRST_CD};
    static const uint8_t better[] = {1, 2, 0}; /* by enum drive_kind */
    for (unsigned i = 0; i < m->drive_count; i++) {
        enum drive_kind kind = drives_kind(m->drives[i].flags);
        if (m->image.has_boot_device && better[kind] <= better[drives_kind_of_number(m->image.boot_device)])
            continue;
        m->image.has_boot_device = true;
        m->image.boot_device = numbers[kind];
    }
}

/* --- opening ---------------------------------------------------------------------------------- */

/* Two that write one file would ruin it. */
static int lock(const struct drive_file *f) {
    if (!(f->flags & DISK_WRITE) || !flock(f->fd, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
        return 0;
    say("%s: is written already, by another program or another drive (it is locked); leave out ,write", f->path);
    return -EBUSY;
}

static int open_drive_file(struct drive_file *f) {
    bool writes = f->flags & DISK_WRITE;
    f->fd = writes ? file_open_writable_fd(f->path) : file_open_fd(f->path);
    if (f->fd >= 0)
        return lock(f);
    int err = -errno;
    bool protected = writes && (err == -EACCES || err == -EROFS || err == -EPERM);
    say("%s: %s; %s %s", f->path, file_error(-err), protected ? "leave out ,write, or check" : "check",
        option_of(f));
    return err;
}

int drive_files_open(struct machine_options *o) {
    int err = o->boot_drive.path ? open_drive_file(&o->boot_drive) : 0;
    for (unsigned i = 0; i < o->drive_count && !err; i++)
        err = open_drive_file(&o->drives[i]);
    return err;
}
