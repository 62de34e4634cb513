/* The service that a device asks for at the end of an OUT (cpu_host.service).
 *
 * KVM tells of an OUT before it is over on some hosts, and behind it on others (kvm-quirks 2):
 * it is completed first, so that the service finds and leaves an instruction boundary.
 */
#include "vmm/cpu/engine.h"
#include "vmm/cpu/service.h"
#include "vmm/engines/kvm/debug/debug.h"

static bool report_touched(struct cpu_touched t, struct cpu_exit *exit) {
    if (!t.any)
        return false;
    exit->kind = CPU_EXIT_WATCHPOINT;
    exit->point = t.point;
    exit->address = t.address;
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
    return report_touched(service_touched(cpu), exit);
}
