/* KVM under a storm of signals, as from a debugger of ours, a shell's SIGCONT, a timer: what KVM can do is
 * measured to be the same, VMs are made, and steps are steps. */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tests/unit/unit.h"
#include "vmm/engines/kvm/debug/debug.h"

/* Microseconds from one to the next; now and then so many that a slow host comes to an end, too. */
enum { SHORTEST = 20, OFTEN = 50, SELDOM = 1000, LULL = 50000, LULLS = 32 };

static uint32_t chance = 1;
static volatile sig_atomic_t spread;

static void another(int number) {
    (void)number;
    chance = chance * 1664525 + 1013904223;
    unsigned storms = SHORTEST + (chance >> 8) % (unsigned)spread;
    unsigned wait = (chance >> 24) % LULLS ? storms : LULL;
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = wait}, NULL);
}

static void storm(int microseconds) {
    spread = microseconds;
    struct sigaction action = {.sa_handler = another};
    sigaction(SIGALRM, &action, NULL);
    another(SIGALRM);
}

static char error[256];

static int open_kvm(struct cpu *cpu) {
    struct engine_options options = {0};
    return kvm_open(cpu, &options, error, sizeof error);
}

/* --- what it can do ------------------------------------------------------------------------ */

struct found {
    struct kvm_traits traits;
    bool long_mode;
};

static struct found look(void) {
    struct found f;
    memset(&f, 0, sizeof f); /* what lies between its parts is compared, too */
    f.traits = *probe_traits();
    f.long_mode = long_mode_is_right();
    return f;
}

/* In a process of its own, since it is measured once in each. */
static struct found look_in_child(unsigned seed) {
    struct found f = {0};
    int ends[2];
    if (pipe(ends))
        return f;
    pid_t child = fork();
    if (!child) {
        chance = seed;
        if (seed)
            storm(SELDOM);
        f = look();
        _exit(write(ends[1], &f, sizeof f) != sizeof f);
    }
    close(ends[1]);
    CHECK(read(ends[0], &f, sizeof f) == sizeof f);
    close(ends[0]);
    waitpid(child, NULL, 0);
    return f;
}

static void test_traits(void) {
    struct found calm = look_in_child(0);
    for (unsigned seed = 1; seed <= 60; seed++) {
        struct found f = look_in_child(seed);
        CHECK(!memcmp(&f, &calm, sizeof f));
    }
}

/* --- VMs and steps ------------------------------------------------------------------------- */

static void test_machines(void) {
    for (unsigned n = 0; n < 200; n++) {
        struct rig r = {0};
        CHECK(memory_open(&r.memory, 1 << 20) == 0);
        r.cpu.memory = &r.memory;
        r.cpu.breakpoints = &r.breakpoints;
        bool opened = open_kvm(&r.cpu) == 0;
        CHECK(opened);
        if (opened)
            r.cpu.engine->close(&r.cpu);
        memory_close(&r.memory);
    }
}

/* inc %ax; mov %ax,0x600; push %ax; pop %bx; jmp: each is one step, however many signals come. */
static void test_steps(void) {
    static const uint8_t code[] = {0x40, 0xa3, 0x00, 0x06, 0x50, 0x5b, 0xeb, 0xf8};
    static const uint16_t places[] = {1, 4, 5, 6, 0};
    struct rig r;
    rig_open(&r, open_kvm, 1 << 20);
    rig_real(&r, code, sizeof code, 0x7c00);
    uint64_t begin = rig_get(&r)->regs.rip;
    for (unsigned n = 0; n < 2000; n++) {
        r.cpu.engine->step(&r.cpu, &r.exit);
        CHECK(r.exit.kind == CPU_EXIT_STEPPED);
        CHECK(rig_get(&r)->regs.rip == begin + places[n % 5]);
        CHECK((rig_get(&r)->regs.rax & 0xffff) == n / 5 + 1);
    }
    rig_close(&r);
}

int main(void) {
    struct memory memory;
    struct cpu cpu = {.memory = &memory};
    if (memory_open(&memory, 1 << 20) || open_kvm(&cpu)) {
        printf("no KVM: %s\n", error);
        return 77;
    }
    cpu.engine->close(&cpu);
    memory_close(&memory);
    test_traits();
    storm(OFTEN);
    test_machines();
    storm(SELDOM);
    test_steps();
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    return unit_end();
}
