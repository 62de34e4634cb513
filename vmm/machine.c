/* A guest machine and its thread; see machine.h. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "aside.h"
#include "catch.h"
#include "engines.h"
#include "history.h"
#include "replay.h"
#include "timing.h"
#include "travel.h"
#include "x86.h"

/* --- what devices and engines ask of the machine ------------------------------------ */

static void board_put(void *machine, const char *text, size_t length) {
    struct machine *m = machine;
    if (!history_is_silent(m))
        m->owner.output(m->owner.context, m->number, text, length);
}

/* The chips are the kernel's, if the engine has them there; else our own. */
static void board_irq(void *machine, unsigned irq, bool level) {
    struct machine *m = machine;
    if (engines_has_chips(m))
        m->cpu.engine->irq_line(&m->cpu, irq, level);
    else
        pic_line(&m->devices.pic, irq, level);
}

static void board_intr(void *machine, bool level) {
    struct machine *m = machine;
    m->cpu.intr = level;
}

/* The first time that the guest programs a chip it gets them: a guest that never
 * does has no timer noise, and its last hlt ends it at once. KVM wants the chips
 * before the CPU, so on KVM that is a machine of its own, made anew. */
static enum io_result board_uses_chips(void *machine) {
    struct machine *m = machine;
    bool anew = !m->chips && engines_needs_chips(m);
    m->chips = true;
    m->wants_chips |= anew;
    return anew ? IO_STOP : IO_DONE;
}

static void board_end(void *machine, int status) {
    struct machine *m = machine;
    m->ended = true;
    m->status = status;
}

static void board_stop(void *machine, const char *why) {
    struct machine *m = machine;
    snprintf(m->stop_text, sizeof m->stop_text, "%s", why);
}

static int64_t board_clock(void *machine) {
    struct machine *m = machine;
    return m->history ? history_clock(m) : time(NULL);
}

static enum io_result host_io(void *machine, uint16_t port, bool out, unsigned size, void *data) {
    struct machine *m = machine;
    struct access a = {.port = port, .out = out, .size = size, .data = data};
    pthread_mutex_lock(&m->bus_lock);
    enum io_result result = bus_access(&m->bus, &a);
    pthread_mutex_unlock(&m->bus_lock);
    if (result != IO_DONE)
        return result;
    m->caught = catch_port(m, &a);
    return m->caught ? IO_STOP : IO_DONE;
}

/* --- input ------------------------------------------------------------------------------ */

static bool has_kernel_chips(struct machine *m) {
    pthread_mutex_lock(&m->lock); /* or the engine may be changing */
    bool has = engines_has_chips(m);
    pthread_mutex_unlock(&m->lock);
    return has;
}

/* With chips in the kernel an interrupt is raised from here; in virtual time the
 * CPU's own thread looks when it is due (timing.c). That thread may hold the bus until
 * more input comes, and who brings it must not wait for the bus: an engine with chips
 * in the kernel never holds it for long, and for the other nothing is done. */
static void notice_input(struct machine *m) {
    while (has_kernel_chips(m)) {
        if (pthread_mutex_trylock(&m->bus_lock)) {
            sched_yield();
            continue;
        }
        if (engines_has_chips(m)) {
            keyboard_notice(&m->devices.keyboard);
            uart_notice(&m->devices.uart);
        }
        pthread_mutex_unlock(&m->bus_lock);
        break;
    }
    pthread_mutex_lock(&m->lock);
    m->noticed = true;
    pthread_cond_broadcast(&m->wake);
    pthread_mutex_unlock(&m->lock);
}

size_t machine_input(struct machine *m, const uint8_t *bytes, size_t length) {
    size_t taken = input_put(&m->input, bytes, length);
    if (taken)
        notice_input(m);
    return taken;
}

void machine_end_input(struct machine *m) {
    input_end(&m->input);
    notice_input(m);
}

/* An IN waits for input. false: interrupted. */
static bool wait_for_input(struct machine *m) {
    pthread_mutex_lock(&m->lock);
    while (!m->interrupt && input_host_peek(&m->input) == INPUT_NONE)
        pthread_cond_wait(&m->wake, &m->lock);
    bool go_on = !m->interrupt;
    pthread_mutex_unlock(&m->lock);
    return go_on;
}

/* --- the thread -------------------------------------------------------------------------- */

static bool interrupted(struct machine *m) {
    pthread_mutex_lock(&m->lock);
    bool is = m->interrupt;
    pthread_mutex_unlock(&m->lock);
    return is;
}

static uint64_t pc_of(struct machine *m) {
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS);
    return x86_pc(&s->regs, &s->sregs);
}

/* What is put on a breakpoint may want the guest to go on; on a tracepoint, it always
 * does. */
static bool met(struct machine *m, uint64_t address, bool traces_only, struct cpu_exit *exit) {
    bool stops = false;
    const struct point *p = points_breakpoint(m->cpu.points, address);
    for (; p; p = points_next(m->cpu.points, p)) {
        if (traces_only && p->kind != POINT_TRACE)
            continue;
        if (p->attached && m->stops_at && !m->stops_at(m, p))
            continue;
        *exit = (struct cpu_exit){
            .kind = CPU_EXIT_BREAKPOINT, .point = p->kind, .address = address};
        stops = true;
    }
    return stops;
}

bool machine_met(struct machine *m, uint64_t address, struct cpu_exit *exit) {
    return met(m, address, false, exit);
}

/* At a breakpoint: does it let the guest pass? The engine's run passes over the one
 * that it begins at, so if that is done here already, the next is looked at, too. */
static bool passes(struct machine *m, struct cpu_exit *exit) {
    if (machine_met(m, exit->address, exit))
        return false;
    return m->follows || !aside_step(m) || !machine_met(m, pc_of(m), exit);
}

/* Of a range there are many to do, and most need no KVM. Somebody may follow the guest
 * from a tracepoint on. */
static void step(struct machine *m, enum machine_command command, struct cpu_exit *exit) {
    if (command == COMMAND_RANGE && !m->cpu.step_irqs && aside_step(m))
        exit->kind = CPU_EXIT_STEPPED;
    else
        m->cpu.engine->step(&m->cpu, exit);
    bool done = exit->kind == CPU_EXIT_STEPPED || exit->kind == CPU_EXIT_WATCHPOINT ||
                exit->kind == CPU_EXIT_DEVICE || exit->kind == CPU_EXIT_EVENT ||
                exit->kind == CPU_EXIT_LIMIT;
    if (!m->follows || !done)
        return;
    m->follows = false;
    for (size_t i = 0; i < m->points.count; i++)
        if (m->points.list[i].kind == POINT_TRACE && m->stepped)
            m->stepped(m, &m->points.list[i]);
}

/* A command to run goes by steps while it is followed. */
static bool goes_on_from_step(struct machine *m, enum machine_command command,
                              struct cpu_exit *exit) {
    struct cpu_exit hit;
    uint64_t pc = pc_of(m);
    bool running = command == COMMAND_RUN;
    bool inside = command == COMMAND_RANGE && pc >= m->range_start && pc < m->range_end;
    if (met(m, pc, !running && !inside, running ? exit : &hit))
        return false;
    if (!interrupted(m))
        return running || inside;
    if (running)
        exit->kind = CPU_EXIT_KICKED;
    return false;
}

/* On the machine's thread: who interrupts or types meanwhile waits, and then finds the
 * new engine; an interrupt from before, which the old one was told, it is told too. */
static bool change_engine(struct machine *m, enum engine_choice to, char *error, size_t size) {
    pthread_mutex_lock(&m->bus_lock);
    pthread_mutex_lock(&m->lock);
    bool done = engines_switch(m, to, error, size) >= 0;
    aside_forget(m);
    if (m->interrupt)
        m->cpu.engine->kick(&m->cpu);
    pthread_mutex_unlock(&m->lock);
    pthread_mutex_unlock(&m->bus_lock);
    return done;
}

/* Another engine can go on where this one cannot. */
static bool take_over(struct machine *m, const char *why) {
    char error[192], text[512];
    if (!engines_may_take_over(m) || !change_engine(m, ENGINE_SOFT, error, sizeof error))
        return false;
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS);
    snprintf(text, sizeof text, "the built-in CPU takes over at %04x:%08llx: %.300s",
             s->sregs.cs.selector, (unsigned long long)s->regs.rip, why);
    m->owner.message(m->owner.context, m->number, text);
    return true;
}

/* The instruction is done; the machine has the chips from here on. */
static bool add_chips(struct machine *m, enum machine_command command, struct cpu_exit *exit) {
    char error[192];
    m->wants_chips = false;
    if (!change_engine(m, ENGINE_KVM, error, sizeof error)) {
        snprintf(exit->text, sizeof exit->text, "no interrupt chips: %.160s", error);
        return false;
    }
    exit->kind = CPU_EXIT_STEPPED;
    return goes_on_from_step(m, command, exit);
}

static void explain_halt(struct machine *m, struct cpu_exit *exit) {
    bool enabled = cpu_read(&m->cpu, CPU_REGS)->regs.rflags & FLAG_IF;
    const char *why = !m->chips ? "this machine has no interrupts"
                      : enabled ? "no interrupt that could come is enabled in the PIC"
                                : "interrupts are off (IF = 0)";
    snprintf(exit->text, sizeof exit->text,
             "halted, and nothing can wake it: %s (monitor wake does)", why);
}

/* true: not an end of the command, go on with it. */
static bool goes_on(struct machine *m, enum machine_command command, struct cpu_exit *exit) {
    switch (exit->kind) {
    case CPU_EXIT_WAITING:
        if (wait_for_input(m))
            return true;
        exit->kind = CPU_EXIT_KICKED;
        return false;
    case CPU_EXIT_KICKED: /* a kick that was meant for an earlier command */
        return !interrupted(m);
    case CPU_EXIT_BREAKPOINT: /* run() passes over one that it begins at */
        return command == COMMAND_RUN && passes(m, exit);
    case CPU_EXIT_LIMIT:
        return history_at_limit(m, exit, command == COMMAND_RUN) ||
               (command != COMMAND_RUN && exit->kind == CPU_EXIT_STEPPED && !m->edge &&
                goes_on_from_step(m, command, exit));
    case CPU_EXIT_HALTED:
        explain_halt(m, exit);
        return false;
    case CPU_EXIT_CANNOT:
        return !exit->fatal && take_over(m, exit->text);
    case CPU_EXIT_STEPPED:
        return goes_on_from_step(m, command, exit);
    case CPU_EXIT_DEVICE:
        if (m->wants_chips)
            return add_chips(m, command, exit);
        if (m->caught)
            exit->kind = CPU_EXIT_EVENT;
        m->caught = false;
        if (!m->ended)
            snprintf(exit->text, sizeof exit->text, "%s", m->stop_text);
        return false;
    default:
        return false;
    }
}

/* A CPU after a triple fault executes nothing; only a person who changes its
 * state (or a reset) revives it. */
static bool still_dead(struct machine *m) {
    m->dead &= !(m->cpu.dirty & (CPU_REGS | CPU_SREGS));
    return m->dead;
}

static void carry_out(struct machine *m, enum machine_command command) {
    struct cpu *cpu = &m->cpu;
    struct cpu_exit exit = {0};
    m->edge = EDGE_NONE;
    aside_forget(m);
    history_begin(m);
    if (command == COMMAND_BACK_STEP || command == COMMAND_BACK_RUN) {
        travel_back(m, command == COMMAND_BACK_RUN, &exit);
        m->stop = (struct machine_stop){.exit = exit, .edge = m->edge};
        return;
    }
    if (still_dead(m))
        return; /* m->stop still says so */
    bool running = command == COMMAND_RUN;
    m->ended = false;
    if (cpu->engine->strained && cpu->engine->strained(cpu))
        take_over(m, "this KVM cannot hold these breakpoints and watchpoints at full speed");
    if (cpu->engine->strained && catch_needs_soft(m))
        take_over(m, "it sees every event that is to be caught");
    if (cpu->engine->freeze && (running || cpu->step_irqs))
        cpu->engine->freeze(cpu, false);
    history_begin(m); /* the engine may be another */
    do {
        exit = (struct cpu_exit){0};
        history_before_run(m);
        if (running && !m->follows)
            cpu->engine->run(cpu, &exit);
        else
            step(m, command, &exit);
    } while (goes_on(m, command, &exit));
    history_stopped(m);
    if (m->options->debugged && cpu->engine->freeze)
        cpu->engine->freeze(cpu, true);
    if (m->options->debugged)
        points_copy(&m->last_points, &m->points);
    m->dead = exit.kind == CPU_EXIT_SHUTDOWN;
    if (m->dead && cpu->dirty) /* so that dirty means: changed since */
        cpu->engine->store(cpu, cpu->dirty);
    m->stop = (struct machine_stop){.ended = m->ended, .status = m->status, .exit = exit,
                                    .edge = m->edge};
}

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* After a step the next one is usually asked for at once; being woken for it would
 * take longer than the step. With the lock held, which is let go meanwhile. */
static void look_for_command(struct machine *m) {
    enum { PATIENCE_NS = 200000, BETWEEN = 50 };
    uint64_t end = now_ns() + PATIENCE_NS;
    while (m->command == COMMAND_NONE && now_ns() < end) {
        pthread_mutex_unlock(&m->lock);
        for (int i = 0; i < BETWEEN; i++)
            __builtin_ia32_pause();
        pthread_mutex_lock(&m->lock);
    }
}

/* What ends the process is the main thread's affair: this one may be long in a guest. */
static void leave_signals_to_main(void) {
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void *thread_main(void *machine) {
    struct machine *m = machine;
    bool stepped = false;
    leave_signals_to_main();
    pthread_mutex_lock(&m->lock);
    for (;;) {
        if (stepped)
            look_for_command(m);
        while (m->command == COMMAND_NONE)
            pthread_cond_wait(&m->wake, &m->lock);
        enum machine_command command = m->command;
        m->command = COMMAND_NONE;
        stepped = command == COMMAND_STEP;
        if (command == COMMAND_QUIT)
            break;
        pthread_mutex_unlock(&m->lock);
        if (!m->first_entry_ns)
            m->first_entry_ns = now_ns();
        carry_out(m, command);
        pthread_mutex_lock(&m->lock);
        m->busy = m->interrupt = false;
        input_hurry(&m->input, false);
        m->has_stop = true;
        pthread_cond_broadcast(&m->wake);
        m->owner.notify(m->owner.context);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* --- commands ------------------------------------------------------------------------------ */

static void give_command(struct machine *m, enum machine_command command) {
    pthread_mutex_lock(&m->lock);
    m->command = command;
    m->busy = command != COMMAND_QUIT;
    m->has_stop = false;
    pthread_cond_broadcast(&m->wake);
    pthread_mutex_unlock(&m->lock);
}

void machine_resume(struct machine *m, enum machine_command command) { give_command(m, command); }

void machine_interrupt(struct machine *m) {
    pthread_mutex_lock(&m->lock);
    if (m->busy) {
        m->interrupt = true;
        input_hurry(&m->input, true);
        m->cpu.engine->kick(&m->cpu);
        pthread_cond_broadcast(&m->wake);
    }
    pthread_mutex_unlock(&m->lock);
}

bool machine_take_stop(struct machine *m, struct machine_stop *stop) {
    pthread_mutex_lock(&m->lock);
    bool has = m->has_stop;
    if (has)
        *stop = m->stop;
    m->has_stop = false;
    pthread_mutex_unlock(&m->lock);
    return has;
}

bool machine_busy(struct machine *m) {
    pthread_mutex_lock(&m->lock);
    bool busy = m->busy;
    pthread_mutex_unlock(&m->lock);
    return busy;
}

void machine_wait(struct machine *m) {
    pthread_mutex_lock(&m->lock);
    while (m->busy)
        pthread_cond_wait(&m->wake, &m->lock);
    pthread_mutex_unlock(&m->lock);
}

/* --- making one ---------------------------------------------------------------------------- */

static void open_devices(struct machine *m) {
    m->bus = (struct bus){.verbose = m->options->verbose};
    hypercall_open(&m->devices.hypercall, &m->bus, &m->board, &m->cpu);
    uart_open(&m->devices.uart, &m->bus, &m->board);
    keyboard_open(&m->devices.keyboard, &m->bus, &m->board);
    if (m->options->chips != CHIPS_NONE) {
        pic_open(&m->devices.pic, &m->bus, &m->board);
        pit_open(&m->devices.pit, &m->bus, &m->board);
    }
    cmos_open(&m->devices.cmos, &m->bus, &m->board, m->memory.ram_size);
    ports_open(&m->devices.ports, &m->bus, &m->board, m->options->verbose);
}

static int add_rom(struct machine *m, char *error, size_t size) {
    const char *path = m->options->rom;
    uint8_t bytes[1];
    FILE *f = fopen(path, "rbe");
    int err = f ? 0 : -errno;
    uint8_t *rom = malloc(ROM_MAX);
    size_t n = f && rom ? fread(rom, 1, ROM_MAX, f) : 0;
    bool more = f && fread(bytes, 1, 1, f) == 1;
    if (!err)
        err = !rom ? -ENOMEM : more || n == 0 ? -EFBIG : memory_add_rom(&m->memory, rom, n);
    if (err == -EFBIG)
        snprintf(error, size, "%s: a ROM has from 1 byte to 256 KiB", path);
    else if (err)
        snprintf(error, size, "%s: %s; check --rom", path, strerror(-err));
    if (f)
        fclose(f);
    free(rom);
    return err;
}

static int open_memory(struct machine *m, char *error, size_t size) {
    uint64_t bytes = m->options->memory ? m->options->memory : image_memory(&m->image);
    int err = memory_open(&m->memory, bytes);
    if (err)
        snprintf(error, size, "no memory for the guest (%llu MiB): %s; use less --mem",
                 (unsigned long long)(bytes >> 20), strerror(-err));
    return err ? err : m->options->rom ? add_rom(m, error, size) : 0;
}

static void set_up(struct machine *m) {
    m->board = (struct board){.machine = m, .input = &m->input, .put = board_put,
                              .irq = board_irq, .intr = board_intr,
                              .uses_chips = board_uses_chips, .now = timing_now, .end = board_end, .stop = board_stop,
                              .clock = board_clock};
    m->cpu = (struct cpu){.memory = &m->memory, .points = &m->points,
                          .verbose = m->options->verbose,
                          .host = {.machine = m, .io = host_io,
                                   .acknowledge = timing_acknowledge,
                                   .deadline = timing_deadline, .idle = timing_idle},
                          .held = history_held};
}

static int power_on(struct machine *m, char *error, size_t size) {
    int err = m->image.bytes ? image_load(&m->image, &m->memory, error, size) : 0;
    if (err)
        return err;
    m->dead = m->wants_chips = m->touched = false;
    m->chips = m->options->chips == CHIPS_ON;
    m->cpu.icount = 0;
    m->ended = false;
    open_devices(m);
    err = engines_open(m, m->options->engine, error, size);
    if (err)
        return err;
    image_start(&m->image, &m->memory, &m->cpu);
    if (!m->cpu.missing)
        return 0;
    snprintf(error, size, "KVM does not give the CPU's state; use --cpu=soft");
    return -EIO;
}

static int open_image(struct machine *m, const char *path, char *error, size_t size) {
    if (!path) {
        m->image = (struct image){.mode = START_RESET, .entry = 0xfffffff0};
        return 0;
    }
    return image_open(&m->image, path, &m->options->image, error, size);
}

int machine_open(struct machine *m, unsigned number, const char *path,
                 const struct machine_options *options, const struct machine_owner *owner,
                 char *error, size_t size) {
    *m = (struct machine){.number = number, .options = options, .owner = *owner};
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->bus_lock, NULL);
    pthread_condattr_t monotonic; /* timing.c waits until a point in time */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&m->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    input_open(&m->input);
    m->input.drained = owner->notify;
    m->input.context = owner->context;
    int err = open_image(m, path, error, size);
    m->named = m->image.path ? strdup(m->image.path) : NULL;
    if (!err)
        err = open_memory(m, error, size);
    if (err)
        return err;
    set_up(m);
    if (options->rom)
        m->image.mode = START_RESET;
    err = power_on(m, error, size);
    if (!err && options->replay)
        err = replay_open(m, error, size);
    if (!err && (err = -pthread_create(&m->thread, NULL, thread_main, m)))
        snprintf(error, size, "cannot start a thread: %s", strerror(-err));
    m->has_thread = !err;
    return err;
}

int machine_reset(struct machine *m, const char *path, char *error, size_t size) {
    struct image other;
    if (path) {
        int err = image_open(&other, path, &m->options->image, error, size);
        if (err)
            return err;
        image_close(&m->image);
        m->image = other;
    }
    history_close(m);
    if (m->cpu.engine)
        m->cpu.engine->close(&m->cpu);
    memory_clear(&m->memory);
    return power_on(m, error, size);
}

void machine_close(struct machine *m) {
    struct machine_stop stop;
    machine_interrupt(m);
    if (m->has_thread) {
        machine_wait(m);
        give_command(m, COMMAND_QUIT);
        pthread_join(m->thread, NULL);
    }
    machine_take_stop(m, &stop);
    aside_close(m);
    history_close(m);
    replay_close(m);
    if (m->cpu.engine)
        m->cpu.engine->close(&m->cpu);
    points_clear(&m->points);
    points_clear(&m->last_points);
    memory_close(&m->memory);
    image_close(&m->image);
    free(m->named);
}
