/* The clock's interrupts on an engine that runs by the host's time: a timer of the host, as a file
 * that the owner of the machine waits for. In virtual time there is nothing to wait for
 * (virtual_clock.c).
 */
#ifndef MINIKVM_HOST_TIMER_H
#define MINIKVM_HOST_TIMER_H

#include "vmm/machine/machine.h"

/* 0, or -errno with a sentence. */
int host_timer_open(struct machine *, char *error, size_t size);
void host_timer_close(struct machine *);
/* What is due next has changed. Any thread. */
void host_timer_set(struct machine *);

/* For the owner: readable when machine_timer_expired() is to be called; -1: never. */
int machine_timer_fd(const struct machine *);
void machine_timer_expired(struct machine *);

#endif
