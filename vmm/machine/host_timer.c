/* Interrupts by the host's time; see host_timer.h. */
#include "vmm/machine/host_timer.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "vmm/base/monotonic.h"

enum { LATER_NS = 20000000 };

int host_timer_open(struct machine *m, char *error, size_t size) {
    m->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    int err = m->timer_fd < 0 ? -errno : 0;
    if (err)
        snprintf(error, size, "cannot make a timer: %s", strerror(-err));
    return err;
}

void host_timer_close(struct machine *m) {
    if (m->timer_fd >= 0)
        close(m->timer_fd);
    m->timer_fd = -1;
}

static bool runs_by_host_time(const struct machine *m) {
    const struct cpu *cpu = &boot_vcpu(m)->cpu;
    return cpu->engine && !cpu_can(cpu, ENGINE_DETERMINISTIC);
}

/* An absolute time of the host's; 0 would switch it off. */
static void set_timer(struct machine *m, uint64_t ns) {
    struct itimerspec t = {0};
    if (ns != UINT64_MAX)
        t.it_value = (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000) + (ns == 0)};
    if (m->timer_fd >= 0)
        timerfd_settime(m->timer_fd, TFD_TIMER_ABSTIME, &t, NULL);
}

void host_timer_set(struct machine *m) {
    if (runs_by_host_time(m))
        set_timer(m, m->board.devices.cmos.rtc.due);
}

int machine_timer_fd(const struct machine *m) { return m->timer_fd; }

/* Asked with the lock: the engine may be changing. */
static bool still_by_host_time(struct machine *m) {
    lock_take(&m->run.lock);
    bool is = runs_by_host_time(m);
    lock_release(&m->run.lock);
    return is;
}

/* Such an engine holds the board's lock for a moment only, another one maybe until input comes: as
 * in host_input.c, nobody who brings it may wait for that. */
static void advance_clock(struct machine *m) {
    while (still_by_host_time(m)) {
        if (!lock_try(&m->board.lock)) {
            sched_yield();
            continue;
        }
        if (runs_by_host_time(m))
            rtc_advance(&m->board.devices.cmos.rtc);
        lock_release(&m->board.lock);
        break;
    }
}

/* A machine that stands gets no interrupts. */
void machine_timer_expired(struct machine *m) {
    uint64_t times;
    if (read(m->timer_fd, &times, sizeof times) < 0)
        return;
    lock_take(&m->run.lock);
    bool runs = m->run.busy;
    lock_release(&m->run.lock);
    if (runs)
        advance_clock(m);
    else
        set_timer(m, monotonic_ns() + LATER_NS);
}
