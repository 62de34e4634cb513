/* Landlock and seccomp; see sandbox.h. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

/* --- files -------------------------------------------------------------------------- */

/* Not among them: making and removing a socket's name, which the stub does itself;
 * seccomp sees to it that no other socket is made. */
enum {
    READING = LANDLOCK_ACCESS_FS_READ_FILE,
    WRITING = LANDLOCK_ACCESS_FS_WRITE_FILE,
    CREATING = LANDLOCK_ACCESS_FS_MAKE_REG,
    OTHERS = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_DIR |
             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR |
             LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_FIFO |
             LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM,
};

static const uint64_t rights[] = {
    [SANDBOX_READ] = READING,
    [SANDBOX_READ_BESIDE] = READING,
    [SANDBOX_DEVICE] = READING | WRITING,
    [SANDBOX_CREATE] = WRITING | CREATING,
};

static int allow_path(int rules, const struct sandbox_path *p) {
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s", p->path) >= sizeof path)
        return -ENAMETOOLONG;
    if (p->use == SANDBOX_READ_BESIDE && strrchr(path, '/'))
        strrchr(path, '/')[1] = 0;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return 0; /* not there: nothing to open later either */
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights[p->use],
                                                 .parent_fd = fd};
    int err = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0
                  ? -errno : 0;
    close(fd);
    return err;
}

int sandbox_files(const struct sandbox_path *paths, size_t count) {
    struct landlock_ruleset_attr handled = {
        .handled_access_fs = READING | WRITING | CREATING | OTHERS};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    int rules = syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    if (rules < 0)
        return -errno;
    int err = 0;
    for (size_t i = 0; i < count && !err; i++)
        err = allow_path(rules, &paths[i]);
    if (!err && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        err = -errno;
    close(rules);
    return err;
}

/* --- calls ---------------------------------------------------------------------------- */

/* A call, allowed as it is, or if the bits of `mask` in one argument are `value`. */
struct call {
    uint32_t number, argument, mask, value;
};

#define OPEN_KIND (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC)
enum { AS_IT_IS = 6, IOCTL_TYPE = 0xff00 }; /* a call has six arguments */

#define ANY(name)                         {SYS_##name, AS_IT_IS, 0, 0}
#define WHEN(name, argument, mask, value) {SYS_##name, argument, (uint32_t)(mask), value}

/* The frequent ones first; a filter is a list. */
static const struct call allowed[] = {
    WHEN(ioctl, 1, IOCTL_TYPE, KVMIO << 8), /* KVM's, and no other device's */
    ANY(futex), ANY(read), ANY(write), ANY(poll), ANY(recvfrom), ANY(sendto), ANY(recvmsg),
    ANY(sendmsg), ANY(clock_gettime), ANY(clock_nanosleep), ANY(rt_sigreturn), ANY(tgkill),
    /* memory; nothing becomes executable */
    WHEN(mmap, 2, PROT_EXEC, 0), WHEN(mprotect, 2, PROT_EXEC, 0), ANY(munmap), ANY(mremap),
    ANY(madvise), ANY(brk),
    /* the stub: its next client */
    ANY(accept4), ANY(setsockopt), ANY(getsockopt), ANY(getsockname), ANY(getpeername), ANY(shutdown),
    ANY(close), ANY(unlink), WHEN(dup2, 1, -1, STDERR_FILENO),
    /* files: Landlock says which */
    WHEN(openat, 2, OPEN_KIND, O_RDONLY), WHEN(openat, 2, OPEN_KIND, O_RDWR),
    WHEN(openat, 2, OPEN_KIND, O_WRONLY | O_CREAT | O_EXCL | O_TRUNC), ANY(fstat), ANY(newfstatat),
    ANY(lseek), ANY(pread64), ANY(readlink), ANY(access), ANY(faccessat2), ANY(getcwd),
    WHEN(fcntl, 1, -1, F_GETFL), WHEN(fcntl, 1, -1, F_SETFL), WHEN(fcntl, 1, -1, F_GETFD),
    WHEN(fcntl, 1, -1, F_SETFD),
    /* the terminal: tcgetattr, tcsetattr, isatty */
    WHEN(ioctl, 1, -1, TCGETS), WHEN(ioctl, 1, -1, TCSETS), WHEN(ioctl, 1, -1, TCSETSW),
    WHEN(ioctl, 1, -1, TCSETSF),
    /* KVM's engine: kicks, its watchdog, a VM made anew */
    ANY(getpid), ANY(gettid), ANY(rt_sigaction), ANY(rt_sigprocmask), ANY(timer_create),
    ANY(timer_settime), ANY(timer_delete), ANY(eventfd2), ANY(restart_syscall),
    /* libc's own: a thread's first steps, its last words, the heap's secret */
    ANY(rseq), ANY(set_robust_list), ANY(sched_yield), ANY(writev), ANY(getrandom),
    ANY(exit), ANY(exit_group),
};
enum { CALLS = sizeof allowed / sizeof *allowed, LENGTH_MAX = 5 + 6 * CALLS };

#define LOAD(field)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_NOT(k, n)  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 0, n) /* skip n */
#define RETURN(k)     BPF_STMT(BPF_RET | BPF_K, k)
#define REFUSE        RETURN(SECCOMP_RET_ERRNO | EPERM)

static size_t append(struct sock_filter *to, const struct sock_filter *code, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] = code[i];
    return count;
}
#define APPEND(to, ...)                                                                            \
    append(to, (const struct sock_filter[]){__VA_ARGS__},                                          \
           sizeof((const struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))

/* With the call's number loaded before and after. Arguments are 64 bits wide, the
 * low half first; the kernel looks at no more of these either. */
static size_t append_call(struct sock_filter *to, const struct call *c) {
    if (c->argument == AS_IT_IS)
        return APPEND(to, IF_NOT(c->number, 1), RETURN(SECCOMP_RET_ALLOW));
    return APPEND(to, IF_NOT(c->number, 5), LOAD(args[c->argument]),
                  BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask), IF_NOT(c->value, 1),
                  RETURN(SECCOMP_RET_ALLOW), LOAD(nr));
}

int sandbox_calls(void) {
    struct sock_filter code[LENGTH_MAX];
    /* The numbers are this architecture's; another's (x32's are this one's with a
     * bit set, so in no row) are refused. */
    size_t n = APPEND(code, LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
                      REFUSE, LOAD(nr));
    for (size_t i = 0; i < CALLS; i++)
        n += append_call(code + n, &allowed[i]);
    n += APPEND(code + n, REFUSE);
    struct sock_fprog program = {.len = n, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0)
        return errno ? -errno : -EAGAIN; /* a thread that could not follow */
    return 0;
}
