/* What each exit means, to a run and to a step alike.
 *
 * Rule: an exit is either dealt with here and the CPU may go on, or it becomes
 * a cpu_exit with a sentence that a person can use. Nothing vanishes.
 */
#include "vmm/engines/kvm/vcpu.h"
#include "vmm/x86/page_walk.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool exits_report(struct cpu_exit *exit, enum cpu_exit_kind kind, const char *format, ...) {
    va_list args;
    va_start(args, format);
    exit->kind = kind;
    vsnprintf(exit->text, sizeof exit->text, format, args);
    va_end(args);
    return true;
}

/* --- devices -------------------------------------------------------------- */

/* An IN whose device is not ready must not have begun: complete it with
 * whatever, then put back the registers from before. Every KVM leaves RIP at an
 * IN (kvm-quirks 2), so that is a state between two instructions. */
static bool back_out(struct cpu *cpu, struct cpu_exit *exit) {
    struct cpu_state saved = {.regs = cpu_read(cpu, CPU_REGS)->regs};
    while (vcpu_complete(cpu) == KVM_EXIT_MMIO)
        continue; /* an INS into a device's memory: nothing has come that it could write */
    cpu_write(cpu, CPU_REGS)->regs = saved.regs;
    return exits_report(exit, CPU_EXIT_WAITING, "waiting for input");
}

static bool serve_io(struct cpu *cpu, struct cpu_exit *exit) {
    struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    char *data = (char *)run + run->io.data_offset;
    bool stop = false;
    for (unsigned i = 0; i < run->io.count; i++, data += run->io.size) {
        enum io_result r = cpu->host.io(cpu->host.context, run->io.port,
                                        run->io.direction == KVM_EXIT_IO_OUT, run->io.size, data);
        if (r == IO_RETRY && i == 0)
            return back_out(cpu, exit);
        stop |= r == IO_STOP;
        kvm_vcpu_of(cpu)->serves |= r == IO_SERVICE;
    }
    return stop && exits_report(exit, CPU_EXIT_DEVICE, "%s", "");
}

static bool serve_mmio(struct cpu *cpu, struct cpu_exit *exit) {
    struct kvm_run *run = kvm_vcpu_of(cpu)->run;
    const struct cpu_host *host = &cpu->host;
    enum io_result result = IO_NOBODY;
    if (!run->mmio.is_write)
        memset(run->mmio.data, 0xff, sizeof run->mmio.data);
    if (host->mmio)
        result = host->mmio(host->context, run->mmio.phys_addr, run->mmio.is_write, run->mmio.len,
                            run->mmio.data);
    if (result == IO_NOBODY && kvm_vcpu_of(cpu)->unclaimed)
        kvm_vcpu_of(cpu)->unclaimed(cpu);
    return result == IO_STOP && exits_report(exit, CPU_EXIT_DEVICE, "%s", "");
}

/* One KVM_RUN is not enough: read-modify-write, an access across a page's edge, one of 16
 * bytes and a repeated string instruction each exit again before they are done. */
int exits_complete(struct cpu *cpu, struct cpu_exit *exit) {
    bool mmio = kvm_vcpu_of(cpu)->run->exit_reason == KVM_EXIT_MMIO;
    int reason = vcpu_complete(cpu);
    while (reason == KVM_EXIT_MMIO || (reason == KVM_EXIT_IO && mmio)) {
        exits_settle(cpu, reason, exit);
        mmio = reason == KVM_EXIT_MMIO;
        reason = vcpu_complete(cpu);
    }
    return reason;
}

/* --- ends --------------------------------------------------------------------- */

static bool report_halt(struct cpu *cpu, struct cpu_exit *exit) {
    kvm_vcpu_of(cpu)->halted = true;
    return exits_report(exit, CPU_EXIT_HALTED, "%s", "");
}

static bool refuse_entry(struct cpu *cpu, struct cpu_exit *exit) {
    return exits_report(exit, CPU_EXIT_CANNOT,
                        "the processor refuses the guest's state (KVM_EXIT_FAIL_ENTRY, "
                        "reason 0x%llx)",
                        kvm_vcpu_of(cpu)->run->fail_entry.hardware_entry_failure_reason);
}

static bool report_failure(struct cpu *cpu, struct cpu_exit *exit) {
    uint8_t op[8] = {0};
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    x86_read(cpu->memory, &s->sregs, vcpu_pc(cpu), op, sizeof op);
    return exits_report(exit, CPU_EXIT_CANNOT,
                        "this KVM cannot run the instruction %02x %02x %02x %02x … "
                        "(KVM_EXIT_INTERNAL_ERROR, suberror %u)",
                        op[0], op[1], op[2], op[3], kvm_vcpu_of(cpu)->run->internal.suberror);
}

static bool report_unknown(int reason, struct cpu_exit *exit) {
    if (reason < 0)
        return exits_report(exit, CPU_EXIT_CANNOT, "KVM failed, and the CPU was not run: %s",
                            strerror(-reason));
    return exits_report(exit, CPU_EXIT_CANNOT, "KVM stopped with exit reason %d", reason);
}

bool exits_settle(struct cpu *cpu, int reason, struct cpu_exit *exit) {
    switch (reason) {
    case -EINTR: /* a signal */
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN: return false;
    case KVM_EXIT_IO: return serve_io(cpu, exit);
    case KVM_EXIT_MMIO: return serve_mmio(cpu, exit);
    case KVM_EXIT_HLT: return report_halt(cpu, exit);
    case KVM_EXIT_SHUTDOWN: return exits_report(exit, CPU_EXIT_SHUTDOWN, "%s", EXITS_TRIPLE_FAULT);
    case KVM_EXIT_INTERNAL_ERROR: return report_failure(cpu, exit);
    case KVM_EXIT_FAIL_ENTRY: return refuse_entry(cpu, exit);
    }
    return report_unknown(reason, exit);
}

void exits_run(struct cpu *cpu, struct cpu_exit *exit) {
    while (!exits_settle(cpu, vcpu_enter(cpu), exit))
        continue;
    if (kvm_vcpu_of(cpu)->io_pending)
        exits_complete(cpu, exit);
}
