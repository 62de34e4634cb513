/* Time is exact: however one goes to and fro in a run, at a tick of its clock the machine
 * is what it is there when nobody looks: registers, memory, devices, translations, output.
 *
 * For each guest a straight run gives marks. A walk then goes at random: steps, runs,
 * travels by tick and by count, searches, breakpoints and watchpoints, memory read, memory
 * written and restored (which begins a new present), runs saved; and ends at a mark.
 *
 * usage: test_time [WALKS [SEED]]     (some hundred walks, the same each time)
 * In the environment: GUEST, part of a guest's name, for that alone; VERBOSE, to see walks.
 *
 * No wait is real: a sleep is over at once, and who would wait for a key gets the next.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vmm/inspect/inspect.h"
#include "vmm/memory/layout.h"
#include "vmm/replay/replay.h"
#include "vmm/replay/snapshot.h"
#include "vmm/replay/reverse.h"
#include "vmm/replay/recorder.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

enum { MARKS = 12, TYPED_MAX = 16, OUTPUT_MAX = 1 << 16, WALKS_PER_MACHINE = 6, SCRATCH = 64 };

struct guest {
    const char *name; /* below the build tree */
    uint64_t length;  /* of the run, in ticks */
    const char *typed; /* a piece at a time, between '|' */
    bool file;        /* input comes from a file: it is there whenever it is looked for */
    uint64_t history; /* bytes; 0: plenty */
    bool disks;       /* two; what is written to the second goes to its file, too */
};

static const struct guest guests[] = {
    {"guests/hello", 2000, "", false, 0, false},
    {"guests/counter", 2000, "", false, 0, false},
    {"guests/multiplication", 5000, "", false, 0, false},
    {"guests/fibonacci", 5000, "", false, 0, false},
    {"guests/matrix", 5000, "", false, 0, false},
    {"guests/hctest", 3000, "x", false, 0, false},
    {"guests/segmented", 3000, "", false, 0, false},
    {"guests/minimal", 100, "", false, 0, false},
    {"guests/pmode", 3000, "", false, 0, false},
    {"guests/paging", 5000, "", false, 0, false},
    {"guests/ring3", 5000, "", false, 0, false},
    {"guests/broken_gdt", 1000, "", false, 0, false},
    {"tests/guests/steps", 3000, "", false, 0, false},
    {"tests/guests/corrupt", 3000, "", false, 0, false},
    {"tests/guests/keys", 3000, "a|B|q", false, 0, false},
    {"tests/guests/stale-tlb", 400, "", false, 0, false},
    {"tests/guests/time", 600000, "a|some words|\n|x|1234567|.", false, 0, false},
    {"tests/guests/time", 600000, "from a file, which does not keep anybody waiting", true, 0, false},
    {"tests/guests/time", 1500000, "a|b|c", false, 1 << 20, false},
    {"tests/boot/reset.img", 300, "", false, 0, false},
    {"tests/boot/disk.img", 60000, "", false, 0, false},
    {"tests/boot/video.img", 60000, "", false, 0, false},
    {"tests/boot/keys.img", 6000000, "aB\003\rx", true, 0, false},
    {"os-1k/kernel", 1200000, "h|el|p\n|ls\n|ec|ho x\n", false, 0, false},
    {"os-1k/kernel", 1200000, "help\nls\n", true, 0, false},
    {"tests/guests/disk-time", 600000, "", false, 0, true},
    {"tests/guests/disk-time", 1500000, "", false, 2 << 20, true},
};
enum { GUESTS = sizeof guests / sizeof *guests };

/* --- the machine, and what is around it ------------------------------------------------- */

static struct machine machine;
static const struct guest *guest;
static struct machine_options options;
static pthread_t main_thread;
static bool running_here; /* the engine, on this thread */
static bool stuck, over; /* it waits for what never comes; it goes no further */
static struct { const char *text; size_t length; uint64_t at, typed_at; } typing[TYPED_MAX];
static unsigned typing_count, typed;
static struct { uint64_t at; char c; } output[OUTPUT_MAX];
static size_t output_count;
static char build[256];
static uint64_t seed = 88172645463325252ull;

static uint64_t any(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return below ? seed % below : 0;
}

static void type_next(void) {
    typing[typed].typed_at = machine.vcpu[0].cpu.ticks;
    machine_input(&machine, (const uint8_t *)typing[typed].text, typing[typed].length);
    typed++;
}

static void take_output(void *context, unsigned number, const char *text, size_t length) {
    (void)context, (void)number;
    for (size_t i = 0; i < length && output_count < OUTPUT_MAX; i++) {
        output[output_count].at = machine.vcpu[0].cpu.ticks;
        output[output_count++].c = text[i];
    }
}
static void ignore_notice(void *context) { (void)context; }
static void print_message(void *context, unsigned number, const char *text) {
    (void)context, (void)number;
    printf("# %s\n", text);
}
static const struct machine_owner owner = {NULL, take_output, ignore_notice, print_message};

int __real_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
time_t __wrap_time(time_t *);

/* A CPU that would sleep until somebody types. */
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m) {
    bool here = pthread_equal(pthread_self(), main_thread);
    if (m != &machine.run.lock.mutex || here != running_here || !(here || machine.run.busy))
        return __real_pthread_cond_wait(c, m);
    pthread_mutex_unlock(m);
    if (typed < typing_count)
        type_next();
    else
        stuck = true;
    pthread_mutex_lock(m);
    machine.run.interrupt |= stuck;
    if (stuck)
        machine.vcpu[0].cpu.engine->kick(&machine.vcpu[0].cpu);
    return 0;
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t) {
    (void)c, (void)m, (void)t;
    return ETIMEDOUT;
}

time_t __wrap_time(time_t *out) {
    (void)out;
    return 1700000000 + (time_t)(machine.vcpu[0].cpu.ticks / 3000);
}

/* --- what is compared --------------------------------------------------------------------- */

static uint64_t hash_bytes(uint64_t hash, const void *from, size_t size) {
    const uint8_t *b = from;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ b[i]) * 0x100000001b3ull;
    return hash;
}
#define HASH(h, field) hash_bytes(h, &(field), sizeof(field))

static uint64_t hash_cpu(uint64_t h) {
    const struct cpu_state *s = cpu_read(&machine.vcpu[0].cpu, CPU_ALL);
    h = HASH(h, s->regs);
    h = HASH(h, s->sregs);
    h = HASH(h, s->debugregs);
    h = HASH(h, s->events);
    h = HASH(h, s->msrs);
    h = HASH(h, s->mp);
    h = HASH(h, machine.vcpu[0].cpu.ticks);
    h = HASH(h, machine.vcpu[0].cpu.slept);
    h = HASH(h, machine.vcpu[0].cpu.mid_rep);
    bool intr = machine.vcpu[0].cpu.intr;
    return HASH(h, intr);
}

/* Entries behind the head, which has padding. */
static uint64_t hash_tlb(uint64_t h) {
    size_t size;
    uint8_t *saved = machine.vcpu[0].cpu.engine->save_tlb(&machine.vcpu[0].cpu, &size);
    h = hash_bytes(h, saved + 8, size - 8);
    free(saved);
    return h;
}

extern const struct device_class device_ide;

/* What is on the disks, and what is on its way. */
static uint64_t hash_disks(uint64_t h) {
    const struct devices *d = &machine.board.devices;
    struct device_state s = {0};
    uint64_t sum = drives_sum(&machine.board.drives);
    for (unsigned i = 0; guest->disks && i < d->count; i++)
        if (d->opened[i].class == &device_ide)
            device_ide.save(d->opened[i].device, &s);
    h = hash_bytes(h, s.bytes, s.length);
    device_state_free(&s);
    return HASH(h, sum);
}

static uint64_t hash_devices(uint64_t h) {
    const struct devices *d = &machine.board.devices;
    h = HASH(h, d->pic.chip);
    h = HASH(h, d->pit.state);
    h = HASH(h, d->pit.due);
    h = HASH(h, d->hypercall.wants_input);
    h = hash_bytes(h, &d->uart.ier, 7);
    h = HASH(h, d->uart.sent);
    h = HASH(h, d->uart.looped);
    h = HASH(h, d->keyboard.config);
    h = HASH(h, d->keyboard.queue);
    h = HASH(h, d->keyboard.head);
    h = HASH(h, d->keyboard.count);
    h = HASH(h, d->keyboard.last);
    h = HASH(h, d->cmos.index);
    h = HASH(h, d->cmos.ram);
    h = HASH(h, d->ports.port92);
    h = hash_disks(h);
    return HASH(h, machine.irqchip);
}

static uint64_t hash_arrived(uint64_t h) {
    const struct arrived *a = &machine.history->arrived;
    for (unsigned i = 0; i < a->count; i++)
        h = HASH(h, a->bytes[(a->head + i) % INPUT_ROOM]);
    return HASH(h, a->ended);
}

static uint64_t hash_output(uint64_t h) {
    for (size_t i = 0; i < output_count && output[i].at < machine.vcpu[0].cpu.ticks; i++)
        h = HASH(h, output[i].c);
    return h;
}

struct state {
    uint64_t at, cpu, tlb, memory, devices, arrived, output;
};

static struct state state_now(void) {
    return (struct state){machine.vcpu[0].cpu.ticks, hash_cpu(1), hash_tlb(1), memory_hash(&machine.memory),
                          hash_devices(1), hash_arrived(1), hash_output(1)};
}

static void print_difference(const struct state *a, const struct state *b) {
    printf("# %s%s at %llu, now at %llu:%s%s%s%s%s%s differ\n", guest->name, guest->file ? " (file)" : "",
           (unsigned long long)a->at, (unsigned long long)b->at, a->cpu == b->cpu ? "" : " CPU",
           a->tlb == b->tlb ? "" : " TLB", a->memory == b->memory ? "" : " memory",
           a->devices == b->devices ? "" : " devices", a->arrived == b->arrived ? "" : " input",
           a->output == b->output ? "" : " output");
}

/* --- going on ------------------------------------------------------------------------------- */

/* Each machine's, as they were at the start: a sector begins with its number. */
static void make_disks(void) {
    enum { DISK_SECTORS = 128 };
    uint8_t sector[DISK_SECTOR] = {0};
    for (unsigned i = 0; i < options.drive_count; i++)
        close(options.drives[i].fd);
    options.drive_count = guest->disks ? 2 : 0;
    for (unsigned i = 0; i < options.drive_count; i++) {
        int fd = memfd_create("disk", MFD_CLOEXEC);
        options.drives[i] = (struct drive_file){"disk", i ? DISK_WRITE : 0, fd};
        for (sector[0] = 0; sector[0] < DISK_SECTORS; sector[0]++)
            CHECK(write(fd, sector, sizeof sector) == sizeof sector);
    }
}

static bool open_guest(void) {
    char path[600], error[512];
    snprintf(path, sizeof path, "%s/%s%s", build, guest->name, strchr(guest->name, '.') ? "" : ".elf");
    make_disks();
    struct machine_options plain = {.engine = ENGINE_SOFT, .debugged = true, .memory = 4 << 20,
                                    .input_is_file = guest->file, .recorder = &replay_recorder,
                                    .history = guest->history ? guest->history : 64 << 20,
                                    .drive_count = options.drive_count};
    memcpy(plain.drives, options.drives, sizeof plain.drives);
    options = plain;
    typed = 0;
    output_count = 0;
    stuck = false;
    int err = machine_open(&machine, 1, path, &options, &owner, error, sizeof error);
    if (err)
        printf("# %s\n", error);
    CHECK(err == 0);
    machine.vcpu[0].cpu.step_irqs = true;
    if (!err && guest->file) {
        machine_input(&machine, (const uint8_t *)guest->typed, strlen(guest->typed));
        machine_end_input(&machine);
    }
    if (!err)
        history_begin(&machine);
    return !err;
}

/* In a past that is the same as in the straight run. */
static void type_what_is_due(void) {
    while (typed < typing_count && typing[typed].at <= machine.vcpu[0].cpu.ticks)
        type_next();
}

/* What the engine came back for is the machine's own affair; false: it goes no further. */
static bool goes_on(struct cpu_exit *exit) {
    switch (exit->kind) {
    case CPU_EXIT_HALTED: case CPU_EXIT_SHUTDOWN: case CPU_EXIT_CANNOT:
        over = true;
        return false;
    case CPU_EXIT_WAITING:
        if (!history_in_past(&machine) && input_host_peek(&machine.board.input) == INPUT_NONE) {
            over = typed == typing_count;
            if (over)
                return false;
            type_next();
        }
        history_wait(&machine);
        return true;
    case CPU_EXIT_LIMIT:
        return history_at_limit(&machine, exit, true);
    case CPU_EXIT_BREAKPOINT: /* as if told: the next run passes over it */
        machine.vcpu[0].cpu.arrival = (struct cpu_arrival){ARRIVAL_DONE, exit->address};
        return true;
    default:
        return !stuck;
    }
}

/* As a command to run does it, on this thread, up to a tick. */
static void run_to(uint64_t until) {
    struct cpu_exit exit = {0};
    history_begin(&machine);
    running_here = true;
    do {
        history_before_run(&machine);
        if (!machine.vcpu[0].cpu.limit || machine.vcpu[0].cpu.limit > until)
            machine.vcpu[0].cpu.limit = until;
        machine.vcpu[0].cpu.ops->run(&machine.vcpu[0].cpu, &exit);
        machine.vcpu[0].ended = machine.vcpu[0].caught = false;
    } while (machine.vcpu[0].cpu.ticks < until && goes_on(&exit));
    machine.run.interrupt = running_here = false;
    history_stopped(&machine);
}

static void advance(uint64_t until) {
    over = false;
    while (machine.vcpu[0].cpu.ticks < until && !stuck && !over) {
        uint64_t to = until;
        if (!history_in_past(&machine))
            type_what_is_due();
        if (typed < typing_count && typing[typed].at < to && !history_in_past(&machine))
            to = typing[typed].at;
        if (history_in_past(&machine) && machine.history->end < to)
            to = machine.history->end;
        run_to(to);
    }
}

static void command(enum machine_command command) {
    struct machine_stop stop;
    machine_resume(&machine, command);
    machine_wait(&machine);
    machine_take_stop(&machine, &stop);
    machine.vcpu[0].ended = false;
}

/* --- ways to go ------------------------------------------------------------------------------------ */

static uint64_t pc_of(void) {
    const struct cpu_state *s = cpu_read(&machine.vcpu[0].cpu, CPU_REGS | CPU_SREGS);
    return x86_pc(&s->regs, &s->sregs);
}

static bool is_at_hlt(void) {
    uint8_t byte = 0;
    x86_read(&machine.memory, &cpu_read(&machine.vcpu[0].cpu, CPU_SREGS)->sregs, pc_of(), &byte, 1);
    return byte == 0xf4 || cpu_read(&machine.vcpu[0].cpu, CPU_MP)->mp.mp_state == KVM_MP_STATE_HALTED;
}

/* At the present a step may sleep past the time when something is to be typed. */
static void go_by_steps(void) {
    for (uint64_t n = any(6) + 1; n--;) {
        bool past = history_in_past(&machine);
        if (!past && (is_at_hlt() || machine.vcpu[0].cpu.ticks >= guest->length || typed < typing_count))
            return;
        if (machine.vcpu[0].dead)
            return;
        command(COMMAND_STEP);
    }
}

static void go_back_by_steps(void) {
    for (uint64_t n = any(4) + 1; n--;)
        command(COMMAND_BACK_STEP);
}

static void go_back_to_a_stop(void) {
    uint64_t pc = pc_of();
    breakpoints_add(&machine.breakpoints, any(2) ? BP_SOFT : BP_WRITE, any(3) ? pc : any(1 << 20), 1 + (uint32_t)any(2));
    if (any(2))
        reverse_goto(&machine, any(machine.history->end + 1));
    command(COMMAND_BACK_RUN);
    breakpoints_clear(&machine.breakpoints);
}

static void go_anywhere(void) { reverse_goto(&machine, any(machine.history->end + 1)); }

static void go_by_count(void) {
    reverse_goto_count(&machine, any(history_end_count(&machine) + 1));
}

static void go_on(void) {
    advance(machine.vcpu[0].cpu.ticks + any(guest->length / 4 + 1) + 1);
}

static void go_on_with_points(void) {
    for (uint64_t n = any(4); n--;)
        breakpoints_add(&machine.breakpoints, (enum bp_kind)(BP_SOFT + any(5)),
                   any(2) ? pc_of() + any(16) : any(1 << 20), 1 + (uint32_t)any(8));
    go_on();
    breakpoints_clear(&machine.breakpoints);
    advance(machine.vcpu[0].cpu.ticks + 1 + any(3)); /* not amid a repeated instruction */
}

static void look_for_a_write(void) {
    reverse_find_write(&machine, any(4) ? 0x1000 + any(0x4000) : any(1 << 20), 1 + (uint32_t)any(16), any(2));
}

static void put_nothing(void *context, const char *text) { (void)context, (void)text; }
static const struct text nowhere = {put_nothing, NULL};

static void look_around(void) {
    uint8_t bytes[256];
    for (uint64_t n = any(8); n--;)
        x86_read(&machine.memory, &cpu_read(&machine.vcpu[0].cpu, CPU_SREGS)->sregs, any(0xc00000), bytes, sizeof bytes);
    inspect_page(&machine, any(0xc00000), &nowhere);
    inspect_explain(&machine, pc_of(), &nowhere);
    if (!any(4))
        reverse_list_modes(&machine, &nowhere);
}

/* From here on it is a new present, and what was typed later is typed again. */
static void begin_anew(void) {
    uint64_t now = machine.vcpu[0].cpu.ticks;
    bool past = history_in_past(&machine);
    history_discard_future(&machine);
    while (past && typed && typing[typed - 1].typed_at >= now)
        typed--;
    while (past && output_count && output[output_count - 1].at >= now)
        output_count--;
    stuck &= !past;
}

/* Not amid a sleep that the straight run slept to its end: there, somebody types after it. */
static void write_and_restore(void) {
    if (typing_count && history_in_past(&machine) && is_at_hlt())
        return;
    uint64_t at = any(2) ? 0x1000 + any(0x8000) : any(machine.memory.ram_size - SCRATCH);
    uint8_t was[SCRATCH], other[SCRATCH];
    uint64_t length = 1 + any(SCRATCH);
    begin_anew();
    memory_read(&machine.memory, at, was, length);
    for (uint64_t i = 0; i < length; i++)
        other[i] = (uint8_t)any(256);
    memory_write(&machine.memory, at, other, length);
    machine.vcpu[0].cpu.engine->memory_changed(&machine.vcpu[0].cpu, at, length);
    memory_write(&machine.memory, at, was, length);
    machine.vcpu[0].cpu.engine->memory_changed(&machine.vcpu[0].cpu, at, length);
    if (any(2))
        cpu_write(&machine.vcpu[0].cpu, CPU_ALL); /* registers, with what they hold */
}

static char folder[] = "/tmp/test-time-XXXXXX";

static void save_it(void) {
    char path[sizeof folder + 8], error[512];
    snprintf(path, sizeof path, "%s/run", folder);
    bool can = machine.history->unmodified && machine.vcpu[0].cpu.ticks && !machine.history->list[0]->ticks;
    CHECK(replay_save(&machine, path, error, sizeof error) == can);
    unlink(path);
}

static void kick_it(void) {
    machine.vcpu[0].cpu.engine->kick(&machine.vcpu[0].cpu);
    go_on();
}

static const struct way {
    const char *name;
    void (*go)(void);
} ways[] = {
    {"step", go_by_steps}, {"step", go_by_steps}, {"back", go_back_by_steps}, {"back", go_back_by_steps},
    {"back to a stop", go_back_to_a_stop}, {"go", go_anywhere}, {"go", go_anywhere}, {"count", go_by_count},
    {"run", go_on}, {"run", go_on}, {"run with points", go_on_with_points}, {"when written", look_for_a_write},
    {"look", look_around}, {"write", write_and_restore}, {"save", save_it}, {"kick", kick_it}};

static void end_at(uint64_t mark) {
    uint64_t end = machine.history->end;
    reverse_goto(&machine, mark < end ? mark : end);
    advance(mark);
}

/* --- the straight run ------------------------------------------------------------------------------ */

static void plan_typing(void) {
    const char *p = guest->file ? "" : guest->typed;
    for (typing_count = 0; *p && typing_count < TYPED_MAX; typing_count++) {
        size_t n = strcspn(p, "|");
        typing[typing_count].text = p;
        typing[typing_count].length = n;
        typing[typing_count].at = guest->length * (typing_count + 1) / (TYPED_MAX / 2) + any(1000);
        p += n + (p[n] == '|');
    }
}

static bool straight_to(uint64_t at, struct state *s) {
    if (!open_guest())
        return false;
    advance(at);
    *s = state_now();
    machine_close(&machine);
    return true;
}

static unsigned take_marks(struct state marks[MARKS]) {
    unsigned count = 0;
    while (count < MARKS && straight_to(count ? any(guest->length) + 1 : guest->length, &marks[count]))
        count++;
    return count;
}

/* --- walks ---------------------------------------------------------------------------------------- */

static bool verbose;

static bool walk(const struct state *mark) {
    for (uint64_t n = any(8) + 1; n--;) {
        const struct way *way = &ways[any(sizeof ways / sizeof *ways)];
        way->go();
        if (verbose)
            printf("#   %s: %llu of %llu\n", way->name, (unsigned long long)machine.vcpu[0].cpu.ticks,
                   (unsigned long long)machine.history->end);
    }
    end_at(mark->at);
    if (mark->at < machine.history->list[0]->ticks)
        return true; /* with little memory the history's start moves */
    struct state now = state_now();
    if (!memcmp(&now, mark, sizeof now))
        return true;
    print_difference(mark, &now);
    return false;
}

static unsigned walks_of(const struct guest *g, unsigned walks) {
    struct state marks[MARKS];
    unsigned wrong = 0, done = 0;
    guest = g;
    plan_typing();
    unsigned count = take_marks(marks);
    while (count && done < walks && open_guest()) {
        for (unsigned n = 0; n < WALKS_PER_MACHINE && done < walks; n++, done++) {
            uint64_t at = seed;
            if (walk(&marks[any(count)]))
                continue;
            printf("# walk %u on this machine, seed %llu\n", n, (unsigned long long)at);
            wrong++;
            break;
        }
        machine_close(&machine);
    }
    return wrong;
}

int main(int argc, char **argv) {
    unsigned walks = argc > 1 ? (unsigned)atoi(argv[1]) : unit_tries(300);
    verbose = getenv("VERBOSE");
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 0) * 2 + 1;
    main_thread = pthread_self();
    snprintf(build, sizeof build, "%.*s", (int)sizeof build - 1, argv[0]);
    for (int i = 0; i < 3; i++)
        *(strrchr(build, '/') ? strrchr(build, '/') : build) = 0;
    CHECK(mkdtemp(folder) != NULL);
    for (unsigned i = 0; i < GUESTS; i++) {
        const char *only = getenv("GUEST");
        if (only && !strstr(guests[i].name, only))
            continue;
        CHECK(walks_of(&guests[i], (walks + GUESTS - 1) / GUESTS) == 0);
        fflush(stdout);
    }
    rmdir(folder);
    return unit_end();
}
