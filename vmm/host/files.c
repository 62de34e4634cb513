/* Opening what somebody has named; see files.h. */
#include "vmm/host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/host/broker.h"

int file_stat(int fd, struct stat *st) {
    return (int)syscall(SYS_fstat, fd, st);
}

int file_read(int fd, void *to, size_t length) {
    for (size_t done = 0; done < length;) {
        ssize_t n = read(fd, (char *)to + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        done += (size_t)n;
    }
    return 0;
}

static int refuse(int fd, int number) {
    close(fd);
    errno = number;
    return -1;
}

static int open_regular(const char *path, int mode) {
    struct stat st;
    int fd = open(path, mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        errno = errno == ENXIO ? ENOTSUP : errno; /* a socket, a device without a driver */
        return -1;
    }
    if (file_stat(fd, &st) < 0)
        return refuse(fd, errno);
    if (S_ISDIR(st.st_mode))
        return refuse(fd, EISDIR);
    return S_ISREG(st.st_mode) ? fd : refuse(fd, ENOTSUP);
}

int file_open_fd(const char *path) { return open_regular(path, O_RDONLY); }

int file_open_writable_fd(const char *path) { return open_regular(path, O_RDWR); }

FILE *file_open(const char *path) {
    int fd = file_open_fd(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
    if (!f && fd >= 0)
        refuse(fd, errno);
    return f;
}

/* --- new files, and names that go at the end ------------------------------------------ */

int file_create(const char *path) {
    if (!broker_is_there())
        return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int fd = broker_create(path);
    if (fd < 0)
        errno = -fd;
    return fd < 0 ? -1 : fd;
}

void file_discard(const char *path) {
    if (broker_is_there())
        broker_discard();
    else
        unlink(path);
}

static char at_end[sizeof(((struct sockaddr_un *)0)->sun_path)];
static struct stat at_end_inode; /* so that only ours is removed */

void file_remove_at_end(const char *path) {
    if (strlen(path) < sizeof at_end && !lstat(path, &at_end_inode))
        strcpy(at_end, path);
}

void file_end(void) {
    struct stat now;
    broker_end();
    if (*at_end && !lstat(at_end, &now) && now.st_ino == at_end_inode.st_ino &&
        now.st_dev == at_end_inode.st_dev)
        unlink(at_end);
    *at_end = 0;
}

const char *file_error(int number) {
    switch (number) {
    case ENOTSUP: return "not a regular file";
    case EISDIR: return "a folder, not a file";
    case EMFILE: return "too many open files in this process; raise the limit (ulimit -n)";
    case ENFILE: return "too many open files on this computer";
    case EDQUOT: return "so many were saved already that no more may be; start minikvm anew, or with --sandbox=off";
    case ELOOP: return "too many symbolic links";
    default: return strerror(number);
    }
}
