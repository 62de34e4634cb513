/* Faults on demand, preloaded between minikvm and libc: the environment's FAULT says
 * which, and the file named by FAULT_MARK gets a byte when it has happened.
 *
 *   alloc:N   the N-th malloc, calloc, realloc or mmap fails
 *   ioctl:N   the N-th ioctl fails with EIO
 *   io:N      the N-th read, write, pread, pwrite, send or recv fails with EIO
 *   short     reads, writes, sends and receives do one byte at a time
 *   eintr     every second call that can be interrupted is
 *   clock     the time of day jumps about
 *   term:N    SIGTERM comes just before the N-th of all these calls
 *
 * Rule: without FAULT, and for all other calls, libc's own functions as they are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum kind { NONE, ALLOC, IOCTL, IO, SHORT, EINTR_NOW, CLOCK, TERM, KINDS };
static const char *const names[KINDS] = {"", "alloc", "ioctl", "io", "short", "eintr",
                                         "clock", "term"};
static enum kind wanted;
static unsigned long at;
static atomic_ulong seen, calls;
static int mark = -1;

__attribute__((constructor)) static void set_up(void) {
    const char *fault = getenv("FAULT"), *file = getenv("FAULT_MARK");
    if (!fault || !file)
        return;
    size_t n = strcspn(fault, ":");
    for (int k = 1; k < KINDS; k++)
        if (strlen(names[k]) == n && !strncmp(names[k], fault, n))
            wanted = k;
    at = fault[n] ? strtoul(fault + n + 1, NULL, 10) : 0;
    mark = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void leave_mark(void) {
    if (mark >= 0)
        syscall(SYS_write, mark, "x", 1);
}

static bool is_due(enum kind kind) {
    if (wanted != kind || atomic_fetch_add(&seen, 1) + 1 != at)
        return false;
    leave_mark();
    return true;
}

static void count_call(void) {
    if (is_due(TERM))
        raise(SIGTERM);
}

#define REAL(name)                                                                                 \
    static __typeof__(&name) real;                                                                 \
    if (!real)                                                                                     \
        real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static bool fails(enum kind kind, int error) {
    if (!is_due(kind))
        return false;
    errno = error;
    return true;
}

static bool interrupted(void) {
    if (wanted != EINTR_NOW || atomic_fetch_add(&calls, 1) % 2)
        return false;
    leave_mark();
    errno = EINTR;
    return true;
}

/* Eight bytes are an eventfd's: it takes them or none, and does not fail. */
static bool io_fails(size_t size) {
    return size != sizeof(uint64_t) && fails(IO, EIO);
}

static size_t cut(size_t size) {
    if (wanted != SHORT || size <= sizeof(uint64_t))
        return size;
    leave_mark();
    return 1;
}

/* --- memory: libc's own entries, since dlsym() itself allocates -------------------- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

void *malloc(size_t size) { return fails(ALLOC, ENOMEM) ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return fails(ALLOC, ENOMEM) ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t size) {
    return fails(ALLOC, ENOMEM) ? NULL : __libc_realloc(p, size);
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    if (fails(ALLOC, ENOMEM))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
}

/* --- calls --------------------------------------------------------------------------- */

int ioctl(int fd, unsigned long request, ...) {
    va_list args;
    va_start(args, request);
    void *argument = va_arg(args, void *);
    va_end(args);
    count_call();
    return fails(IOCTL, EIO) ? -1 : syscall(SYS_ioctl, fd, request, argument);
}

ssize_t read(int fd, void *to, size_t size) {
    REAL(read);
    count_call();
    return io_fails(size) || interrupted() ? -1 : real(fd, to, cut(size));
}

ssize_t write(int fd, const void *from, size_t size) {
    REAL(write);
    count_call();
    return io_fails(size) || interrupted() ? -1 : real(fd, from, cut(size));
}

/* Disks. */
ssize_t pread(int fd, void *to, size_t size, off_t at) {
    REAL(pread);
    count_call();
    return io_fails(size) || interrupted() ? -1 : real(fd, to, cut(size), at);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at) {
    REAL(pwrite);
    count_call();
    return io_fails(size) || interrupted() ? -1 : real(fd, from, cut(size), at);
}

ssize_t recv(int fd, void *to, size_t size, int flags) {
    REAL(recv);
    count_call();
    return io_fails(size) || interrupted() ? -1 : real(fd, to, cut(size), flags);
}

ssize_t send(int fd, const void *from, size_t size, int flags) {
    REAL(send);
    count_call();
    return io_fails(size) || interrupted() ? -1 : real(fd, from, cut(size), flags);
}

int poll(struct pollfd *fds, nfds_t n, int timeout) {
    REAL(poll);
    count_call();
    return interrupted() ? -1 : real(fds, n, timeout);
}

time_t time(time_t *to) {
    static const time_t jumps[] = {0, -86400, 1l << 40, INT64_MAX, -1, INT64_MIN, 0x7fffffff};
    enum { JUMPS = sizeof jumps / sizeof *jumps };
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (wanted == CLOCK) {
        leave_mark();
        now.tv_sec = jumps[atomic_fetch_add(&calls, 1) % JUMPS];
    }
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}
