/* `monitor breakpoints`: each point, how it is held, and what that costs. */
#include "vmm/inspect/inspect.h"

#include <inttypes.h>

static const char *const kinds[] = {"trace", "break", "hbreak", "watch", "rwatch", "awatch"};

static const char *const holds[] = {
    [BP_UNDECIDED] = "not yet decided; it is at the next resume",
    [BP_BY_DR] = "a debug register: free, no memory changed",
    [BP_BY_INT3] = "an int3 in memory while the guest runs: free",
    [BP_BY_PAGE] = "its page is write-protected: some microseconds per store to the page",
    [BP_BY_STEPPING] = "stepping and comparing: every instruction costs a few microseconds",
    [BP_BY_COMPARE] = "the built-in CPU compares as it goes: free",
};

/* gdb has taken its own out, not so the tracepoints. */
static bool has_stops(const struct breakpoints *points) {
    for (size_t i = 0; i < points->count; i++)
        if (points->list[i].kind != BP_TRACE)
            return true;
    return false;
}

void inspect_breakpoints(struct machine *m, const struct text *t) {
    bool now = has_stops(&m->breakpoints) || !m->last_breakpoints.count;
    const struct breakpoints *points = now ? &m->breakpoints : &m->last_breakpoints;
    if (points->count == 0)
        text_print(t, "no breakpoints or watchpoints are set\n");
    for (size_t i = 0; i < points->count; i++) {
        const struct breakpoint *p = &points->list[i];
        text_print(t, "%-7s 0x%08" PRIx64, kinds[p->kind - BP_TRACE], p->address);
        if (breakpoint_is_watch(p))
            text_print(t, "+%u", p->length);
        text_print(t, "  %s\n", holds[p->mechanism]);
    }
}
