/* Virtual time and interrupts for the built-in CPU; see virtual_clock.h. */
#include "vmm/machine/virtual_clock.h"

#include <time.h>

#include "vmm/replay/history.h"


uint64_t virtual_clock_now(void *machine) {
    struct machine *m = machine;
    return m->cpu.ticks * NS_PER_INSTRUCTION;
}

int virtual_clock_acknowledge(void *machine) {
    struct machine *m = machine;
    return pic_acknowledge(&m->board.devices.pic);
}

static uint64_t to_ticks(uint64_t ns) {
    return ns == UINT64_MAX ? ns : (ns + NS_PER_INSTRUCTION - 1) / NS_PER_INSTRUCTION;
}

uint64_t virtual_clock_deadline(void *machine, uint64_t ticks) {
    struct machine *m = machine;
    uint64_t due = to_ticks(pit_advance(&m->board.devices.pit)), next = ticks + NOTICE_EVERY;
    bool came = true;
    if (m->history)
        next = history_deliver(m, ticks, &came);
    if (came)
        devices_notice(&m->board.devices);
    uint64_t snapshot = m->history ? history_tick(m, ticks) : UINT64_MAX;
    next = snapshot < next ? snapshot : next;
    return due < next ? due : next;
}

/* Did somebody type? It is noticed a tick later: no moment is seen twice. */
static bool has_news(struct machine *m) {
    return m->history ? history_wants_input(m) : m->noticed;
}

static void add_ns(struct timespec *t, uint64_t ns) {
    t->tv_sec += ns / 1000000000;
    t->tv_nsec += ns % 1000000000;
    if (t->tv_nsec >= 1000000000) {
        t->tv_nsec -= 1000000000;
        t->tv_sec++;
    }
}

/* In real time. false: input came, or somebody interrupts. */
static bool sleep_for(struct machine *m, uint64_t ns) {
    struct timespec t;
    int err = 0;
    bool news = false;
    clock_gettime(CLOCK_MONOTONIC, &t);
    add_ns(&t, ns == UINT64_MAX ? 0 : ns);
    pthread_mutex_lock(&m->lock);
    while (!err && !m->interrupt && !(news = has_news(m)))
        err = ns == UINT64_MAX ? pthread_cond_wait(&m->wake, &m->lock)
                               : pthread_cond_timedwait(&m->wake, &m->lock, &t);
    m->noticed = false;
    pthread_mutex_unlock(&m->lock);
    return err && !news;
}

static bool input_is_over(struct machine *m) {
    return m->history ? history_input_over(m) : input_peek(&m->board.input) == INPUT_END;
}

/* Can anything at all wake the CPU? A tick that is not masked, or input that may
 * still come to a device that interrupts. */
static bool can_wake(struct machine *m, uint64_t due) {
    uint8_t mask = m->board.devices.pic.chip[0].imr;
    bool tick = due != UINT64_MAX && !(mask & 1 << 0);
    bool key = !(mask & 1 << 1) && m->board.devices.keyboard.config & 1;
    bool serial = !(mask & 1 << 4) && m->board.devices.uart.ier & 1;
    return tick || ((key || serial) && !input_is_over(m));
}

/* Of this machine's devices: the timer, and while there is input keyboard and UART. */
uint8_t virtual_clock_wakers(void *machine) {
    struct machine *m = machine;
    return 1 << 0 | (input_is_over(m) ? 0 : 1 << 1 | 1 << 4);
}

static uint64_t sleep_until(struct machine *m, uint64_t now, uint64_t due) {
    if (!can_wake(m, due))
        return 0;
    if (sleep_for(m, due == UINT64_MAX ? due : (due - now) * NS_PER_INSTRUCTION))
        return due;
    return m->history && !machine_interrupted(m) ? now + 1 : now;
}

uint64_t virtual_clock_idle(void *machine, uint64_t ticks) {
    struct machine *m = machine;
    uint64_t due = to_ticks(pit_advance(&m->board.devices.pit));
    if (!m->irqchip)
        return 0;
    if (m->history && !history_may_sleep(m, ticks))
        return ticks + 1;
    if (!m->history)
        devices_notice(&m->board.devices);
    if (m->cpu.intr)
        return ticks;
    if (m->history && history_in_past(m))
        return history_idle(m, ticks, due);
    uint64_t then = sleep_until(m, ticks, due);
    if (m->history && then == due)
        history_slept(m, due);
    return then;
}
