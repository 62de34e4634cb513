/* Deciding whether a breakpoint stops; see hits.h. */
#include "vmm/machine/hits.h"

#include "vmm/machine/addresses.h"

/* A breakpoint with a shift is in effect only while the debugger's addresses are so shifted. */
static bool is_in_effect(struct vcpu *v, const struct breakpoint *p) {
    if (!v->cpu.breakpoints->shifted && !v->cpu.addresses)
        return true;
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    return addresses_shift(v->cpu.addresses, s) == p->shift;
}

/* Conditions and commands are attached to the breakpoint without a shift, for all of that
 * address. */
static bool attached_stops(struct vcpu *v, const struct breakpoint *p) {
    const struct breakpoint *origin = p->shift ? points_origin(v->cpu.breakpoints, p) : p;
    const struct debugger_hooks *hooks = &v->machine->hooks;
    return !origin || !origin->attached || !hooks->stops_at || hooks->stops_at(v, origin);
}

/* At one arrival each breakpoint is served once. */
static bool is_pending(const struct cpu_arrival *a, const struct breakpoint *p, bool traces_only) {
    return p->kind == BP_TRACE ? a->state == ARRIVAL_NEW
                                  : a->state != ARRIVAL_DONE && !traces_only;
}

static void note_arrival(struct cpu_arrival *a, bool traces_only) {
    if (!traces_only)
        a->state = ARRIVAL_DONE;
    else if (a->state == ARRIVAL_NEW)
        a->state = ARRIVAL_TRACED;
}

bool breakpoint_should_stop(struct vcpu *v, uint64_t address, bool traces_only,
                            struct cpu_exit *exit) {
    struct cpu_arrival *a = &v->cpu.arrival;
    bool stops = false;
    const struct breakpoint *p = breakpoints_at(v->cpu.breakpoints, address);
    if (a->pc != address)
        *a = (struct cpu_arrival){ARRIVAL_NEW, address};
    for (; p; p = breakpoints_next(v->cpu.breakpoints, p)) {
        if (!is_pending(a, p, traces_only))
            continue;
        if (!is_in_effect(v, p) || !attached_stops(v, p))
            continue;
        *exit = (struct cpu_exit){
            .kind = CPU_EXIT_BREAKPOINT, .point = p->kind, .address = address};
        stops = true;
    }
    note_arrival(a, traces_only);
    return stops;
}
