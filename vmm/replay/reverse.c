/* Going through a machine's history; see reverse.h. */
#include "vmm/replay/reverse.h"

#include <stdio.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/machine/hits.h"
#include "vmm/machine/rom_step.h"
#include "vmm/replay/past_watch.h"
#include "vmm/replay/rom_back.h"
#include "vmm/replay/seek.h"
#include "vmm/replay/snapshot.h"
#include "vmm/x86/x86.h"

/* --- one step back ------------------------------------------------------------------------ */

/* To the tick before the last instruction, however long the CPU waited since. */
static bool seek_one_back(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    uint64_t count = cpu_icount(cpu), start = m->history->list[0]->ticks;
    if (!seek_tick(m, cpu->ticks - 1))
        return false;
    if (cpu_icount(cpu) < count)
        return true;
    return seek_count(m, count) && (cpu->ticks == start || seek_tick(m, cpu->ticks - 1));
}

/* From within a hlt or a repeated instruction to where it begins. */
static void seek_beginning(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    while (cpu->ticks > m->history->list[0]->ticks && (cpu->mid_rep || seek_is_halted(m)))
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
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct debug_state saved = seek_begin(m, true);
    *exit = (struct cpu_exit){0};
    cpu->engine->step(cpu, exit);
    seek_end(m, &saved);
    return exit->kind == CPU_EXIT_WATCHPOINT;
}

/* The same up to a tick: a service of the BIOS is several instructions. */
static bool sets_off_watch_until(struct machine *m, uint64_t until, struct cpu_exit *exit) {
    struct debug_state saved = seek_begin(m, true);
    while (seek_run_until(m, until, exit) == CPU_EXIT_BREAKPOINT) /* it is passed */
        history_vcpu(m)->cpu.arrival = (struct cpu_arrival){ARRIVAL_DONE, exit->address};
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
    uint64_t at = history_vcpu(m)->cpu.ticks;
    if (!breakpoints_any_watch(&m->breakpoints))
        return;
    if (over_rom ? sets_off_watch_until(m, now, &hit) : sets_off_watch(m, &hit))
        *exit = hit;
    seek_piece_quietly(m, at);
}

/* The last instruction boundary before `now`, a step at a time from where it is. */
static void step_back(struct machine *m, struct cpu_exit *exit) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    uint64_t now = cpu->ticks;
    bool mid_rep = cpu->mid_rep, in_rom = rom_step_in_rom(history_vcpu(m)), over_rom = false;
    struct debug_state saved = seek_begin(m, false);
    if (mid_rep ? seek_piece(m, now) : seek_one_back(m))
        seek_beginning(m);
    seek_end(m, &saved);
    if (!in_rom && rom_step_in_rom(history_vcpu(m)) && !m->rom_is_stepped)
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
    struct cpu *cpu = &history_vcpu(m)->cpu;
    const struct cpu_state *s = cpu_read(cpu, CPU_REGS | CPU_SREGS);
    struct cpu_exit exit;
    uint64_t pc = x86_pc(&s->regs, &s->sregs);
    if (seek_is_halted(m) || !breakpoint_should_stop(history_vcpu(m), pc, false, &exit))
        return false;
    *hit = (struct hit){.found = true, .at = cpu->ticks, .exit = exit};
    return true;
}

static void note_hit(struct machine *m, const struct cpu_exit *exit, uint64_t before, struct hit *hit) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
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
    bios_pass_no_call(&m->bios);
    m->history->target = 0;
    stops_here(m, hit);
    while (history_vcpu(m)->cpu.ticks < before) {
        enum cpu_exit_kind kind = seek_run_until(m, before, &exit);
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
    struct cpu *cpu = &history_vcpu(m)->cpu;
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
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    struct hit hit;
    uint64_t now = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    struct debug_state saved = seek_begin(m, true);
    bool whole = search_history(m, now, &hit);
    seek_end(m, &saved);
    if (!whole) {
        seek_forget_interrupt(m);
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
        history_vcpu(m)->edge = EDGE_BEGIN;
    if (hit.found && hit.exit.kind == CPU_EXIT_BREAKPOINT) /* it is reported now, and passed by the next resume */
        cpu->arrival = (struct cpu_arrival){ARRIVAL_DONE, hit.exit.address};
}

void reverse_resume(struct machine *m, bool run, struct cpu_exit *exit) {
    *exit = (struct cpu_exit){.kind = CPU_EXIT_STEPPED};
    seek_keep_present(m);
    if (history_vcpu(m)->cpu.ticks <= m->history->list[0]->ticks)
        history_vcpu(m)->edge = EDGE_BEGIN;
    else if (run)
        search_back(m, exit);
    else
        step_back(m, exit);
}

/* --- when? ------------------------------------------------------------------------------------ */

static struct reverse_write search_write(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    uint64_t now = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    struct hit hit = {0};
    struct debug_state saved = seek_begin(m, false);
    bool whole = search_history(m, now, &hit);
    seek_end(m, &saved);
    if (!whole)
        seek_forget_interrupt(m);
    else if (hit.found && seek_quietly(m, hit.at) && rom_step_in_rom(history_vcpu(m)) && seek_rom_caller(m))
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
    seek_keep_present(m);
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
    struct cpu *cpu = &history_vcpu(m)->cpu;
    const struct history *h = m->history;
    struct cpu_exit exit = {0};
    uint64_t end = segment_end(h, n, now);
    snapshot_load(m, n);
    while (cpu->ticks < end && seek_run_until(m, end, &exit) == CPU_EXIT_EVENT)
        if ((*count)++ < MODES_MAX)
            text_print(t, "%12llu  %s\n", (unsigned long long)cpu_icount(cpu), exit.text);
    return exit.kind != CPU_EXIT_KICKED;
}

void reverse_list_modes(struct machine *m, const struct text *t) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    uint64_t now = cpu->ticks, count = 0;
    bool whole = true;
    struct cpu_arrival here = cpu->arrival;
    seek_keep_present(m);
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
        seek_forget_interrupt(m);
    }
    seek_quietly(m, now);
    cpu->arrival = here;
}
