/* Steps over the BIOS; see rom_step.h. */
#include "vmm/machine/rom_step.h"

#include "vmm/board/bios/rom.h"
#include "vmm/machine/recorder.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

static const struct cpu_state *state(struct vcpu *v) { return cpu_read(&v->cpu, CPU_REGS | CPU_SREGS); }

static uint64_t pc_of(struct vcpu *v) {
    const struct cpu_state *s = state(v);
    return x86_pc(&s->regs, &s->sregs);
}

bool rom_step_in_rom(struct vcpu *v) { return bios_runs(&v->machine->bios, state(v)); }

void rom_step_begin(struct vcpu *v) {
    v->rom.began_inside = v->machine->bios.on && rom_step_in_rom(v);
    v->rom.inside = v->rom.holds = false;
    if (v->cpu.catch.calls)
        bios_pass_call(&v->machine->bios, pc_of(v));
}

/* The guest's time goes on inside, and interrupts enter. */
static void enter_rom(struct vcpu *v) {
    const struct cpu_state *s = state(v);
    v->rom.inside = true;
    v->rom.ss = s->sregs.ss.base;
    v->rom.sp = (uint16_t)s->regs.rsp;
    v->rom.step_irqs = v->cpu.step_irqs;
    v->cpu.step_irqs = true;
    if (v->cpu.engine->freeze)
        v->cpu.engine->freeze(&v->cpu, false);
}

static void leave_rom(struct vcpu *v) {
    v->rom.inside = false;
    v->cpu.step_irqs = v->rom.step_irqs;
}

static bool has_left(struct vcpu *v) {
    const struct cpu_state *s = state(v);
    bool above = (int16_t)((uint16_t)s->regs.rsp - v->rom.sp) > 0;
    return !rom_step_in_rom(v) && (s->sregs.ss.base != v->rom.ss || above || s->sregs.cr0 & CR0_PE);
}

enum rom_step rom_step(struct vcpu *v, struct cpu_exit *exit) {
    if (!v->machine->bios.on || v->machine->rom_is_stepped || v->rom.began_inside)
        return ROM_STEP_OUTSIDE;
    if (exit->kind == CPU_EXIT_EVENT && bios_is_told(&v->machine->bios, pc_of(v))) {
        if (v->rom.inside)
            leave_rom(v);
        return ROM_STEP_OUTSIDE;
    }
    if (!v->rom.inside && rom_step_in_rom(v))
        enter_rom(v);
    if (!v->rom.inside)
        return ROM_STEP_OUTSIDE;
    bool stop = exit->kind == CPU_EXIT_WATCHPOINT || exit->kind == CPU_EXIT_EVENT;
    if (stop && rom_step_in_rom(v) && !v->rom.holds) {
        v->rom.holds = true;
        v->rom.held = *exit;
    }
    if (!has_left(v))
        return ROM_STEP_ON;
    leave_rom(v);
    if (!v->rom.holds)
        return ROM_STEP_OUTSIDE;
    *exit = v->rom.held;
    return ROM_STEP_LEFT;
}

/* --- one step inside ------------------------------------------------------------------------- */

/* A KVM may miss the end of a HLT that is stepped, so a wait is run to where it asks again. */
static bool run_to(struct vcpu *v, uint64_t address, struct cpu_exit *exit) {
    struct breakpoints *t = &v->machine->breakpoints;
    if (breakpoints_at(t, address) || breakpoints_add(t, BP_HARD, address, 1) < 0)
        return false;
    v->cpu.ops->run(&v->cpu, exit);
    breakpoints_remove(t, BP_HARD, address, 1);
    if (exit->kind == CPU_EXIT_BREAKPOINT && exit->address == address)
        exit->kind = CPU_EXIT_STEPPED;
    return true;
}

void rom_step_one(struct vcpu *v, struct cpu_exit *exit) {
    uint64_t pc = pc_of(v);
    bool waits = rom_step_in_rom(v) && pc - ROM_BASE < ROM_STUBS * ROM_STUB_SIZE &&
                 pc % ROM_STUB_SIZE == ROM_STUB_WAIT;
    if (!waits || !cpu_can(&v->cpu, ENGINE_COSTLY_ENTRY) ||
        !run_to(v, pc - ROM_STUB_WAIT + ROM_STUB_AGAIN - 2, exit))
        v->cpu.engine->step(&v->cpu, exit);
}

/* --- interrupted ---------------------------------------------------------------------------- */

static bool in_stub(struct vcpu *v) {
    return rom_step_in_rom(v) && pc_of(v) - ROM_BASE < ROM_STUBS * ROM_STUB_SIZE;
}

static uint16_t word_on_stack(struct vcpu *v, unsigned offset) {
    const struct cpu_state *s = state(v);
    uint16_t word = 0;
    x86_read(v->cpu.memory, &s->sregs, s->sregs.ss.base + (uint16_t)(s->regs.rsp + offset), &word, sizeof word);
    return word;
}

bool rom_step_caller(struct vcpu *v, uint16_t *cs, uint16_t *ip) {
    uint8_t code[2];
    if (!v->machine->bios.on || !in_stub(v))
        return false;
    const struct cpu_state *s = state(v);
    unsigned vector = (unsigned)(pc_of(v) - ROM_BASE) / ROM_STUB_SIZE;
    *ip = (uint16_t)(word_on_stack(v, 0) - 2);
    *cs = word_on_stack(v, 2);
    return x86_read(v->cpu.memory, &s->sregs, *cs * 16u + *ip, code, sizeof code) == sizeof code &&
           code[0] == 0xcd && code[1] == vector;
}

static unsigned place_in_stub(struct vcpu *v) { return (unsigned)(pc_of(v) - ROM_BASE) % ROM_STUB_SIZE; }

/* Behind an OUT: the service is done, and its IRET is all that is left. To do it again would take
 * its answer for a question. */
static bool service_is_done(struct vcpu *v) {
    unsigned at = place_in_stub(v);
    return in_stub(v) && (at == ROM_STUB_OUT || at == ROM_STUB_AGAIN);
}

/* As if the call had not been; what interrupts did meanwhile has been, and so has the time of a wait. */
static void back_to_int(struct vcpu *v, uint16_t cs, uint16_t ip) {
    uint16_t flags = word_on_stack(v, 4);
    if (place_in_stub(v) >= ROM_STUB_WAIT)
        bios_wait_is_interrupted(&v->machine->bios, cs, ip);
    struct cpu_state *s = cpu_write(&v->cpu, CPU_REGS | CPU_SREGS | CPU_MP | CPU_EVENTS);
    bios_unwind(s, cs, ip, flags);
    s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    s->events.interrupt.shadow = 0;
    v->touched = true;
    cpu_arrives(&v->cpu);
}

/* The CPU stands where the call can be made again. */
static bool may_go_back(struct vcpu *v, uint16_t *cs, uint16_t *ip) {
    return !service_is_done(v) && rom_step_caller(v, cs, ip);
}

/* A handler of an IRQ may have entered while the service waits, a service may be done but for its
 * IRET, or spin (ROM_SPIN). That is some instructions of the ROM, and done to its end before the
 * CPU is shown. */
static void finish_handler(struct vcpu *v) {
    enum { MOST = 3000 };
    struct cpu_exit exit = {.kind = CPU_EXIT_STEPPED};
    uint16_t cs, ip;
    bool step_irqs = v->cpu.step_irqs;
    v->cpu.step_irqs = false;
    /* The kick may still stand, and ends one step with nothing done. */
    for (unsigned n = 0; n < MOST && (exit.kind == CPU_EXIT_STEPPED || exit.kind == CPU_EXIT_KICKED) &&
                         rom_step_in_rom(v) && !may_go_back(v, &cs, &ip);
         n++)
        v->cpu.engine->step(&v->cpu, &exit);
    v->cpu.step_irqs = step_irqs;
}

void rom_step_end(struct vcpu *v, struct cpu_exit *exit) {
    uint16_t cs, ip;
    bool visible = v->machine->rom_is_stepped || v->rom.began_inside;
    bool interrupted = exit->kind == CPU_EXIT_KICKED && !visible && v->machine->bios.on &&
                       !v->machine->recorder->in_past(v->machine);
    if (v->rom.inside)
        leave_rom(v);
    if (interrupted)
        finish_handler(v);
    if (interrupted && may_go_back(v, &cs, &ip))
        back_to_int(v, cs, ip);
    if (v->rom.holds && exit->kind == CPU_EXIT_KICKED)
        *exit = v->rom.held;
    v->rom.holds = false;
}
