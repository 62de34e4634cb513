/* Going to a tick of a machine's history; see seek.h, and reverse.h for reverse_goto() and its kin. */
#include "vmm/replay/seek.h"

#include <stdio.h>

#include "vmm/cpu/engine.h"
#include "vmm/replay/reverse.h"
#include "vmm/replay/snapshot.h"

struct debug_state seek_begin(struct machine *m, bool keep) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct debug_state saved = {cpu->breakpoints, cpu->catch, m->history->seeking};
    struct history *h = m->history;
    h->seeking = true;
    if (!keep) {
        cpu->breakpoints = &h->breakpoints;
        cpu->catch = (struct cpu_catch){0};
    }
    return saved;
}

void seek_end(struct machine *m, const struct debug_state *saved) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    cpu->breakpoints = saved->breakpoints;
    cpu->catch = saved->catch;
    cpu->limit = 0;
    m->history->seeking = saved->seeking;
    history_vcpu(m)->caught = history_vcpu(m)->ended = false;
    cpu_arrives(cpu);
}

/* The interrupt has been obeyed; the way back must not be interrupted, too. */
void seek_forget_interrupt(struct machine *m) {
    lock_take(&m->run.lock);
    m->run.interrupt = false;
    lock_release(&m->run.lock);
}

/* It had to wait for input in the past, too. */
static bool waits_in_past(struct machine *m, const struct cpu_exit *exit) {
    if (exit->kind != CPU_EXIT_WAITING || !history_in_past(m))
        return false;
    history_wait(m);
    return true;
}

/* Runs until something stops the search; CPU_EXIT_LIMIT: at `until`. */
enum cpu_exit_kind seek_run_until(struct machine *m, uint64_t until, struct cpu_exit *exit) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    do {
        *exit = (struct cpu_exit){0};
        cpu->limit = until;
        cpu->ops->run(cpu, exit);
        if (exit->kind == CPU_EXIT_KICKED && machine_interrupted(m))
            return CPU_EXIT_KICKED;
        if (exit->kind == CPU_EXIT_DEVICE && history_vcpu(m)->caught) {
            exit->kind = CPU_EXIT_EVENT;
            snprintf(exit->text, sizeof exit->text, "%s", history_vcpu(m)->stop_text);
        }
        history_vcpu(m)->caught = false;
    } while (exit->kind == CPU_EXIT_KICKED || exit->kind == CPU_EXIT_DEVICE ||
             waits_in_past(m, exit));
    return exit->kind;
}

static void note_reached(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    if (cpu->ticks > m->history->output_high_water)
        m->history->output_high_water = cpu->ticks;
}

bool seek_is_halted(struct machine *m) {
    return cpu_read(&history_vcpu(m)->cpu, CPU_MP)->mp.mp_state == KVM_MP_STATE_HALTED;
}

/* Between seek_begin() and seek_end(): forward from list[n], or from here if that is ahead. */
static bool seek_from(struct machine *m, size_t n, uint64_t ticks) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    struct cpu_exit exit;
    bool ahead = h->base == n && cpu->ticks <= ticks && cpu->ticks > h->list[n]->ticks;
    if (!ahead)
        snapshot_load(m, n);
    h->target = ticks;
    while (cpu->ticks < ticks && seek_run_until(m, ticks, &exit) != CPU_EXIT_LIMIT)
        if (exit.kind == CPU_EXIT_KICKED)
            return false;
        else if (exit.kind != CPU_EXIT_EVENT)
            break; /* dead, or halted for good: it goes no further */
    note_reached(m);
    return true;
}

/* The last snapshot that stands at an instruction boundary. */
static size_t last_whole(const struct history *h, uint64_t ticks) {
    size_t n = snapshot_before(h, ticks);
    while (n && h->list[n]->mid_rep)
        n--;
    return n;
}

/* The present is restored exactly, even amid a repeated instruction; anything else is an
 * instruction boundary. */
bool seek_tick(struct machine *m, uint64_t ticks) {
    struct history *h = m->history;
    size_t n = snapshot_before(h, ticks);
    bool present = ticks == h->end && h->list[n]->ticks == ticks;
    return seek_from(m, present ? n : last_whole(h, ticks), ticks);
}

/* To the first moment with so many instructions done: a hlt may go on for a while. */
bool seek_count(struct machine *m, uint64_t count) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    size_t n = snapshot_before_count(h, count);
    if (!seek_from(m, n, h->list[n]->ticks))
        return false;
    while (cpu_icount(cpu) < count && cpu->ticks < h->end) {
        uint64_t from = cpu->ticks, to = count + cpu->slept;
        if (!seek_from(m, h->base, to < h->end ? to : h->end))
            return false;
        if (cpu->ticks == from)
            break; /* dead, or halted for good */
    }
    return seek_tick(m, cpu->ticks); /* as a person left it there */
}

/* A machine that a watchpoint stopped amid a repeated instruction has the same count there as
 * at the beginning of that piece of it. This goes to the beginning. */
bool seek_piece(struct machine *m, uint64_t ticks) {
    size_t n = last_whole(m->history, ticks);
    if (history_vcpu(m)->cpu.ticks == ticks)
        snapshot_load(m, n);
    return seek_from(m, n, ticks);
}

/* Before the present is left: a snapshot of it, for the way back. */
void seek_keep_present(struct machine *m) {
    struct history *h = m->history;
    if (history_in_past(m))
        return;
    const struct snapshot *s = h->list[h->base];
    bool kept = s->pinned && s->ticks == history_vcpu(m)->cpu.ticks;
    if (!kept)
        snapshot_take(m, true);
    history_note_present(m);
}

bool seek_quietly(struct machine *m, uint64_t ticks) {
    struct debug_state saved = seek_begin(m, false);
    bool came = seek_tick(m, ticks);
    seek_end(m, &saved);
    return came;
}

/* If the seek was interrupted, the machine goes back to where it came from. */
static bool arrived_or_back(struct machine *m, bool came, uint64_t from, struct cpu_arrival here) {
    if (came)
        return true;
    seek_forget_interrupt(m);
    seek_quietly(m, from);
    history_vcpu(m)->cpu.arrival = here;
    return false;
}

bool reverse_goto(struct machine *m, uint64_t ticks) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    uint64_t from = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    seek_keep_present(m);
    if (ticks > h->end)
        ticks = h->end;
    if (ticks < h->list[0]->ticks)
        ticks = h->list[0]->ticks;
    return arrived_or_back(m, seek_quietly(m, ticks), from, here);
}

bool reverse_goto_count(struct machine *m, uint64_t count) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    uint64_t from = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    seek_keep_present(m);
    struct debug_state saved = seek_begin(m, false);
    bool came = seek_count(m, count);
    seek_end(m, &saved);
    return arrived_or_back(m, came, from, here);
}

bool reverse_look_at_start(struct machine *m, uint64_t (*look)(struct machine *), uint64_t *answer) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    if (history_in_past(m))
        snapshot_take(m, false);
    else
        seek_keep_present(m);
    struct cpu_arrival arrival = cpu->arrival;
    struct snapshot *here = h->list[h->base];
    if (here->ticks != cpu->ticks)
        return false;
    snapshot_load(m, 0);
    *answer = look(m);
    for (size_t n = 0; n < h->count; n++)
        if (h->list[n] == here)
            snapshot_load(m, n);
    cpu->arrival = arrival;
    return true;
}
