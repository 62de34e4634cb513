/* Breakpoints with conditions and commands: what the stub has made of them, run
 * on the machine's thread each time the CPU comes to one.
 */
#include "vmm/debug/bridge.h"

#include <stdlib.h>
#include <string.h>

#include "gdbstub/agent/agent.h"
#include "vmm/replay/history.h"
#include "vmm/cpu/register_access.h"
#include "vmm/machine/recorder.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

struct evaluation {
    struct vcpu *vcpu;
    const struct gdb_description *layout;
};

static bool agent_read_register(void *context, unsigned number, uint64_t *value) {
    const struct evaluation *e = context;
    const struct reg *r = bridge_row(e->vcpu->machine->hooks.context, e->layout, number);
    if (!r || r->bits > 64)
        return false;
    *value = 0;
    return register_read(&e->vcpu->cpu, r, (uint8_t *)value);
}

static bool read_whole(void *context, unsigned number, uint8_t *value) {
    const struct evaluation *e = context;
    const struct reg *r = bridge_row(e->vcpu->machine->hooks.context, e->layout, number);
    return r && register_read(&e->vcpu->cpu, r, value);
}

static bool agent_read_memory(void *context, uint64_t address, void *to, size_t length) {
    const struct evaluation *e = context;
    const struct kvm_sregs *s = &cpu_read(&e->vcpu->cpu, CPU_SREGS)->sregs;
    address = addresses_linear(address, bridge_shift(e->vcpu));
    return x86_read(e->vcpu->cpu.memory, s, address, to, length) == length;
}

static void program_print(void *context, const char *text, size_t length) {
    const struct evaluation *e = context;
    struct machine *m = e->vcpu->machine;
    struct debug *d = m->hooks.context;
    const struct machine_owner *owner = &m->owner;
    if (m->recorder->is_silent(m))
        return; /* this was printed when it was the present */
    if (d->detached[m->number - 1])
        owner->output(owner->context, m->number, text, length);
    else
        bridge_put_text(d, text, length);
}

static bool was_interrupted(void *context) {
    const struct evaluation *e = context;
    return machine_interrupted(e->vcpu->machine);
}

static struct gdb_agent_host host_of(struct evaluation *e) {
    return (struct gdb_agent_host){.context = e,
                                   .read_register = agent_read_register,
                                   .read_memory = agent_read_memory,
                                   .read_whole = read_whole,
                                   .print = program_print,
                                   .interrupted = was_interrupted};
}

/* A search through the past comes by tracepoints, too; that is no run to be traced. */
static bool program_stops_at(struct vcpu *v, const struct breakpoint *p) {
    struct machine *m = v->machine;
    struct evaluation e = {v, gdb_program_layout(p->attached)};
    struct gdb_agent_host host = host_of(&e);
    if (p->kind == BP_TRACE && m->history && m->history->seeking)
        return false;
    bool stops = gdb_program_stops(p->attached, &host);
    v->follows |= gdb_program_follows(p->attached);
    return stops;
}

static void stepped(struct vcpu *v, const struct breakpoint *p) {
    struct evaluation e = {v, gdb_program_layout(p->attached)};
    struct gdb_agent_host host = host_of(&e);
    gdb_program_stepped(p->attached, &host);
    v->follows |= gdb_program_follows(p->attached);
}

static void release_attached(void *program) { gdb_program_free(program); }

void bridge_open_points(struct debug *d) {
    for (unsigned i = 0; i < d->count; i++) {
        d->machines[i].breakpoints.release = release_attached;
        d->machines[i].hooks.stops_at = program_stops_at;
        d->machines[i].hooks.stepped = stepped;
        d->machines[i].hooks.context = d;
    }
}

/* After a detach only those stay that gdb wants to: `set disconnected-dprintf`. */
static bool is_the_clients(const struct breakpoint *p) {
    return !p->attached || !gdb_program_persists(p->attached);
}

void bridge_clear_points(struct machine *m) { points_remove_if(&m->breakpoints, is_the_clients); }
