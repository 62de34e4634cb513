/* The machine as its board and its engines see it; see callbacks.h. */
#include "vmm/machine/callbacks.h"

#include <stdio.h>

#include "vmm/devices/display/cp437.h"
#include "vmm/machine/catch.h"
#include "vmm/machine/engines.h"
#include "vmm/machine/firmware.h"
#include "vmm/machine/host_timer.h"
#include "vmm/machine/input_log.h"
#include "vmm/machine/recorder.h"
#include "vmm/machine/runaway.h"
#include "vmm/machine/virtual_clock.h"

/* --- for the board ----------------------------------------------------------------------- */

static void machine_put(void *machine, const char *text, size_t length) {
    struct machine *m = machine;
    if (!m->recorder->is_silent(m))
        m->owner.output(m->owner.context, m->number, text, length);
}

static void machine_end(void *machine, struct cpu *cpu, int status) {
    struct vcpu *v = vcpu_of(cpu);
    (void)machine;
    v->ended = true;
    v->status = status;
}

static void machine_stop(void *machine, struct cpu *cpu, const char *why) {
    struct vcpu *v = vcpu_of(cpu);
    (void)machine;
    snprintf(v->stop_text, sizeof v->stop_text, "%s", why);
}

/* The guest gets interrupt chips when it first programs one: a guest that never does has no
 * timer interrupts, and its last hlt ends it at once. KVM wants chips before the CPU, so there
 * the engine is made anew (IO_STOP). */
static enum io_result machine_uses_irqchip(void *machine) {
    struct machine *m = machine;
    if (m->irqchip)
        return IO_DONE;
    lock_take(&m->run.lock); /* machine_input() asks which chips are in use */
    m->irqchip = true;
    bool anew = m->wants_irqchip = engines_needs_irqchip(m);
    lock_release(&m->run.lock);
    if (m->bios.on && m->bios.real)
        bios_start_chips(&m->bios);
    return anew ? IO_STOP : IO_DONE;
}

static bool machine_has_kernel_irqchip(void *machine) { return engines_has_irqchip(machine); }

static int64_t machine_clock(void *machine) {
    struct machine *m = machine;
    return m->recorder->clock(m);
}

static void machine_alarm(void *machine) { host_timer_set(machine); }

static void machine_tell(void *machine, const char *text) {
    struct machine *m = machine;
    m->owner.message(m->owner.context, m->number, text);
}

static enum disk_time machine_disk_time(void *machine) {
    struct machine *m = machine;
    if (m->recorder == &recorder_none)
        return DISK_NO_PAST;
    return m->recorder->is_silent(m) ? DISK_PAST : DISK_PRESENT;
}

static enum io_result machine_restart(void *machine, const char *by) {
    struct machine *m = machine;
    if (firmware_wants_restart(m, by))
        return IO_SERVICE;
    if (!bios_can_restart(&m->bios))
        return IO_NOBODY;
    m->bios.reset_by = by;
    return IO_SERVICE;
}

static const struct board_hooks board_hooks = {
    .put = machine_put, .end = machine_end, .stop = machine_stop,
    .uses_irqchip = machine_uses_irqchip, .has_kernel_irqchip = machine_has_kernel_irqchip,
    .now = virtual_clock_now, .clock = machine_clock, .unassigned = unassigned_port,
    .alarm = machine_alarm,
    .tell = machine_tell, .disk_time = machine_disk_time, .restart = machine_restart,
};

/* --- for the BIOS ------------------------------------------------------------------------- */

/* Lines end as those of other programs do. */
static void machine_text(void *machine, uint8_t byte) {
    struct machine *m = machine;
    char text[CP437_UTF8] = {(char)byte};
    bool control = byte == '\n' || byte == '\a' || byte == '\b' || byte == '\t';
    if (m->options->bios_text && byte != '\r')
        machine_put(m, text, control ? 1 : cp437_utf8(byte, text));
}

static bool machine_is_silent(void *machine) {
    struct machine *m = machine;
    return m->recorder->is_silent(m);
}

/* With a debugger somebody may still type one there. */
static bool machine_input_is_over(void *machine) {
    struct machine *m = machine;
    return !m->options->debugged && m->recorder->input_is_over(m);
}

static void machine_reset_devices(void *machine) {
    struct machine *m = machine;
    board_reset_by_guest(&m->board);
}

static void machine_take_chips(void *machine) { engines_take_chips(machine); }

static void machine_give_chips(void *machine) {
    struct machine *m = machine;
    if (engines_has_irqchip(m))
        engines_give_chips(m);
}

static void machine_bios_caught(void *machine, struct cpu *cpu) {
    (void)machine;
    vcpu_of(cpu)->caught = true;
}

static const struct bios_hooks bios_hooks = {
    .text = machine_text, .message = machine_tell, .is_silent = machine_is_silent,
    .input_is_over = machine_input_is_over, .reset = machine_reset_devices,
    .take_chips = machine_take_chips, .give_chips = machine_give_chips, .caught = machine_bios_caught,
};

/* --- for the engine: services -------------------------------------------------------------- */

static enum io_result machine_service(void *vcpu) {
    struct vcpu *v = vcpu;
    struct pc_board *b = &v->machine->board;
    enum io_result result = firmware_restart(v) ? IO_DONE : bios_service(&v->machine->bios, &v->cpu);
    return board_settle(b) == IO_STOP ? IO_STOP : result;
}

/* --- for the engine ---------------------------------------------------------------------- */

static enum io_result machine_io(void *vcpu, uint16_t port, bool out, unsigned size, void *data) {
    struct vcpu *v = vcpu;
    struct access a = {.cpu = &v->cpu, .address = port, .write = out, .size = size, .data = data};
    input_log_access(v->machine, &a);
    enum io_result result = board_io(&v->machine->board, &a);
    if (result != IO_DONE)
        return result;
    v->caught = catch_port(v, &a);
    return v->caught ? IO_STOP : IO_DONE;
}

static enum io_result machine_mmio(void *vcpu, uint64_t phys, bool write, unsigned size,
                                   void *data) {
    struct vcpu *v = vcpu;
    struct access a = {.cpu = &v->cpu, .mmio = true, .address = phys, .write = write, .size = size,
                       .data = data};
    input_log_access(v->machine, &a);
    return board_mmio(&v->machine->board, &a);
}

static const char *machine_mmio_name(void *vcpu, uint64_t phys, unsigned size) {
    struct vcpu *v = vcpu;
    return board_mmio_name(&v->machine->board, phys, size);
}

static bool machine_defer_irq(void *vcpu, uint64_t ticks, bool halted, bool stepping) {
    struct vcpu *v = vcpu;
    return v->machine->recorder->defer_irq(v->machine, ticks, halted, stepping);
}

static bool machine_ferr(void *vcpu, bool asserted) {
    struct vcpu *v = vcpu;
    return ports_ferr(&v->machine->board.devices.ports, asserted);
}

static bool machine_stops_at_int(void *vcpu, unsigned vector, uint64_t linear, char *text, size_t size) {
    struct vcpu *v = vcpu;
    return bios_stops_at_int(&v->machine->bios, vector, linear, text, size);
}

/* --- making the connections -------------------------------------------------------------- */

static const struct engine_host engine_host = {
    .mmio_name = machine_mmio_name,
    .acknowledge = virtual_clock_acknowledge,
    .deadline = virtual_clock_deadline,
    .idle = virtual_clock_idle,
    .wakers = virtual_clock_wakers,
    .ferr = machine_ferr,
    .unassigned = unassigned_memory,
    .astray = runaway_check,
    .stops_at_int = machine_stops_at_int,
};

static void connect_vcpu(struct machine *m, unsigned number) {
    struct vcpu *v = &m->vcpu[number];
    *v = (struct vcpu){.machine = m, .number = number};
    v->cpu = (struct cpu){.memory = &m->memory, .breakpoints = &m->breakpoints,
                          .addresses = &m->addresses, .address_shift = addresses_shift,
                          .verbose = m->options->verbose, .cpuid = &m->options->cpuid,
                          .host = {.context = v, .io = machine_io, .service = machine_service,
                                   .mmio = machine_mmio, .extra = &engine_host},
                          .defer_irq = machine_defer_irq};
}

int machine_connect(struct machine *m, char *error, size_t size) {
    const struct machine_options *o = m->options;
    struct pc_board *b = &m->board;
    m->addresses.image = &m->image;
    for (unsigned i = 0; i < VCPUS_MAX; i++)
        connect_vcpu(m, i);
    b->cpu = &boot_vcpu(m)->cpu;
    b->memory = &m->memory;
    b->options = (struct board_options){.irqchip = o->irqchip != IRQCHIP_NONE, .verbose = o->verbose,
                                        .firmware = o->rom ? &m->firmware : NULL, .devices = o->devices};
    b->hooks = &board_hooks;
    b->machine = m;
    m->bios.drives = &b->drives;
    m->bios.logs = o->log_bios;
    int err = board_open(b, error, size);
    bios_open(&m->bios, b, &bios_hooks, m);
    input_log_open(m);
    return err;
}
