/* `monitor breakpoints`: each point, how it is held, and what that costs. */
#include "vmm/inspect/inspect.h"

#include <inttypes.h>

static const char *const kinds[] = {"trace", "break", "hbreak", "watch", "rwatch", "awatch"};

static const char *const holds[] = {
    [HOLD_NONE] = "not yet decided; it is at the next resume",
    [HOLD_DR] = "a debug register: free, no memory changed",
    [HOLD_INT3] = "an int3 in memory while the guest runs: free",
    [HOLD_PAGE] = "its page is write-protected: some microseconds per store to the page",
    [HOLD_STEP] = "stepping and comparing: every instruction costs a few microseconds",
    [HOLD_EXACT] = "the built-in CPU compares as it goes: free",
};

/* gdb has taken its own out, not so the tracepoints. */
static bool has_stops(const struct points *points) {
    for (size_t i = 0; i < points->count; i++)
        if (points->list[i].kind != POINT_TRACE)
            return true;
    return false;
}

void inspect_breakpoints(struct machine *m, const struct text *t) {
    bool now = has_stops(&m->points) || !m->last_points.count;
    const struct points *points = now ? &m->points : &m->last_points;
    if (points->count == 0)
        text_print(t, "no breakpoints or watchpoints are set\n");
    for (size_t i = 0; i < points->count; i++) {
        const struct point *p = &points->list[i];
        text_print(t, "%-7s 0x%08" PRIx64, kinds[p->kind - POINT_TRACE], p->address);
        if (point_is_watch(p))
            text_print(t, "+%u", p->length);
        text_print(t, "  %s\n", holds[p->held]);
    }
}
