/* A service (cpu_host.service): it finds the state of an instruction boundary and may change
 * all of it, in a run, step by step, back in time and in a replay alike, on both engines. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/elf_build.h"

#include "vmm/cpu/service.h"
#include "vmm/machine/machine.h"
#include "vmm/replay/recorder.h"
#include "vmm/x86/x86.h"

enum { PORT = 0xee, START = 0x1000, CALLS = 0x3000, SPARE = 0x1040, LAST = 0x1020 };

/* Each call counts itself in BX and at CALLS. The second leaves out the INC CX behind it, the
 * third writes an INC DX where LAST is, the fourth stops. */
static const uint8_t code[LAST + 0x20 - START] = {
    0x31, 0xc9,             /* 1000: xor %cx, %cx */
    0x31, 0xdb,             /* xor %bx, %bx */
    0xe8, 0x19, 0x00,       /* 1004: call 1020, so that it has been executed */
    0xe6, PORT,             /* 1007: out %al, $PORT */
    0x41,                   /* 1009: inc %cx */
    0xe6, PORT,             /* 100a */
    0x41,                   /* 100c: left out */
    0x41,                   /* 100d */
    0xe6, PORT,             /* 100e */
    0x41,                   /* 1010 */
    0xe8, 0x0c, 0x00,       /* 1011: call 1020 */
    0xe6, PORT,             /* 1014: stops */
    0xfa, 0xf4,             /* 1016: cli; hlt */
    [0x20] = 0x90, 0xc3,    /* 1020: nop; ret */
};

static char error[400], log_text[1000];

static void note(struct machine *m) {
    const struct kvm_regs *r = &cpu_read(&m->vcpu[0].cpu, CPU_REGS)->regs;
    size_t n = strlen(log_text);
    snprintf(log_text + n, sizeof log_text - n, "%llx:%llu,%llu ", r->rip, r->rbx, r->rcx);
}

static enum io_result do_service(void *vcpu) {
    struct machine *m = ((struct vcpu *)vcpu)->machine;
    uint8_t calls, inc_dx = 0x42;
    note(m);
    CHECK(service_read(&m->vcpu[0].cpu, CALLS, &calls, 1) == 1);
    calls++;
    CHECK(service_write(&m->vcpu[0].cpu, CALLS, &calls, 1) == 1);
    struct kvm_regs *r = &cpu_write(&m->vcpu[0].cpu, CPU_REGS)->regs;
    r->rbx++;
    if (calls == 2)
        r->rip++;
    if (calls == 3)
        service_write(&m->vcpu[0].cpu, LAST, &inc_dx, 1);
    if (calls == 4)
        snprintf(m->vcpu[0].stop_text, sizeof m->vcpu[0].stop_text, "the service says stop");
    return calls == 4 ? IO_STOP : IO_DONE;
}

static enum io_result ask_for_service(void *device, const struct access *a) {
    (void)device;
    return a->write ? IO_SERVICE : access_reply(a, 0);
}

static void *open_on(const struct device_site *site) {
    static int nothing;
    bus_add(site->bus, "service", PORT, PORT, ask_for_service, &nothing);
    return &nothing;
}
static void reset(void *device) { (void)device; }
static const struct device_class device_service = {.name = "service", .open = open_on, .reset = reset};
static const struct device_class *const extra[] = {&device_service, NULL};

static void ignore_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number, (void)text, (void)length;
}
static void ignore_notice(void *context) { (void)context; }
static void ignore_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}
static const struct machine_owner owner = {.output = ignore_output, .notify = ignore_notice,
                                           .message = ignore_message};

static bool open_machine(struct machine *m, struct machine_options *o, enum engine_choice engine) {
    *o = (struct machine_options){.engine = engine, .debugged = true,
                                  .recorder = &replay_recorder, .history = 8 << 20, .devices = extra};
    *log_text = 0;
    int err = machine_open(m, 1, scratch_write(code, sizeof code), o, &owner, error, sizeof error);
    CHECK(!err || engine == ENGINE_KVM);
    if (err) {
        printf("# %s\n", error);
        machine_close(m);
        return false;
    }
    m->vcpu[0].cpu.host.service = do_service;
    cpu_write(&m->vcpu[0].cpu, CPU_REGS)->regs.rdx = 0; /* a loader leaves the drive in DL */
    return true;
}

static struct machine_stop go(struct machine *m, enum machine_command command) {
    struct machine_stop stop = {0};
    machine_resume(m, command);
    machine_wait(m);
    machine_take_stop(m, &stop);
    return stop;
}

static uint64_t rip(struct machine *m) { return cpu_read(&m->vcpu[0].cpu, CPU_REGS)->regs.rip; }
static unsigned calls(struct machine *m) { return m->memory.ram[CALLS]; }

static const char whole_log[] = "1009:0,0 100c:1,1 1010:2,2 1016:3,3 ";

static void check_end(struct machine *m, const struct machine_stop *stop) {
    const struct kvm_regs *r = &cpu_read(&m->vcpu[0].cpu, CPU_REGS)->regs;
    CHECK(stop->exit.kind == CPU_EXIT_DEVICE && strstr(stop->exit.text, "says stop"));
    CHECK(r->rip == 0x1016 && r->rbx == 4 && r->rcx == 3 && (r->rdx & 0x7f) == 1 && calls(m) == 4);
    CHECK_STR(log_text, whole_log);
}

static void runs(enum engine_choice engine) {
    struct machine m;
    struct machine_options o;
    if (!open_machine(&m, &o, engine))
        return;
    struct machine_stop stop = go(&m, COMMAND_RUN);
    check_end(&m, &stop);
    CHECK(go(&m, COMMAND_RUN).exit.kind == CPU_EXIT_HALTED);
    machine_close(&m);
}

/* A step over the OUT is the OUT and its service, and nothing behind it. */
static void steps(enum engine_choice engine) {
    static const uint16_t places[] = {0x1002, 0x1004, 0x1020, 0x1021, 0x1007, 0x1009, 0x100a, 0x100d,
                                      0x100e, 0x1010, 0x1011, 0x1020, 0x1021, 0x1014, 0x1016};
    struct machine m;
    struct machine_options o;
    struct machine_stop stop = {0};
    if (!open_machine(&m, &o, engine))
        return;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        stop = go(&m, COMMAND_STEP);
        CHECK(rip(&m) == places[i]);
    }
    check_end(&m, &stop);
    machine_close(&m);
}

/* A watchpoint sees what it writes; the CPU stands where the service has put it. */
static void watches(enum engine_choice engine, enum machine_command command) {
    struct machine m;
    struct machine_options o;
    if (!open_machine(&m, &o, engine))
        return;
    CHECK(breakpoints_add(&m.breakpoints, BP_WRITE, CALLS, 1) == 0);
    unsigned hits = 0;
    struct machine_stop stop = {0};
    for (unsigned i = 0; i < 20 && stop.exit.kind != CPU_EXIT_DEVICE; i++) {
        stop = go(&m, command);
        if (stop.exit.kind != CPU_EXIT_WATCHPOINT)
            continue;
        hits++;
        CHECK(stop.exit.point == BP_WRITE && stop.exit.address == CALLS && calls(&m) == hits);
        CHECK(rip(&m) == (hits == 1 ? 0x1009 : hits == 2 ? 0x100d : 0x1010));
    }
    CHECK(hits == 3); /* the fourth has a reason of its own to stop */
    check_end(&m, &stop);
    machine_close(&m);
}

/* The service meets no int3 of a debugger's, and one over which it writes is there again. */
static void keeps_breakpoints(enum engine_choice engine) {
    struct machine m;
    struct machine_options o;
    if (!open_machine(&m, &o, engine))
        return;
    for (uint64_t at = 0x1040; at < 0x1048; at++) /* more than there are debug registers */
        breakpoints_add(&m.breakpoints, BP_SOFT, at, 1);
    CHECK(breakpoints_add(&m.breakpoints, BP_SOFT, LAST, 1) == 0);
    CHECK(go(&m, COMMAND_RUN).exit.kind == CPU_EXIT_BREAKPOINT && rip(&m) == LAST);
    CHECK(go(&m, COMMAND_RUN).exit.kind == CPU_EXIT_BREAKPOINT && rip(&m) == LAST);
    CHECK(calls(&m) == 3 && m.memory.ram[LAST] == 0x42);
    struct machine_stop stop = go(&m, COMMAND_RUN);
    check_end(&m, &stop);
    machine_close(&m);
}

static void goes_back(void) {
    struct machine m;
    struct machine_options o;
    CHECK(open_machine(&m, &o, ENGINE_SOFT));
    go(&m, COMMAND_RUN);
    uint64_t end = m.vcpu[0].cpu.ticks;
    go(&m, COMMAND_BACK_STEP);
    CHECK(rip(&m) == 0x1014 && calls(&m) == 3);
    for (int i = 0; i < 5; i++)
        go(&m, COMMAND_BACK_STEP);
    CHECK(rip(&m) == 0x100e && calls(&m) == 2 && m.memory.ram[LAST] == 0x90);
    go(&m, COMMAND_STEP);
    CHECK(rip(&m) == 0x1010 && calls(&m) == 3 && m.memory.ram[LAST] == 0x42);
    breakpoints_add(&m.breakpoints, BP_WRITE, CALLS, 1);
    CHECK(go(&m, COMMAND_BACK_RUN).exit.kind == CPU_EXIT_WATCHPOINT && rip(&m) == 0x100e);
    CHECK(go(&m, COMMAND_BACK_RUN).exit.kind == CPU_EXIT_WATCHPOINT && rip(&m) == 0x100a);
    CHECK(calls(&m) == 1);
    breakpoints_clear(&m.breakpoints);
    go(&m, COMMAND_BACK_RUN);
    CHECK(rip(&m) == START && calls(&m) == 0);
    *log_text = 0;
    struct machine_stop stop = go(&m, COMMAND_RUN);
    check_end(&m, &stop);
    CHECK(m.vcpu[0].cpu.ticks == end);
    machine_close(&m);
}

int main(void) {
    static const enum engine_choice engines[] = {ENGINE_SOFT, ENGINE_KVM};
    for (unsigned i = 0; i < 2; i++) {
        runs(engines[i]);
        steps(engines[i]);
        watches(engines[i], COMMAND_RUN);
        watches(engines[i], COMMAND_STEP);
        keeps_breakpoints(engines[i]);
    }
    goes_back();
    return unit_end();
}
