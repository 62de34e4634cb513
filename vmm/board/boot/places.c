/* Free places in guest memory; see places.h. */
#include "vmm/board/boot/places.h"

#include <stdlib.h>
#include <string.h>

static bool places_make_room(struct places *p) {
    if (p->count < p->room)
        return true;
    size_t room = p->room ? 2 * p->room : 32;
    struct place *more = realloc(p->taken, room * sizeof *more);
    if (!more)
        return false;
    p->taken = more;
    p->room = room;
    return true;
}

bool places_take(struct places *p, uint64_t from, uint64_t length) {
    if (!length)
        return true;
    if (!places_make_room(p))
        return false;
    p->taken[p->count++] = (struct place){from, from + length};
    return true;
}

static int by_address(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

void places_sort(struct places *p) {
    if (p->count)
        qsort(p->taken, p->count, sizeof *p->taken, by_address);
}

/* Between those that are taken, at number n of them. */
static bool insert(struct places *p, size_t n, struct place new) {
    if (!places_make_room(p))
        return false;
    memmove(p->taken + n + 1, p->taken + n, (p->count - n) * sizeof new);
    p->taken[n] = new;
    p->count++;
    return true;
}

static uint64_t align_up(uint64_t at, uint64_t align) { return (at + align - 1) & ~(align - 1); }

bool places_find(struct places *p, struct place within, uint64_t length, uint64_t align, uint64_t *at) {
    size_t n = 0;
    *at = align_up(within.from, align);
    for (; n < p->count && (p->taken[n].from < *at || p->taken[n].from - *at < length); n++)
        if (p->taken[n].to > *at)
            *at = align_up(p->taken[n].to, align);
    if (*at > within.to || length > within.to - *at)
        return false;
    return insert(p, n, (struct place){*at, *at + length});
}

void places_free(struct places *p) {
    free(p->taken);
    *p = (struct places){0};
}
