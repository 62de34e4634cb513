/* Landlock and seccomp; see sandbox.h. */
#include "vmm/app/sandbox.h"

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
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

/* --- files -------------------------------------------------------------------------- */

/* Rights by the version of Landlock's interface that brought them, with numbers of our
 * own: the header may be older than the kernel. */
enum {
    READING = 1 << 2, WRITING = 1 << 1, DEVICE_IOCTL = 1 << 15, /* LANDLOCK_ACCESS_FS_… */
    NET_BIND_AND_CONNECT = 1 << 0 | 1 << 1,                     /* LANDLOCK_ACCESS_NET_… */
    SCOPE_ABSTRACT_AND_SIGNAL = 1 << 0 | 1 << 1,                /* LANDLOCK_SCOPE_… */
};

/* struct landlock_ruleset_attr of version 6. */
struct ruleset {
    uint64_t files, net, scoped;
};

/* All that this kernel can refuse: each that is not granted is. */
static struct ruleset ruleset_of(int version) {
    static const uint64_t files[] = {0, (1 << 13) - 1, (1 << 14) - 1, (1 << 15) - 1, (1 << 15) - 1,
                                     (1 << 16) - 1};
    int last = sizeof files / sizeof *files - 1;
    return (struct ruleset){.files = files[version < last ? version : last],
                            .net = version >= 4 ? NET_BIND_AND_CONNECT : 0,
                            .scoped = version >= 6 ? SCOPE_ABSTRACT_AND_SIGNAL : 0};
}

/* Older kernels know less of the struct, and refuse one that is longer. */
static size_t ruleset_size(int version) {
    return version >= 6 ? sizeof(struct ruleset) : version >= 4 ? 16 : 8;
}

static const uint64_t rights[] = {
    [SANDBOX_READ] = READING,
    [SANDBOX_READ_BESIDE] = READING,
    [SANDBOX_DEVICE] = READING | WRITING | DEVICE_IOCTL,
};

static int allow_path(int rules, const struct sandbox_path *p, uint64_t known) {
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s", p->path) >= sizeof path)
        return -ENAMETOOLONG;
    if (p->use == SANDBOX_READ_BESIDE && strrchr(path, '/'))
        strrchr(path, '/')[1] = 0;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) /* not there, or out of reach: nothing to open later either */
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights[p->use] & known,
                                                 .parent_fd = fd};
    int err = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0
                  ? -errno : 0;
    close(fd);
    return err;
}

int sandbox_files(const struct sandbox_path *paths, size_t count) {
    int version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0)
        return -errno;
    struct ruleset handled = ruleset_of(version);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    int rules = syscall(SYS_landlock_create_ruleset, &handled, ruleset_size(version), 0);
    if (rules < 0)
        return -errno;
    int err = 0;
    for (size_t i = 0; i < count && !err; i++)
        err = allow_path(rules, &paths[i], handled.files);
    if (!err && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        err = -errno;
    close(rules);
    return err;
}

/* --- calls ---------------------------------------------------------------------------- */

/* The bits of `mask` in one argument are to be `value`; of its high half if so marked. */
struct check {
    uint8_t argument;
    bool high;
    uint32_t mask, value;
};

/* A call, allowed if all its checks are true. */
struct call {
    uint32_t number;
    unsigned checks;
    struct check check[4];
};

/* What kind of open() it is: O_PATH would see what it may not read, O_TMPFILE makes files. */
#define OPEN_KIND  (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_PATH | (O_TMPFILE & ~O_DIRECTORY))
#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL)
enum { IOCTL_TYPE = 0xff00 };
enum { OUR_PID = -2 }; /* a value that is known when the filter is made */

#define ANY(name)  {SYS_##name, 0, {{0}}}
#define IS(argument, value) {argument, false, ~0u, (uint32_t)(value)}
#define IN(argument, mask, value) {argument, false, (uint32_t)(mask), (uint32_t)(value)}
#define IS_NULL(argument) {argument, false, ~0u, 0}, {argument, true, ~0u, 0}
#define WHEN(name, ...)                                                                            \
    {SYS_##name, sizeof((const struct check[]){__VA_ARGS__}) / sizeof(struct check), {__VA_ARGS__}}

/* The frequent ones first; a filter is a list. */
static const struct call allowed[] = {
    WHEN(ioctl, IN(1, IOCTL_TYPE, KVMIO << 8)), /* KVM's, and no other device's */
    ANY(futex), ANY(read), ANY(write), ANY(poll), ANY(recvfrom), ANY(clock_gettime),
    /* to who is connected; with an address, or MSG_FASTOPEN, it would connect */
    WHEN(sendto, IN(3, ~SEND_FLAGS, 0), IS_NULL(4)),
    ANY(clock_nanosleep), ANY(rt_sigreturn), WHEN(tgkill, IS(0, OUR_PID)),
    /* memory; nothing becomes executable */
    WHEN(mmap, IN(2, PROT_EXEC, 0)), WHEN(mprotect, IN(2, PROT_EXEC, 0)), ANY(munmap), ANY(mremap),
    ANY(madvise), ANY(brk),
    /* the stub: its next client, and who that is; gdb's pipe takes stderr's place */
    ANY(accept4), WHEN(setsockopt, IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY)), ANY(getsockname),
    ANY(getpeername), WHEN(shutdown, IS(1, SHUT_WR)), ANY(close), WHEN(dup2, IS(1, STDERR_FILENO)),
    /* files: Landlock says which, and lets none be opened for writing but /dev/kvm; --disk=…,write
     * is open already. No call that
     * takes a path and needs no right to it: stat, access, readlink. The broker sends
     * what it has made. */
    WHEN(openat, IN(2, OPEN_KIND, O_RDONLY)), WHEN(openat, IN(2, OPEN_KIND, O_RDWR)),
    WHEN(open, IN(1, OPEN_KIND, O_RDONLY)), WHEN(open, IN(1, OPEN_KIND, O_RDWR)), ANY(fstat),
    ANY(lseek), ANY(pread64), ANY(pwrite64), ANY(fdatasync), ANY(recvmsg), WHEN(fcntl, IS(1, F_GETFL)), WHEN(fcntl, IS(1, F_SETFL)),
    WHEN(fcntl, IS(1, F_GETFD)), WHEN(fcntl, IS(1, F_SETFD)),
    /* the terminal: tcgetattr, tcsetattr, isatty, tcgetpgrp */
    WHEN(ioctl, IS(1, TCGETS)), WHEN(ioctl, IS(1, TCSETS)), WHEN(ioctl, IS(1, TCSETSW)),
    WHEN(ioctl, IS(1, TCSETSF)), WHEN(ioctl, IS(1, TIOCGPGRP)), WHEN(ioctl, IS(1, TIOCGWINSZ)),
    /* KVM's engine: kicks, its watchdog, the clock's timer, a VM made anew */
    ANY(getpid), ANY(gettid), ANY(rt_sigaction), ANY(rt_sigprocmask), ANY(timer_create),
    ANY(timer_settime), ANY(timer_delete), ANY(timerfd_settime), ANY(eventfd2), ANY(restart_syscall),
    /* libc: a thread's rseq and robust list, stdio of another libc, abort's message, the
     * secret of malloc */
    ANY(rseq), ANY(set_robust_list), ANY(sched_yield), ANY(readv), ANY(writev), ANY(getrandom),
    ANY(sigaltstack), ANY(exit), ANY(exit_group),
};
enum { CALLS = sizeof allowed / sizeof *allowed, LENGTH_MAX = 5 + CALLS * (3 + 4 * 3) };

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

/* A check that is not true skips the rest of its call, whose length is known then. An
 * argument is 64 bits wide, the low half first. */
static size_t append_check(struct sock_filter *to, const struct check *c, unsigned rest) {
    uint32_t at = offsetof(struct seccomp_data, args) + 8u * c->argument + 4u * c->high;
    uint32_t value = c->value == (uint32_t)OUR_PID ? (uint32_t)getpid() : c->value;
    return APPEND(to, BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
                  BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask), IF_NOT(value, rest));
}

/* With the call's number loaded before and after. */
static size_t append_call(struct sock_filter *to, const struct call *c) {
    size_t n = APPEND(to, IF_NOT(c->number, 3 * c->checks + 1 + (c->checks > 0)));
    for (unsigned i = 0; i < c->checks; i++)
        n += append_check(to + n, &c->check[i], 3 * (c->checks - 1 - i) + 1);
    n += APPEND(to + n, RETURN(SECCOMP_RET_ALLOW));
    return n + (c->checks ? APPEND(to + n, LOAD(nr)) : 0);
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
