/* The past of a machine on the built-in CPU: what came in from outside, and
 * snapshots of what it was.
 *
 * A run of the built-in CPU is a function of its start and of its inputs. So the
 * past is two things: the log (each input with the tick of the virtual clock at which
 * it took effect) and snapshots, which spare us from starting at the beginning. To be
 * at a tick is to load the snapshot before it and to run up to it.
 *
 *     snapshots   S0 ------- S1 ------- S2 ------- S3 ---- present
 *     log             'l'      's'   '\n'      clock
 *
 * Rule: whatever a run depends on and the machine does not hold itself comes by
 * here: bytes and their end, the clock, and interrupts that a step deferred. A person's
 * changes (registers, memory) are not logged: a pinned snapshot is taken at each, and a
 * replay loads it there.
 *
 * Rule: a tick has one state, however one comes there. What a tick brings (the timer,
 * input) is done once, when the run comes to it, and before it stops there; input that
 * comes while the machine stands there takes effect at the next.
 *
 * Everything here belongs to the machine's thread, or to the thread that stopped it.
 */
#ifndef MINIKVM_HISTORY_H
#define MINIKVM_HISTORY_H

#include "vmm/cpu/engine.h"
#include "vmm/machine/machine.h"

/* At every so many ticks a snapshot may be taken. */
enum { HISTORY_GRID = 1 << 18, HISTORY_EVERY = 4 * HISTORY_GRID };

enum input_kind {
    INPUT_CAME,       /* a byte: from now on devices find it */
    INPUT_CAME_END,   /* no more will come */
    INPUT_PULLED,     /* the same two, when a device looked and waited */
    INPUT_PULLED_END,
    INPUT_KINDS
};

struct event {
    uint64_t ticks, value;
    uint32_t kind; /* enum input_kind; of holds: was the CPU halted? */
};

struct events {
    struct event *list;
    size_t count, room;
};

/* What has come and is not read yet. */
struct arrived {
    uint8_t bytes[INPUT_ROOM];
    unsigned head, count;
    bool ended;
};

struct snapshot; /* snapshot.h */
struct page_chunk;

/* Room for saved pages, allocated many at a time: one by one each would cost a system call. */
struct page_pool {
    struct page_chunk *chunks; /* the first is being filled */
    void *freed;               /* pages given back; each begins with the next one's address */
};

struct history {
    struct events inputs, clocks, holds;
    size_t cursor; /* inputs that the machine has had */
    struct events again; /* of a file: what was read in a future that is gone, last first */
    struct arrived arrived;
    uint64_t end;     /* the present: in a replay, the end of the file … */
    uint64_t end_slept; /* … and of its ticks, those without an instruction */
    uint64_t output_high_water; /* what was printed below this tick is not printed again */
    uint64_t target;  /* where a seek goes: snapshots near it are worth having */
    uint64_t notice_at;  /* when devices look for input next … */
    uint64_t noticed_at; /* … and when they did */
    uint64_t taken_at;   /* the host's input was taken at this tick: no more of it now */
    bool hurried;        /* a device looked, and could not wait: it looks again */
    uint64_t grid_at;

    struct snapshot **list; /* in order of time */
    size_t count, room;
    size_t base;    /* memory is that of list[base] but for the dirty pages */
    uint64_t *dirty; /* a bit for each page, memory's own */
    uint64_t *need;  /* the same size, for loading */
    size_t words;
    struct page_pool pool;
    uint64_t bytes, bound; /* memory in use, and what it may be */

    bool unmodified; /* from power-on, and changed by nobody: can be saved */
    bool replaying; /* a file: its end is told once */
    bool seeking, ended_told;
    struct breakpoints breakpoints; /* what a search looks for */
};

/* At every resume: begins the history if there is to be one, and takes what a
 * person has changed into it. */
void history_begin(struct machine *);
void history_close(struct machine *);
/* These implement vmm/machine/recorder.h, which says what each does. */
void history_before_run(struct machine *);
bool history_at_limit(struct machine *, struct cpu_exit *, bool running);
void history_stopped(struct machine *);
/* The CPU whose ticks the past is counted by: there is a past of machines with one. */
static inline struct vcpu *history_vcpu(const struct machine *m) { return boot_vcpu(m); }
static inline bool history_in_past(const struct machine *m) {
    return m->history && history_vcpu(m)->cpu.ticks < m->history->end;
}
/* Instructions done at the present. */
static inline uint64_t history_end_count(const struct machine *m) {
    const struct history *h = m->history;
    return history_in_past(m) ? h->end - h->end_slept : cpu_icount(&history_vcpu(m)->cpu);
}
/* If this is not the past, the present is here now. */
void history_note_present(struct machine *);
/* Somebody is about to change the machine. In the past that begins a new present;
 * true: it has just done so. */
bool history_discard_future(struct machine *);
bool history_is_silent(const struct machine *);

uint64_t history_deliver(struct machine *, uint64_t ticks, bool *came);
uint64_t history_tick(struct machine *, uint64_t ticks);
bool history_defer_irq(struct machine *, uint64_t ticks, bool halted, bool stepping);
int64_t history_clock(struct machine *);
bool history_may_sleep(struct machine *, uint64_t ticks);
uint64_t history_idle(struct machine *, uint64_t ticks, uint64_t due);
uint64_t history_woken(struct machine *, uint64_t ticks, uint64_t due, bool early);
void history_wait(struct machine *);
bool history_wants_input(struct machine *);
bool history_input_over(struct machine *);

bool events_add(struct events *, uint64_t ticks, uint32_t kind, uint64_t value);
/* The part of a list before a tick. */
struct events events_before(const struct events *, uint64_t ticks);

#endif
