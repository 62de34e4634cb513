/* Opening what somebody has named; see files.h. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(int fd, int number) {
    close(fd);
    errno = number;
    return -1;
}

int file_open_fd(const char *path) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        errno = errno == ENXIO ? ENOTSUP : errno; /* a socket, a device without a driver */
        return -1;
    }
    if (fstat(fd, &st) < 0)
        return refuse(fd, errno);
    if (S_ISDIR(st.st_mode))
        return refuse(fd, EISDIR);
    return S_ISREG(st.st_mode) ? fd : refuse(fd, ENOTSUP);
}

FILE *file_open(const char *path) {
    int fd = file_open_fd(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "rb");
    if (!f && fd >= 0)
        refuse(fd, errno);
    return f;
}

const char *file_error(int number) {
    switch (number) {
    case ENOTSUP: return "not a regular file";
    case EISDIR: return "a folder, not a file";
    case EMFILE: return "too many open files in this process; raise the limit (ulimit -n)";
    case ENFILE: return "too many open files on this computer";
    case ELOOP: return "too many symbolic links";
    default: return strerror(number);
    }
}
