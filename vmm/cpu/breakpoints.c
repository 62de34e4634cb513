/* The table of breakpoints and watchpoints; see breakpoints.h. */
#include "vmm/cpu/breakpoints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/invariant.h"

/* What two entries of the table differ in. */
struct key {
    uint64_t address;
    enum bp_kind kind;
    uint32_t length;
    uint64_t shift;
};

static int order(uint64_t a, uint64_t b) { return a < b ? -1 : a > b; }

static int compare_addresses(const struct breakpoint *p, const struct key *k) {
    int by_address = order(p->address, k->address), by_length = order(p->length, k->length);
    if (by_address || p->kind != k->kind)
        return by_address ? by_address : p->kind < k->kind ? -1 : 1;
    return by_length ? by_length : order(p->shift, k->shift);
}

/* Index of the first entry that is not below the one asked for. */
static size_t lower_bound(const struct breakpoints *t, const struct key *k) {
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_addresses(&t->list[middle], k) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool breakpoint_is_at(const struct breakpoints *t, size_t i, const struct key *k) {
    return i < t->count && compare_addresses(&t->list[i], k) == 0;
}

/* In order, and each once. */
static bool is_sorted(const struct breakpoints *t) {
    for (size_t i = 1; i < t->count; i++) {
        const struct breakpoint *p = &t->list[i];
        struct key k = {p->address, p->kind, p->length, p->shift};
        if (compare_addresses(p - 1, &k) >= 0)
            return false;
    }
    return true;
}

static int breakpoints_make_room(struct breakpoints *t) {
    if (t->count >= BREAKPOINTS_MAX)
        return -ENOSPC;
    if (t->count < t->room)
        return 0;
    size_t room = t->room ? 2 * t->room : 16;
    struct breakpoint *list = realloc(t->list, room * sizeof *list);
    if (!list)
        return -ENOMEM;
    t->list = list;
    t->room = room;
    return 0;
}

static struct key key_of(enum bp_kind kind, uint64_t address, uint32_t length, uint64_t shift) {
    bool is_break = kind == BP_SOFT || kind == BP_HARD;
    return (struct key){address, kind, is_break ? 1 : length, shift};
}

int points_add_shifted(struct breakpoints *t, enum bp_kind kind, uint64_t address, uint32_t length,
                       uint64_t shift) {
    struct key k = key_of(kind, address, length, shift);
    size_t i = lower_bound(t, &k);
    if (breakpoint_is_at(t, i, &k))
        return 0;
    int err = breakpoints_make_room(t);
    if (err)
        return err;
    memmove(&t->list[i + 1], &t->list[i], (t->count - i) * sizeof *t->list);
    t->list[i] =
        (struct breakpoint){.address = address, .length = k.length, .kind = kind, .shift = shift};
    t->shifted += shift != 0;
    t->count++;
    t->generation++;
    return 0;
}

int breakpoints_add(struct breakpoints *t, enum bp_kind kind, uint64_t address, uint32_t length) {
    return points_add_shifted(t, kind, address, length, 0);
}

static void release_breakpoint(struct breakpoints *t, void **attached) {
    if (*attached && t->release)
        t->release(*attached);
    *attached = NULL;
}

void breakpoints_attach(struct breakpoints *t, enum bp_kind kind, uint64_t address, uint32_t length,
                        void *attached) {
    struct key k = key_of(kind, address, length, 0);
    size_t i = lower_bound(t, &k);
    if (!breakpoint_is_at(t, i, &k))
        return;
    release_breakpoint(t, &t->list[i].attached);
    t->list[i].attached = attached;
}

static void remove_at(struct breakpoints *t, size_t i) {
    release_breakpoint(t, &t->list[i].attached);
    t->shifted -= t->list[i].shift != 0;
    t->count--;
    t->generation++;
    memmove(&t->list[i], &t->list[i + 1], (t->count - i) * sizeof *t->list);
}

void breakpoints_remove(struct breakpoints *t, enum bp_kind kind, uint64_t address,
                        uint32_t length) {
    struct key k = key_of(kind, address, length, 0);
    size_t i = lower_bound(t, &k);
    if (breakpoint_is_at(t, i, &k))
        remove_at(t, i);
}

void points_remove_shifted(struct breakpoints *t, enum bp_kind kind, uint64_t debuggers_address,
                           uint32_t length) {
    uint32_t wanted = key_of(kind, 0, length, 0).length;
    breakpoints_remove(t, kind, debuggers_address, length);
    for (size_t i = t->shifted ? t->count : 0; i-- > 0;) {
        const struct breakpoint *p = &t->list[i];
        if (p->shift && p->kind == kind && p->length == wanted &&
            (uint32_t)(p->address - p->shift) == debuggers_address)
            remove_at(t, i);
    }
}

void points_remove_if(struct breakpoints *t, bool (*is_to_go)(const struct breakpoint *)) {
    for (size_t i = t->count; i-- > 0;)
        if (is_to_go(&t->list[i]))
            remove_at(t, i);
}

void breakpoints_clear(struct breakpoints *t) {
    for (size_t i = 0; i < t->count; i++)
        release_breakpoint(t, &t->list[i].attached);
    free(t->list);
    *t = (struct breakpoints){
        .generation = t->generation + 1, .physical = t->physical, .release = t->release};
}

void breakpoints_copy(struct breakpoints *to, const struct breakpoints *from) {
    INVARIANT(is_sorted(from));
    breakpoints_clear(to);
    if (from->count == 0)
        return;
    to->list = malloc(from->count * sizeof *to->list);
    if (!to->list)
        return;
    memcpy(to->list, from->list, from->count * sizeof *to->list);
    to->count = to->room = from->count;
    to->shifted = from->shifted;
    for (size_t i = 0; i < to->count; i++)
        to->list[i].attached = NULL;
}

static struct breakpoint *breakpoint_in(const struct breakpoints *t, size_t i, uint64_t address) {
    bool found = i < t->count && t->list[i].address == address && !breakpoint_is_watch(&t->list[i]);
    return found ? &t->list[i] : NULL;
}

uint64_t points_watched(const struct breakpoints *t) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < t->count; i++)
        bytes += breakpoint_is_watch(&t->list[i]) ? t->list[i].length : 0;
    return bytes;
}

bool breakpoints_any_watch(const struct breakpoints *t) {
    for (size_t i = 0; i < t->count; i++)
        if (breakpoint_is_watch(&t->list[i]))
            return true;
    return false;
}

struct breakpoint *breakpoints_at(const struct breakpoints *t, uint64_t address) {
    struct key first = {.address = address, .kind = BP_TRACE};
    return breakpoint_in(t, lower_bound(t, &first), address);
}

const struct breakpoint *points_origin(const struct breakpoints *t, const struct breakpoint *p) {
    struct key k = key_of(p->kind, (uint32_t)(p->address - p->shift), p->length, 0);
    size_t i = lower_bound(t, &k);
    return breakpoint_is_at(t, i, &k) ? &t->list[i] : NULL;
}

struct breakpoint *breakpoints_next(const struct breakpoints *t, const struct breakpoint *p) {
    return breakpoint_in(t, (size_t)(p - t->list) + 1, p->address);
}
