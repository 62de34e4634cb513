/* One file for all machines' timers; see timers.h. */
#include "vmm/app/timers.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "vmm/machine/host_timer.h"

int timers_open(struct machine *machines, unsigned count) {
    int all = epoll_create1(EPOLL_CLOEXEC), err = all < 0 ? -errno : 0;
    for (unsigned i = 0; i < count && !err; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        if (epoll_ctl(all, EPOLL_CTL_ADD, machine_timer_fd(&machines[i]), &event) < 0)
            err = -errno;
    }
    if (err && all >= 0)
        close(all);
    return err ? err : all;
}

void timers_expired(struct machine *machines, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        machine_timer_expired(&machines[i]);
}
