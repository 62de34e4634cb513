/* Locks in their order; see lock.h. */
#include "vmm/base/lock.h"

#include <stddef.h>

#include "vmm/base/invariant.h"

#ifdef INVARIANTS
/* The locks that this thread holds. */
static _Thread_local const struct lock *held[LOCK_RANKS];

static bool may_take(const struct lock *l) {
    for (int rank = l->rank; rank < LOCK_RANKS; rank++)
        if (held[rank])
            return false;
    return true;
}

static bool holds_rank(enum lock_rank rank) { return held[rank]; }
static void note_taken(const struct lock *l, bool taken) { held[l->rank] = taken ? l : NULL; }

bool lock_is_held(const struct lock *l) { return held[l->rank] == l; }
#else
static bool may_take(const struct lock *l) { return (void)l, true; }
static bool holds_rank(enum lock_rank rank) { return (void)rank, false; }
static void note_taken(const struct lock *l, bool taken) { (void)l, (void)taken; }
bool lock_is_held(const struct lock *l) { return (void)l, true; }
#endif

void lock_init(struct lock *l, enum lock_rank rank) {
    l->rank = rank;
    pthread_mutex_init(&l->mutex, NULL);
}

void lock_take(struct lock *l) {
    INVARIANT(may_take(l));
    pthread_mutex_lock(&l->mutex);
    note_taken(l, true);
}

bool lock_try(struct lock *l) {
    if (pthread_mutex_trylock(&l->mutex))
        return false;
    INVARIANT(!holds_rank(l->rank));
    note_taken(l, true);
    return true;
}

void lock_release(struct lock *l) {
    INVARIANT(lock_is_held(l));
    note_taken(l, false);
    pthread_mutex_unlock(&l->mutex);
}

int lock_wait(struct lock *l, pthread_cond_t *changed) {
    INVARIANT(lock_is_held(l));
    note_taken(l, false);
    int err = pthread_cond_wait(changed, &l->mutex);
    note_taken(l, true);
    return err;
}

int lock_wait_until(struct lock *l, pthread_cond_t *changed, const struct timespec *until) {
    INVARIANT(lock_is_held(l));
    note_taken(l, false);
    int err = pthread_cond_timedwait(changed, &l->mutex, until);
    note_taken(l, true);
    return err;
}
