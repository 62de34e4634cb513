/* Choosing and changing engines; see engines.h. */
#include "vmm/machine/engines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/invariant.h"
#include "vmm/machine/emulate_step.h"
#include "vmm/machine/recorder.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/x86.h"

static int open_kvm(struct machine *m, char *error, size_t size) {
    struct engine_options options = {.irqchip = m->irqchip, .debugged = m->options->debugged,
                                     .replaceable = m->options->engine == ENGINE_AUTO,
                                     .long_mode = m->image.mode == START_LONG};
    if (m->image.mode == START_REAL)
        options.real_from = m->image.is_elf ? 0 : m->image.load, options.real_to = m->image.end;
    if (m->image.mode == START_RESET)
        options.real_from = (1 << 20) - m->memory.rom_size, options.real_to = 1 << 20;
    return engine_kvm.open(&boot_vcpu(m)->cpu, &options, error, size);
}

static int open_soft(struct machine *m, char *error, size_t size) {
    struct engine_options options = {.debugged = m->options->debugged};
    int err = engine_soft.open(&boot_vcpu(m)->cpu, &options, error, size);
    m->board.input.steady = !err && m->options->input_is_file;
    return err;
}

/* AUTO falls back to the built-in CPU without a message; --verbose and --stats say which it is. */
int engines_open(struct machine *m, enum engine_choice choice, char *error, size_t size) {
    static const char *const chosen[] = {"it is there", "--cpu=kvm", "--cpu=soft"};
    m->board.input.steady = false;
    snprintf(m->engine_why, sizeof m->engine_why, "%s", chosen[choice]);
    if (choice == ENGINE_SOFT)
        return open_soft(m, error, size);
    int err = open_kvm(m, error, size);
    if (!err || choice != ENGINE_AUTO)
        return err;
    snprintf(m->engine_why, sizeof m->engine_why, "%s", error);
    return open_soft(m, error, size);
}

void engines_print(const struct machine *m, char *out, size_t size) {
    bool soft = cpu_can(&boot_vcpu(m)->cpu, ENGINE_DETERMINISTIC);
    snprintf(out, size, "engine: %s: %s", soft ? "the built-in CPU" : "KVM", m->engine_why);
}

bool engines_may_take_over(struct machine *m) {
    const struct cpu *cpu = &boot_vcpu(m)->cpu;
    return m->options->engine == ENGINE_AUTO && !cpu_can(cpu, ENGINE_DETERMINISTIC);
}

/* The engine is asked first: on the built-in CPU its thread changes m->irqchip without a lock
 * (snapshot_load()), so no other thread may read that. */
bool engines_has_irqchip(struct machine *m) {
    return cpu_can(&boot_vcpu(m)->cpu, ENGINE_KERNEL_IRQCHIP) && m->irqchip && !m->wants_irqchip;
}

bool engines_needs_irqchip(struct machine *m) {
    return cpu_can(&boot_vcpu(m)->cpu, ENGINE_KERNEL_IRQCHIP);
}

/* The devices' state is the truth while the engine has no chips of its own. */
void engines_take_chips(struct machine *m) {
    struct cpu *cpu = &boot_vcpu(m)->cpu;
    struct irqchip_state chips;
    if (!engines_has_irqchip(m) || cpu->engine->get_irqchip(cpu, &chips) < 0)
        return;
    memcpy(m->board.devices.pic.chip, chips.pic, sizeof chips.pic);
    m->board.devices.pit.state = chips.pit;
}

/* Input that came while there were no chips in the kernel has raised no line there. */
void engines_give_chips(struct machine *m) {
    struct cpu *cpu = &boot_vcpu(m)->cpu;
    struct irqchip_state chips = {.pit = m->board.devices.pit.state};
    memcpy(chips.pic, m->board.devices.pic.chip, sizeof chips.pic);
    cpu->engine->set_irqchip(cpu, &chips);
    devices_notice(&m->board.devices);
}

static void give_irqchip(struct machine *m) {
    if (engines_has_irqchip(m)) {
        engines_give_chips(m);
        return;
    }
    pit_restart(&m->board.devices.pit);
    pic_line(&m->board.devices.pic, 2, false); /* so that INTR is what the state says */
}

/* 0, or -errno with a sentence. */
static int hand_over(struct machine *m, enum engine_choice to, char *error, size_t size) {
    struct cpu *cpu = &boot_vcpu(m)->cpu, old;
    INVARIANT(lock_is_held(&m->board.lock) && lock_is_held(&m->run.lock));
    cpu_read(cpu, CPU_ALL);
    if (cpu->missing & (CPU_REGS | CPU_SREGS)) { /* it would go on with zeros */
        snprintf(error, size, "KVM does not give the CPU's state");
        return -EIO;
    }
    if (to == ENGINE_SOFT && cpu_read(cpu, CPU_SREGS)->sregs.cr4 & SOFT_LACKS_CR4) {
        snprintf(error, size, "this guest uses what the built-in CPU does not have (CR4 is %#llx)",
                 (unsigned long long)cpu->state.sregs.cr4);
        return -ENOTSUP;
    }
    engines_take_chips(m);
    uint64_t clock_age = rtc_age(&m->board.devices.cmos.rtc);
    old = *cpu;
    cpu->host_features |= to == ENGINE_SOFT;
    int err = to == ENGINE_SOFT ? open_soft(m, error, size) : open_kvm(m, error, size);
    if (err) {
        *cpu = old;
        return err;
    }
    m->recorder->forget(m); /* the past of the old engine; the other begins one of its own, or none */
    cpu->state = old.state;
    cpu->valid = cpu->dirty = CPU_ALL;
    if (old.missing & CPU_FPU)
        *fpu_of(&cpu->state) = fpu_reset, cpu->state.xcr0 = XSTATE_X87;
    m->board.input.steady &= to == ENGINE_SOFT;
    old.engine->close(&old);
    m->wants_irqchip = false;
    rtc_set_age(&m->board.devices.cmos.rtc, clock_age);
    give_irqchip(m);
    return 0;
}

/* With both locks held machine_interrupt() and machine_input() wait, and then find the new
 * engine; an interrupt that the old engine was told is told to the new one, too. */
bool engines_change(struct machine *m, enum engine_choice to, char *error, size_t size) {
    struct vcpu *v = boot_vcpu(m);
    lock_take(&m->board.lock);
    lock_take(&m->run.lock);
    bool done = hand_over(m, to, error, size) >= 0;
    emulator_invalidate(v);
    if (m->run.interrupt)
        v->cpu.engine->kick(&v->cpu);
    lock_release(&m->run.lock);
    lock_release(&m->board.lock);
    return done;
}
