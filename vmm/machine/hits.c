/* See hits.h. */
#include "vmm/machine/hits.h"

#include "vmm/machine/addresses.h"

/* The debugger's addresses are as the point has them. */
static bool counts(struct machine *m, const struct breakpoint *p) {
    if (!m->cpu.breakpoints->shifted && !m->cpu.addresses)
        return true;
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS);
    return addresses_shift(m->cpu.addresses, s) == p->shift;
}

/* What is put on a point stands with that of its address, whatever its shift. */
static bool stops_at(struct machine *m, const struct breakpoint *p) {
    const struct breakpoint *origin = p->shift ? points_origin(m->cpu.breakpoints, p) : p;
    return !origin || !origin->attached || !m->stops_at || m->stops_at(m, origin);
}

/* Nothing is done twice at one arrival. */
static bool is_due(const struct cpu_arrival *a, const struct breakpoint *p, bool traces_only) {
    return p->kind == BP_TRACE ? a->state == ARRIVAL_NEW
                                  : a->state != ARRIVAL_DONE && !traces_only;
}

static void note(struct cpu_arrival *a, bool traces_only) {
    if (!traces_only)
        a->state = ARRIVAL_DONE;
    else if (a->state == ARRIVAL_NEW)
        a->state = ARRIVAL_TRACED;
}

bool breakpoint_should_stop(struct machine *m, uint64_t address, bool traces_only, struct cpu_exit *exit) {
    struct cpu_arrival *a = &m->cpu.arrival;
    bool stops = false;
    const struct breakpoint *p = breakpoints_at(m->cpu.breakpoints, address);
    if (a->pc != address)
        *a = (struct cpu_arrival){ARRIVAL_NEW, address};
    for (; p; p = breakpoints_next(m->cpu.breakpoints, p)) {
        if (!is_due(a, p, traces_only))
            continue;
        if (!counts(m, p) || !stops_at(m, p))
            continue;
        *exit = (struct cpu_exit){
            .kind = CPU_EXIT_BREAKPOINT, .point = p->kind, .address = address};
        stops = true;
    }
    note(a, traces_only);
    return stops;
}
