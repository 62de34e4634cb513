/* An instruction on trial; see dry_run.h. */
#include "vmm/inspect/dry_run.h"

#include <string.h>

#include "vmm/machine/scratch_cpu.h"
#include "vmm/cpu/engine.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/x86.h"

const char *dry_run_first_fault(const struct trial *t) {
    const char *first = strrchr(t->text, '#');
    return first ? first : "";
}

/* --- what it cannot tell ------------------------------------------------------------ */

/* #UD on every CPU: UD2, UD1. */
static bool is_undefined_for_ever(const struct insn *in) {
    return in->opcode == 0x0f && (in->second == 0x0b || in->second == 0xb9);
}

/* The host's CPU has more than the built-in one: instructions, MSRs, bits of CR4. */
static bool only_the_host_knows(const struct cpu *cpu, const struct insn *in,
                                const struct trial *t) {
    bool wrmsr_rdmsr = in->second == 0x30 || in->second == 0x32;
    bool to_cr4 = in->second == 0x22 && (insn_modrm(in) >> 3 & 7) == 4;
    bool faults = t->outcome == DRY_RUN_FAULT || t->outcome == DRY_RUN_SHUTDOWN;
    if (cpu_can(cpu, ENGINE_DETERMINISTIC) || !faults)
        return false;
    const char *first = dry_run_first_fault(t);
    return (!strcmp(first, "#UD") && !is_undefined_for_ever(in)) || !strcmp(first, "#NM") ||
           ((wrmsr_rdmsr || to_cr4) && x86_cpl(&cpu->state.sregs) == 0);
}

/* With TF the guest steps itself: behind each instruction there is a #DB. */
static bool can_be_tried(const struct cpu_state *s) {
    return !(s->regs.rflags & FLAG_TF);
}

/* --- doing it ------------------------------------------------------------------------- */

/* An access to a port is none; what comes in is zeros. */
static enum io_result no_device(void *machine, uint16_t port, bool out, unsigned size, void *data) {
    (void)machine, (void)port;
    if (!out)
        memset(data, 0, size);
    return IO_DONE;
}

/* What a device answers nobody knows before it is asked. */
static enum io_result take_mmio(void *trial, uint64_t phys, bool write, unsigned size, void *data) {
    struct trial *t = trial;
    const char *name =
        t->host->extra && t->host->extra->mmio_name
            ? t->host->extra->mmio_name(t->host->context, phys, size) : NULL;
    if (!name)
        return IO_NOBODY;
    if (!t->device) {
        t->device = name;
        t->access = write ? CPU_WRITE : CPU_READ;
        t->phys = phys;
    }
    if (!write)
        memset(data, 0, size);
    return IO_DONE;
}

/* The first is told. */
static void take_unassigned(void *trial, enum cpu_access access, uint64_t phys, unsigned size) {
    struct trial *t = trial;
    (void)size;
    if (t->unassigned || t->device)
        return;
    t->unassigned = true;
    t->access = access;
    t->phys = phys;
}

/* Nothing enters but what the instruction itself raises; the guest's own debug
 * registers rest. Faults are to be told, traps (1, 3, 4) are a way like others. */
static void set_up(struct cpu *cpu, const struct cpu_state *s) {
    cpu->state = *s;
    cpu->state.events = (struct kvm_vcpu_events){.interrupt.shadow = s->events.interrupt.shadow};
    cpu->state.debugregs.dr7 = 0x400;
    cpu->state.mp.mp_state = KVM_MP_STATE_RUNNABLE;
    cpu->valid = cpu->dirty = CPU_ALL;
    cpu->limit = cpu->ticks + 1; /* a repeated string instruction may do 4 GiB */
    memset(cpu->catch.exception, 0xff, sizeof cpu->catch.exception);
    cpu->catch.exception[0] &= ~(1ull << VECTOR_DB | 1ull << VECTOR_BP | 1ull << VECTOR_OF);
}

static void take_outcome(struct trial *t, const struct cpu_state *s, const struct cpu_exit *exit) {
    t->regs = s->regs;
    t->sregs = s->sregs;
    switch (exit->kind) {
    case CPU_EXIT_STEPPED: case CPU_EXIT_HALTED: case CPU_EXIT_LIMIT: t->outcome = DRY_RUN_DONE; break;
    case CPU_EXIT_EVENT: t->outcome = DRY_RUN_FAULT; break;
    case CPU_EXIT_SHUTDOWN: t->outcome = DRY_RUN_SHUTDOWN; break;
    default: break;
    }
    memcpy(t->text, exit->text, sizeof t->text);
    char *place = strstr(t->text, " at "); /* which is known */
    if (place)
        *place = '\0';
}

/* The instruction is done, with a journal, and undone. */
static void do_and_undo(struct cpu *cpu, struct scratch_cpu *scratch, struct trial *t) {
    const struct cpu_state *s = &cpu->state;
    struct cpu_exit exit;
    struct insn in;
    if (!memory_journal_begin(cpu->memory))
        return;
    insn_read(cpu->memory, s, x86_pc(&s->regs, &s->sregs), &in);
    set_up(&scratch->cpu, s);
    take_outcome(t, scratch_cpu_step(scratch, &exit), &exit);
    memory_journal_undo(cpu->memory);
    if (only_the_host_knows(cpu, &in, t) || (t->device && t->access == CPU_READ))
        t->outcome = DRY_RUN_UNKNOWN;
}

void dry_run(struct cpu *cpu, struct trial *t) {
    static const struct engine_host notices = {.unassigned = take_unassigned};
    const struct cpu_host host = {.context = t, .io = no_device, .mmio = take_mmio,
                                  .extra = &notices};
    struct scratch_cpu scratch;
    *t = (struct trial){.outcome = DRY_RUN_UNKNOWN, .host = &cpu->host};
    if (!can_be_tried(cpu_read(cpu, CPU_ALL)) || !scratch_cpu_open(&scratch, cpu, &host))
        return;
    do_and_undo(cpu, &scratch, t);
    scratch_cpu_close(&scratch);
}
