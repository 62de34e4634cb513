/* The log of inputs, and where the machine is in its history; see history.h. */
#include "vmm/replay/history.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmm/base/invariant.h"
#include "vmm/machine/virtual_clock.h"
#include "vmm/machine/hits.h"
#include "vmm/machine/recorder.h"
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

/* The first that is not before `ticks`. */
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

static void arrive(struct history *h, uint32_t kind, uint64_t value) {
    struct arrived *a = &h->arrived;
    if (kind == INPUT_CAME_END || kind == INPUT_PULLED_END)
        a->ended = true;
    else if (a->count < INPUT_ROOM)
        a->bytes[(a->head + a->count++) % INPUT_ROOM] = (uint8_t)value;
}

/* Something new. What the log has no room for does not happen either. */
static void record(struct history *h, uint64_t ticks, uint32_t kind, uint64_t value) {
    if (!events_add(&h->inputs, ticks, kind, value))
        return;
    h->cursor = h->inputs.count;
    arrive(h, kind, value);
}

static bool due(const struct history *h, uint64_t ticks, bool pulled) {
    if (h->cursor == h->inputs.count || h->inputs.list[h->cursor].ticks > ticks)
        return false;
    return pulled == (h->inputs.list[h->cursor].kind >= INPUT_PULLED);
}

static void take_from_log(struct history *h) {
    const struct event *e = &h->inputs.list[h->cursor++];
    arrive(h, e->kind, e->value);
}

static bool is_live(const struct machine *m, uint64_t ticks) {
    return ticks >= m->history->end && m->history->cursor == m->history->inputs.count;
}

static void take_from_host(struct machine *m, uint64_t ticks) {
    struct history *h = m->history;
    int byte = INPUT_NONE;
    while (h->arrived.count < INPUT_ROOM && !h->arrived.ended &&
           (byte = input_host_take(&m->board.input)) >= 0)
        record(h, ticks, INPUT_CAME, (uint64_t)byte);
    if (byte == INPUT_END)
        record(h, ticks, INPUT_CAME_END, 0);
}

bool history_wants_input(struct machine *m) {
    const struct history *h = m->history;
    return is_live(m, m->vcpu[0].cpu.ticks) && !m->board.input.steady && !h->arrived.ended &&
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

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* What is due at this tick; returns when there is more. *came: devices are to look.
 * They also are at whole virtual milliseconds, whoever stopped the run in between. */
uint64_t history_deliver(struct machine *m, uint64_t ticks, bool *came) {
    struct history *h = m->history;
    size_t before = h->cursor;
    while (due(h, ticks, false))
        take_from_log(h);
    if (h->taken_at != ticks && is_live(m, ticks) && !m->board.input.steady)
        take_from_host(m, ticks);
    h->taken_at = ticks;
    *came = h->cursor != before || ticks >= h->notice_at;
    if (*came)
        h->noticed_at = ticks;
    if (ticks >= h->notice_at)
        h->notice_at = ticks - ticks % NOTICE_EVERY + NOTICE_EVERY;
    return history_wants_input(m) ? ticks + 1 : least(h->notice_at, next_input(h, ticks));
}

/* From a file, but first what a discarded future had of it. */
static int take_steadily(struct machine *m) {
    struct events *again = &m->history->again;
    if (!again->count)
        return input_host_take(&m->board.input);
    return (int)again->list[--again->count].value;
}

/* A device looks, and nothing is there: where the host's input is a file, it is
 * waited for. */
static void pull(struct machine *m) {
    struct history *h = m->history;
    uint64_t ticks = m->vcpu[0].cpu.ticks;
    if (due(h, ticks, true)) {
        take_from_log(h);
    } else if (is_live(m, ticks) && m->board.input.steady) {
        int byte = take_steadily(m);
        h->hurried = byte == INPUT_NONE;
        if (byte != INPUT_NONE)
            record(h, ticks, byte == INPUT_END ? INPUT_PULLED_END : INPUT_PULLED,
                   byte == INPUT_END ? 0 : (uint64_t)byte);
    }
}

/* In place of the host's queue, for the devices. */
static int tap(void *machine, bool take) {
    struct machine *m = machine;
    struct arrived *a = &m->history->arrived;
    if (!a->count && !a->ended)
        pull(m);
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
    uint64_t ticks = m->vcpu[0].cpu.ticks;
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

/* An interrupt could enter now. In the past it does, or does not, as it did. */
bool history_defer_irq(struct machine *m, uint64_t ticks, bool halted, bool stepping) {
    struct history *h = m->history;
    bool noted = in_log(&h->holds, ticks, halted);
    if (ticks < h->end)
        return noted;
    if (stepping && !noted)
        events_add(&h->holds, ticks, halted, 0);
    if (!stepping && noted) /* that step did not come about */
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
    uint64_t until = least(due, next_input(m->history, ticks)), limit = m->vcpu[0].cpu.limit;
    m->history->notice_at = until;
    if (limit > ticks)
        until = least(until, limit); /* a run may be wanted to end amid a sleep */
    return until == UINT64_MAX ? 0 : until;
}

void history_wait(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t until = cpu->ticks + 1;
    if (history_in_past(m))
        until = least(next_input(m->history, cpu->ticks), m->history->end);
    if (cpu->limit > cpu->ticks)
        until = least(until, cpu->limit);
    cpu->slept += until - cpu->ticks;
    cpu->ticks = until;
}

bool history_is_silent(const struct machine *m) {
    return m->history && m->vcpu[0].cpu.ticks < m->history->reached;
}

/* --- snapshots as time passes --------------------------------------------------------------- */

/* How long to the next: recording is to cost under a tenth of the time. Saving a page
 * takes as long as some two thousand instructions, so ten times as many are to be done;
 * but a step back is not to take long either. */
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
    return h->travelling && h->target >= ticks && h->target - ticks < 2 * HISTORY_GRID;
}

uint64_t history_tick(struct machine *m, uint64_t ticks) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    if (ticks < h->grid_at)
        return h->grid_at;
    h->grid_at = ticks - ticks % HISTORY_GRID + HISTORY_GRID;
    if (wants_snapshot(m, ticks)) {
        cpu->valid = 0;
        snapshot_take(m, false);
        cpu->valid = 0; /* it runs on */
    }
    return h->grid_at;
}

/* --- life -------------------------------------------------------------------------------------- */

static bool wanted(const struct machine *m) {
    const struct machine_options *o = m->options;
    return o->recorder && cpu_can(&m->vcpu[0].cpu, ENGINE_DETERMINISTIC) && o->history &&
           (o->debugged || o->replay || o->records);
}

static bool open_history(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = calloc(1, sizeof *h);
    if (!h)
        return false;
    h->words = (m->memory.ram_size / PAGE_SIZE + 63) / 64;
    h->dirty = calloc(h->words, sizeof *h->dirty);
    h->need = calloc(h->words, sizeof *h->need);
    h->bound = m->options->history;
    h->end = h->reached = h->taken_at = cpu->ticks;
    h->notice_at = cpu->ticks + 1;
    h->end_slept = cpu->slept;
    h->whole = cpu->ticks == 0 && !m->vcpu[0].touched;
    m->history = h;
    m->recorder = m->options->recorder;
    m->memory.dirty = h->dirty;
    m->board.input.tap = tap;
    m->board.input.tap_context = m;
    if (!h->dirty || !h->need || !snapshot_take_first(m)) {
        history_close(m);
        return false;
    }
    replay_give(m);
    return true;
}

void history_begin(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    if (!wanted(m))
        return;
    if (cpu->dirty && !m->vcpu[0].dead) {
        cpu->ops->store(cpu, cpu->dirty);
        cpu->dirty = 0;
    }
    if (!m->history) {
        if (!open_history(m))
            m->owner.message(m->owner.context, m->number, "no memory for a history: none is kept");
    } else if (m->vcpu[0].touched) {
        m->history->whole = false;
        cpu->mid_rep = false; /* from here on it is what it was made */
        snapshot_take(m, true);
    }
    m->vcpu[0].touched = false;
}

/* What has come and was not read goes back to where it came from. */
static void give_back(struct machine *m) {
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
    give_back(m);
    m->board.input.tap = NULL;
    m->memory.dirty = NULL;
    m->vcpu[0].cpu.limit = 0;
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

/* The next snapshot that has to be loaded rather than run past. */
static size_t next_pinned(const struct history *h, uint64_t ticks) {
    size_t n = snapshot_before(h, ticks) + 1;
    while (n < h->count && (!h->list[n]->pinned || h->list[n]->mid_rep))
        n++;
    return n;
}

void history_before_run(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    cpu->limit = 0;
    if (!history_in_past(m))
        return;
    size_t n = next_pinned(h, cpu->ticks);
    cpu->limit = n < h->count && h->list[n]->ticks < h->end ? h->list[n]->ticks : h->end;
}

/* The run has reached a place where it was changed, or left. */
static void cross(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    size_t n = snapshot_before(h, cpu->ticks);
    const struct snapshot *s = h->list[n];
    if (s->pinned && !s->mid_rep && s->ticks == cpu->ticks && n != h->base)
        snapshot_load(m, n);
}

static bool at_breakpoint(struct machine *m, struct cpu_exit *exit) {
    const struct cpu_state *s = cpu_read(&m->vcpu[0].cpu, CPU_REGS | CPU_SREGS);
    return breakpoint_should_stop(&m->vcpu[0], x86_pc(&s->regs, &s->sregs), false, exit);
}

bool history_at_limit(struct machine *m, struct cpu_exit *exit, bool running) {
    struct history *h = m->history;
    cross(m);
    if (h->replaying && !history_in_past(m) && !h->ended_told) {
        h->ended_told = true;
        m->vcpu[0].edge = EDGE_END;
        replay_verdict(m, exit->text, sizeof exit->text);
        return false;
    }
    exit->kind = CPU_EXIT_STEPPED;
    if (!running || at_breakpoint(m, exit))
        return false;
    history_before_run(m);
    return true;
}

void history_note_present(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    if (cpu->ticks > h->reached)
        h->reached = cpu->ticks;
    if (history_in_past(m))
        return;
    h->end = cpu->ticks;
    h->end_slept = cpu->slept;
}

void history_stopped(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    uint64_t limit = cpu->limit;
    cpu->limit = 0;
    if (limit && cpu->ticks == limit)
        cross(m);
    history_note_present(m);
}

/* A file goes on from where the machine is; nobody types a key again. */
static void keep_for_again(struct history *h) {
    for (size_t n = h->inputs.count; n-- > h->cursor;)
        if (h->inputs.list[n].kind == INPUT_PULLED)
            events_add(&h->again, 0, INPUT_PULLED, h->inputs.list[n].value);
}

static void cut(struct events *e, size_t count) {
    if (e->count > count)
        e->count = count;
}

bool history_discard_future(struct machine *m) {
    struct cpu *cpu = &m->vcpu[0].cpu;
    struct history *h = m->history;
    m->vcpu[0].touched = true;
    if (!h || !history_in_past(m))
        return false;
    uint64_t now = cpu->ticks;
    snapshots_cut(h, snapshot_before(h, now) + 1);
    if (m->board.input.steady)
        keep_for_again(h);
    cut(&h->inputs, h->cursor);
    cut(&h->clocks, first_at(&h->clocks, now));
    cut(&h->holds, first_at(&h->holds, now));
    h->end = h->reached = now;
    h->end_slept = cpu->slept;
    h->replaying = false;
    return true;
}
