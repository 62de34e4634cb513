/* What a machine asks of whatever records its past: a run that is recorded can be done again,
 * backwards too.
 *
 * The machine knows only these operations. vmm/replay/ implements them, and whoever makes the
 * machine hands them over (machine_options.recorder).
 *
 *   options->recorder   what could record this machine; NULL: nothing
 *   m->recorder         what does so now; &recorder_none when nothing does
 *
 * Rule: m->recorder is never NULL. What recorder_none answers is what a machine without a
 * past does.
 */
#ifndef MINIKVM_RECORDER_H
#define MINIKVM_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu_exit;
struct machine;

/* Each is called on the machine's thread, or by the thread that stopped it; ticks are those of the virtual clock. */
struct recorder {
    /* --- a machine's life: called on recorder_offered() --- */
    /* The machine was made: reads options->replay, if there is one. 0, or -errno with a
     * sentence. */
    int (*open)(struct machine *, char *error, size_t size);
    /* The same machine made anew: does what open() has read still fit it? Likewise. */
    int (*check)(struct machine *, char *error, size_t size);
    /* A command begins: from here on it is recorded, if that is wanted and the engine can do
     * it; then m->recorder is this one. What a person has changed is taken in. */
    void (*begin)(struct machine *);
    /* Once, at the end; after forget(). */
    void (*close)(struct machine *);

    /* --- the past as a whole --- */
    /* Drops the past (another engine, a reset); afterwards m->recorder is recorder_none. */
    void (*forget)(struct machine *);
    /* Is this a time before the present? What happens again is not reported again. */
    bool (*in_past)(const struct machine *);
    bool (*is_silent)(const struct machine *); /* it was printed before */
    /* One instruction back, or (run) to the last stop before now. Fills *exit and the vCPU's
     * edge. */
    void (*resume_back)(struct machine *, bool run, struct cpu_exit *);

    /* --- a command forward --- */
    /* Sets cpu->limit: how far the CPU may run before at_limit() is to be called. */
    void (*before_run)(struct machine *);
    /* The CPU has reached cpu->limit. true: it may go on. */
    bool (*at_limit)(struct machine *, struct cpu_exit *, bool running);
    void (*stopped)(struct machine *);

    /* --- what comes from outside: recorded, or as it was recorded --- */
    /* Has the host input that no device has taken? Asked with the machine's lock held. */
    bool (*wants_input)(struct machine *);
    bool (*input_is_over)(struct machine *); /* none is there, none will come */
    /* Input that is due at this tick comes; *came: devices are to look for it. Returns when
     * there is more to be done. */
    uint64_t (*deliver)(struct machine *, uint64_t ticks, bool *came);
    /* The run is at this tick; returns when it is to be told again. */
    uint64_t (*tick)(struct machine *, uint64_t ticks);
    /* An interrupt could be taken: is it deferred? `stepping`: as a single-step does. */
    bool (*defer_irq)(struct machine *, uint64_t ticks, bool halted, bool stepping);
    int64_t (*clock)(struct machine *); /* seconds since 1970 */
    /* At an IN whose device has nothing yet: time passes until there was something. */
    void (*wait)(struct machine *);

    /* --- a CPU that is halted --- */
    bool (*may_sleep)(struct machine *, uint64_t ticks); /* else it looks at the next tick */
    /* In the past nobody waits: until when it slept, or 0: for ever. */
    uint64_t (*idle)(struct machine *, uint64_t ticks, uint64_t due);
    /* It has slept until `due`, or was woken before (early). Returns what time it is. */
    uint64_t (*woken)(struct machine *, uint64_t ticks, uint64_t due, bool early);
};

extern const struct recorder recorder_none;

/* options->recorder, or recorder_none. */
const struct recorder *recorder_offered(const struct machine *);
/* A sentence for a person: why this machine has no past, and what to do. */
const char *recorder_why_none(const struct machine *);

#endif
