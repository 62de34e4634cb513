/* The table of breakpoints and watchpoints; see points.h. */
#include "points.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const struct point *p, uint64_t address, enum point_kind kind,
                   uint32_t length) {
    if (p->address != address)
        return p->address < address ? -1 : 1;
    if (p->kind != kind)
        return p->kind < kind ? -1 : 1;
    return p->length < length ? -1 : p->length > length;
}

/* Index of the first entry that is not below the one asked for. */
static size_t lower_bound(const struct points *t, uint64_t address, enum point_kind kind,
                          uint32_t length) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&t->list[middle], address, kind, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct points *t, size_t i, uint64_t address, enum point_kind kind,
                  uint32_t length) {
    return i < t->count && compare(&t->list[i], address, kind, length) == 0;
}

static int make_room(struct points *t) {
    if (t->count >= POINTS_MAX)
        return -ENOSPC;
    if (t->count < t->room)
        return 0;
    size_t room = t->room ? 2 * t->room : 16;
    struct point *list = realloc(t->list, room * sizeof *list);
    if (!list)
        return -ENOMEM;
    t->list = list;
    t->room = room;
    return 0;
}

static uint32_t length_of(enum point_kind kind, uint32_t length) {
    return kind == POINT_SOFT || kind == POINT_HARD ? 1 : length;
}

int points_add(struct points *t, enum point_kind kind, uint64_t address, uint32_t length) {
    length = length_of(kind, length);
    size_t i = lower_bound(t, address, kind, length);
    if (is_at(t, i, address, kind, length))
        return 0;
    int err = make_room(t);
    if (err)
        return err;
    memmove(&t->list[i + 1], &t->list[i], (t->count - i) * sizeof *t->list);
    t->list[i] = (struct point){.address = address, .length = length, .kind = kind};
    t->count++;
    t->generation++;
    return 0;
}

static void release(struct points *t, void **attached) {
    if (*attached && t->release)
        t->release(*attached);
    *attached = NULL;
}

void points_attach(struct points *t, enum point_kind kind, uint64_t address, uint32_t length,
                   void *attached) {
    length = length_of(kind, length);
    size_t i = lower_bound(t, address, kind, length);
    if (!is_at(t, i, address, kind, length))
        return;
    release(t, &t->list[i].attached);
    t->list[i].attached = attached;
}

void points_remove(struct points *t, enum point_kind kind, uint64_t address, uint32_t length) {
    length = length_of(kind, length);
    size_t i = lower_bound(t, address, kind, length);
    if (!is_at(t, i, address, kind, length))
        return;
    release(t, &t->list[i].attached);
    t->count--;
    t->generation++;
    memmove(&t->list[i], &t->list[i + 1], (t->count - i) * sizeof *t->list);
}

void points_clear(struct points *t) {
    for (size_t i = 0; i < t->count; i++)
        release(t, &t->list[i].attached);
    free(t->list);
    *t = (struct points){.generation = t->generation + 1, .release = t->release};
}

void points_copy(struct points *to, const struct points *from) {
    points_clear(to);
    if (from->count == 0)
        return;
    to->list = malloc(from->count * sizeof *to->list);
    if (!to->list)
        return;
    memcpy(to->list, from->list, from->count * sizeof *to->list);
    to->count = to->room = from->count;
    for (size_t i = 0; i < to->count; i++)
        to->list[i].attached = NULL;
}

static struct point *breakpoint_in(const struct points *t, size_t i, uint64_t address) {
    bool found = i < t->count && t->list[i].address == address && !point_is_watch(&t->list[i]);
    return found ? &t->list[i] : NULL;
}

bool points_any_watch(const struct points *t) {
    for (size_t i = 0; i < t->count; i++)
        if (point_is_watch(&t->list[i]))
            return true;
    return false;
}

struct point *points_breakpoint(const struct points *t, uint64_t address) {
    return breakpoint_in(t, lower_bound(t, address, POINT_TRACE, 0), address);
}

struct point *points_next(const struct points *t, const struct point *p) {
    return breakpoint_in(t, (size_t)(p - t->list) + 1, p->address);
}
