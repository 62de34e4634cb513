/* Write watchpoints of a search in the past, by physical address: every way to that memory counts. */
#ifndef MINIKVM_PAST_WATCH_H
#define MINIKVM_PAST_WATCH_H

#include "vmm/machine/machine.h"

/* Adds them to what the search looks for. false: an address means no memory. */
bool past_watch(struct machine *, uint64_t address, uint32_t length, bool physical);

#endif
