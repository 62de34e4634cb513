/* A device in physical memory: the same accesses, in the same order, by both engines, in a run,
 * step by step, and again after going back in time; and nobody but the guest is noticed. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/devices/bus_mmio.h"
#include "vmm/inspect/explain.h"
#include "vmm/replay/history.h"
#include "vmm/replay/recorder.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

/* --- the device --------------------------------------------------------------------------- */

enum { BASE = 0xd0000000, LENGTH = 0x2000, COUNTER = 0x100, STOP_WRITE = 0x200, STOP_READ = 0x204 };

struct registers {
    const struct board *board;
    uint8_t bytes[LENGTH];
    uint32_t reads; /* of COUNTER */
    size_t length;
    char log[4096]; /* "R2@ffe W4@8=1 …" */
};

static struct registers *registers; /* of the machine that was opened last */

static void note(struct registers *r, const struct access *a, unsigned offset) {
    char value[24] = "";
    if (a->write)
        snprintf(value, sizeof value, "=%llx", (unsigned long long)access_value(a));
    r->length += (size_t)snprintf(r->log + r->length, sizeof r->log - r->length, "%c%u@%x%s ",
                                  a->write ? 'W' : 'R', a->size, offset, value);
}

static enum io_result access_registers(void *device, const struct access *a) {
    struct registers *r = device;
    unsigned offset = (unsigned)(a->address - BASE);
    CHECK(a->mmio && a->cpu && a->size >= 1 && a->size <= 8);
    note(r, a, offset);
    if (a->write)
        memcpy(r->bytes + offset, a->data, a->size);
    else if (offset == COUNTER)
        access_reply(a, ++r->reads);
    else
        memcpy(a->data, r->bytes + offset, a->size);
    if (offset != (a->write ? STOP_WRITE : STOP_READ))
        return IO_DONE;
    r->board->stop(r->board->machine, a->cpu, "a register says stop");
    return IO_STOP;
}

static void *open_on(const struct device_site *site) {
    struct registers *r = registers = calloc(1, sizeof *r);
    r->board = site->board;
    bus_add_mmio(site->bus, "registers", BASE, LENGTH, access_registers, r);
    return r;
}

static void reset(void *device) {
    struct registers *r = device;
    *r = (struct registers){.board = r->board};
}

static const struct device_class device_registers = {.name = "registers", .open = open_on,
    .reset = reset, .size = sizeof(struct registers), .close = free};

static const char until_stop[] =
    "W1@0=11 W2@2=2222 W4@4=44444444 R1@0 R2@2 R4@4 R1@5 "
    "R4@8 W4@8=1 R4@8 W4@8=11 R4@8 W4@8=77 R1@8 W1@8=88 R4@8 W4@c=88 "
    "W2@ffe=6655 W2@1000=8877 R2@ffe R2@1000 R2@ffe R2@1000 W2@ffe=6656 W2@1000=8877 "
    "W4@20=5a5a5a5a W4@24=5a5a5a5a W4@28=5a5a5a5a "
    "R1@20 R1@21 R1@22 R1@23 W2@30=5a5a W2@32=5a5a R4@20 W4@40=5a5a5a5a R4@24 W4@44=5a5a5a5a "
    "R4@100 R4@100 R1@100 W4@200=1 ";
static const char then[] = "R4@204 W4@204=1 ";

/* --- machines -------------------------------------------------------------------------------- */

static char error[400], build[256], messages[2000];

static void ignore_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number, (void)text, (void)length;
}
static void ignore_notice(void *context) { (void)context; }
static void take_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number;
    size_t used = strlen(messages);
    snprintf(messages + used, sizeof messages - used, "%s\n", text);
}
static const struct machine_owner owner = {.output = ignore_output, .notify = ignore_notice,
                                           .message = take_message};

static const struct device_class *const extra[] = {&device_registers, NULL};

static bool open_machine(struct machine *m, struct machine_options *o, enum engine_choice engine) {
    char path[400];
    snprintf(path, sizeof path, "%s/tests/guests/mmio.elf", build);
    *o = (struct machine_options){.image = {.mode = START_PROTECTED}, .engine = engine,
                                  .debugged = true, .recorder = &replay_recorder, .history = 8 << 20, .memory = 1 << 20,
                                  .devices = extra};
    *messages = '\0';
    int err = machine_open(m, 1, path, o, &owner, error, sizeof error);
    CHECK(!err || engine == ENGINE_KVM);
    if (err) {
        printf("# %s\n", error);
        machine_close(m);
    }
    return !err;
}

static struct machine_stop go(struct machine *m, enum machine_command command) {
    struct machine_stop stop = {0};
    machine_resume(m, command);
    machine_wait(m);
    machine_take_stop(m, &stop);
    return stop;
}

static bool stopped(const struct machine_stop *s) {
    return !s->ended && s->exit.kind == CPU_EXIT_DEVICE && strstr(s->exit.text, "a register says stop");
}

static void check_log(const char *first, const char *second) {
    char all[sizeof until_stop + sizeof then];
    snprintf(all, sizeof all, "%s%s", first, second);
    CHECK_STR(registers->log, all);
    if (strcmp(registers->log, all))
        fprintf(stderr, "%s\n%s\n", registers->log, all);
}

static void runs(enum engine_choice engine) {
    struct machine m;
    struct machine_options o;
    if (!open_machine(&m, &o, engine))
        return;
    struct machine_stop stop = go(&m, COMMAND_RUN);
    CHECK(stopped(&stop));
    check_log(until_stop, "");
    const struct kvm_regs *r = &cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs;
    CHECK(r->rax == 1 + 2 && r->rdx == 0x44444444 && r->rbp == 0x44 && r->rflags & FLAG_ZF);
    stop = go(&m, COMMAND_RUN);
    CHECK(stopped(&stop));
    check_log(until_stop, then);
    stop = go(&m, COMMAND_RUN);
    CHECK(stop.ended && stop.status == 7);
    check_log(until_stop, then);
    CHECK(strstr(messages, "0xd0010000, where no memory is") && !strstr(messages, "0xd0000"));
    machine_close(&m);
}

enum { STEPS = 100 }; /* more than there are instructions */

static void steps(enum engine_choice engine) {
    struct machine m;
    struct machine_options o;
    if (!open_machine(&m, &o, engine))
        return;
    struct machine_stop stop = {0};
    unsigned stops = 0;
    for (unsigned n = 0; n < STEPS && !stop.ended; n++) {
        stop = go(&m, COMMAND_STEP);
        stops += stopped(&stop);
    }
    CHECK(stop.ended && stop.status == 7 && stops == 2);
    check_log(until_stop, then);
    machine_close(&m);
}

/* The log is part of what a snapshot saves. */
static void goes_back(void) {
    struct machine m;
    struct machine_options o;
    CHECK(open_machine(&m, &o, ENGINE_SOFT));
    CHECK(go(&m, COMMAND_RUN).exit.kind == CPU_EXIT_DEVICE);
    for (int i = 0; i < 3; i++)
        go(&m, COMMAND_BACK_STEP);
    CHECK(registers->reads == 1);
    go(&m, COMMAND_BACK_RUN);
    check_log("", "");
    for (int i = 0; i < 6; i++)
        go(&m, COMMAND_STEP);
    check_log("W1@0=11 W2@2=2222 W4@4=44444444 ", "");
    CHECK(go(&m, COMMAND_RUN).exit.kind == CPU_EXIT_DEVICE);
    check_log(until_stop, "");
    machine_close(&m);
}

/* --- looking ------------------------------------------------------------------------------------ */

static char explained[1000];
static void take_text(void *context, const char *text) {
    (void)context;
    size_t used = strlen(explained);
    snprintf(explained + used, sizeof explained - used, "%s", text);
}

static void looks(enum engine_choice engine) {
    struct machine m;
    struct machine_options o;
    uint32_t value = 0;
    if (!open_machine(&m, &o, engine))
        return;
    for (int i = 0; i < 6; i++)
        go(&m, COMMAND_STEP);
    const struct cpu_state *s = cpu_read(&m.vcpu[0].cpu, CPU_REGS | CPU_SREGS);
    CHECK(x86_read(&m.memory, &s->sregs, BASE, &value, 4) == 0);
    CHECK(memory_read(&m.memory, BASE, &value, 4) == 0);
    *explained = '\0';
    inspect_explain(&m, x86_pc(&s->regs, &s->sregs), &(struct text){.put = take_text});
    CHECK(strstr(explained, "It reads physical 0xd0000000, where the device registers is."));
    check_log("W1@0=11 W2@2=2222 W4@4=44444444 ", "");
    machine_close(&m);
}

/* --- the bus ------------------------------------------------------------------------------------ */

static enum io_result answer(void *device, const struct access *a) {
    return access_reply(a, *(uint64_t *)device);
}

static uint64_t read_at(struct bus *bus, uint64_t at, unsigned size, enum io_result expected) {
    uint64_t value = 0;
    CHECK(bus_mmio(bus, &(struct access){.mmio = true, .address = at, .size = size,
                                         .data = &value}) == expected);
    return value;
}

static void ranges(void) {
    struct bus bus = {0};
    uint64_t one = 0x1122334455667788, two = 2;
    bus_add_mmio(&bus, "one", 0xd0000000, 16, answer, &one);
    bus_add_mmio(&bus, "two", 0xd0000010, 1, answer, &two);
    bus_add(&bus, "port", 0x10, 0x1f, answer, &two);
    bus_add_mmio(&bus, "high", 1ull << 32, PAGE_SIZE, answer, &two);
    CHECK_STR(bus.error, "");
    CHECK(read_at(&bus, 0xd0000000, 8, IO_DONE) == one);
    CHECK(read_at(&bus, 0xd000000e, 2, IO_DONE) == 0x7788);
    CHECK(read_at(&bus, 0xd000000f, 2, IO_NOBODY) == 0); /* not wholly inside */
    CHECK(read_at(&bus, 0xd0000010, 1, IO_DONE) == 2);
    CHECK(read_at(&bus, 0x10, 1, IO_NOBODY) == 0); /* a port is no address */
    CHECK(read_at(&bus, UINT64_MAX, 8, IO_NOBODY) == 0);
    CHECK(!strcmp(bus_mmio_name(&bus, 0x100000000, 4), "high") && !bus_mmio_name(&bus, 0xd0000011, 1));
}

static const char *refusal(uint64_t base, uint64_t length) {
    static struct bus bus;
    uint64_t any = 0;
    bus = (struct bus){0};
    bus_add_mmio(&bus, "one", 0xd0000000, 0x1000, answer, &any);
    bus_add_mmio(&bus, "two", base, length, answer, &any);
    CHECK(bus.count == (*bus.error ? 1 : 2));
    return bus.error;
}

static void refuses(void) {
    CHECK_STR(refusal(0xd0000fff, 1), "two devices at physical 0xd0000fff: one and two");
    CHECK_STR(refusal(0xcffff000, 0x1001), "two devices at physical 0xd0000000: one and two");
    CHECK_STR(refusal(0xd0001000, 1), "");
    CHECK(strstr(refusal(0xb8000, 0x1000), "two at physical 0xb8000: RAM or ROM may be there"));
    CHECK(strstr(refusal(0xbffff000, 0x2000), "RAM or ROM may be there"));
    CHECK(strstr(refusal(0xfffff000, 0x1000), "RAM or ROM may be there"));
    CHECK(strstr(refusal(0xe0000000, UINT64_MAX), "RAM or ROM may be there"));
    CHECK(strstr(refusal(0xe0000000, 0), "RAM or ROM may be there"));
}

int main(int argc, char **argv) {
    (void)argc;
    snprintf(build, sizeof build, "%s", argv[0]);
    for (int i = 0; i < 3 && strrchr(build, '/'); i++)
        *strrchr(build, '/') = '\0';
    ranges();
    refuses();
    static const enum engine_choice engines[] = {ENGINE_SOFT, ENGINE_KVM};
    for (int i = 0; i < 2; i++) {
        runs(engines[i]);
        steps(engines[i]);
        looks(engines[i]);
    }
    goes_back();
    return unit_end();
}
