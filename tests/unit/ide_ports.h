/* The registers of an IDE channel, by their number, for tests of what hangs there. */
#ifndef MINIKVM_IDE_PORTS_H
#define MINIKVM_IDE_PORTS_H

#include "tests/unit/bus_ports.h"

static unsigned channel; /* its first port */

static const struct board board = {.irq = take_irq, .tell = take_tell};

static inline void ide_out(unsigned n, unsigned value) { out(channel + n, value); }

static inline uint8_t ide_in(unsigned n) { return in(channel + n); }

#endif
