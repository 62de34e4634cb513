/* Port 0x500: the short way out of a guest. Its class is in core_classes.c. */
#ifndef MINIKVM_HYPERCALL_H
#define MINIKVM_HYPERCALL_H

#include "vmm/devices/bus.h"

struct hypercall {
    const struct board *board;
    bool wants_input; /* GETCHAR was called; the next IN gives the byte */
};
void hypercall_open(struct hypercall *, struct bus *, const struct board *);

#endif
