/* Going through a machine's history; see reverse.h. */
#include "vmm/replay/reverse.h"

#include <stdio.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/machine/hits.h"
#include "vmm/machine/rom_step.h"
#include "vmm/replay/past_watch.h"
#include "vmm/replay/rom_back.h"
#include "vmm/replay/snapshot.h"
#include "vmm/x86/x86.h"

/* What the machine stops at, saved while a search stops at its own. */
struct debug_state {
    struct breakpoints *breakpoints;
    struct cpu_catch catch;
    bool seeking; /* already: this seek is part of another */
};

static struct debug_state seek_begin(struct machine *m, bool keep) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct debug_state saved = {cpu->breakpoints, cpu->catch, m->history->seeking};
    struct history *h = m->history;
    h->seeking = true;
    if (!keep) {
        cpu->breakpoints = &h->breakpoints;
        cpu->catch = (struct cpu_catch){0};
    }
    return saved;
}

static void seek_end(struct machine *m, const struct debug_state *saved) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    cpu->breakpoints = saved->breakpoints;
    cpu->catch = saved->catch;
    cpu->limit = 0;
    m->history->seeking = saved->seeking;
    m->vcpu[0].caught = m->vcpu[0].ended = false;
    cpu_arrives(cpu);
}

/* The interrupt has been obeyed; the way back must not be interrupted, too. */
static void forget_interrupt(struct machine *m) {
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
static enum cpu_exit_kind run_until(struct machine *m, uint64_t until, struct cpu_exit *exit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    do {
        *exit = (struct cpu_exit){0};
        cpu->limit = until;
        cpu->ops->run(cpu, exit);
        if (exit->kind == CPU_EXIT_KICKED && machine_interrupted(m))
            return CPU_EXIT_KICKED;
        if (exit->kind == CPU_EXIT_DEVICE && m->vcpu[0].caught)
            exit->kind = CPU_EXIT_EVENT;
        m->vcpu[0].caught = false;
    } while (exit->kind == CPU_EXIT_KICKED || exit->kind == CPU_EXIT_DEVICE ||
             waits_in_past(m, exit));
    return exit->kind;
}

static void note_reached(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    if (cpu->ticks > m->history->output_high_water)
        m->history->output_high_water = cpu->ticks;
}

static bool is_halted(struct machine *m) {
    return cpu_read(&m->vcpu[0].cpu, CPU_MP)->mp.mp_state == KVM_MP_STATE_HALTED;
}

/* Between seek_begin() and seek_end(): forward from list[n], or from here if that is ahead. */
static bool seek_from(struct machine *m, size_t n, uint64_t ticks) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    struct cpu_exit exit;
    bool ahead = h->base == n && cpu->ticks <= ticks && cpu->ticks > h->list[n]->ticks;
    if (!ahead)
        snapshot_load(m, n);
    h->target = ticks;
    while (cpu->ticks < ticks && run_until(m, ticks, &exit) != CPU_EXIT_LIMIT)
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
static bool seek_tick(struct machine *m, uint64_t ticks) {
    struct history *h = m->history;
    size_t n = snapshot_before(h, ticks);
    bool present = ticks == h->end && h->list[n]->ticks == ticks;
    return seek_from(m, present ? n : last_whole(h, ticks), ticks);
}

/* To the first moment with so many instructions done: a hlt may go on for a while. */
static bool seek_count(struct machine *m, uint64_t count) {
    struct cpu *cpu = &m->vcpu[0].cpu;
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
static bool seek_piece(struct machine *m, uint64_t ticks) {
    size_t n = last_whole(m->history, ticks);
    if (m->vcpu[0].cpu.ticks == ticks)
        snapshot_load(m, n);
    return seek_from(m, n, ticks);
}

/* Before the present is left: a snapshot of it, for the way back. */
static void keep_present(struct machine *m) {
    struct history *h = m->history;
    if (history_in_past(m))
        return;
    const struct snapshot *s = h->list[h->base];
    bool kept = s->pinned && s->ticks == m->vcpu[0].cpu.ticks;
    if (!kept)
        snapshot_take(m, true);
    history_note_present(m);
}

static bool seek_quietly(struct machine *m, uint64_t ticks) {
    struct debug_state saved = seek_begin(m, false);
    bool came = seek_tick(m, ticks);
    seek_end(m, &saved);
    return came;
}

/* If the seek was interrupted, the machine goes back to where it came from. */
static bool arrived_or_back(struct machine *m, bool came, uint64_t from, struct cpu_arrival here) {
    if (came)
        return true;
    forget_interrupt(m);
    seek_quietly(m, from);
    m->vcpu[0].cpu.arrival = here;
    return false;
}

bool reverse_goto(struct machine *m, uint64_t ticks) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    uint64_t from = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    keep_present(m);
    if (ticks > h->end)
        ticks = h->end;
    if (ticks < h->list[0]->ticks)
        ticks = h->list[0]->ticks;
    return arrived_or_back(m, seek_quietly(m, ticks), from, here);
}

bool reverse_goto_count(struct machine *m, uint64_t count) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t from = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    keep_present(m);
    struct debug_state saved = seek_begin(m, false);
    bool came = seek_count(m, count);
    seek_end(m, &saved);
    return arrived_or_back(m, came, from, here);
}

bool reverse_look_at_start(struct machine *m, uint64_t (*look)(struct machine *), uint64_t *answer) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    if (history_in_past(m))
        snapshot_take(m, false);
    else
        keep_present(m);
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

/* --- one step back ------------------------------------------------------------------------ */

/* To the tick before the last instruction, however long the CPU waited since. */
static bool seek_one_back(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t count = cpu_icount(cpu), start = m->history->list[0]->ticks;
    if (!seek_tick(m, cpu->ticks - 1))
        return false;
    if (cpu_icount(cpu) < count)
        return true;
    return seek_count(m, count) && (cpu->ticks == start || seek_tick(m, cpu->ticks - 1));
}

/* From within a hlt or a repeated instruction to where it begins. */
static void seek_beginning(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    while (cpu->ticks > m->history->list[0]->ticks && (cpu->mid_rep || is_halted(m)))
        if (!seek_one_back(m))
            return;
}

static bool seek_piece_quietly(struct machine *m, uint64_t ticks) {
    struct debug_state saved = seek_begin(m, false);
    bool came = seek_piece(m, ticks);
    seek_end(m, &saved);
    return came;
}

/* Does the instruction ahead set off a watchpoint? The machine is moved on by it. */
static bool sets_off_watch(struct machine *m, struct cpu_exit *exit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct debug_state saved = seek_begin(m, true);
    *exit = (struct cpu_exit){0};
    cpu->engine->step(cpu, exit);
    seek_end(m, &saved);
    return exit->kind == CPU_EXIT_WATCHPOINT;
}

/* The same up to a tick: a service of the BIOS is several instructions. */
static bool sets_off_watch_until(struct machine *m, uint64_t until, struct cpu_exit *exit) {
    struct debug_state saved = seek_begin(m, true);
    while (run_until(m, until, exit) == CPU_EXIT_BREAKPOINT) /* it is passed */
        m->vcpu[0].cpu.arrival = (struct cpu_arrival){ARRIVAL_DONE, exit->address};
    seek_end(m, &saved);
    return exit->kind == CPU_EXIT_WATCHPOINT;
}

static bool seek_rom_caller(struct machine *m) {
    struct debug_state saved = seek_begin(m, false);
    bool came = rom_back_out(m, seek_one_back);
    seek_end(m, &saved);
    return came;
}

/* gdb compares values at a watchpoint, so a step back that undoes a hit reports it, too. */
static void tell_undone_watch(struct machine *m, uint64_t now, bool over_rom, struct cpu_exit *exit) {
    struct cpu_exit hit;
    uint64_t at = m->vcpu[0].cpu.ticks;
    if (!breakpoints_any_watch(&m->breakpoints))
        return;
    if (over_rom ? sets_off_watch_until(m, now, &hit) : sets_off_watch(m, &hit))
        *exit = hit;
    seek_piece_quietly(m, at);
}

/* The last instruction boundary before `now`, a step at a time from where it is. */
static void step_back(struct machine *m, struct cpu_exit *exit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t now = cpu->ticks;
    bool mid_rep = cpu->mid_rep, in_rom = rom_step_in_rom(&m->vcpu[0]), over_rom = false;
    struct debug_state saved = seek_begin(m, false);
    if (mid_rep ? seek_piece(m, now) : seek_one_back(m))
        seek_beginning(m);
    seek_end(m, &saved);
    if (!in_rom && rom_step_in_rom(&m->vcpu[0]) && !m->rom_is_stepped)
        over_rom = seek_rom_caller(m);
    tell_undone_watch(m, now, over_rom, exit);
}

/* --- back to a stop ------------------------------------------------------------------------- */

struct hit {
    bool found;
    uint64_t at; /* the tick to stop at */
    struct cpu_exit exit;
    enum cpu_access_by by; /* of a watchpoint */
};

static bool stops_here(struct machine *m, struct hit *hit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    struct cpu_exit exit;
    uint64_t pc = x86_pc(&s->regs, &s->sregs);
    if (is_halted(m) || !breakpoint_should_stop(&m->vcpu[0], pc, false, &exit))
        return false;
    *hit = (struct hit){.found = true, .at = cpu->ticks, .exit = exit};
    return true;
}

static void note_hit(struct machine *m, const struct cpu_exit *exit, uint64_t before, struct hit *hit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    bool watch = exit->kind == CPU_EXIT_WATCHPOINT;
    uint64_t at = watch ? cpu->watch_icount : cpu->ticks;
    if (at >= before)
        return;
    if (exit->kind == CPU_EXIT_BREAKPOINT)
        stops_here(m, hit);
    else if (watch || exit->kind == CPU_EXIT_EVENT)
        *hit = (struct hit){true, at, *exit, cpu->watched_by};
}

/* All of list[n] up to a count; the last hit before that. false: interrupted. */
static bool search_segment(struct machine *m, size_t n, uint64_t before, struct hit *hit) {
    struct cpu_exit exit;
    snapshot_load(m, n);
    m->history->target = 0;
    stops_here(m, hit);
    while (m->vcpu[0].cpu.ticks < before) {
        enum cpu_exit_kind kind = run_until(m, before, &exit);
        if (kind == CPU_EXIT_KICKED)
            return false;
        if (kind == CPU_EXIT_LIMIT || kind == CPU_EXIT_SHUTDOWN || kind == CPU_EXIT_CANNOT ||
            kind == CPU_EXIT_HALTED || kind == CPU_EXIT_WAITING)
            break;
        note_hit(m, &exit, before, hit);
    }
    return true;
}

/* Amid a repeated instruction that a watchpoint has stopped, some of what is undone
 * first is of that instruction itself. */
static void search_piece(struct machine *m, uint64_t now, struct hit *hit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct cpu_exit exit;
    *hit = (struct hit){0};
    if (!cpu->mid_rep || !seek_piece_quietly(m, now) || cpu->mid_rep)
        return;
    stops_here(m, hit);
    if (breakpoints_any_watch(cpu->breakpoints) && sets_off_watch(m, &exit))
        *hit = (struct hit){true, now, exit, cpu->watched_by};
}

/* The run from list[n] ends at the next snapshot. */
static uint64_t segment_end(const struct history *h, size_t n, uint64_t now) {
    do
        n++;
    while (n < h->count && h->list[n]->mid_rep);
    return n < h->count && h->list[n]->ticks < now ? h->list[n]->ticks : now;
}

/* From `now` on backwards. false: interrupted. */
static bool search_history(struct machine *m, uint64_t now, struct hit *hit) {
    struct history *h = m->history;
    search_piece(m, now, hit);
    for (size_t n = snapshot_before(h, now) + 1; n-- > 0 && !hit->found;) {
        if (h->list[n]->ticks >= now || h->list[n]->mid_rep)
            continue;
        uint64_t end = segment_end(h, n, now);
        /* A watchpoint at the last instruction is seen at its end, which is `end`. */
        if (!search_segment(m, n, end, hit))
            return false;
    }
    return true;
}

static void search_back(struct machine *m, struct cpu_exit *exit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    struct hit hit;
    uint64_t now = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    struct debug_state saved = seek_begin(m, true);
    bool whole = search_history(m, now, &hit);
    seek_end(m, &saved);
    if (!whole) {
        forget_interrupt(m);
        seek_quietly(m, now);
        cpu->arrival = here;
        *exit = (struct cpu_exit){.kind = CPU_EXIT_KICKED};
        return;
    }
    if (hit.found && hit.at == now)
        seek_piece_quietly(m, now);
    else
        seek_quietly(m, hit.found ? hit.at : h->list[0]->ticks);
    if (hit.found && hit.exit.kind == CPU_EXIT_WATCHPOINT)
        seek_rom_caller(m);
    if (hit.found)
        *exit = hit.exit;
    else
        m->vcpu[0].edge = EDGE_BEGIN;
    if (hit.found && hit.exit.kind == CPU_EXIT_BREAKPOINT) /* it is reported now, and passed by the next resume */
        cpu->arrival = (struct cpu_arrival){ARRIVAL_DONE, hit.exit.address};
}

void reverse_resume(struct machine *m, bool run, struct cpu_exit *exit) {
    *exit = (struct cpu_exit){.kind = CPU_EXIT_STEPPED};
    keep_present(m);
    if (m->vcpu[0].cpu.ticks <= m->history->list[0]->ticks)
        m->vcpu[0].edge = EDGE_BEGIN;
    else if (run)
        search_back(m, exit);
    else
        step_back(m, exit);
}

/* --- when? ------------------------------------------------------------------------------------ */

static struct reverse_write search_write(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t now = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    struct hit hit = {0};
    struct debug_state saved = seek_begin(m, false);
    bool whole = search_history(m, now, &hit);
    seek_end(m, &saved);
    if (!whole)
        forget_interrupt(m);
    else if (hit.found && seek_quietly(m, hit.at) && rom_step_in_rom(&m->vcpu[0]) && seek_rom_caller(m))
        hit.at = cpu->ticks; /* a service of the BIOS: its INT */
    seek_quietly(m, now);
    cpu->arrival = here;
    return (struct reverse_write){!whole ? WRITE_INTERRUPTED : hit.found ? WRITE_FOUND : WRITE_NONE,
                                 hit.at, hit.by};
}

struct reverse_write reverse_find_write(struct machine *m, uint64_t address, uint32_t length,
                                      bool physical) {
    struct reverse_write w = {.outcome = WRITE_UNMAPPED};
    struct breakpoints *points = &m->history->breakpoints;
    keep_present(m);
    points->physical = true;
    if (past_watch(m, address, length, physical))
        w = search_write(m);
    points->physical = false;
    breakpoints_clear(points);
    return w;
}

enum { MODES_MAX = 500 }; /* lines; a guest may switch at every other instruction */

/* All of list[n] up to its end. false: interrupted. */
static bool list_segment(struct machine *m, size_t n, uint64_t now, const struct text *t, uint64_t *count) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    const struct history *h = m->history;
    struct cpu_exit exit = {0};
    uint64_t end = segment_end(h, n, now);
    snapshot_load(m, n);
    while (cpu->ticks < end && run_until(m, end, &exit) == CPU_EXIT_EVENT)
        if ((*count)++ < MODES_MAX)
            text_print(t, "%12llu  %s\n", (unsigned long long)cpu_icount(cpu), exit.text);
    return exit.kind != CPU_EXIT_KICKED;
}

void reverse_list_modes(struct machine *m, const struct text *t) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    uint64_t now = cpu->ticks, count = 0;
    bool whole = true;
    struct cpu_arrival here = cpu->arrival;
    keep_present(m);
    struct debug_state saved = seek_begin(m, false);
    cpu->catch.mode = true;
    h->target = 0;
    for (size_t n = 0; whole && n < h->count && h->list[n]->ticks < now; n++)
        if (!h->list[n]->mid_rep)
            whole = list_segment(m, n, now, t, &count);
    seek_end(m, &saved);
    if (!count && whole)
        text_print(t, "no change of mode since count %llu, where the history begins\n",
                   (unsigned long long)snapshot_icount(h->list[0]));
    if (count > MODES_MAX)
        text_print(t, "%s%llu more are not shown\n", whole ? "" : "at least ",
                   (unsigned long long)count - MODES_MAX);
    if (!whole) {
        text_print(t, "interrupted\n");
        forget_interrupt(m);
    }
    seek_quietly(m, now);
    cpu->arrival = here;
}
