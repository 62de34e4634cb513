/* Opening the files of --disk, --floppy and --cdrom; see drive_files.h. */
#include "vmm/app/drive_files.h"

#include <errno.h>
#include <sys/file.h>

#include "vmm/host/files.h"
#include "vmm/host/stderr.h"

static const char *option_of(const struct drive_file *f) {
    static const char *const options[] = {"--floppy", "--disk", "--cdrom"};
    return options[drives_kind(f->flags)];
}

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
