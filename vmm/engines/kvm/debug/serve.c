/* The service that a device asks for at the end of an OUT (cpu_host.service).
 *
 * KVM tells of an OUT before it is over on some hosts, and behind it on others (kvm-quirks 2):
 * it is completed first, so that the service finds and leaves an instruction boundary.
 */
#include "vmm/cpu/engine.h"
#include "vmm/cpu/service.h"
#include "vmm/engines/kvm/debug/debug.h"
#include "vmm/x86/page_walk.h"

static bool report_touched(const struct cpu_touched *t, struct cpu_exit *exit) {
    if (!t->any)
        return false;
    exit->kind = CPU_EXIT_WATCHPOINT;
    exit->point = t->point;
    exit->address = t->address;
    return true;
}

bool serve(struct cpu *cpu, struct cpu_exit *exit) {
    struct kvm_vcpu *v = kvm_vcpu_of(cpu);
    v->serves = false;
    if (v->io_pending)
        exits_complete(cpu, exit);
    cpu_arrives(cpu);
    if (service_run(cpu) == IO_STOP)
        return exits_report(exit, CPU_EXIT_DEVICE, "%s", "");
    return report_touched(&cpu->touched, exit);
}

static bool at_iret(struct cpu *cpu) {
    uint8_t op;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    return x86_read(cpu->memory, &s->sregs, vcpu_pc(cpu), &op, 1) == 1 && op == 0xcf;
}

/* kvm-quirks 17: the IRET is a step of its own, so that the next entry is behind it. true: that
 * step stops. */
static bool return_to_caller(struct cpu *cpu, struct cpu_exit *exit) {
    if (probe_traits()->paging32 || !kvm_vcpu_of(cpu)->irqchip || !at_iret(cpu))
        return false;
    step_raw(cpu, exit);
    return exit->kind != CPU_EXIT_STEPPED;
}

bool serve_amid_run(struct cpu *cpu, struct cpu_exit *exit) {
    bp_plan_remove(cpu);
    bool stop = serve(cpu, exit) || return_to_caller(cpu, exit);
    bp_plan_insert(cpu);
    return stop;
}
