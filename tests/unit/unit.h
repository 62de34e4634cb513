/* The smallest unit-test kit: CHECK() counts, names what failed, goes on;
 * main() ends with `return unit_end();`, which prints the line that the runner
 * adds up. */
#ifndef MINIKVM_UNIT_H
#define MINIKVM_UNIT_H

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

static int unit_passed, unit_failed;

static inline void unit_check(int ok, const char *what, const char *file, int line) {
    if (ok) {
        unit_passed++;
        return;
    }
    unit_failed++;
    fprintf(stderr, "%s:%d: FAILED: %s\n", file, line, what);
}
#define CHECK(condition) unit_check(!!(condition), #condition, __FILE__, __LINE__)
#define CHECK_STR(a, b) unit_check(!strcmp((a), (b)), #a " is " #b, __FILE__, __LINE__)

/* So many of what is tried at random: a third where a sanitizer looks at each access. It looks for
 * other faults there, on the same ways, and needs four times as long. */
static inline unsigned unit_tries(unsigned all) {
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
    return (all + 2) / 3;
#else
    return all;
#endif
}

/* SIGPROF after so many seconds of this process's own, guests' among them, for what goes on for ever: a
 * host that stands still is no fault of what runs on it. 0: no more. */
static inline void unit_limit(long seconds) {
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = seconds}, NULL);
}

static inline int unit_end(void) {
    printf("%d passed, %d failed\n", unit_passed, unit_failed);
    return unit_failed != 0;
}

#endif
