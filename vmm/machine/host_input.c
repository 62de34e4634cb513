/* The way of input to the guest; see host_input.h. */
#include "vmm/machine/host_input.h"

#include <sched.h>

#include "vmm/machine/engines.h"
#include "vmm/machine/input_log.h"

static bool has_kernel_irqchip(struct machine *m) {
    lock_take(&m->run.lock); /* or the engine may be changing */
    bool has = engines_has_irqchip(m);
    lock_release(&m->run.lock);
    return has;
}

/* With chips in the kernel an interrupt is raised from here; in virtual time the CPU's own
 * thread looks when it is due (virtual_clock.c). That thread may hold the board's lock until
 * input comes, so the thread that brings input must never wait for it: an engine with chips in
 * the kernel holds the lock for a moment only, and with the other nothing is done here. */
static void notice_input(struct machine *m) {
    while (has_kernel_irqchip(m)) {
        if (!lock_try(&m->board.lock)) {
            sched_yield();
            continue;
        }
        if (engines_has_irqchip(m))
            devices_notice(&m->board.devices);
        lock_release(&m->board.lock);
        break;
    }
    lock_take(&m->run.lock);
    m->run.noticed = true;
    pthread_cond_broadcast(&m->run.wake);
    lock_release(&m->run.lock);
}

/* In virtual time that is virtual_clock.c's affair. */
bool machine_holds_keys(struct machine *m) {
    lock_take(&m->run.lock);
    bool virtual_time = cpu_can(&boot_vcpu(m)->cpu, ENGINE_DETERMINISTIC);
    lock_release(&m->run.lock);
    if (virtual_time)
        return false;
    bool waits = input_room(&m->board.input) < INPUT_ROOM;
    if (has_kernel_irqchip(m) && lock_try(&m->board.lock)) {
        bool held = m->board.devices.keyboard.look_at;
        if (held && engines_has_irqchip(m))
            devices_notice(&m->board.devices);
        lock_release(&m->board.lock);
        waits |= held;
    }
    return waits;
}

size_t machine_input(struct machine *m, const uint8_t *bytes, size_t length) {
    size_t room = input_room(&m->board.input);
    length = length < room ? length : room;
    if (length)
        input_log_came(m, bytes, length);
    size_t taken = input_put(&m->board.input, bytes, length);
    if (taken)
        notice_input(m);
    return taken;
}

void machine_end_input(struct machine *m) {
    input_log_came(m, NULL, 0);
    input_end(&m->board.input);
    notice_input(m);
}

bool host_input_wait(struct machine *m) {
    lock_take(&m->run.lock);
    while (!m->run.interrupt && input_host_peek(&m->board.input) == INPUT_NONE)
        lock_wait(&m->run.lock, &m->run.wake);
    bool go_on = !m->run.interrupt;
    lock_release(&m->run.lock);
    return go_on;
}
