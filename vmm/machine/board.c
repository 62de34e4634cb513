/* The machine as its parts see it; see board.h. */
#include "vmm/machine/board.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "vmm/machine/catch.h"
#include "vmm/machine/engines.h"
#include "vmm/replay/history.h"
#include "vmm/machine/runaway.h"
#include "vmm/machine/virtual_clock.h"

/* --- what devices and engines ask of the machine ------------------------------------ */

static void board_put(void *machine, const char *text, size_t length) {
    struct machine *m = machine;
    if (!history_is_silent(m))
        m->owner.output(m->owner.context, m->number, text, length);
}

/* The chips are the kernel's, if the engine has them there; else our own. Without chips
 * the line leads nowhere. */
static void board_irq(void *machine, unsigned irq, bool level) {
    struct machine *m = machine;
    if (m->options->irqchip == IRQCHIP_NONE)
        return;
    if (engines_has_irqchip(m))
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
    if (m->irqchip)
        return IO_DONE;
    pthread_mutex_lock(&m->lock); /* who brings input asks (has_kernel_chips) */
    m->irqchip = true;
    bool anew = m->wants_irqchip = engines_needs_irqchip(m);
    pthread_mutex_unlock(&m->lock);
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

static enum io_result board_guest_reset(void *machine, const char *by) {
    struct machine *m = machine;
    snprintf(m->stop_text, sizeof m->stop_text,
             "the guest resets its machine by %s; minikvm does not start it anew by itself", by);
    return IO_STOP;
}

/* Either gate opens and closes it; each shows what the other did. */
static enum io_result board_a20(void *machine, bool open) {
    struct machine *m = machine;
    uint8_t *gate[] = {&m->devices.ports.port92, &m->devices.keyboard.output_port};
    for (unsigned i = 0; i < 2; i++)
        *gate[i] = (*gate[i] & ~PORTS_A20) | (open ? PORTS_A20 : 0);
    if (open == !m->memory.a20_off)
        return IO_DONE;
    board_a20_as_devices(m);
    const struct engine *engine = m->cpu.engine;
    int err = engine->remap ? engine->remap(&m->cpu) : 0;
    if (!engine->remap)
        engine->flush(&m->cpu);
    if (!err)
        return IO_DONE;
    snprintf(m->stop_text, sizeof m->stop_text,
             "KVM cannot %s A20: %s; use --cpu=soft, or less --mem", open ? "open" : "close",
             strerror(-err));
    return IO_STOP;
}

void board_a20_as_devices(struct machine *m) {
    m->memory.a20_off = m->devices.ports.port92 & PORTS_A20 ? 0 : MEMORY_A20;
}

static int64_t board_clock(void *machine) {
    struct machine *m = machine;
    return m->history ? history_clock(m) : time(NULL);
}

static enum io_result host_io(void *machine, uint16_t port, bool out, unsigned size, void *data) {
    struct machine *m = machine;
    struct access a = {.cpu = &m->cpu, .address = port, .write = out, .size = size, .data = data};
    pthread_mutex_lock(&m->bus_lock);
    enum io_result result = bus_access(&m->bus, &a);
    uart_notice(&m->devices.uart); /* the keyboard may have taken what it would raise its line for */
    pthread_mutex_unlock(&m->bus_lock);
    if (result != IO_DONE)
        return result;
    m->caught = catch_port(m, &a);
    return m->caught ? IO_STOP : IO_DONE;
}

static enum io_result host_mmio(void *machine, uint64_t phys, bool write, unsigned size, void *data) {
    struct machine *m = machine;
    struct access a = {.cpu = &m->cpu, .mmio = true, .address = memory_wrap(&m->memory, phys),
                       .write = write, .size = size, .data = data};
    pthread_mutex_lock(&m->bus_lock);
    enum io_result result = bus_mmio(&m->bus, &a);
    pthread_mutex_unlock(&m->bus_lock);
    return result;
}

const char *board_mmio_name(void *machine, uint64_t phys, unsigned size) {
    struct machine *m = machine;
    return bus_mmio_name(&m->bus, memory_wrap(&m->memory, phys), size);
}

/* --- input ------------------------------------------------------------------------------ */

static bool has_kernel_irqchip(struct machine *m) {
    pthread_mutex_lock(&m->lock); /* or the engine may be changing */
    bool has = engines_has_irqchip(m);
    pthread_mutex_unlock(&m->lock);
    return has;
}

/* With chips in the kernel an interrupt is raised from here; in virtual time the
 * CPU's own thread looks when it is due (virtual_clock.c). That thread may hold the bus until
 * more input comes, and who brings it must not wait for the bus: an engine with chips
 * in the kernel never holds it for long, and for the other nothing is done. */
static void notice_input(struct machine *m) {
    while (has_kernel_irqchip(m)) {
        if (pthread_mutex_trylock(&m->bus_lock)) {
            sched_yield();
            continue;
        }
        if (engines_has_irqchip(m))
            devices_notice(&m->devices);
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

bool board_wait_for_input(struct machine *m) {
    pthread_mutex_lock(&m->lock);
    while (!m->interrupt && input_host_peek(&m->input) == INPUT_NONE)
        pthread_cond_wait(&m->wake, &m->lock);
    bool go_on = !m->interrupt;
    pthread_mutex_unlock(&m->lock);
    return go_on;
}

/* --- making the connections --- */

static int open_devices(struct machine *m, char *error, size_t size) {
    m->bus = (struct bus){.unassigned = unassigned_port, .machine = m};
    struct device_site site = {.devices = &m->devices, .bus = &m->bus, .board = &m->board,
                               .cpu = &m->cpu, .memory = &m->memory,
                               .irqchip = m->options->irqchip != IRQCHIP_NONE,
                               .verbose = m->options->verbose, .extra = m->options->devices};
    return devices_open(&m->devices, &site, error, size);
}

void board_reset(struct machine *m) {
    devices_reset(&m->devices);
    board_a20_as_devices(m);
}

int board_connect(struct machine *m, char *error, size_t size) {
    m->board = (struct board){.machine = m, .input = &m->input, .put = board_put,
                              .irq = board_irq, .intr = board_intr,
                              .uses_irqchip = board_uses_chips, .now = virtual_clock_now,
                              .end = board_end, .stop = board_stop, .clock = board_clock,
                              .reset = board_guest_reset, .a20 = board_a20};
    m->addresses.image = &m->image;
    m->cpu = (struct cpu){.memory = &m->memory, .breakpoints = &m->breakpoints,
                          .addresses = &m->addresses, .address_shift = addresses_shift,
                          .verbose = m->options->verbose,
                          .host = {.machine = m, .io = host_io,
                                   .mmio = host_mmio, .mmio_name = board_mmio_name,
                                   .acknowledge = virtual_clock_acknowledge,
                                   .deadline = virtual_clock_deadline, .idle = virtual_clock_idle,
                                   .unassigned = unassigned_memory, .astray = runaway_check,
                                   .wakers = virtual_clock_wakers},
                          .held = history_defer_irq};
    return open_devices(m, error, size);
}
