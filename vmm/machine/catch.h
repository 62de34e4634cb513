/* Events that a user stops at (`monitor catch`): told apart by who can see them.
 *
 *   ports and hypercalls      the machine's bus, on any engine
 *   modes, exceptions,        the built-in CPU, which sees every instruction; a
 *   interrupts, CR3           machine on KVM changes to it when it runs next
 */
#ifndef MINIKVM_CATCH_H
#define MINIKVM_CATCH_H

#include "vmm/machine/machine.h"

struct catch_event {
    const char *name;
    const char *plural; /* in a list of what is set */
    const char *stops;  /* when: "after the access"; NULL: it clears all others */
    long limit;         /* numbers below it may follow the name; 0: none */
    bool needs_soft;    /* only the built-in CPU sees each one */
    void (*set)(struct machine *, long which); /* which < 0: all */
    bool (*is_set)(const struct machine *);    /* NULL where `stops` is */
    long (*parse)(const char *text, char **end); /* a number of its own kind; NULL: strtol's */
    const char *takes;  /* what may follow the name, for the list of them; NULL: nothing */
    bool needs_bios;    /* only a machine with our own BIOS has them */
};

/* All of them, in the order that a list shows. */
const struct catch_event *catch_events(unsigned *count);

/* Is something set that only the built-in CPU sees? */
bool catch_needs_soft(const struct vcpu *);
/* A port access of this CPU is about to be answered by IO_DONE: stop after it? Then
 * its stop_text says why. */
bool catch_port(struct vcpu *, const struct access *);

#endif
