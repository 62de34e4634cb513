/* An engine: how a CPU is run, and what a debugger, the history of a machine and a change of
 * engine need of it.
 *
 * All operations but kick() and irq_line() belong to the thread that runs the CPU, or,
 * while it is stopped, to the thread that stopped it.
 *
 * Rule: what an engine can do is said by its capabilities, and concluded from nothing else.
 */
#ifndef MINIKVM_ENGINE_H
#define MINIKVM_ENGINE_H

#include "vmm/cpu/cpu.h"

/* The 8259 pair and the 8254, in KVM's structs. */
struct irqchip_state {
    struct kvm_pic_state pic[2];
    struct kvm_pit_state2 pit;
};

/* What an engine can do; nothing else about it is to be concluded from its address, its
 * name or an operation that it does not have. */
enum engine_capability {
    ENGINE_ANY_THREAD = 1 << 0, /* run() and step() may be called from any thread, one at a time */
    /* The same start and the same input are the same run. It counts cpu->ticks, stops at
     * cpu->limit, and has save_tlb(), load_tlb(), see_writes(), memory_changed() and flush():
     * the past of a machine can be recorded. */
    ENGINE_DETERMINISTIC = 1 << 1,
    ENGINE_EXACT_EVENTS = 1 << 2, /* it stops at what is in cpu->catch */
    /* Interrupt chips are its own once it is opened with options.irqchip: get_irqchip() and
     * set_irqchip(). Else the machine's devices are the chips, and set cpu->intr. */
    ENGINE_KERNEL_IRQCHIP = 1 << 3,
    /* It has mechanisms for some breakpoints and watchpoints only: strained() says when those
     * that are set cost a step for each instruction, or refuses() is not always NULL. */
    ENGINE_LIMITED_BREAKPOINTS = 1 << 4,
    /* An entry of the guest costs far more than an instruction, and entries() counts them. */
    ENGINE_COSTLY_ENTRY = 1 << 6,
};

/* What an engine asks of the machine beside accesses to devices; each may be NULL. `context`
 * is that of struct cpu_host. acknowledge, deadline and idle are for engines without
 * interrupt chips of their own. */
struct engine_host {
    /* INTA cycle: the vector to deliver, or -1 when no request stands. */
    int (*acknowledge)(void *context);
    /* The virtual clock has reached `now` (in ticks): do what is due, and return when
     * to call again. Also called at each stop, so that what is seen there is done; a
     * second call at the same tick changes nothing. */
    uint64_t (*deadline)(void *context, uint64_t now);
    /* The CPU is halted with interrupts enabled: wait (in real time) until one
     * may have come; returns the new time in ticks, or 0 if none ever can. */
    uint64_t (*idle)(void *context, uint64_t now);
    /* For engines with chips of their own: IRQs of the first PIC that may still come; bit 0
     * is IRQ 0. NULL: all. */
    uint8_t (*wakers)(void *context);
    /* An access had no effect: no memory is there, or it is ROM. */
    void (*unassigned)(void *context, enum cpu_access, uint64_t phys, unsigned size);
    /* Has execution gone astray (runaway.h)? true: stop with `text`. */
    bool (*astray)(void *context, const char *came, bool stepping, char *text, size_t size);
    /* FERR#: an x87 exception that CR0.NE leaves to the board; it stands until `asserted` is
     * false. Is IGNNE# asserted (Vol. 1, appendix D)? NULL: there is no such pin. */
    bool (*ferr)(void *context, bool asserted);
    /* With cpu->catch.calls: an INT at this linear address is next. true: stop before it, with `text`. */
    bool (*stops_at_int)(void *context, unsigned vector, uint64_t linear, char *text, size_t size);
    /* The name of the device that mmio() would reach, or NULL. */
    const char *(*mmio_name)(void *context, uint64_t phys, unsigned size);
};

struct engine_options {
    bool irqchip;     /* interrupt chips of the engine's own, if it can have some */
    bool debugged;    /* a debugger may come: find out what this engine can do for it */
    bool replaceable; /* another engine may go on: CPU_EXIT_SLOW, once, where that is quicker */
    bool
        long_mode; /* the CPU begins there; open() refuses, if it is replaceable and gets that wrong */
    uint64_t real_from, real_to; /* code that begins in real mode; empty: none */
};

struct engine {
    const char *name;
    struct cpu_ops ops;
    unsigned capabilities; /* of enum engine_capability */
    /* Gives the CPU this engine, in the state after a reset: 0, or -errno with a sentence that
     * says what happened, why, and what to do. The CPU's memory, breakpoints and host are set
     * before, and outlive it. close() undoes it. */
    int (*open)(struct cpu *, const struct engine_options *, char *error, size_t size);
    /* Exactly one instruction, breakpoints ignored; watchpoints and every
     * other exit are reported instead of STEPPED. */
    void (*step)(struct cpu *, struct cpu_exit *);
    /* Make the run() or step() in progress, or else the next one, return
     * KICKED soon. From any thread. */
    void (*kick)(struct cpu *);
    /* An interrupt line of the chips changes level. From any thread. */
    void (*irq_line)(struct cpu *, unsigned irq, bool level);
    int (*get_irqchip)(struct cpu *, struct irqchip_state *);
    int (*set_irqchip)(struct cpu *, const struct irqchip_state *);
    /* NULL if it can do this breakpoint; else the reason why not, static. */
    const char *(*refuses)(struct cpu *, enum bp_kind, uint64_t address, uint32_t length);
    /* Would the breakpoints cost a step per instruction, or not work at all? Then another
     * engine does better. NULL: never. */
    bool (*strained)(struct cpu *);
    /* Guest time stands still (true) or goes on (false). */
    void (*freeze)(struct cpu *, bool);
    /* Guest memory was written, but not by the CPU; may be NULL. */
    void (*memory_changed)(struct cpu *, uint64_t phys, uint64_t length);
    /* Forget all translations of addresses; NULL: it cannot. */
    void (*flush)(struct cpu *);
    /* A20 has moved, so cpu->memory has other things at some addresses: 0 or -errno.
     * NULL: a flush() is enough. */
    int (*remap)(struct cpu *);
    /* What else than cpu->state decides how a deterministic engine (soft) goes on: its TLBs.
     * save_tlb(): a block to free(), NULL without memory. */
    void *(*save_tlb)(struct cpu *, size_t *size);
    void (*load_tlb)(struct cpu *, const void *saved);
    /* memory->dirty was cleared: the next write to each page is to be noted again. */
    void (*see_writes)(struct cpu *);
    /* The number of entries into the guest. */
    uint64_t (*entries)(const struct cpu *);
    /* The n-th thing that it counts, for people: its name and *value; "": it has not
     * come yet, NULL: there are no more. */
    const char *(*counter)(const struct cpu *, unsigned n, uint64_t *value);
    /* What this engine is and can do, for `monitor engine`; NUL-terminated. */
    void (*describe)(struct cpu *, char *out, unsigned size);
    void (*close)(struct cpu *);
};

extern const struct engine engine_kvm;  /* the host's processor, by KVM */
extern const struct engine engine_soft; /* the built-in CPU */

/* In fetch(): these parts cannot be had. They read as zeros, and are in cpu->missing. */
void cpu_miss(struct cpu *, unsigned parts);

/* In open() and, with NULL, in close(). */
static inline void cpu_set_engine(struct cpu *cpu, const struct engine *engine) {
    cpu->engine = engine;
    cpu->ops = engine ? &engine->ops : NULL;
}

static inline bool cpu_can(const struct cpu *cpu, enum engine_capability capability) {
    return cpu->engine && cpu->engine->capabilities & capability;
}

static inline const struct engine_host *engine_host_of(const struct cpu *cpu) {
    static const struct engine_host none;
    return cpu->host.extra ? cpu->host.extra : &none;
}

/* Instructions done (soft): each interrupt or fault delivered counts as one, too, and
 * each page of a repeated string instruction. */
static inline uint64_t cpu_icount(const struct cpu *cpu) { return cpu->ticks - cpu->slept; }

/* Is a breakpoint at this address, where the CPU stands, passed over by run()? */
static inline bool cpu_passes(const struct cpu *cpu, uint64_t pc) {
    return cpu->arrival.state == ARRIVAL_DONE && cpu->arrival.pc == pc;
}

/* The CPU comes to its next instruction, or is put there. */
static inline void cpu_arrives(struct cpu *cpu) { cpu->arrival.state = ARRIVAL_NEW; }

#endif
