/* A call of the BIOS is one step, whatever engine runs it: a watchpoint that it sets off is told
 * behind the INT, and whoever interrupts one that waits finds the CPU at the INT, as it was. */
#include "tests/unit/unit.h"

#include <sched.h>

#include "vmm/machine/machine.h"

/* As tests/boot/calls.S has them. */
enum { SECTOR = 0x7c16, SECTOR_DONE = 0x7c18, KEY = 0x7c1a, KEY_DONE = 0x7c1c, DATA = 0x7e00,
       STACK = 0x7c00, TICKS = 0x46c };

static char error[400], image[400];

static void ignore_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number, (void)text, (void)length;
}
static void ignore_notice(void *context) { (void)context; }
static void ignore_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}
static const struct machine_owner owner = {.output = ignore_output, .notify = ignore_notice,
                                           .message = ignore_message};

static const struct kvm_regs *regs(struct machine *m) {
    return &cpu_read(&m->vcpu[0].cpu, CPU_REGS)->regs;
}

static struct machine_stop stop_of(struct machine *m) {
    struct machine_stop stop = {0};
    machine_wait(m);
    CHECK(machine_take_stop(m, &stop));
    return stop;
}

static struct machine_stop go(struct machine *m, enum machine_command command) {
    machine_resume(m, command);
    return stop_of(m);
}

/* The timer ticks while a service waits: then it does. */
static void interrupt_while_it_waits(struct machine *m, enum machine_command command) {
    volatile uint8_t *ticks = m->memory.ram + TICKS;
    uint8_t before = *ticks;
    machine_resume(m, command);
    while (*ticks == before)
        sched_yield();
    machine_interrupt(m);
    struct machine_stop stop = stop_of(m);
    CHECK(stop.exit.kind == CPU_EXIT_KICKED);
    CHECK(regs(m)->rip == KEY && (uint16_t)regs(m)->rsp == STACK && regs(m)->rflags & 0x200);
}

static void steps(struct machine *m) {
    breakpoints_add(&m->breakpoints, BP_SOFT, SECTOR, 1);
    CHECK(go(m, COMMAND_RUN).exit.kind == CPU_EXIT_BREAKPOINT && regs(m)->rip == SECTOR);
    breakpoints_clear(&m->breakpoints);
    breakpoints_add(&m->breakpoints, BP_WRITE, DATA, 1);
    struct machine_stop stop = go(m, COMMAND_RUN);
    CHECK(stop.exit.kind == CPU_EXIT_WATCHPOINT && stop.exit.address == DATA);
    CHECK(regs(m)->rip == SECTOR_DONE && m->memory.ram[DATA] == 'M' && (uint16_t)regs(m)->rsp == STACK);
    breakpoints_clear(&m->breakpoints);
    CHECK(go(m, COMMAND_STEP).exit.kind == CPU_EXIT_STEPPED && regs(m)->rip == KEY);
    CHECK(!machine_step_here(m)); /* it waits for what its owner brings */
    interrupt_while_it_waits(m, COMMAND_STEP);
    interrupt_while_it_waits(m, COMMAND_RUN);
    machine_resume(m, COMMAND_STEP);
    machine_input(m, (const uint8_t *)"x", 1);
    CHECK(stop_of(m).exit.kind == CPU_EXIT_STEPPED);
    CHECK(regs(m)->rip == KEY_DONE && (uint16_t)regs(m)->rax == 0x2d78);
    stop = go(m, COMMAND_RUN);
    CHECK(stop.ended && stop.status == 'x');
}

static void on(enum engine_choice engine) {
    static struct machine m;
    struct machine_options o = {.engine = engine, .debugged = true};
    int err = machine_open(&m, 1, image, &o, &owner, error, sizeof error);
    CHECK(!err || engine == ENGINE_KVM);
    if (err)
        printf("# %s\n", error);
    else
        steps(&m);
    machine_close(&m);
}

int main(int argc, char **argv) {
    (void)argc;
    const char *name = strrchr(argv[0], '/');
    snprintf(image, sizeof image, "%.*s/../boot/calls.img", name ? (int)(name - argv[0]) : 1, name ? argv[0] : ".");
    on(ENGINE_SOFT);
    on(ENGINE_KVM);
    return unit_end();
}
