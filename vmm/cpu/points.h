/* Breakpoints and watchpoints: one table per machine, by linear address.
 *
 * The table says what to stop at; an engine decides how to hold each point and
 * notes that in `held`, for `monitor breakpoints`. Sorted by (address, kind,
 * length, shift), so that looking one up costs a binary search; inserting twice is
 * once (gdb sends Z again without a z).
 */
#ifndef MINIKVM_POINTS_H
#define MINIKVM_POINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In the order of the remote protocol's Z packets. At POINT_TRACE what is attached is
 * told, and the guest goes on. */
enum point_kind { POINT_TRACE = -1, POINT_SOFT, POINT_HARD, POINT_WRITE, POINT_READ, POINT_ACCESS };

/* How an engine holds a point. */
enum point_hold {
    HOLD_NONE,  /* not decided: it has not run since */
    HOLD_DR,    /* a debug register */
    HOLD_INT3,  /* an int3 in memory while the guest runs */
    HOLD_PAGE,  /* the page is protected; accesses to it are looked at */
    HOLD_STEP,  /* every instruction is stepped and compared */
    HOLD_EXACT, /* the built-in CPU compares as it goes */
};

struct point {
    uint64_t address;
    uint64_t shift;  /* addresses.h: it counts only while a debugger's addresses are so shifted */
    uint32_t length; /* watchpoints: bytes; breakpoints: 1; POINT_TRACE: any number */
    enum point_kind kind;
    enum point_hold held;
    uint8_t saved;    /* HOLD_INT3: the guest's byte … */
    uint8_t *patched; /* … and where the int3 stands, while the guest runs */
    void *attached;   /* the owner's, not of a watchpoint: what decides whether it stops */
};

struct points {
    struct point *list;
    size_t count, room;
    size_t shifted;      /* how many have a shift */
    unsigned generation; /* changes whenever the table does */
    bool physical;       /* watchpoints are by physical address: through every alias, and
                            what the CPU itself writes (soft engine) */
    void (*release)(void *attached); /* called with what leaves the table; may be NULL */
};

#define POINTS_MAX 16384 /* a client may ask for no more */

/* 0, -ENOSPC (POINTS_MAX), -ENOMEM. Adding what is there is success. */
int points_add(struct points *, enum point_kind, uint64_t address, uint32_t length);
/* The same with a shift; a point is another one with each. */
int points_add_shifted(struct points *, enum point_kind, uint64_t address, uint32_t length,
                       uint64_t shift);
/* Hangs something on a breakpoint that is there, in place of what it has; the
 * table owns it. */
void points_attach(struct points *, enum point_kind, uint64_t address, uint32_t length,
                   void *attached);
void points_remove(struct points *, enum point_kind, uint64_t address, uint32_t length);
/* All those of a debugger's address, whatever their shift. */
void points_remove_shifted(struct points *, enum point_kind, uint64_t debuggers_address,
                           uint32_t length);
void points_remove_if(struct points *, bool (*is_to_go)(const struct point *));
void points_clear(struct points *);
/* `to` becomes the same as `from`, with nothing attached; without memory for it, empty. */
void points_copy(struct points *to, const struct points *from);

/* The first that is no watchpoint at an address, or NULL; and the next one there. */
struct point *points_breakpoint(const struct points *, uint64_t address);
struct point *points_next(const struct points *, const struct point *);

/* Of one with a shift, the one without that stands at the same address of a debugger's;
 * NULL: none. */
const struct point *points_origin(const struct points *, const struct point *);

uint64_t points_watched(const struct points *); /* bytes, by all watchpoints */
bool points_any_watch(const struct points *);

static inline bool point_is_watch(const struct point *p) {
    return p->kind >= POINT_WRITE;
}

#endif
