/* Travel through a machine's history; see reverse.h. */
#include "vmm/replay/reverse.h"

#include <stdio.h>
#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/machine/hits.h"
#include "vmm/replay/snapshot.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

/* What the machine looks for, put aside while the travel looks for its own. */
struct debug_state {
    struct breakpoints *breakpoints;
    struct cpu_catch catch;
    bool travelling; /* already: this is a way within a way */
};

static struct debug_state depart(struct machine *m, bool keep) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct debug_state l = {cpu->breakpoints, cpu->catch, m->history->travelling};
    struct history *h = m->history;
    h->travelling = true;
    if (!keep) {
        cpu->breakpoints = &h->breakpoints;
        cpu->catch = (struct cpu_catch){0};
    }
    return l;
}

static void settle_down(struct machine *m, const struct debug_state *l) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    cpu->breakpoints = l->breakpoints;
    cpu->catch = l->catch;
    cpu->limit = 0;
    m->history->travelling = l->travelling;
    m->vcpu[0].caught = m->vcpu[0].ended = false;
    cpu_arrives(cpu);
}

/* Else the way back would be interrupted as well. */
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

/* On until something other than the machine's own affairs; LIMIT: at `until`. */
static enum cpu_exit_kind run_on(struct machine *m, uint64_t until, struct cpu_exit *exit) {
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
    if (cpu->ticks > m->history->reached)
        m->history->reached = cpu->ticks;
}

static bool is_halted(struct machine *m) {
    return cpu_read(&m->vcpu[0].cpu, CPU_MP)->mp.mp_state == KVM_MP_STATE_HALTED;
}

/* Points and catches are those of luggage already. */
static bool go_from(struct machine *m, size_t n, uint64_t ticks) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    struct cpu_exit exit;
    bool ahead = h->base == n && cpu->ticks <= ticks && cpu->ticks > h->list[n]->ticks;
    if (!ahead)
        snapshot_load(m, n);
    h->target = ticks;
    while (cpu->ticks < ticks && run_on(m, ticks, &exit) != CPU_EXIT_LIMIT)
        if (exit.kind == CPU_EXIT_KICKED)
            return false;
        else if (exit.kind != CPU_EXIT_EVENT)
            break; /* dead, or halted for good: it goes no further */
    note_reached(m);
    return true;
}

/* The last snapshot that is no place amid an instruction. */
static size_t last_whole(const struct history *h, uint64_t ticks) {
    size_t n = snapshot_before(h, ticks);
    while (n && h->list[n]->mid_rep)
        n--;
    return n;
}

/* To the present as it was left, wherever that is; else to a boundary. */
static bool go_to(struct machine *m, uint64_t ticks) {
    struct history *h = m->history;
    size_t n = snapshot_before(h, ticks);
    bool present = ticks == h->end && h->list[n]->ticks == ticks;
    return go_from(m, present ? n : last_whole(h, ticks), ticks);
}

/* To the first moment with so many instructions done: a hlt may go on for a while. */
static bool go_to_count(struct machine *m, uint64_t count) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    size_t n = snapshot_before_count(h, count);
    if (!go_from(m, n, h->list[n]->ticks))
        return false;
    while (cpu_icount(cpu) < count && cpu->ticks < h->end) {
        uint64_t from = cpu->ticks, to = count + cpu->slept;
        if (!go_from(m, h->base, to < h->end ? to : h->end))
            return false;
        if (cpu->ticks == from)
            break; /* dead, or halted for good */
    }
    return go_to(m, cpu->ticks); /* as a person left it there */
}

/* Stopped by a watchpoint amid a repeated instruction, a machine stands at the same
 * count as at the beginning of that piece. This is to the beginning. */
static bool go_to_piece(struct machine *m, uint64_t ticks) {
    size_t n = last_whole(m->history, ticks);
    if (m->vcpu[0].cpu.ticks == ticks)
        snapshot_load(m, n);
    return go_from(m, n, ticks);
}

/* The present is left: it is kept, for the way back to it. */
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

static bool go_quietly(struct machine *m, uint64_t ticks) {
    struct debug_state l = depart(m, false);
    bool came = go_to(m, ticks);
    settle_down(m, &l);
    return came;
}

/* Interrupted on the way, to where it came from. */
static bool returns(struct machine *m, bool came, uint64_t from, struct cpu_arrival here) {
    if (came)
        return true;
    forget_interrupt(m);
    go_quietly(m, from);
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
    return returns(m, go_quietly(m, ticks), from, here);
}

bool travel_to_count(struct machine *m, uint64_t count) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t from = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    keep_present(m);
    struct debug_state l = depart(m, false);
    bool came = go_to_count(m, count);
    settle_down(m, &l);
    return returns(m, came, from, here);
}

bool travel_look_at_start(struct machine *m, uint64_t (*look)(struct machine *), uint64_t *answer) {
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
static bool go_one_back(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t count = cpu_icount(cpu), start = m->history->list[0]->ticks;
    if (!go_to(m, cpu->ticks - 1))
        return false;
    if (cpu_icount(cpu) < count)
        return true;
    return go_to_count(m, count) && (cpu->ticks == start || go_to(m, cpu->ticks - 1));
}

/* From within a hlt or a repeated instruction to where it begins. */
static void go_to_beginning(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t start = m->history->list[0]->ticks;
    while (cpu->ticks > start && (cpu->mid_rep || is_halted(m)))
        if (!go_one_back(m))
            return;
}

static bool go_quietly_to_piece(struct machine *m, uint64_t ticks) {
    struct debug_state l = depart(m, false);
    bool came = go_to_piece(m, ticks);
    settle_down(m, &l);
    return came;
}

/* Does the instruction ahead set off a watchpoint? The machine is moved on by it. */
static bool sets_off_watch(struct machine *m, struct cpu_exit *exit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct debug_state l = depart(m, true);
    *exit = (struct cpu_exit){0};
    cpu->engine->step(cpu, exit);
    settle_down(m, &l);
    return exit->kind == CPU_EXIT_WATCHPOINT;
}

/* A client compares values at a watchpoint: it is told, too, when one is undone. */
static void tell_undone_watch(struct machine *m, struct cpu_exit *exit) {
    struct cpu_exit hit;
    uint64_t at = m->vcpu[0].cpu.ticks;
    if (!breakpoints_any_watch(&m->breakpoints))
        return;
    if (sets_off_watch(m, &hit))
        *exit = hit;
    go_quietly_to_piece(m, at);
}

/* The last instruction boundary before `now`, a step at a time from where it is. */
static void step_back(struct machine *m, struct cpu_exit *exit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t now = cpu->ticks;
    bool mid_rep = cpu->mid_rep;
    struct debug_state l = depart(m, false);
    if (mid_rep ? go_to_piece(m, now) : go_one_back(m))
        go_to_beginning(m);
    settle_down(m, &l);
    tell_undone_watch(m, exit);
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

static void note(struct machine *m, const struct cpu_exit *exit, uint64_t before, struct hit *hit) {
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
        enum cpu_exit_kind kind = run_on(m, before, &exit);
        if (kind == CPU_EXIT_KICKED)
            return false;
        if (kind == CPU_EXIT_LIMIT || kind == CPU_EXIT_SHUTDOWN || kind == CPU_EXIT_CANNOT ||
            kind == CPU_EXIT_HALTED || kind == CPU_EXIT_WAITING)
            break;
        note(m, &exit, before, hit);
    }
    return true;
}

/* Amid a repeated instruction that a watchpoint has stopped, some of what is undone
 * first is of that instruction itself. */
static void search_piece(struct machine *m, uint64_t now, struct hit *hit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct cpu_exit exit;
    *hit = (struct hit){0};
    if (!cpu->mid_rep || !go_quietly_to_piece(m, now) || cpu->mid_rep)
        return;
    stops_here(m, hit);
    if (breakpoints_any_watch(cpu->breakpoints) && sets_off_watch(m, &exit))
        *hit = (struct hit){true, now, exit, cpu->watched_by};
}

/* Where list[n] need not be run on from: at the next one. */
static uint64_t segment_end(const struct history *h, size_t n, uint64_t now) {
    do
        n++;
    while (n < h->count && h->list[n]->mid_rep);
    return n < h->count && h->list[n]->ticks < now ? h->list[n]->ticks : now;
}

/* From `now` on backwards. false: interrupted. */
static bool search(struct machine *m, uint64_t now, struct hit *hit) {
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

static void run_back(struct machine *m, struct cpu_exit *exit) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    struct hit hit;
    uint64_t now = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    struct debug_state l = depart(m, true);
    bool whole = search(m, now, &hit);
    settle_down(m, &l);
    if (!whole) {
        forget_interrupt(m);
        go_quietly(m, now);
        cpu->arrival = here;
        *exit = (struct cpu_exit){.kind = CPU_EXIT_KICKED};
        return;
    }
    if (hit.found && hit.at == now)
        go_quietly_to_piece(m, now);
    else
        go_quietly(m, hit.found ? hit.at : h->list[0]->ticks);
    if (hit.found)
        *exit = hit.exit;
    else
        m->vcpu[0].edge = EDGE_BEGIN;
    if (hit.found && hit.exit.kind == CPU_EXIT_BREAKPOINT) /* it is told, and then passed */
        cpu->arrival = (struct cpu_arrival){ARRIVAL_DONE, hit.exit.address};
}

void reverse_resume(struct machine *m, bool run, struct cpu_exit *exit) {
    *exit = (struct cpu_exit){.kind = CPU_EXIT_STEPPED};
    keep_present(m);
    if (m->vcpu[0].cpu.ticks <= m->history->list[0]->ticks)
        m->vcpu[0].edge = EDGE_BEGIN;
    else if (run)
        run_back(m, exit);
    else
        step_back(m, exit);
}

/* --- when? ------------------------------------------------------------------------------------ */

/* Watches memory, page by page. false: an address means none. */
static bool watch_memory(struct machine *m, uint64_t address, uint32_t length, bool physical) {
    const struct kvm_sregs *s = &cpu_read(&m->vcpu[0].cpu, CPU_SREGS)->sregs;
    for (uint64_t at = address; at < address + length; at = (at | (PAGE_SIZE - 1)) + 1) {
        struct page_walk w = {.phys = at};
        uint64_t rest = address + length - at, page = PAGE_SIZE - (at & (PAGE_SIZE - 1));
        if (!physical && !x86_walk(&m->memory, s, at, &w))
            return false;
        breakpoints_add(&m->history->breakpoints, BP_WRITE, memory_wrap(&m->memory, w.phys),
                   (uint32_t)(rest < page ? rest : page));
    }
    return true;
}

static struct travel_write search_write(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t now = cpu->ticks;
    struct cpu_arrival here = cpu->arrival;
    struct hit hit = {0};
    struct debug_state l = depart(m, false);
    bool whole = search(m, now, &hit);
    settle_down(m, &l);
    if (!whole)
        forget_interrupt(m);
    go_quietly(m, now);
    cpu->arrival = here;
    return (struct travel_write){!whole ? WRITE_INTERRUPTED : hit.found ? WRITE_FOUND : WRITE_NONE,
                                 hit.at, hit.by};
}

struct travel_write reverse_find_write(struct machine *m, uint64_t address, uint32_t length,
                                      bool physical) {
    struct travel_write w = {.outcome = WRITE_UNMAPPED};
    struct breakpoints *points = &m->history->breakpoints;
    keep_present(m);
    points->physical = true;
    if (watch_memory(m, address, length, physical))
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
    while (cpu->ticks < end && run_on(m, end, &exit) == CPU_EXIT_EVENT)
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
    struct debug_state l = depart(m, false);
    cpu->catch.mode = true;
    h->target = 0;
    for (size_t n = 0; whole && n < h->count && h->list[n]->ticks < now; n++)
        if (!h->list[n]->mid_rep)
            whole = list_segment(m, n, now, t, &count);
    settle_down(m, &l);
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
    go_quietly(m, now);
    cpu->arrival = here;
}
