/* What of guest memory is taken before the first instruction, and where there is room for more.
 *
 * Rule: a place that is given overlaps nothing that was taken before.
 */
#ifndef MINIKVM_PLACES_H
#define MINIKVM_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct place {
    uint64_t from, to; /* physical; `to` is behind it */
};
struct places {
    struct place *taken; /* by address; owned */
    size_t count, room;
};

/* false: no memory. */
bool places_take(struct places *, uint64_t from, uint64_t length);
/* When all is taken that was known at first: find and take may begin. */
void places_sort(struct places *);
/* The lowest free place of this length within [from, to), taken from now on. `align` is a power
 * of two. false: there is none. */
bool places_find(struct places *, struct place within, uint64_t length, uint64_t align, uint64_t *at);
void places_free(struct places *);

#endif
