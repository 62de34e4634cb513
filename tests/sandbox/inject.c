/* Makes a system call in another process, as code that has broken into it would:
 *
 *   inject PID NUMBER [ARGUMENT...]
 *
 * An argument is a number, TEXT in "'TEXT" (its address), @N (the address of N zeros), or
 * :PORT (the address of a sockaddr_in of 127.0.0.1). Prints what the kernel returned;
 * behind that, for each @N, its first eight bytes as a number. Exit status 77: it cannot
 * be attached to.
 *
 * The process is stopped in a system call, so there is a `syscall` just before its rip.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

enum { ROOM = 16384, RED_ZONE = 128 };

static struct {
    pid_t pid;
    uint64_t free;      /* of its stack, downwards */
    uint64_t looked[6]; /* the addresses of @N */
    unsigned looks;
} at;

static uint64_t put(const void *bytes, size_t length) {
    at.free = (at.free - length) & ~15ull;
    struct iovec here = {(void *)bytes, length}, there = {(void *)at.free, length};
    if (process_vm_writev(at.pid, &here, 1, &there, 1, 0) != (ssize_t)length)
        exit(77);
    return at.free;
}

static uint64_t argument(const char *text) {
    static const char zeros[ROOM / 4];
    if (*text == '\'')
        return put(text + 1, strlen(text));
    if (*text == '@')
        return at.looked[at.looks++] = put(zeros, strtoul(text + 1, NULL, 0));
    if (*text == ':') {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(text + 1)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        return put(&a, sizeof a);
    }
    return strtoull(text, NULL, 0);
}

/* Until it stands behind the instruction. */
static void step(void) {
    int status;
    do
        ptrace(PTRACE_SINGLESTEP, at.pid, 0, 0);
    while (waitpid(at.pid, &status, 0) > 0 && WIFSTOPPED(status) && WSTOPSIG(status) != SIGTRAP);
    if (!WIFSTOPPED(status)) {
        printf("ended\n");
        exit(0);
    }
}

static void look(void) {
    for (unsigned i = 0; i < at.looks; i++) {
        uint64_t word = 0;
        struct iovec here = {&word, sizeof word}, there = {(void *)at.looked[i], sizeof word};
        process_vm_readv(at.pid, &here, 1, &there, 1, 0);
        printf(" %llu", (unsigned long long)word);
    }
}

int main(int argc, char **argv) {
    struct user_regs_struct before, now;
    int status;
    if (argc < 3)
        return 2;
    at.pid = atoi(argv[1]);
    if (ptrace(PTRACE_ATTACH, at.pid, 0, 0) || waitpid(at.pid, &status, 0) < 0 ||
        ptrace(PTRACE_GETREGS, at.pid, 0, &before))
        return 77;
    at.free = before.rsp - RED_ZONE - 64;
    __typeof__(&now.rdi) registers[] = {&now.rdi, &now.rsi, &now.rdx, &now.r10, &now.r8, &now.r9};
    now = before;
    now.orig_rax = -1; /* nothing to restart */
    now.rax = strtoull(argv[2], NULL, 0);
    now.rip = before.rip - 2;
    for (int i = 3; i < argc && i < 9; i++)
        *registers[i - 3] = argument(argv[i]);
    ptrace(PTRACE_SETREGS, at.pid, 0, &now);
    step();
    ptrace(PTRACE_GETREGS, at.pid, 0, &now);
    printf("%lld", (long long)now.rax);
    look();
    printf("\n");
    ptrace(PTRACE_SETREGS, at.pid, 0, &before);
    ptrace(PTRACE_DETACH, at.pid, 0, 0);
    return 0;
}
