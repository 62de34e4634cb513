/* The table of breakpoints and watchpoints: kept in order of address, kind and
 * length; adding twice is once; bounded; a breakpoint is found by its address. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/cpu/breakpoints.h"

static void in_order(const struct breakpoints *t) {
    for (size_t i = 1; i < t->count; i++) {
        const struct breakpoint *a = &t->list[i - 1], *b = &t->list[i];
        CHECK(a->address < b->address ||
              (a->address == b->address &&
               (a->kind < b->kind || (a->kind == b->kind && a->length < b->length))));
    }
}

static void sorted_whatever_the_order_of_arrival(void) {
    struct breakpoints t = {0};
    srand(1);
    for (int i = 0; i < 500; i++)
        CHECK(breakpoints_add(&t, rand() % 5, rand() % 64, 1 << rand() % 4) == 0);
    in_order(&t);
    for (int i = 0; i < 500; i++)
        breakpoints_remove(&t, rand() % 5, rand() % 64, 1 << rand() % 4);
    in_order(&t);
    breakpoints_clear(&t);
    CHECK(t.count == 0);
}

static void adding_twice_is_once(void) {
    struct breakpoints t = {0};
    CHECK(breakpoints_add(&t, BP_SOFT, 0x7c00, 1) == 0);
    unsigned generation = t.generation;
    CHECK(breakpoints_add(&t, BP_SOFT, 0x7c00, 1) == 0);
    CHECK(t.count == 1);
    CHECK(t.generation == generation); /* nothing changed, nothing to do again */
    breakpoints_remove(&t, BP_SOFT, 0x7c00, 1);
    CHECK(t.count == 0 && t.generation != generation);
    generation = t.generation;
    breakpoints_remove(&t, BP_SOFT, 0x7c00, 1);
    CHECK(t.count == 0 && t.generation == generation);
    breakpoints_clear(&t);
}

/* gdb's "kind" of a breakpoint is the length of an int3 or 0: no identity. */
static void a_breakpoint_has_length_1(void) {
    struct breakpoints t = {0};
    breakpoints_add(&t, BP_HARD, 0x1000, 4);
    breakpoints_add(&t, BP_HARD, 0x1000, 0);
    CHECK(t.count == 1 && t.list[0].length == 1);
    breakpoints_remove(&t, BP_HARD, 0x1000, 2);
    CHECK(t.count == 0);
    breakpoints_clear(&t);
}

static void kinds_and_lengths_are_points_of_their_own(void) {
    struct breakpoints t = {0};
    breakpoints_add(&t, BP_WRITE, 0x1000, 1);
    breakpoints_add(&t, BP_WRITE, 0x1000, 4);
    breakpoints_add(&t, BP_ACCESS, 0x1000, 4);
    breakpoints_add(&t, BP_SOFT, 0x1000, 1);
    CHECK(t.count == 4);
    breakpoints_remove(&t, BP_WRITE, 0x1000, 2);
    CHECK(t.count == 4);
    breakpoints_remove(&t, BP_WRITE, 0x1000, 4);
    CHECK(t.count == 3);
    breakpoints_clear(&t);
}

static void a_breakpoint_is_found_by_address(void) {
    struct breakpoints t = {0};
    CHECK(breakpoints_at(&t, 0) == NULL);
    breakpoints_add(&t, BP_WRITE, 0x2000, 4);
    CHECK(breakpoints_at(&t, 0x2000) == NULL); /* a watchpoint is none */
    breakpoints_add(&t, BP_HARD, 0x2000, 1);
    breakpoints_add(&t, BP_SOFT, UINT64_MAX, 1);
    CHECK(breakpoints_at(&t, 0x2000) && breakpoints_at(&t, 0x2000)->kind == BP_HARD);
    CHECK(breakpoints_at(&t, UINT64_MAX) != NULL);
    CHECK(breakpoints_at(&t, 0x1fff) == NULL && breakpoints_at(&t, 0x2001) == NULL);
    breakpoints_clear(&t);
}

static void there_is_a_limit(void) {
    struct breakpoints t = {0};
    int all = 0;
    for (uint64_t i = 0; i < BREAKPOINTS_MAX; i++)
        all |= breakpoints_add(&t, BP_SOFT, BREAKPOINTS_MAX - i, 1);
    CHECK(all == 0 && t.count == BREAKPOINTS_MAX);
    CHECK(breakpoints_add(&t, BP_SOFT, 0, 1) == -ENOSPC);
    CHECK(breakpoints_add(&t, BP_SOFT, 1, 1) == 0); /* it is there already */
    CHECK(t.count == BREAKPOINTS_MAX);
    breakpoints_remove(&t, BP_SOFT, 1, 1);
    CHECK(breakpoints_add(&t, BP_SOFT, 0, 1) == 0);
    in_order(&t);
    breakpoints_clear(&t);
}

static void a_copy_is_the_same_and_apart(void) {
    struct breakpoints t = {0}, copy = {0};
    breakpoints_copy(&copy, &t);
    CHECK(copy.count == 0);
    breakpoints_add(&t, BP_SOFT, 1, 1);
    breakpoints_add(&t, BP_READ, 2, 8);
    breakpoints_copy(&copy, &t);
    CHECK(copy.count == 2 && copy.list[1].kind == BP_READ && copy.list[1].length == 8);
    breakpoints_remove(&t, BP_SOFT, 1, 1);
    CHECK(copy.count == 2 && breakpoints_at(&copy, 1));
    CHECK(breakpoints_add(&copy, BP_SOFT, 3, 1) == 0 && copy.count == 3);
    breakpoints_clear(&t);
    breakpoints_clear(&copy);
}

int main(void) {
    sorted_whatever_the_order_of_arrival();
    adding_twice_is_once();
    a_breakpoint_has_length_1();
    kinds_and_lengths_are_points_of_their_own();
    a_breakpoint_is_found_by_address();
    there_is_a_limit();
    a_copy_is_the_same_and_apart();
    return unit_end();
}
