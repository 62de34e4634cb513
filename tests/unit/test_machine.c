/* A machine as a value: made, run, reset and closed as often as one likes, also
 * two at a time and also when making it fails. Needs KVM or the built-in CPU for
 * all but the failures; without either only those are tested. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/elf_build.h"
#include "vmm/machine/machine.h"
#include "vmm/x86/x86.h"

static char error[512];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char printed[3][256]; /* by machine number */
static unsigned notices;

static void take_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context;
    pthread_mutex_lock(&lock);
    size_t have = strlen(printed[number]);
    if (have + length < sizeof printed[number]) {
        memcpy(printed[number] + have, text, length);
        printed[number][have + length] = 0;
    }
    pthread_mutex_unlock(&lock);
}

static void take_notice(void *context) {
    (void)context;
    pthread_mutex_lock(&lock);
    notices++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void take_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}

static const struct machine_owner owner = {.output = take_output, .notify = take_notice,
                                           .message = take_message};

/* Prints a letter by port 0xE9, counts its runs in memory, ends with status 7. */
static const uint8_t letter[] = {0xb0, 'M',              /* mov al, 'M' */
                                 0xe6, 0xe9,             /* out 0xe9, al */
                                 0xff, 0x06, 0x00, 0x20, /* inc word [0x2000] */
                                 0xb0, 0x00, 0xb3, 0x07, /* mov al, 0; mov bl, 7 */
                                 0xba, 0x00, 0x05, 0xee}; /* mov dx, 0x500; out dx, al */
static const uint8_t forever[] = {0xeb, 0xfe};
static const uint8_t halts[] = {0xfa, 0xf4}; /* cli; hlt */
/* GETCHAR, then prints it by 0xE9 and halts. */
static const uint8_t echoes[] = {0xb0, 0x02, 0xba, 0x00, 0x05, 0xee, 0xec, 0xe6, 0xe9, 0xfa, 0xf4};

static int open_flat(struct machine *m, unsigned number, const void *bytes, size_t size,
                     const struct machine_options *options) {
    *printed[number] = 0;
    strcpy(error, "(no sentence)");
    return machine_open(m, number, scratch_write(bytes, size), options, &owner, error,
                        sizeof error);
}

static struct machine_stop run(struct machine *m) {
    struct machine_stop stop = {0};
    machine_resume(m, COMMAND_RUN);
    machine_wait(m);
    CHECK(machine_take_stop(m, &stop));
    return stop;
}

/* --- failures ----------------------------------------------------------------------------- */

static void what_cannot_be_made_can_be_closed(void) {
    static struct machine m;
    struct machine_options o = {0};
    CHECK(machine_open(&m, 1, "/no/such/image", &o, &owner, error, sizeof error) == -ENOENT);
    machine_close(&m);
    CHECK(open_flat(&m, 1, "", 0, &o) < 0 && strstr(error, "empty"));
    machine_close(&m);
    o.rom = "/no/such/rom";
    CHECK(open_flat(&m, 1, halts, sizeof halts, &o) < 0 && strstr(error, "/no/such/rom"));
    machine_close(&m);
    static uint8_t large[100 << 10];
    o = (struct machine_options){.memory = 64 << 10};
    CHECK(open_flat(&m, 1, large, sizeof large, &o) < 0 && strstr(error, "--mem"));
    machine_close(&m);
}

/* --- with an engine --------------------------------------------------------------------------- */

static void runs_and_ends(const struct machine_options *o) {
    static struct machine m;
    CHECK(open_flat(&m, 1, letter, sizeof letter, o) == 0);
    CHECK(!machine_busy(&m) && m.number == 1);
    struct machine_stop stop;
    CHECK(!machine_take_stop(&m, &stop)); /* it did nothing yet */
    stop = run(&m);
    CHECK(stop.ended && stop.status == 7 && stop.exit.kind == CPU_EXIT_DEVICE);
    CHECK_STR(printed[1], "M");
    CHECK(!machine_take_stop(&m, &stop)); /* a stop is taken once */
    machine_close(&m);
}

/* Nothing of the first run is left in the second. */
static void reset(const struct machine_options *o) {
    static struct machine m;
    CHECK(open_flat(&m, 1, letter, sizeof letter, o) == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(run(&m).status == 7);
        CHECK(m.memory.ram[0x2000] == 1);
        breakpoints_add(&m.breakpoints, BP_SOFT, 0x5000, 1);
        CHECK(machine_reset(&m, NULL, error, sizeof error) == 0);
        CHECK(m.memory.ram[0x2000] == 0 && m.breakpoints.count == 1); /* breakpoints stay */
        const struct cpu_state *s = cpu_read(&m.vcpu[0].cpu, CPU_REGS | CPU_SREGS);
        CHECK(x86_pc(&s->regs, &s->sregs) == 0x1000);
    }
    CHECK_STR(printed[1], "MMM");
    CHECK(machine_reset(&m, "/no/such/image", error, sizeof error) == -ENOENT);
    CHECK(run(&m).status == 7); /* it is still the one that it was */
    machine_close(&m);
}

/* A file of so many sectors; the first byte of each is its number. */
static const char *disk_file(const char *name, unsigned sectors) {
    static char paths[2][300];
    static unsigned n;
    char *path = paths[n++ % 2];
    uint8_t sector[512] = {0xfa, 0xf4};
    scratch_write("", 0);
    snprintf(path, 300, "%s.%s", scratch_path, name);
    FILE *f = fopen(path, "wb");
    sector[510] = 0x55, sector[511] = 0xaa;
    for (unsigned i = 0; f && i < sectors; i++, sector[0] = (uint8_t)i)
        fwrite(sector, sizeof sector, 1, f);
    CHECK(f && fclose(f) == 0);
    return path;
}

/* A disk image is a drive of its machine, and only its first sector is in memory; another image
 * after a reset has that drive's place. */
static void boots_from_a_drive(const struct machine_options *o) {
    static struct machine m;
    uint8_t sector[DISK_SECTOR];
    char floppy[300], hard[300];
    strcpy(floppy, disk_file("floppy", 2880));
    strcpy(hard, disk_file("hard", 20000));
    CHECK(machine_open(&m, 1, floppy, o, &owner, error, sizeof error) == 0);
    struct drives *d = &m.board.drives;
    CHECK(d->floppy[0] && !d->floppy[1] && !d->hard[0]);
    CHECK(m.memory.ram[0x7c00] == 0xfa && m.memory.ram[0x7e00] == 0);
    CHECK((cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rdx & 0xff) == 0);
    CHECK(machine_reset(&m, hard, error, sizeof error) == 0);
    CHECK(!d->floppy[0] && d->hard[0] && disk_sectors(d->hard[0]) == 20000);
    CHECK((cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rdx & 0xff) == 0x80);
    CHECK(disk_read(d->hard[0], 17, sector, 1) == DISK_DONE && sector[0] == 17);
    CHECK(machine_reset(&m, NULL, error, sizeof error) == 0 && d->hard[0]);
    CHECK(machine_reset(&m, "/no/such/image", error, sizeof error) < 0 && d->hard[0]);
    CHECK(machine_reset(&m, scratch_write(letter, sizeof letter), error, sizeof error) == 0);
    CHECK(!d->hard[0] && !d->floppy[0] && run(&m).status == 7);
    machine_close(&m);
    unlink(floppy);
    unlink(hard);
}

static void steps(const struct machine_options *o) {
    static struct machine m;
    struct machine_stop stop;
    CHECK(open_flat(&m, 1, letter, sizeof letter, o) == 0);
    static const uint16_t expected[] = {0x1002, 0x1004, 0x1008, 0x100a, 0x100c, 0x100f};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        machine_resume(&m, COMMAND_STEP);
        machine_wait(&m);
        CHECK(machine_take_stop(&m, &stop) && stop.exit.kind == CPU_EXIT_STEPPED);
        CHECK(cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rip == expected[i]);
    }
    CHECK_STR(printed[1], "M");
    machine_resume(&m, COMMAND_STEP);
    machine_wait(&m);
    CHECK(machine_take_stop(&m, &stop) && stop.ended && stop.status == 7);
    machine_close(&m);
}

/* A quick step is done on this thread, an OUT or a HLT is not; handed over and not take turns. */
static void steps_here(const struct machine_options *o) {
    static struct machine m;
    struct machine_stop stop;
    bool here = o->engine == ENGINE_SOFT;
    CHECK(open_flat(&m, 1, letter, sizeof letter, o) == 0);
    unsigned before = notices;
    if (here) { /* a device may wait for a file's input, which the owner has not brought yet */
        bool steady = m.board.input.steady;
        m.board.input.steady = true;
        CHECK(!machine_step_here(&m));
        m.board.input.steady = steady;
    }
    CHECK(machine_step_here(&m) == here); /* mov al, 'M' */
    CHECK(machine_take_stop(&m, &stop) == here && notices == before && !machine_busy(&m));
    if (here) {
        CHECK(stop.exit.kind == CPU_EXIT_STEPPED && cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rip == 0x1002);
        CHECK(!machine_step_here(&m)); /* out 0xe9, al */
        machine_resume(&m, COMMAND_STEP);
        machine_wait(&m);
        CHECK(machine_take_stop(&m, &stop) && stop.exit.kind == CPU_EXIT_STEPPED);
        CHECK_STR(printed[1], "M");
        CHECK(machine_step_here(&m) && machine_take_stop(&m, &stop));
        CHECK(cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rip == 0x1008);
    }
    CHECK(run(&m).status == 7);
    machine_close(&m);
    CHECK(open_flat(&m, 1, halts, sizeof halts, o) == 0);
    CHECK(machine_step_here(&m) == here && machine_take_stop(&m, &stop) == here); /* cli */
    CHECK(here ? !machine_step_here(&m) : run(&m).exit.kind == CPU_EXIT_HALTED);
    machine_close(&m);
}

static void interrupted(const struct machine_options *o) {
    static struct machine m;
    struct machine_stop stop;
    CHECK(open_flat(&m, 1, forever, sizeof forever, o) == 0);
    machine_interrupt(&m); /* no effect on one that is stopped */
    for (int i = 0; i < 50; i++) {
        machine_resume(&m, COMMAND_RUN);
        machine_interrupt(&m); /* whether it has entered the guest or not */
        machine_wait(&m);
        CHECK(machine_take_stop(&m, &stop) && stop.exit.kind == CPU_EXIT_KICKED && !stop.ended);
    }
    CHECK(cpu_read(&m.vcpu[0].cpu, CPU_REGS)->regs.rip == 0x1000);
    machine_resume(&m, COMMAND_RUN);
    machine_close(&m); /* while it runs */
}

static void two_at_once(const struct machine_options *o) {
    static struct machine a, b;
    CHECK(open_flat(&a, 1, letter, sizeof letter, o) == 0);
    CHECK(open_flat(&b, 2, halts, sizeof halts, o) == 0);
    unsigned before = notices;
    machine_resume(&a, COMMAND_RUN);
    machine_resume(&b, COMMAND_RUN);
    pthread_mutex_lock(&lock);
    while (notices < before + 2)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    struct machine_stop stop;
    CHECK(machine_take_stop(&a, &stop) && stop.ended && stop.status == 7);
    CHECK(machine_take_stop(&b, &stop) && !stop.ended && stop.exit.kind == CPU_EXIT_HALTED);
    CHECK(!strcmp(printed[1], "M") && !*printed[2]);
    machine_close(&a);
    machine_close(&b);
}

static void waits_for_input(const struct machine_options *o) {
    static struct machine m;
    struct machine_stop stop;
    CHECK(open_flat(&m, 1, echoes, sizeof echoes, o) == 0);
    machine_resume(&m, COMMAND_RUN);
    CHECK(machine_input(&m, (const uint8_t *)"k", 1) == 1);
    machine_wait(&m);
    CHECK(machine_take_stop(&m, &stop) && stop.exit.kind == CPU_EXIT_HALTED);
    CHECK_STR(printed[1], "k");
    machine_close(&m);

    CHECK(open_flat(&m, 1, echoes, sizeof echoes, o) == 0);
    machine_resume(&m, COMMAND_RUN);
    machine_interrupt(&m); /* the wait can be interrupted, and taken up again */
    machine_wait(&m);
    CHECK(machine_take_stop(&m, &stop) && stop.exit.kind == CPU_EXIT_KICKED);
    machine_resume(&m, COMMAND_RUN);
    machine_end_input(&m);
    machine_wait(&m);
    CHECK(machine_take_stop(&m, &stop) && stop.exit.kind == CPU_EXIT_HALTED);
    CHECK_STR(printed[1], "\xff");
    machine_close(&m);
}

static void with(enum engine_choice engine) {
    static struct machine m;
    struct machine_options o = {.engine = engine}, debugged = {.engine = engine, .debugged = true};
    int err = open_flat(&m, 1, halts, sizeof halts, &o);
    CHECK(err == 0 || *error != '('); /* who cannot, says why */
    machine_close(&m);
    if (err)
        return;
    runs_and_ends(&o);
    runs_and_ends(&debugged);
    reset(&o);
    reset(&debugged);
    boots_from_a_drive(&debugged);
    steps(&debugged);
    steps_here(&debugged);
    interrupted(&o);
    interrupted(&debugged);
    two_at_once(&o);
    waits_for_input(&o);
    waits_for_input(&debugged);
}

/* Runs nothing; an interrupt comes as it says so. */
static void interrupted_and_cannot(struct cpu *cpu, struct cpu_exit *exit) {
    machine_interrupt(vcpu_of(cpu)->machine);
    exit->kind = CPU_EXIT_CANNOT;
}

/* An interrupt is not lost with the engine that another one takes over from. */
static void interrupted_at_a_take_over(void) {
    static struct machine m;
    struct machine_options o = {.engine = ENGINE_AUTO};
    CHECK(open_flat(&m, 1, forever, sizeof forever, &o) == 0);
    struct engine gives_up = *m.vcpu[0].cpu.engine;
    gives_up.ops.run = interrupted_and_cannot;
    cpu_set_engine(&m.vcpu[0].cpu, &gives_up);
    CHECK(run(&m).exit.kind == CPU_EXIT_KICKED);
    machine_close(&m);
}

static void device_is_not_ready(struct cpu *cpu, struct cpu_exit *exit) {
    (void)cpu;
    exit->kind = CPU_EXIT_WAITING;
}

/* Whoever steps on its own thread is the one that brings the input: such a step waits for
 * none, whatever kind of access it is whose device is not ready. It is handed over instead. */
static void waits_for_no_device_on_the_owners_thread(void) {
    static struct machine m;
    struct machine_options o = {.engine = ENGINE_SOFT, .debugged = true};
    struct machine_stop stop;
    CHECK(open_flat(&m, 1, letter, sizeof letter, &o) == 0);
    const struct engine *real = m.vcpu[0].cpu.engine;
    struct engine not_ready = *real;
    not_ready.step = device_is_not_ready;
    cpu_set_engine(&m.vcpu[0].cpu, &not_ready);
    CHECK(!machine_step_here(&m));
    CHECK(!machine_busy(&m) && !machine_take_stop(&m, &stop));
    cpu_set_engine(&m.vcpu[0].cpu, real);
    CHECK(machine_step_here(&m));
    CHECK(machine_take_stop(&m, &stop) && stop.exit.kind == CPU_EXIT_STEPPED);
    machine_close(&m);
}

int main(void) {
    what_cannot_be_made_can_be_closed();
    with(ENGINE_KVM);
    with(ENGINE_SOFT);
    interrupted_at_a_take_over();
    waits_for_no_device_on_the_owners_thread();
    return unit_end();
}
