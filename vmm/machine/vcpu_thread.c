/* The machine's thread: it carries out the owner's commands, and knows what each exit
 * of the engine means for them. See vcpu_thread.h.
 *
 * A quick step is done by the owner's thread itself (machine_step_here()): handing a step
 * over costs two changes of thread, which take longer than most instructions.
 */
#include "vmm/machine/vcpu_thread.h"

#include <stdio.h>
#include <string.h>

#include "vmm/base/invariant.h"
#include "vmm/base/monotonic.h"
#include "vmm/machine/catch.h"
#include "vmm/machine/emulate_step.h"
#include "vmm/machine/engines.h"
#include "vmm/machine/hits.h"
#include "vmm/machine/host_input.h"
#include "vmm/machine/recorder.h"
#include "vmm/machine/rom_step.h"
#include "vmm/machine/runaway.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/x86.h"

/* --- at an instruction ------------------------------------------------------------------ */

static uint64_t vcpu_pc(struct vcpu *v) {
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    return x86_pc(&s->regs, &s->sregs);
}

/* At a breakpoint: does it let the guest pass? */
static bool passes(struct vcpu *v, struct cpu_exit *exit) {
    if (breakpoint_should_stop(v, exit->address, false, exit))
        return false;
    if (!v->follows)
        emulate_step(v);
    return true;
}

/* Where a person has put the CPU, a breakpoint is reported before a pending interrupt is taken.
 * A single step ignores it. */
static bool begins_at_stop(struct vcpu *v, enum machine_command command, struct cpu_exit *exit) {
    bool looks = command != COMMAND_STEP && v->machine->breakpoints.count;
    bool here = looks && breakpoints_at(v->cpu.breakpoints, vcpu_pc(v));
    return here && cpu_read(&v->cpu, CPU_MP)->mp.mp_state != KVM_MP_STATE_HALTED &&
           breakpoint_should_stop(v, vcpu_pc(v), false, exit);
}

/* A tracepoint was passed, and collects what the instruction after it has done. */
static void serve_tracepoints(struct vcpu *v) {
    struct machine *m = v->machine;
    v->follows = false;
    for (size_t i = 0; m->hooks.stepped && i < m->breakpoints.count; i++) {
        const struct breakpoint *p = &m->breakpoints.list[i];
        if (p->attached && p->kind == BP_TRACE)
            m->hooks.stepped(v, p);
    }
}

/* A range step executes many instructions; those that do not need KVM are emulated. */
static void step(struct vcpu *v, enum machine_command command, struct cpu_exit *exit) {
    if (v->rom.inside)
        rom_step_one(v, exit);
    else if (command == COMMAND_RANGE && !v->cpu.step_irqs && emulate_step(v))
        exit->kind = CPU_EXIT_STEPPED;
    else
        v->cpu.engine->step(&v->cpu, exit);
    bool done = exit->kind == CPU_EXIT_STEPPED || exit->kind == CPU_EXIT_WATCHPOINT ||
                exit->kind == CPU_EXIT_DEVICE || exit->kind == CPU_EXIT_EVENT ||
                exit->kind == CPU_EXIT_LIMIT;
    if (v->follows && done)
        serve_tracepoints(v);
}

/* After a step. A command to run goes by steps, too, while a tracepoint follows the guest. */
static bool goes_on_from_step(struct vcpu *v, enum machine_command command,
                              struct cpu_exit *exit) {
    uint64_t pc = vcpu_pc(v);
    bool running = command == COMMAND_RUN;
    bool inside = command == COMMAND_RANGE && pc >= v->range_start && pc < v->range_end;
    if (breakpoint_should_stop(v, pc, !running && !inside, exit))
        return false;
    if (!machine_interrupted(v->machine))
        return running || inside;
    if (running)
        exit->kind = CPU_EXIT_KICKED;
    return false;
}

/* The same, where a step over the BIOS may have more to do. */
static bool goes_on_after(struct vcpu *v, enum machine_command command, struct cpu_exit *exit) {
    enum rom_step at = v->follows ? ROM_STEP_OUTSIDE : rom_step(v, exit);
    bool stop = exit->kind == CPU_EXIT_WATCHPOINT || exit->kind == CPU_EXIT_EVENT;
    if (at == ROM_STEP_LEFT || (at == ROM_STEP_OUTSIDE && stop))
        return false;
    if (at == ROM_STEP_OUTSIDE)
        return goes_on_from_step(v, command, exit);
    if (breakpoint_should_stop(v, vcpu_pc(v), false, exit))
        return false;
    if (machine_interrupted(v->machine))
        exit->kind = CPU_EXIT_KICKED;
    return exit->kind != CPU_EXIT_KICKED;
}

/* --- another engine --------------------------------------------------------------------- */

/* Where another engine has gone on, and why; `told` to whoever sits there, too. */
static void note_engine(struct vcpu *v, const char *what, const char *why, bool told) {
    struct machine *m = v->machine;
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS);
    char text[512];
    snprintf(m->engine_why, sizeof m->engine_why, "from %04x:%08llx on: %.200s",
             s->sregs.cs.selector, (unsigned long long)s->regs.rip, why);
    snprintf(text, sizeof text, "%s at %04x:%08llx: %.300s", what, s->sregs.cs.selector,
             (unsigned long long)s->regs.rip, why);
    if (told)
        m->owner.message(m->owner.context, m->number, text);
}

/* The built-in CPU goes on where KVM cannot. If it cannot either, `why` says so, too. */
static bool take_over(struct vcpu *v, char *why, size_t size, bool told) {
    char error[192];
    if (!engines_may_take_over(v->machine))
        return false;
    if (!engines_change(v->machine, ENGINE_SOFT, error, sizeof error)) {
        size_t n = strlen(why);
        snprintf(why + n, size - n, "; %s", error);
        return false;
    }
    note_engine(v, "the built-in CPU takes over", why, told);
    return true;
}

/* The built-in CPU would do better. If it cannot take over, the machine goes on with KVM: more
 * slowly, or without seeing every event. */
static void prefer_soft(struct vcpu *v, const char *reason) {
    struct machine *m = v->machine;
    char why[320];
    snprintf(why, sizeof why, "%s", reason);
    if (!take_over(v, why, sizeof why, true) && strlen(why) > strlen(reason))
        m->owner.message(m->owner.context, m->number, why);
}

/* It is only quicker so, and nothing else is different: told with --verbose alone, as is which
 * engine begins. */
static void move_for_speed(struct vcpu *v, char *why, size_t size) {
    struct machine *m = v->machine;
    m->moved_for_speed = take_over(v, why, size, m->options->verbose);
}

/* It was moved for speed, and needs what only KVM has. */
static bool give_back(struct vcpu *v, const struct cpu_exit *exit) {
    struct machine *m = v->machine;
    char error[192];
    if (!m->moved_for_speed || m->recorder->in_past(m))
        return false;
    m->moved_for_speed = false;
    if (!engines_change(m, ENGINE_KVM, error, sizeof error))
        return false;
    note_engine(v, "KVM goes on", exit->text, m->options->verbose);
    return true;
}

/* The guest has just programmed an interrupt chip for the first time: KVM is made anew with
 * chips of its own, behind that instruction. */
static bool add_irqchip(struct vcpu *v, enum machine_command command, struct cpu_exit *exit) {
    char error[192];
    if (!engines_change(v->machine, ENGINE_KVM, error, sizeof error)) {
        snprintf(exit->text, sizeof exit->text, "no interrupt chips: %.160s", error);
        return false;
    }
    exit->kind = CPU_EXIT_STEPPED;
    return goes_on_after(v, command, exit);
}

/* --- exits ------------------------------------------------------------------------------ */

static void explain_halt(struct vcpu *v, struct cpu_exit *exit) {
    bool enabled = cpu_read(&v->cpu, CPU_REGS)->regs.rflags & FLAG_IF;
    const char *why = !v->machine->irqchip ? "this machine has no interrupts"
                      : enabled ? "no interrupt that could come is enabled in the PIC"
                                : "interrupts are off (IF = 0)";
    snprintf(exit->text, sizeof exit->text,
             "halted, and nothing can wake it: %s (monitor wake does)", why);
}

/* An IN waits for input, which in a recorded run comes at a tick of its own. */
static bool waited(struct machine *m, struct cpu_exit *exit) {
    bool goes_on = m->recorder->in_past(m) || host_input_wait(m);
    if (goes_on)
        m->recorder->wait(m);
    else
        exit->kind = CPU_EXIT_KICKED;
    return goes_on;
}

static bool at_limit(struct vcpu *v, enum machine_command command, struct cpu_exit *exit) {
    bool running = command == COMMAND_RUN;
    if (v->machine->recorder->at_limit(v->machine, exit, running))
        return true;
    return !running && exit->kind == CPU_EXIT_STEPPED && !v->edge &&
           goes_on_after(v, command, exit);
}

/* A device wanted the machine to stop behind the access. */
static bool at_device(struct vcpu *v, enum machine_command command, struct cpu_exit *exit) {
    if (v->machine->wants_irqchip)
        return add_irqchip(v, command, exit);
    if (v->caught)
        exit->kind = CPU_EXIT_EVENT;
    v->caught = false;
    if (!v->ended)
        snprintf(exit->text, sizeof exit->text, "%s", v->stop_text);
    return exit->kind == CPU_EXIT_EVENT && goes_on_after(v, command, exit);
}

/* true: the command is not at its end. */
static bool goes_on(struct vcpu *v, enum machine_command command, struct cpu_exit *exit) {
    switch (exit->kind) {
    case CPU_EXIT_WAITING:
        return !v->machine->run.on_owner && waited(v->machine, exit);
    case CPU_EXIT_KICKED: /* a kick that was meant for an earlier command */
        return !machine_interrupted(v->machine);
    case CPU_EXIT_BREAKPOINT:
        return command == COMMAND_RUN && passes(v, exit);
    case CPU_EXIT_LIMIT:
        return at_limit(v, command, exit);
    case CPU_EXIT_HALTED:
        explain_halt(v, exit);
        return false;
    case CPU_EXIT_CANNOT:
        return give_back(v, exit) || (!exit->fatal && take_over(v, exit->text, sizeof exit->text, true));
    case CPU_EXIT_SLOW:
        move_for_speed(v, exit->text, sizeof exit->text);
        return true;
    case CPU_EXIT_STEPPED:
    case CPU_EXIT_WATCHPOINT:
        return goes_on_after(v, command, exit);
    case CPU_EXIT_DEVICE:
        return at_device(v, command, exit);
    default:
        return false;
    }
}

/* --- commands --------------------------------------------------------------------------- */

/* A CPU after a triple fault executes nothing; only a person who changes its
 * state (or a reset) revives it. */
static bool still_dead(struct vcpu *v) {
    v->dead &= !(v->cpu.dirty & (CPU_REGS | CPU_SREGS));
    return v->dead;
}

static void run_backward(struct vcpu *v, bool running) {
    struct cpu_exit exit = {0};
    v->machine->recorder->resume_back(v->machine, running, &exit);
    v->stop = (struct machine_stop){.exit = exit, .edge = v->edge};
}

/* The built-in CPU does what this KVM cannot, or not quickly. */
static void choose_engine(struct vcpu *v) {
    struct cpu *cpu = &v->cpu;
    if (cpu_can(cpu, ENGINE_LIMITED_BREAKPOINTS) && cpu->engine->strained(cpu))
        prefer_soft(v, "this KVM cannot hold these breakpoints and watchpoints at full speed");
    else if (!cpu_can(cpu, ENGINE_EXACT_EVENTS) && catch_needs_soft(v))
        prefer_soft(v, "it sees every event that is to be caught");
}

static void run_until_exit(struct vcpu *v, enum machine_command command, struct cpu_exit *exit) {
    struct cpu *cpu = &v->cpu;
    bool running = command == COMMAND_RUN;
    *exit = (struct cpu_exit){0};
    rom_step_begin(v);
    if (begins_at_stop(v, command, exit))
        return;
    if (cpu->engine->freeze && (running || cpu->step_irqs))
        cpu->engine->freeze(cpu, false);
    do {
        *exit = (struct cpu_exit){0};
        v->machine->recorder->before_run(v->machine);
        if (running && !v->follows && !v->rom.inside)
            cpu->ops->run(cpu, exit);
        else
            step(v, command, exit);
    } while (goes_on(v, command, exit));
    rom_step_end(v, exit);
}

/* While somebody looks at the machine, time stands still and the breakpoints are known. */
static void hold_still(struct vcpu *v) {
    struct machine *m = v->machine;
    if (!m->options->debugged)
        return;
    if (v->cpu.engine->freeze)
        v->cpu.engine->freeze(&v->cpu, true);
    breakpoints_copy(&m->last_breakpoints, &m->breakpoints);
}

/* Stops at which a resume executes nothing. */
static bool is_standstill(enum cpu_exit_kind kind) {
    return kind == CPU_EXIT_SHUTDOWN || kind == CPU_EXIT_HALTED || kind == CPU_EXIT_CANNOT;
}

static void run_forward(struct vcpu *v, enum machine_command command) {
    struct machine *m = v->machine;
    struct cpu_exit exit;
    enum cpu_exit_kind before = v->stop.exit.kind;
    uint64_t from = is_standstill(before) ? vcpu_pc(v) : 0;
    if (still_dead(v)) {
        v->stop.stuck = true; /* the stop is what it was */
        return;
    }
    v->ended = false;
    runaway_resume(m, vcpu_pc(v));
    choose_engine(v);
    recorder_offered(m)->begin(m); /* the engine may be another */
    run_until_exit(v, command, &exit);
    m->recorder->stopped(m);
    hold_still(v);
    v->dead = exit.kind == CPU_EXIT_SHUTDOWN;
    if (v->dead && v->cpu.dirty) /* what is dirty afterwards was changed by a person */
        v->cpu.ops->store(&v->cpu, v->cpu.dirty);
    v->stop = (struct machine_stop){
        .ended = v->ended, .status = v->status, .exit = exit, .edge = v->edge,
        .stuck = is_standstill(exit.kind) && exit.kind == before && vcpu_pc(v) == from};
}

static void carry_out(struct vcpu *v, enum machine_command command) {
    struct machine *m = v->machine;
    v->edge = EDGE_NONE;
    emulator_invalidate(v);
    if (command == COMMAND_DO) {
        m->run.task(m, m->run.task_context);
        return;
    }
    recorder_offered(m)->begin(m);
    if (command == COMMAND_BACK_STEP || command == COMMAND_BACK_RUN)
        run_backward(v, command == COMMAND_BACK_RUN);
    else
        run_forward(v, command);
}

/* --- the thread ------------------------------------------------------------------------- */

static void start_command(struct machine *m) {
    if (!m->first_entry_ns)
        m->first_entry_ns = monotonic_ns();
}

static void finish_command(struct machine *m, enum machine_command command) {
    INVARIANT(lock_is_held(&m->run.lock) && m->run.busy);
    m->run.busy = m->run.interrupt = m->run.in_past = false;
    input_hurry(&m->board.input, false);
    m->run.has_stop = command != COMMAND_DO;
    m->run.task_done |= command == COMMAND_DO;
}

/* The lock is held before and after, not meanwhile. */
static void do_command(struct vcpu *v, enum machine_command command) {
    struct machine *m = v->machine;
    INVARIANT(v->cpu.engine && m->run.busy);
    lock_release(&m->run.lock);
    start_command(m);
    carry_out(v, command);
    lock_take(&m->run.lock);
    finish_command(m, command);
}

void *vcpu_thread(void *vcpu) {
    struct vcpu *v = vcpu;
    struct machine *m = v->machine;
    struct run_control *run = &m->run;
    lock_take(&run->lock);
    for (;;) {
        while (run->command == COMMAND_NONE)
            lock_wait(&run->lock, &run->wake);
        enum machine_command command = run->command;
        run->command = COMMAND_NONE;
        if (command == COMMAND_QUIT)
            break;
        do_command(v, command);
        pthread_cond_broadcast(&run->wake);
        m->owner.notify(m->owner.context);
    }
    lock_release(&run->lock);
    return NULL;
}

/* --- a step on the owner's thread -------------------------------------------------------- */

static bool goes_far(const struct insn *in) {
    unsigned which = insn_modrm(in) >> 3 & 7;
    return in->opcode == 0xff && (which == 3 || which == 5);
}

/* The next instruction waits for no interrupt and no device, calls no BIOS, and does not repeat. */
static bool is_quick(struct vcpu *v) {
    static const struct insn_span slow[] = {
        {0x6c, 0x6f}, {0xe4, 0xe7}, {0xec, 0xef}, {0xf4, 0xf4},  /* INS OUTS IN OUT HLT */
        {0x9a, 0x9a}, {0xca, 0xcf}, {0xea, 0xea}};               /* to the BIOS: INT, far ways */
    const struct cpu_state *s = cpu_read(&v->cpu, CPU_REGS | CPU_SREGS | CPU_MP);
    struct insn in;
    insn_read(v->cpu.memory, s, x86_pc(&s->regs, &s->sregs), &in);
    return s->mp.mp_state == KVM_MP_STATE_RUNNABLE && !in.rep && !goes_far(&in) && !rom_step_in_rom(v) &&
           !insn_in_any(&in, slow, sizeof slow / sizeof *slow);
}

/* Conditions, commands and tracepoints print and collect, which only the machine's thread may
 * do. */
static bool runs_programs(const struct vcpu *v) {
    const struct breakpoints *b = &v->machine->breakpoints;
    for (size_t i = 0; i < b->count; i++)
        if (b->list[i].attached || b->list[i].kind == BP_TRACE)
            return true;
    return v->follows;
}

/* The machine's thread, which waits for a command, is not woken at the end: only the owner waits for
 * that. */
bool machine_step_here(struct machine *m) {
    struct vcpu *v = boot_vcpu(m);
    bool able = cpu_can(&v->cpu, ENGINE_ANY_THREAD);
    /* A device may wait for input, and it is this thread that brings it. */
    if (!able || runs_programs(v) || !is_quick(v) || input_would_wait(&m->board.input))
        return false;
    lock_take(&m->run.lock);
    m->run.busy = true;
    m->run.has_stop = false;
    m->run.on_owner = true;
    do_command(v, COMMAND_STEP);
    m->run.on_owner = false;
    /* A device was not ready, and the instruction has not begun: the machine's thread waits. */
    bool done = m->run.has_stop = v->stop.exit.kind != CPU_EXIT_WAITING;
    lock_release(&m->run.lock);
    return done;
}
