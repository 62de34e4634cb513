/* The log of inputs, and where the machine is in its history; see history.h. */
#include "vmm/replay/history.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmm/base/invariant.h"
#include "vmm/machine/virtual_clock.h"
#include "vmm/machine/hits.h"
#include "vmm/machine/recorder.h"
#include "vmm/memory/layout.h"
#include "vmm/replay/replay.h"
#include "vmm/replay/snapshot.h"
#include "vmm/x86/x86.h"

/* --- events in order of time ---------------------------------------------------------- */

bool events_add(struct events *e, uint64_t ticks, uint32_t kind, uint64_t value) {
    if (e->count == e->room) {
        size_t room = e->room ? 2 * e->room : 64;
        struct event *list = realloc(e->list, room * sizeof *list);
        if (!list)
            return false;
        e->list = list;
        e->room = room;
    }
    INVARIANT(!e->count || e->list[e->count - 1].ticks <= ticks);
    e->list[e->count++] = (struct event){ticks, value, kind};
    return true;
}

/* Index of the first event that is not before `ticks`. */
static size_t first_at(const struct events *e, uint64_t ticks) {
    size_t low = 0, high = e->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (e->list[middle].ticks < ticks)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct events events_before(const struct events *e, uint64_t ticks) {
    struct events part = *e;
    part.count = first_at(e, ticks);
    return part;
}

/* --- input ----------------------------------------------------------------------------- */

static void take_in(struct history *h, uint32_t kind, uint64_t value) {
    struct arrived *a = &h->arrived;
    if (kind == INPUT_CAME_END || kind == INPUT_PULLED_END)
        a->ended = true;
    else if (a->count < INPUT_ROOM)
        a->bytes[(a->head + a->count++) % INPUT_ROOM] = (uint8_t)value;
}

/* Input that was not there before. If it cannot be logged it is dropped: a live run and its
 * replay must agree. */
static void record_input(struct history *h, uint64_t ticks, uint32_t kind, uint64_t value) {
    if (!events_add(&h->inputs, ticks, kind, value))
        return;
    h->cursor = h->inputs.count;
    take_in(h, kind, value);
}

static bool is_due(const struct history *h, uint64_t ticks, bool pulled) {
    if (h->cursor == h->inputs.count || h->inputs.list[h->cursor].ticks > ticks)
        return false;
    return pulled == (h->inputs.list[h->cursor].kind >= INPUT_PULLED);
}

static void take_from_log(struct history *h) {
    const struct event *e = &h->inputs.list[h->cursor++];
    take_in(h, e->kind, e->value);
}

static bool is_live(const struct machine *m, uint64_t ticks) {
    return ticks >= m->history->end && m->history->cursor == m->history->inputs.count;
}

static void take_from_host(struct machine *m, uint64_t ticks) {
    struct history *h = m->history;
    int byte = INPUT_NONE;
    while (h->arrived.count < INPUT_ROOM && !h->arrived.ended &&
           (byte = input_host_take(&m->board.input)) >= 0)
        record_input(h, ticks, INPUT_CAME, (uint64_t)byte);
    if (byte == INPUT_END)
        record_input(h, ticks, INPUT_CAME_END, 0);
}

bool history_wants_input(struct machine *m) {
    const struct history *h = m->history;
    return is_live(m, history_vcpu(m)->cpu.ticks) && !m->board.input.steady && !h->arrived.ended &&
           h->arrived.count < INPUT_ROOM && input_host_peek(&m->board.input) != INPUT_NONE;
}

bool history_input_over(struct machine *m) {
    const struct arrived *a = &m->history->arrived;
    return a->ended && !a->count;
}

/* The next event of the log after a tick. */
static uint64_t next_input(const struct history *h, uint64_t ticks) {
    bool ahead = h->cursor < h->inputs.count && h->inputs.list[h->cursor].ticks > ticks;
    return ahead ? h->inputs.list[h->cursor].ticks : UINT64_MAX;
}

static uint64_t sooner(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Delivers what is due at this tick; returns when there is more. *came: devices are to look for
 * input. They also look at whole virtual milliseconds, no matter how often a run was stopped in
 * between. */
uint64_t history_deliver(struct machine *m, uint64_t ticks, bool *came) {
    struct history *h = m->history;
    size_t before = h->cursor;
    while (is_due(h, ticks, false))
        take_from_log(h);
    if (h->taken_at != ticks && is_live(m, ticks) && !m->board.input.steady)
        take_from_host(m, ticks);
    h->taken_at = ticks;
    *came = h->cursor != before || ticks >= h->notice_at;
    if (*came)
        h->noticed_at = ticks;
    if (ticks >= h->notice_at)
        h->notice_at = ticks - ticks % NOTICE_EVERY + NOTICE_EVERY;
    return history_wants_input(m) ? ticks + 1 : sooner(h->notice_at, next_input(h, ticks));
}

/* From the host's file; first the bytes that a future had read which was discarded since. */
static int take_steadily(struct machine *m) {
    struct events *again = &m->history->again;
    if (!again->count)
        return input_host_take(&m->board.input);
    return (int)again->list[--again->count].value;
}

/* A device looks, and nothing is there: where the host's input is a file, it is
 * waited for. */
static void pull_input(struct machine *m) {
    struct history *h = m->history;
    uint64_t ticks = history_vcpu(m)->cpu.ticks;
    if (is_due(h, ticks, true)) {
        take_from_log(h);
    } else if (is_live(m, ticks) && m->board.input.steady) {
        int byte = take_steadily(m);
        h->hurried = byte == INPUT_NONE;
        if (byte != INPUT_NONE)
            record_input(h, ticks, byte == INPUT_END ? INPUT_PULLED_END : INPUT_PULLED,
                   byte == INPUT_END ? 0 : (uint64_t)byte);
    }
}

/* What devices find in place of the host's queue (input.tap). */
static int tapped_input(void *machine, bool take) {
    struct machine *m = machine;
    struct arrived *a = &m->history->arrived;
    if (!a->count && !a->ended)
        pull_input(m);
    if (!a->count)
        return a->ended ? INPUT_END : INPUT_NONE;
    int byte = a->bytes[a->head];
    if (take) {
        a->head = (a->head + 1) % INPUT_ROOM;
        a->count--;
    }
    return byte;
}

/* --- clock, interrupts, sleep ------------------------------------------------------------ */

int64_t history_clock(struct machine *m) {
    struct events *c = &m->history->clocks;
    uint64_t ticks = history_vcpu(m)->cpu.ticks;
    size_t n = first_at(c, ticks + 1);
    if (n && (!is_live(m, ticks) || c->list[n - 1].ticks == ticks))
        return (int64_t)c->list[n - 1].value;
    if (!n && c->count) /* a recording that does not have it, though it has later ones */
        return (int64_t)c->list[0].value;
    int64_t now = time(NULL);
    if (!n || (int64_t)c->list[n - 1].value != now)
        events_add(c, ticks, 0, (uint64_t)now);
    return now;
}

static bool in_log(const struct events *e, uint64_t ticks, uint32_t kind) {
    for (size_t n = first_at(e, ticks); n < e->count && e->list[n].ticks == ticks; n++)
        if (e->list[n].kind == kind)
            return true;
    return false;
}

/* An interrupt could be taken now. In the past it is deferred where it was then. */
bool history_defer_irq(struct machine *m, uint64_t ticks, bool halted, bool stepping) {
    struct history *h = m->history;
    bool noted = in_log(&h->holds, ticks, halted);
    if (ticks < h->end)
        return noted;
    if (stepping && !noted)
        events_add(&h->holds, ticks, halted, 0);
    if (!stepping && noted) /* the step that had deferred it was undone */
        h->holds.count = first_at(&h->holds, ticks);
    return stepping;
}

bool history_may_sleep(struct machine *m, uint64_t ticks) {
    struct history *h = m->history;
    if (h->noticed_at == ticks && !h->hurried)
        return true;
    h->hurried = false;
    h->notice_at = ticks + 1;
    return false;
}

/* Devices look when the sleep is over, and not before. Input is noticed a tick later, for
 * no moment is seen twice. */
uint64_t history_woken(struct machine *m, uint64_t ticks, uint64_t due, bool early) {
    uint64_t now = !early ? due : machine_interrupted(m) ? ticks : ticks + 1;
    if (now == due)
        m->history->notice_at = due;
    return now;
}

uint64_t history_idle(struct machine *m, uint64_t ticks, uint64_t due) {
    uint64_t until = sooner(due, next_input(m->history, ticks)), limit = history_vcpu(m)->cpu.limit;
    m->history->notice_at = until;
    if (limit > ticks)
        until = sooner(until, limit); /* a run may have to end amid a sleep */
    return until == UINT64_MAX ? 0 : until;
}

void history_wait(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    uint64_t until = cpu->ticks + 1;
    if (history_in_past(m))
        until = sooner(next_input(m->history, cpu->ticks), m->history->end);
    if (cpu->limit > cpu->ticks)
        until = sooner(until, cpu->limit);
    cpu->slept += until - cpu->ticks;
    cpu->ticks = until;
}

bool history_is_silent(const struct machine *m) {
    return m->history && history_vcpu(m)->cpu.ticks < m->history->output_high_water;
}

/* --- snapshots as time passes --------------------------------------------------------------- */

/* Ticks from one snapshot to the next. Recording should cost under a tenth of the time, and
 * saving a page takes as long as some two thousand instructions: so ten times as many for each
 * page. The upper bound keeps a step back quick. */
static uint64_t interval(const struct history *h) {
    enum { EVERY_PAGE = 20480, LONGEST = 16 * HISTORY_EVERY };
    uint64_t fair = snapshot_dirty_pages(h) * EVERY_PAGE;
    return fair < HISTORY_EVERY ? HISTORY_EVERY : fair < LONGEST ? fair : LONGEST;
}

static bool wants_snapshot(const struct machine *m, uint64_t ticks) {
    const struct history *h = m->history;
    uint64_t last = h->list[snapshot_before(h, ticks)]->ticks;
    if (ticks <= last)
        return false;
    if (ticks >= h->end)
        return ticks - last >= HISTORY_EVERY && ticks - last >= interval(h);
    return h->seeking && h->target >= ticks && h->target - ticks < 2 * HISTORY_GRID;
}

uint64_t history_tick(struct machine *m, uint64_t ticks) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    if (ticks < h->grid_at)
        return h->grid_at;
    h->grid_at = ticks - ticks % HISTORY_GRID + HISTORY_GRID;
    if (wants_snapshot(m, ticks)) {
        cpu->valid = 0;
        snapshot_take(m, false);
        cpu->valid = 0; /* the CPU runs on */
    }
    return h->grid_at;
}

/* --- life -------------------------------------------------------------------------------------- */

static bool is_wanted(const struct machine *m) {
    const struct machine_options *o = m->options;
    return o->recorder && cpu_can(&history_vcpu(m)->cpu, ENGINE_DETERMINISTIC) && o->history &&
           (o->debugged || o->replay || o->records);
}

static bool open_history(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = calloc(1, sizeof *h);
    if (!h)
        return false;
    h->words = (memory_pages(&m->memory) + 63) / 64;
    h->dirty = calloc(h->words, sizeof *h->dirty);
    h->need = calloc(h->words, sizeof *h->need);
    h->bound = m->options->history;
    h->end = h->output_high_water = h->taken_at = cpu->ticks;
    h->notice_at = cpu->ticks + 1;
    h->end_slept = cpu->slept;
    h->unmodified = cpu->ticks == 0 && !history_vcpu(m)->touched;
    m->history = h;
    m->recorder = m->options->recorder;
    m->memory.dirty = h->dirty;
    m->board.input.tap = tapped_input;
    m->board.input.tap_context = m;
    if (!h->dirty || !h->need || !snapshot_take_first(m)) {
        history_close(m);
        return false;
    }
    replay_give(m);
    return true;
}

void history_begin(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    if (!is_wanted(m))
        return;
    if (cpu->dirty && !history_vcpu(m)->dead) {
        cpu->ops->store(cpu, cpu->dirty);
        cpu->dirty = 0;
    }
    if (!m->history) {
        if (!open_history(m))
            m->owner.message(m->owner.context, m->number, "no memory for a history: none is kept");
    } else if (history_vcpu(m)->touched) {
        m->history->unmodified = false;
        cpu->mid_rep = false; /* a person has put the CPU at an instruction boundary */
        snapshot_take(m, true);
    }
    history_vcpu(m)->touched = false;
}

/* Input that was taken from the host and that no device has read goes back to its queue. */
static void return_unread(struct machine *m) {
    struct arrived *a = &m->history->arrived;
    struct events *again = &m->history->again;
    for (size_t n = 0; n < again->count; n++)
        input_unread(&m->board.input, (uint8_t)again->list[n].value);
    while (a->count)
        input_unread(&m->board.input, a->bytes[(a->head + --a->count) % INPUT_ROOM]);
}

void history_close(struct machine *m) {
    struct history *h = m->history;
    if (!h)
        return;
    return_unread(m);
    m->board.input.tap = NULL;
    m->memory.dirty = NULL;
    history_vcpu(m)->cpu.limit = 0;
    snapshots_free(h);
    breakpoints_clear(&h->breakpoints);
    free(h->inputs.list);
    free(h->clocks.list);
    free(h->holds.list);
    free(h->again.list);
    free(h->dirty);
    free(h->need);
    free(h);
    m->history = NULL;
    m->recorder = &recorder_none;
}

/* --- the present, and the past --------------------------------------------------------------- */

/* The next snapshot of a person's change: running does not lead there, so it has to be loaded. */
static size_t next_pinned(const struct history *h, uint64_t ticks) {
    size_t n = snapshot_before(h, ticks) + 1;
    while (n < h->count && (!h->list[n]->pinned || h->list[n]->mid_rep))
        n++;
    return n;
}

void history_before_run(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    cpu->limit = 0;
    if (!history_in_past(m))
        return;
    size_t n = next_pinned(h, cpu->ticks);
    cpu->limit = n < h->count && h->list[n]->ticks < h->end ? h->list[n]->ticks : h->end;
}

/* The run has reached a place where a person had changed the machine, or left it. */
static void load_if_pinned(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    size_t n = snapshot_before(h, cpu->ticks);
    const struct snapshot *s = h->list[n];
    if (s->pinned && !s->mid_rep && s->ticks == cpu->ticks && n != h->base)
        snapshot_load(m, n);
}

static bool is_at_stop(struct machine *m, struct cpu_exit *exit) {
    const struct cpu_state *s = cpu_read(&history_vcpu(m)->cpu, CPU_REGS | CPU_SREGS);
    return breakpoint_should_stop(history_vcpu(m), x86_pc(&s->regs, &s->sregs), false, exit);
}

bool history_at_limit(struct machine *m, struct cpu_exit *exit, bool running) {
    struct history *h = m->history;
    load_if_pinned(m);
    if (h->replaying && !history_in_past(m) && !h->ended_told) {
        h->ended_told = true;
        history_vcpu(m)->edge = EDGE_END;
        replay_verdict(m, exit->text, sizeof exit->text);
        return false;
    }
    exit->kind = CPU_EXIT_STEPPED;
    if (!running || is_at_stop(m, exit))
        return false;
    history_before_run(m);
    return true;
}

void history_note_present(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    if (cpu->ticks > h->output_high_water)
        h->output_high_water = cpu->ticks;
    if (history_in_past(m))
        return;
    h->end = cpu->ticks;
    h->end_slept = cpu->slept;
}

void history_stopped(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    uint64_t limit = cpu->limit;
    cpu->limit = 0;
    if (limit && cpu->ticks == limit)
        load_if_pinned(m);
    history_note_present(m);
}

/* Input from a file goes on from where the machine is now; typed keys do not come again. */
static void keep_for_again(struct history *h) {
    for (size_t n = h->inputs.count; n-- > h->cursor;)
        if (h->inputs.list[n].kind == INPUT_PULLED)
            events_add(&h->again, 0, INPUT_PULLED, h->inputs.list[n].value);
}

static void cut_events(struct events *e, size_t count) {
    if (e->count > count)
        e->count = count;
}

bool history_discard_future(struct machine *m) {
    struct cpu *cpu = &history_vcpu(m)->cpu;
    struct history *h = m->history;
    history_vcpu(m)->touched = true;
    if (!h || !history_in_past(m))
        return false;
    uint64_t now = cpu->ticks;
    snapshots_cut(h, snapshot_before(h, now) + 1);
    if (m->board.input.steady)
        keep_for_again(h);
    cut_events(&h->inputs, h->cursor);
    cut_events(&h->clocks, first_at(&h->clocks, now));
    cut_events(&h->holds, first_at(&h->holds, now));
    h->end = h->output_high_water = now;
    h->end_slept = cpu->slept;
    h->replaying = false;
    return true;
}
