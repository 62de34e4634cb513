/* Exits in words: their names, and a line for each (--verbose). */
#include "vmm/engines/kvm/debug/debug.h"

#include <stdio.h>
#include <string.h>

// clang-format off
static const char *const names[KVM_EXITS_MAX] = {
    [KVM_EXIT_UNKNOWN] = "unknown",       [KVM_EXIT_IO] = "io",
    [KVM_EXIT_HYPERCALL] = "hypercall",   [KVM_EXIT_DEBUG] = "debug",
    [KVM_EXIT_HLT] = "hlt",               [KVM_EXIT_MMIO] = "mmio",
    [KVM_EXIT_IRQ_WINDOW_OPEN] = "irq window", [KVM_EXIT_SHUTDOWN] = "shutdown",
    [KVM_EXIT_FAIL_ENTRY] = "fail entry", [KVM_EXIT_INTR] = "interrupted",
    [KVM_EXIT_SET_TPR] = "set tpr",       [KVM_EXIT_INTERNAL_ERROR] = "internal error",
    [KVM_EXIT_SYSTEM_EVENT] = "system event", [KVM_EXIT_X86_WRMSR] = "wrmsr",
};
// clang-format on

const char *kvm_exit_name(unsigned reason) {
    return reason < KVM_EXITS_MAX && names[reason] ? names[reason] : "other";
}

void exits_trace(struct cpu *cpu, int reason) {
    if (!cpu->verbose)
        return;
    const struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    char detail[64] = "";
    if (reason == KVM_EXIT_IO)
        snprintf(detail, sizeof detail, " %s port 0x%x, %u bytes",
                 run->io.direction ? "to" : "from", run->io.port, run->io.size * run->io.count);
    else if (reason == KVM_EXIT_MMIO)
        snprintf(detail, sizeof detail, " %s 0x%llx, %u bytes", run->mmio.is_write ? "to" : "from",
                 run->mmio.phys_addr, run->mmio.len);
    else if (reason == KVM_EXIT_DEBUG)
        snprintf(detail, sizeof detail, " exception %u, dr6 %llx", run->debug.arch.exception,
                 run->debug.arch.dr6);
    fprintf(stderr, "minikvm: exit: %s at %04x:%08llx%s\n",
            reason < 0 ? strerror(-reason) : kvm_exit_name(reason), s->sregs.cs.selector,
            s->regs.rip, detail);
}
