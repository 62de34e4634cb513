/* Messages on stderr, and its diversion; see stderr.h. */
#include "vmm/host/stderr.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* 0, or the errno for which the rest is lost. */
static int write_all(int fd, const char *text, size_t length) {
    while (length) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = fd, .events = POLLOUT};
            poll(&p, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            text += n;
            length -= n;
        }
    }
    return 0;
}

/* Of the process, as stderr is. */
static struct {
    int strays[2]; /* a pipe: what stderr becomes; 0: it stays */
    void *context;
    void (*_Atomic to)(void *context, const char *text, size_t length);
} divert;

static bool is_gdbs_pipe(void) {
    struct stat in, out, err;
    return !fstat(STDIN_FILENO, &in) && !fstat(STDOUT_FILENO, &out) &&
           !fstat(STDERR_FILENO, &err) && S_ISSOCK(in.st_mode) && S_ISSOCK(err.st_mode) &&
           in.st_ino == out.st_ino && in.st_ino != err.st_ino;
}

void stderr_prepare_divert(void) {
    if (!is_gdbs_pipe() || pipe2(divert.strays, O_CLOEXEC | O_NONBLOCK) < 0)
        divert.strays[1] = 0;
}

void stderr_divert(void (*to)(void *context, const char *text, size_t length), void *context) {
    if (!divert.strays[1] || divert.to || dup2(divert.strays[1], STDERR_FILENO) < 0)
        return;
    close(divert.strays[1]);
    divert.context = context;
    divert.to = to;
}

int stderr_strays(void) { return divert.to ? divert.strays[0] : -1; }

void stderr_read_strays(void) {
    char text[1024];
    ssize_t n;
    while (divert.to && (n = read(divert.strays[0], text, sizeof text)) > 0)
        divert.to(divert.context, text, (size_t)n);
}

static struct {
    void *context;
    bool (*_Atomic watch)(void *context, const char *text, size_t length);
} watcher;

void stderr_watch(bool (*watch)(void *context, const char *text, size_t length), void *context) {
    watcher.context = context;
    watcher.watch = watch;
}

int stderr_or_write(int fd, const char *text, size_t length) {
    if (fd == STDERR_FILENO && watcher.watch && watcher.watch(watcher.context, text, length))
        return 0;
    if (fd != STDERR_FILENO || !divert.to)
        return write_all(fd, text, length);
    divert.to(divert.context, text, length);
    return 0;
}

void say(const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    int n = snprintf(text, sizeof text, "minikvm: ");
    n += vsnprintf(text + n, sizeof text - n - 3, format, args);
    va_end(args);
    if (n > (int)sizeof text - 4)
        n = sizeof text - 4;
    n += sprintf(text + n, "\n");
    stderr_or_write(STDERR_FILENO, text, n);
}
