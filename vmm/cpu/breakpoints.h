/* Breakpoints and watchpoints: one table per machine, by linear address.
 *
 * The table says what to stop at; an engine decides how to do each and says so in
 * `mechanism`, for `monitor breakpoints`. Sorted by (address, kind, length, shift), so
 * that looking one up costs a binary search. Adding one twice adds it once: gdb sends
 * Z again without a z.
 */
#ifndef MINIKVM_BREAKPOINTS_H
#define MINIKVM_BREAKPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/cpu/breakpoint_kind.h"

/* How an engine does a breakpoint or watchpoint. */
enum bp_mechanism {
    BP_UNDECIDED,   /* it has not run since the breakpoint was added */
    BP_BY_DR,       /* a debug register */
    BP_BY_INT3,     /* an int3 in memory while the guest runs */
    BP_BY_PAGE,     /* the page is protected; each access to it is stepped and compared */
    BP_BY_STEPPING, /* every instruction is stepped and compared */
    BP_BY_COMPARE,  /* the built-in CPU compares as it goes */
};

struct breakpoint {
    uint64_t address;
    uint64_t shift;  /* addresses.h: it counts only while a debugger's addresses are so shifted */
    uint32_t length; /* watchpoints: bytes; breakpoints: 1; BP_TRACE: any number */
    enum bp_kind kind;
    enum bp_mechanism mechanism;
    uint8_t saved;    /* BP_BY_INT3: the guest's byte … */
    uint8_t *patched; /* … and where the int3 stands, while the guest runs */
    void *attached;   /* not of a watchpoint: its owner's program, which decides whether it stops */
};

struct breakpoints {
    struct breakpoint *list;
    size_t count, room;
    size_t shifted;      /* how many have a shift */
    unsigned generation; /* changes whenever the table does */
    bool physical;       /* watchpoints are by physical address: through every alias, and
                            what the CPU itself writes (soft engine) */
    void (*release)(void *attached); /* called with what leaves the table; may be NULL */
};

#define BREAKPOINTS_MAX 16384 /* a client may ask for no more */

/* 0, -ENOSPC (BREAKPOINTS_MAX), -ENOMEM. Adding what is there is success. */
int breakpoints_add(struct breakpoints *, enum bp_kind, uint64_t address, uint32_t length);
/* The same with a shift; a point is another one with each. */
int points_add_shifted(struct breakpoints *, enum bp_kind, uint64_t address, uint32_t length,
                       uint64_t shift);
/* Attaches a program to a breakpoint that is there, in place of the one it has; the table
 * owns it. */
void breakpoints_attach(struct breakpoints *, enum bp_kind, uint64_t address, uint32_t length,
                        void *attached);
void breakpoints_remove(struct breakpoints *, enum bp_kind, uint64_t address, uint32_t length);
/* All those of a debugger's address, whatever their shift. */
void points_remove_shifted(struct breakpoints *, enum bp_kind, uint64_t debuggers_address,
                           uint32_t length);
void points_remove_if(struct breakpoints *, bool (*is_to_go)(const struct breakpoint *));
void breakpoints_clear(struct breakpoints *);
/* `to` becomes the same as `from`, with nothing attached; without memory for it, empty. */
void breakpoints_copy(struct breakpoints *to, const struct breakpoints *from);

/* The first that is no watchpoint at an address, or NULL; and the next one there. */
struct breakpoint *breakpoints_at(const struct breakpoints *, uint64_t address);
struct breakpoint *breakpoints_next(const struct breakpoints *, const struct breakpoint *);

/* The breakpoint without a shift at the debugger's address of one that has a shift;
 * NULL: none. */
const struct breakpoint *points_origin(const struct breakpoints *, const struct breakpoint *);

uint64_t points_watched(const struct breakpoints *); /* bytes, by all watchpoints */
bool breakpoints_any_watch(const struct breakpoints *);

static inline bool breakpoint_is_watch(const struct breakpoint *p) { return p->kind >= BP_WRITE; }

#endif
