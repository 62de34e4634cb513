/* The host's clock that is never set: for how long something takes, not for what time it is. */
#ifndef MINIKVM_MONOTONIC_H
#define MINIKVM_MONOTONIC_H

#include <stdint.h>
#include <time.h>

static inline uint64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#endif
