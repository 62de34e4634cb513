/* A mutex that has a place in the order of locks (docs/design.md), so that no two threads can
 * wait for each other.
 *
 * Rule: a thread that holds a lock takes only locks of a later rank. lock_try() waits for
 * nobody and may take any. Builds with invariants check it at each lock_take().
 */
#ifndef MINIKVM_LOCK_H
#define MINIKVM_LOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* In this order; a thread holds at most one of each rank. */
enum lock_rank {
    LOCK_BOARD,  /* bus and devices of a machine */
    LOCK_RUN,    /* commands and stops of a machine, and which engine it has */
    LOCK_INPUT,  /* the queue of a machine's input */
    LOCK_CONSOLE, /* what guests print; where gdb has the pipe, that goes to the debugger */
    LOCK_DEBUGGER_TEXT, /* text on its way to gdb's console */
    LOCK_MESSAGES, /* what minikvm says while a guest's screen is shown */
    LOCK_RANKS
};

struct lock {
    pthread_mutex_t mutex;
    enum lock_rank rank;
};

void lock_init(struct lock *, enum lock_rank);
void lock_take(struct lock *);
bool lock_try(struct lock *);
void lock_release(struct lock *);
/* As pthread_cond_wait() and pthread_cond_timedwait(): the lock is released meanwhile. */
int lock_wait(struct lock *, pthread_cond_t *);
int lock_wait_until(struct lock *, pthread_cond_t *, const struct timespec *);
/* By this thread. For INVARIANT() only: true in a build that does not check. */
bool lock_is_held(const struct lock *);

#endif
