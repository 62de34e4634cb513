/* Virtual time and interrupts for the built-in CPU; see timing.h. */
#include "timing.h"

#include <time.h>

#include "history.h"

enum { NOTICE_EVERY = 100000 }; /* instructions: a virtual millisecond */

uint64_t timing_now(void *machine) {
    struct machine *m = machine;
    return m->cpu.icount * NS_PER_INSTRUCTION;
}

int timing_acknowledge(void *machine) {
    struct machine *m = machine;
    return pic_acknowledge(&m->devices.pic);
}

static uint64_t to_icount(uint64_t ns) {
    return ns == UINT64_MAX ? ns : (ns + NS_PER_INSTRUCTION - 1) / NS_PER_INSTRUCTION;
}

uint64_t timing_deadline(void *machine, uint64_t icount) {
    struct machine *m = machine;
    /* First, so that a snapshot is of the machine before all else of this moment. */
    uint64_t tick = m->history ? history_tick(m, icount) : UINT64_MAX;
    uint64_t due = to_icount(pit_advance(&m->devices.pit)), next = icount + NOTICE_EVERY;
    bool came = true;
    if (m->history)
        next = history_deliver(m, icount, &came);
    if (came)
        devices_notice(&m->devices);
    next = tick < next ? tick : next;
    return due < next ? due : next;
}

/* In real time. false: input came, or somebody interrupts. */
static bool sleep_for(struct machine *m, uint64_t ns) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ns / 1000000000;
    t.tv_nsec += ns % 1000000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    int err = 0;
    pthread_mutex_lock(&m->lock);
    while (!err && !m->interrupt && !m->noticed)
        err = ns == UINT64_MAX ? pthread_cond_wait(&m->wake, &m->lock)
                               : pthread_cond_timedwait(&m->wake, &m->lock, &t);
    m->noticed = false;
    pthread_mutex_unlock(&m->lock);
    return err != 0;
}

/* Can anything at all wake the CPU? A tick that is not masked, or input that may
 * still come to a device that interrupts. */
static bool can_wake(struct machine *m, uint64_t due) {
    uint8_t mask = m->devices.pic.chip[0].imr;
    bool tick = due != UINT64_MAX && !(mask & 1 << 0);
    bool key = !(mask & 1 << 1) && m->devices.keyboard.config & 1;
    bool serial = !(mask & 1 << 4) && m->devices.uart.ier & 1;
    return tick || ((key || serial) && input_peek(&m->input) != INPUT_END);
}

/* Of this machine's devices: the timer, and while there is input keyboard and UART. */
uint8_t timing_wakers(void *machine) {
    struct machine *m = machine;
    return 1 << 0 | (input_peek(&m->input) == INPUT_END ? 0 : 1 << 1 | 1 << 4);
}

uint64_t timing_idle(void *machine, uint64_t icount) {
    struct machine *m = machine;
    uint64_t now = icount * NS_PER_INSTRUCTION, due = pit_advance(&m->devices.pit);
    if (!m->chips)
        return 0;
    devices_notice(&m->devices);
    if (m->cpu.intr)
        return icount;
    if (history_in_past(m)) {
        uint64_t then = history_idle(m, icount, to_icount(due));
        history_slept(m, icount, then);
        return then;
    }
    history_slept(m, icount, icount);
    if (!can_wake(m, due))
        return 0;
    if (!sleep_for(m, due == UINT64_MAX ? due : due - now))
        return icount; /* input, or an interruption: time has stood still */
    history_slept(m, icount, to_icount(due));
    return to_icount(due);
}
