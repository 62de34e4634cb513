/* A call of the BIOS is one step, whatever engine runs it: a watchpoint that it sets off is told
 * behind the INT; whoever interrupts one that waits finds the CPU at the INT, as it was, and the
 * time of the wait goes on; whoever interrupts one that is done finds it behind the INT. */
#include "tests/unit/unit.h"

#include <sched.h>

#include "vmm/machine/machine.h"

/* As tests/boot/calls.S has them. */
enum {
    SECTOR = 0x7c16,
    SECTOR_DONE = 0x7c18,
    KEY = 0x7c1a,
    KEY_DONE = 0x7c1c,
    DATA = 0x7e00,
    STACK = 0x7c00,
    TICKS = 0x46c
};

/* As tests/boot/waits.S has them. */
enum { START = 0x7c00, PRINT_DONE = 0x7c09, WAIT = 0x7c11, LENGTH = 0x7dfc, TICK_US = 54925 };

static char error[400], folder[300], image[400];
static struct machine m;
static unsigned printed;
static bool interrupts; /* whoever reads what is printed */

/* Amid a service of the BIOS, by the machine's thread. */
static void read_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number, (void)text;
    printed += (unsigned)length;
    if (interrupts)
        machine_interrupt(&m);
}
static void ignore_notice(void *context) { (void)context; }
static void ignore_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}
static const struct machine_owner owner = {
    .output = read_output, .notify = ignore_notice, .message = ignore_message};

static const struct kvm_regs *regs(void) { return &cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs; }

static struct machine_stop stop_of(void) {
    struct machine_stop stop = {0};
    machine_wait(&m);
    CHECK(machine_take_stop(&m, &stop));
    return stop;
}

static struct machine_stop go(enum machine_command command) {
    machine_resume(&m, command);
    return stop_of();
}

/* The timer ticks while a service waits: then it does. */
static void interrupt_while_it_waits(enum machine_command command) {
    volatile uint8_t *ticks = m.memory.ram + TICKS;
    uint8_t before = *ticks;
    machine_resume(&m, command);
    while (*ticks == before)
        sched_yield();
    machine_interrupt(&m);
    struct machine_stop stop = stop_of();
    CHECK(stop.exit.kind == CPU_EXIT_KICKED);
    CHECK(regs()->rip == KEY && (uint16_t)regs()->rsp == STACK && regs()->rflags & 0x200);
}

static void run_to(uint64_t address) {
    breakpoints_add(&m.breakpoints, BP_SOFT, address, 1);
    CHECK(go(COMMAND_RUN).exit.kind == CPU_EXIT_BREAKPOINT && regs()->rip == address);
    breakpoints_clear(&m.breakpoints);
}

static void steps(void) {
    run_to(SECTOR);
    breakpoints_add(&m.breakpoints, BP_WRITE, DATA, 1);
    struct machine_stop stop = go(COMMAND_RUN);
    CHECK(stop.exit.kind == CPU_EXIT_WATCHPOINT && stop.exit.address == DATA);
    CHECK(regs()->rip == SECTOR_DONE && m.memory.ram[DATA] == 'M' &&
          (uint16_t)regs()->rsp == STACK);
    breakpoints_clear(&m.breakpoints);
    CHECK(go(COMMAND_STEP).exit.kind == CPU_EXIT_STEPPED && regs()->rip == KEY);
    CHECK(!machine_step_here(&m)); /* it waits for what its owner brings */
    interrupt_while_it_waits(COMMAND_STEP);
    interrupt_while_it_waits(COMMAND_RUN);
    machine_resume(&m, COMMAND_STEP);
    machine_input(&m, (const uint8_t *)"x", 1);
    CHECK(stop_of().exit.kind == CPU_EXIT_STEPPED);
    CHECK(regs()->rip == KEY_DONE && (uint16_t)regs()->rax == 0x2d78);
    stop = go(COMMAND_RUN);
    CHECK(stop.ended && stop.status == 'x');
}

static void interrupt_when_done(void) {
    printed = 0;
    interrupts = true;
    CHECK(go(COMMAND_RUN).exit.kind == CPU_EXIT_KICKED);
    interrupts = false;
    CHECK(regs()->rip == PRINT_DONE && (uint16_t)regs()->rsp == STACK && printed == 1);
}

static uint32_t ticks(void) {
    uint32_t value;
    memcpy(&value, m.memory.ram + TICKS, sizeof value);
    return *(volatile uint32_t *)&value;
}

static bool interrupted_in_wait(unsigned apart) {
    machine_resume(&m, COMMAND_RUN);
    for (uint32_t before = ticks(); ticks() - before < apart;)
        sched_yield();
    machine_interrupt(&m);
    bool there = stop_of().exit.kind == CPU_EXIT_KICKED && regs()->rip == WAIT;
    CHECK(there);
    return there;
}

/* Every other tick; the wait's time is not longer for it. */
static void interrupt_often(void) {
    enum { TIMES = 5, APART = 2 };
    uint16_t length = 30; /* 35 ticks: a busy host is not there for some */
    memcpy(m.memory.ram + LENGTH, &length, sizeof length);
    uint32_t begin = ticks(), whole = (length << 16) / TICK_US;
    for (unsigned n = 0; n < TIMES; n++)
        if (!interrupted_in_wait(APART))
            return;
    struct machine_stop stop = go(COMMAND_RUN);
    CHECK(stop.ended && stop.status == 7);
    bool own_clock = cpu_can(&m.vcpu[0].cpu, ENGINE_DETERMINISTIC); /* a busy host may lose a tick else */
    CHECK((ticks() - begin >= whole || !own_clock) && ticks() - begin < whole + TIMES * APART);
}

static void stops(void) {
    run_to(START);
    interrupt_when_done();
    interrupt_often();
}

static void on(enum engine_choice engine, const char *name, void (*test)(void)) {
    struct machine_options o = {.engine = engine, .debugged = true, .bios_text = true};
    snprintf(image, sizeof image, "%s/%s.img", folder, name);
    int err = machine_open(&m, 1, image, &o, &owner, error, sizeof error);
    CHECK(!err || engine == ENGINE_KVM);
    if (err)
        printf("# %s\n", error);
    else
        test();
    machine_close(&m);
}

int main(int argc, char **argv) {
    static const enum engine_choice engines[] = {ENGINE_SOFT, ENGINE_KVM};
    (void)argc;
    const char *name = strrchr(argv[0], '/');
    snprintf(folder, sizeof folder, "%.*s/../boot", name ? (int)(name - argv[0]) : 1,
             name ? argv[0] : ".");
    for (unsigned n = 0; n < 2; n++) {
        on(engines[n], "calls", steps);
        on(engines[n], "waits", stops);
    }
    return unit_end();
}
