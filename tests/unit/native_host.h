/* Instructions of a test on the host's own processor: in a child process, with code, data and
 * what goes in and comes out below 2 GiB, at the addresses that the guest sees too.
 *
 * The includer defines struct test and host_child(), which calls host_prepare(), runs BATCH of them
 * and ends. native32.h and native64.h have the ways into the code and out of it.
 */
#ifndef MINIKVM_NATIVE_HOST_H
#define MINIKVM_NATIVE_HOST_H

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/lockstep/rig.h"
#include "unit.h"

/* Machine code and assembly of the stubs know these: keep them in step. */
#define LOW    0x100000
#define CODE   0x100400
#define EXIT   0x100600
#define FRAME  0x100800 /* what goes in: flags, then the registers */
#define OUT    0x100900 /* what comes out */
#define SAVED  0x100A00
#define BRIDGE 0x100C00
#define STACKS 0x101800
enum { DATA = LOW + 0x3000, LOW_SIZE = 0x10000, BATCH = 2000, NO_MEMORY = 77 };

enum { FLAGS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF | FLAG_DF };

struct test;
static void host_child(struct test *);

static uint64_t seed = 88172645463325252ull;
static inline uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static volatile sig_atomic_t faulted;
static void native_fault(ucontext_t *); /* goes on behind the instruction that faulted */

static void on_fault(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number, (void)info;
    native_fault(context);
    faulted = 1;
}

static inline void put(uint32_t at, const void *bytes, size_t length) {
    memcpy((void *)(uintptr_t)at, bytes, length);
}

static void host_prepare(void) {
    static uint8_t stack[65536];
    static const int signals[] = {SIGFPE, SIGSEGV, SIGILL, SIGBUS};
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    unit_limit(20);
    sigaltstack(&alternate, NULL);
    for (unsigned n = 0; n < sizeof signals / sizeof *signals; n++)
        sigaction(signals[n], &action, NULL);
    if (mmap((void *)(uintptr_t)LOW, LOW_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
        _exit(NO_MEMORY);
}

/* The child's exit status: 0, NO_MEMORY, or what went wrong. */
static int host_batch(struct test *tests) {
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        host_child(tests);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static inline __u64 *kvm_register(struct kvm_regs *r, unsigned n) {
    __u64 *const all[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp, &r->rsi, &r->rdi,
                            &r->r8,  &r->r9,  &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15};
    return all[n];
}

#endif
