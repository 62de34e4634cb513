/* See hits.h. */
#include "hits.h"

bool hits_stop(struct machine *m, uint64_t address, bool traces_only, struct cpu_exit *exit) {
    bool stops = false;
    const struct point *p = points_breakpoint(m->cpu.points, address);
    for (; p; p = points_next(m->cpu.points, p)) {
        if (traces_only && p->kind != POINT_TRACE)
            continue;
        if (p->attached && m->stops_at && !m->stops_at(m, p))
            continue;
        *exit = (struct cpu_exit){
            .kind = CPU_EXIT_BREAKPOINT, .point = p->kind, .address = address};
        stops = true;
    }
    return stops;
}
