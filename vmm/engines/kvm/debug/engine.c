/* The KVM engine as engine.h has it, made of both halves. */
#include "vmm/engines/kvm/debug/debug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static int open_failed(char *error, size_t size, int err, const char *what, const char *todo) {
    snprintf(error, size, "%s: %s; %s", what, strerror(err), todo);
    return -err;
}

/* The group's name is not looked up: that file is out of reach here, and the shell can. */
// clang-format off
static const char *advice(int reason) {
    struct stat st;
    bool for_group = stat("/dev/kvm", &st) == 0 && st.st_gid != 0 && (st.st_mode & 060) == 060;
    if (reason == EPERM)
        return "the container forbids it: start it with --device=/dev/kvm, or use --cpu=soft";
    if (reason == EACCES && for_group)
        return "join the group that owns it (sudo usermod -aG $(stat -c %G /dev/kvm) $USER, then log "
               "in again), or use --cpu=soft";
    if (reason == EACCES)
        return "it is root's alone here: have it given to a group of yours (sudo chgrp GROUP /dev/kvm; "
               "sudo chmod g+rw /dev/kvm), or use --cpu=soft";
    if (reason == EMFILE || reason == ENFILE)
        return "raise the limit (ulimit -n), or use --cpu=soft";
    return "load the module (modprobe kvm-intel or kvm-amd; virtualisation must be on in the "
           "firmware), or use --cpu=soft";
}
// clang-format on

static void engine_close(struct cpu *cpu) {
    struct debugged_vcpu *d = debugged_of(cpu);
    vcpu_close(&d->vcpu);
    free(d->plan.watched);
    free(d);
    cpu->priv = NULL;
    cpu_set_engine(cpu, NULL);
}

static int start_vcpu(struct cpu *cpu, struct kvm_vcpu *v, bool irqchip, char *error, size_t size) {
    int device = vcpu_open_device();
    if (device < 0)
        return open_failed(error, size, -device, "cannot open /dev/kvm", advice(-device));
    int err = vcpu_open(cpu, v, device, irqchip);
    if (err)
        open_failed(error, size, -err, "KVM cannot make the machine",
                    "use --cpu=soft, or less --mem");
    return err;
}

int kvm_open(struct cpu *cpu, const struct engine_options *options, char *error, size_t size) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (options->long_mode && options->replaceable && !long_mode_is_right()) {
        snprintf(error, size, "%s", LONG_MODE_WRONG);
        return -ENOTSUP;
    }
    struct debugged_vcpu *d = calloc(1, sizeof *d);
    if (!d)
        return open_failed(error, size, ENOMEM, "KVM cannot make the machine",
                           "use --cpu=soft, or less --mem");
    int err = start_vcpu(cpu, &d->vcpu, options->irqchip, error, size);
    if (!err && (err = cpuid_apply(cpu, &d->vcpu, error, size)))
        vcpu_close(&d->vcpu);
    if (err) {
        free(d);
        return err;
    }
    cpu_set_engine(cpu, &engine_kvm);
    d->replaceable = d->guards_long_mode = options->replaceable;
    if (d->guards_long_mode)
        long_mode_guard(&d->vcpu);
    d->vcpu.entering = debug_entering;
    d->vcpu.left = debug_left;
    d->vcpu.unclaimed = exits_unclaimed;
    int sync = ioctl(d->vcpu.vm, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS);
    d->sync = (sync & KVM_SYNC_X86_VALID_FIELDS) == KVM_SYNC_X86_VALID_FIELDS;
    slots_note(d, cpu->memory);
    pthread_once(&once, kick_catch);
    if (options->debugged)
        probe_traits();
    cr0_guard_open(d, cpu->memory, options->real_from, options->real_to);
    return 0;
}

static uint64_t engine_entries(const struct cpu *cpu) { return debugged_of(cpu)->counters.runs; }

/* Exits by reason first, then what is counted besides. */
static const char *engine_counter(const struct cpu *cpu, unsigned n, uint64_t *value) {
    const struct kvm_counters *c = &debugged_of(cpu)->counters;
    const struct {
        const char *name;
        uint64_t value;
    } more[] = {{"interrupted", c->interrupted},
                {"ioctl KVM_RUN", c->runs},
                {"ioctl KVM_SET_GUEST_DEBUG", c->debug_ioctls},
                {"ioctls for state", c->state_ioctls}};
    if (n < KVM_EXITS_MAX) {
        *value = c->exits[n];
        return *value ? kvm_exit_name(n) : "";
    }
    n -= KVM_EXITS_MAX;
    if (n >= sizeof more / sizeof *more)
        return NULL;
    *value = more[n].value;
    return more[n].name;
}

static void engine_describe(struct cpu *cpu, char *out, unsigned size) {
    const struct kvm_traits *t = probe_traits();
    const char *yes_no[] = {"no", "yes"};
    snprintf(out, size,
             "engine: KVM (the host's processor)\n"
             "  execution breakpoints in debug registers: %s\n"
             "  data watchpoints in debug registers:      %s\n"
             "  int3 traps to the debugger:               %s\n"
             "  32-bit paging:                            %s\n"
             "  64-bit code, with system calls and FPU:   %s\n"
             "  interrupts held off while stepping:       %s\n"
             "  registers exchanged without extra ioctls: %s\n"
             "  interrupt chips in the kernel:            %s\n",
             yes_no[t->exec_bp], yes_no[t->data_bp], yes_no[t->int3], yes_no[t->paging32],
             yes_no[long_mode_is_right()], yes_no[t->block_irq], yes_no[debugged_of(cpu)->sync],
             yes_no[kvm_vcpu_of(cpu)->irqchip]);
}

const struct engine engine_kvm = {
    .name = "kvm",
    .capabilities = ENGINE_KERNEL_IRQCHIP | ENGINE_LIMITED_BREAKPOINTS | ENGINE_COSTLY_ENTRY,
    .open = kvm_open,
    .ops = {.fetch = debug_fetch, .store = debug_store, .run = kick_run},
    .step = kick_step,
    .kick = kick_send,
    .irq_line = vcpu_irq_line,
    .get_irqchip = irqchip_get,
    .set_irqchip = irqchip_set,
    .refuses = bp_plan_refuses,
    .strained = bp_plan_strained,
    .freeze = irqchip_freeze,
    .remap = slots_remap,
    .entries = engine_entries,
    .counter = engine_counter,
    .describe = engine_describe,
    .close = engine_close,
};
