/* Which machine and CPU a client means, and lines for its console; see bridge.h. */
#include "vmm/debug/bridge.h"

#include <stdio.h>

#include "vmm/host/stderr.h"

struct machine *bridge_machine(struct debug *d, int pid) {
    return pid >= 1 && (unsigned)pid <= d->count ? &d->machines[pid - 1] : NULL;
}

/* A machine's CPUs are numbered from 0, its threads from 1. */
struct vcpu *bridge_vcpu(struct debug *d, struct gdb_thread thread) {
    struct machine *m = bridge_machine(d, thread.pid);
    int number = thread.tid > 0 ? thread.tid - 1 : 0; /* 0: any */
    return m && number < VCPUS_MAX ? &m->vcpu[number] : NULL;
}

void bridge_show(struct debug *d, struct gdb_thread thread) {
    struct vcpu *v = bridge_vcpu(d, thread);
    if (v)
        v->machine->shown = v->number;
}

struct gdb_thread bridge_thread(const struct vcpu *v) {
    return (struct gdb_thread){(int)v->machine->number, (int)v->number + 1};
}

void debug_message(struct debug *d, unsigned machine, const char *text) {
    char line[512];
    if (!gdb_server_connected(d->server)) {
        say("machine %u: %s", machine, text);
        return;
    }
    int n = d->count == 1 ? snprintf(line, sizeof line, "minikvm: %s\n", text)
                          : snprintf(line, sizeof line, "minikvm: machine %u: %s\n", machine, text);
    gdb_server_console(d->server, line, n < (int)sizeof line ? n : (int)sizeof line - 1);
}
