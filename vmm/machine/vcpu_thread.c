/* The machine's thread: it carries out the owner's commands, and knows what each exit
 * of the engine means for them. See vcpu_thread.h.
 *
 * A quick step is done by the owner's thread itself (machine_step_here()): handing a step
 * over costs two changes of thread, which take longer than most instructions.
 */
#include "vmm/machine/vcpu_thread.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "vmm/machine/emulate_step.h"
#include "vmm/machine/catch.h"
#include "vmm/machine/engines.h"
#include "vmm/machine/hits.h"
#include "vmm/machine/host_input.h"
#include "vmm/machine/recorder.h"
#include "vmm/machine/runaway.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/x86.h"

/* --- at an instruction ------------------------------------------------------------------ */

static uint64_t pc_of(struct machine *m) {
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS);
    return x86_pc(&s->regs, &s->sregs);
}

/* At a breakpoint: does it let the guest pass? */
static bool passes(struct machine *m, struct cpu_exit *exit) {
    if (breakpoint_should_stop(m, exit->address, false, exit))
        return false;
    if (!m->follows)
        emulate_step(m);
    return true;
}

/* Where a person has put the CPU, a breakpoint comes before any interrupt that waits. A
 * single step ignores it. */
static bool begins_at_stop(struct machine *m, enum machine_command command,
                           struct cpu_exit *exit) {
    bool looks = command != COMMAND_STEP && m->breakpoints.count;
    bool here = looks && breakpoints_at(m->cpu.breakpoints, pc_of(m));
    return here && cpu_read(&m->cpu, CPU_MP)->mp.mp_state != KVM_MP_STATE_HALTED &&
           breakpoint_should_stop(m, pc_of(m), false, exit);
}

/* Of a range there are many to do, and most need no KVM. Somebody may follow the guest
 * from a tracepoint on. */
static void step(struct machine *m, enum machine_command command, struct cpu_exit *exit) {
    if (command == COMMAND_RANGE && !m->cpu.step_irqs && emulate_step(m))
        exit->kind = CPU_EXIT_STEPPED;
    else
        m->cpu.engine->step(&m->cpu, exit);
    bool done = exit->kind == CPU_EXIT_STEPPED || exit->kind == CPU_EXIT_WATCHPOINT ||
                exit->kind == CPU_EXIT_DEVICE || exit->kind == CPU_EXIT_EVENT ||
                exit->kind == CPU_EXIT_LIMIT;
    if (!m->follows || !done)
        return;
    m->follows = false;
    for (size_t i = 0; i < m->breakpoints.count; i++)
        if (m->breakpoints.list[i].attached && m->breakpoints.list[i].kind == BP_TRACE && m->stepped)
            m->stepped(m, &m->breakpoints.list[i]);
}

/* A command to run goes by steps while it is followed. */
static bool goes_on_from_step(struct machine *m, enum machine_command command,
                              struct cpu_exit *exit) {
    uint64_t pc = pc_of(m);
    bool running = command == COMMAND_RUN;
    bool inside = command == COMMAND_RANGE && pc >= m->range_start && pc < m->range_end;
    if (breakpoint_should_stop(m, pc, !running && !inside, exit))
        return false;
    if (!machine_interrupted(m))
        return running || inside;
    if (running)
        exit->kind = CPU_EXIT_KICKED;
    return false;
}

/* --- another engine --------------------------------------------------------------------- */

/* On the machine's thread: who interrupts or types meanwhile waits, and then finds the
 * new engine; an interrupt from before, which the old one was told, it is told too. */
static bool change_engine(struct machine *m, enum engine_choice to, char *error, size_t size) {
    pthread_mutex_lock(&m->board.lock);
    pthread_mutex_lock(&m->lock);
    bool done = engines_switch(m, to, error, size) >= 0;
    emulator_invalidate(m);
    if (m->interrupt)
        m->cpu.engine->kick(&m->cpu);
    pthread_mutex_unlock(&m->lock);
    pthread_mutex_unlock(&m->board.lock);
    return done;
}

/* Another engine can go on where this one cannot; if it can't either, `why` says so, too. */
static bool take_over(struct machine *m, char *why, size_t size) {
    char error[192], text[512];
    if (!engines_may_take_over(m))
        return false;
    if (!change_engine(m, ENGINE_SOFT, error, sizeof error)) {
        size_t n = strlen(why);
        snprintf(why + n, size - n, "; %s", error);
        return false;
    }
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS);
    snprintf(m->engine_why, sizeof m->engine_why, "from %04x:%08llx on: %.200s",
             s->sregs.cs.selector, (unsigned long long)s->regs.rip, why);
    snprintf(text, sizeof text, "the built-in CPU takes over at %04x:%08llx: %.300s",
             s->sregs.cs.selector, (unsigned long long)s->regs.rip, why);
    m->owner.message(m->owner.context, m->number, text);
    return true;
}

/* It would be better; without it everything is right, too, but slow or not seen. */
static void prefer_soft(struct machine *m, const char *reason) {
    char why[320];
    snprintf(why, sizeof why, "%s", reason);
    if (!take_over(m, why, sizeof why) && strlen(why) > strlen(reason))
        m->owner.message(m->owner.context, m->number, why);
}

/* The instruction is done; the machine has the chips from here on. */
static bool add_chips(struct machine *m, enum machine_command command, struct cpu_exit *exit) {
    char error[192];
    if (!change_engine(m, ENGINE_KVM, error, sizeof error)) {
        snprintf(exit->text, sizeof exit->text, "no interrupt chips: %.160s", error);
        return false;
    }
    exit->kind = CPU_EXIT_STEPPED;
    return goes_on_from_step(m, command, exit);
}

/* --- exits ------------------------------------------------------------------------------ */

static void explain_halt(struct machine *m, struct cpu_exit *exit) {
    bool enabled = cpu_read(&m->cpu, CPU_REGS)->regs.rflags & FLAG_IF;
    const char *why = !m->irqchip ? "this machine has no interrupts"
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

/* true: not an end of the command, go on with it. */
static bool goes_on(struct machine *m, enum machine_command command, struct cpu_exit *exit) {
    switch (exit->kind) {
    case CPU_EXIT_WAITING:
        return waited(m, exit);
    case CPU_EXIT_KICKED: /* a kick that was meant for an earlier command */
        return !machine_interrupted(m);
    case CPU_EXIT_BREAKPOINT:
        return command == COMMAND_RUN && passes(m, exit);
    case CPU_EXIT_LIMIT:
        return m->recorder->at_limit(m, exit, command == COMMAND_RUN) ||
               (command != COMMAND_RUN && exit->kind == CPU_EXIT_STEPPED && !m->edge &&
                goes_on_from_step(m, command, exit));
    case CPU_EXIT_HALTED:
        explain_halt(m, exit);
        return false;
    case CPU_EXIT_CANNOT:
        return !exit->fatal && take_over(m, exit->text, sizeof exit->text);
    case CPU_EXIT_STEPPED:
        return goes_on_from_step(m, command, exit);
    case CPU_EXIT_DEVICE:
        if (m->wants_irqchip)
            return add_chips(m, command, exit);
        if (m->caught)
            exit->kind = CPU_EXIT_EVENT;
        m->caught = false;
        if (!m->ended)
            snprintf(exit->text, sizeof exit->text, "%s", m->stop_text);
        return false;
    default:
        return false;
    }
}

/* --- commands --------------------------------------------------------------------------- */

/* A CPU after a triple fault executes nothing; only a person who changes its
 * state (or a reset) revives it. */
static bool still_dead(struct machine *m) {
    m->dead &= !(m->cpu.dirty & (CPU_REGS | CPU_SREGS));
    return m->dead;
}

static void run_back(struct machine *m, bool running) {
    struct cpu_exit exit = {0};
    m->recorder->resume_back(m, running, &exit);
    m->stop = (struct machine_stop){.exit = exit, .edge = m->edge};
}

/* The built-in CPU does what this KVM cannot, or not quickly. */
static void choose_engine(struct machine *m) {
    const struct cpu *cpu = &m->cpu;
    if (cpu_can(cpu, ENGINE_LIMITED_BREAKPOINTS) && cpu->engine->strained(&m->cpu))
        prefer_soft(m, "this KVM cannot hold these breakpoints and watchpoints at full speed");
    else if (!cpu_can(cpu, ENGINE_EXACT_EVENTS) && catch_needs_soft(m))
        prefer_soft(m, "it sees every event that is to be caught");
}

static void run_on(struct machine *m, enum machine_command command, struct cpu_exit *exit) {
    struct cpu *cpu = &m->cpu;
    bool running = command == COMMAND_RUN;
    *exit = (struct cpu_exit){0};
    if (begins_at_stop(m, command, exit))
        return;
    if (cpu->engine->freeze && (running || cpu->step_irqs))
        cpu->engine->freeze(cpu, false);
    do {
        *exit = (struct cpu_exit){0};
        m->recorder->before_run(m);
        if (running && !m->follows)
            cpu->ops->run(cpu, exit);
        else
            step(m, command, exit);
    } while (goes_on(m, command, exit));
}

/* Time and breakpoints as they were, for who looks at the machine now. */
static void hold_still(struct machine *m) {
    if (!m->options->debugged)
        return;
    if (m->cpu.engine->freeze)
        m->cpu.engine->freeze(&m->cpu, true);
    breakpoints_copy(&m->last_breakpoints, &m->breakpoints);
}

/* Stops that going on does not lead away from. */
static bool is_standstill(enum cpu_exit_kind kind) {
    return kind == CPU_EXIT_SHUTDOWN || kind == CPU_EXIT_HALTED || kind == CPU_EXIT_CANNOT;
}

static void carry_out(struct machine *m, enum machine_command command) {
    struct cpu *cpu = &m->cpu;
    struct cpu_exit exit;
    enum cpu_exit_kind before = m->stop.exit.kind;
    uint64_t from = is_standstill(before) ? pc_of(m) : 0;
    m->edge = EDGE_NONE;
    emulator_invalidate(m);
    if (command == COMMAND_DO) {
        m->task(m, m->task_context);
        return;
    }
    recorder_offered(m)->begin(m);
    if (command == COMMAND_BACK_STEP || command == COMMAND_BACK_RUN) {
        run_back(m, command == COMMAND_BACK_RUN);
        return;
    }
    if (still_dead(m)) {
        m->stop.stuck = true; /* and what it was */
        return;
    }
    m->ended = false;
    runaway_resume(m, pc_of(m));
    choose_engine(m);
    recorder_offered(m)->begin(m); /* the engine may be another */
    run_on(m, command, &exit);
    m->recorder->stopped(m);
    hold_still(m);
    m->dead = exit.kind == CPU_EXIT_SHUTDOWN;
    if (m->dead && cpu->dirty) /* so that dirty means: changed since */
        cpu->ops->store(cpu, cpu->dirty);
    m->stop = (struct machine_stop){
        .ended = m->ended, .status = m->status, .exit = exit, .edge = m->edge,
        .stuck = is_standstill(exit.kind) && exit.kind == before && pc_of(m) == from};
}

/* --- the thread ------------------------------------------------------------------------- */

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void begin(struct machine *m) {
    if (!m->first_entry_ns)
        m->first_entry_ns = now_ns();
}

/* With the lock held. */
static void end(struct machine *m, enum machine_command command) {
    m->busy = m->interrupt = false;
    input_hurry(&m->board.input, false);
    m->has_stop = command != COMMAND_DO;
    m->task_done |= command == COMMAND_DO;
}

void *thread_main(void *machine) {
    struct machine *m = machine;
    pthread_mutex_lock(&m->lock);
    for (;;) {
        while (m->command == COMMAND_NONE)
            pthread_cond_wait(&m->wake, &m->lock);
        enum machine_command command = m->command;
        m->command = COMMAND_NONE;
        if (command == COMMAND_QUIT)
            break;
        pthread_mutex_unlock(&m->lock);
        begin(m);
        carry_out(m, command);
        pthread_mutex_lock(&m->lock);
        end(m, command);
        pthread_cond_broadcast(&m->wake);
        m->owner.notify(m->owner.context);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/* --- a step on the owner's thread -------------------------------------------------------- */

/* The next instruction waits for no interrupt and no device, and does not repeat. */
static bool is_quick(struct machine *m) {
    static const struct insn_span slow[] = {
        {0x6c, 0x6f}, {0xe4, 0xe7}, {0xec, 0xef}, {0xf4, 0xf4}}; /* INS OUTS IN OUT HLT */
    const struct cpu_state *s = cpu_read(&m->cpu, CPU_REGS | CPU_SREGS | CPU_MP);
    struct insn in;
    insn_read(&m->memory, s, x86_pc(&s->regs, &s->sregs), &in);
    return s->mp.mp_state == KVM_MP_STATE_RUNNABLE && !in.rep &&
           !insn_in_any(&in, slow, sizeof slow / sizeof *slow);
}

/* Conditions, commands and tracepoints print and collect: that is the machine's thread's. */
static bool runs_programs(const struct machine *m) {
    for (size_t i = 0; i < m->breakpoints.count; i++)
        if (m->breakpoints.list[i].attached || m->breakpoints.list[i].kind == BP_TRACE)
            return true;
    return m->follows;
}

/* The machine's thread, which waits for a command, is not woken at the end: nobody but
 * the owner waits for that. */
bool machine_step_here(struct machine *m) {
    bool able = m->cpu.engine->capabilities & ENGINE_ANY_THREAD;
    /* A device may look for input, which it is the owner who brings. */
    if (!able || runs_programs(m) || !is_quick(m) || input_would_wait(&m->board.input))
        return false;
    pthread_mutex_lock(&m->lock);
    m->busy = true;
    m->has_stop = false;
    pthread_mutex_unlock(&m->lock);
    begin(m);
    carry_out(m, COMMAND_STEP);
    pthread_mutex_lock(&m->lock);
    end(m, COMMAND_STEP);
    pthread_mutex_unlock(&m->lock);
    return true;
}
