/* A CPU: its architectural state, how it is run, and what that asks of the machine.
 *
 * The state is what KVM's ioctls call it (api.rst, KVM_GET_REGS and its
 * neighbours), so both engines speak one language and a machine can change
 * engine between two instructions: cpu_read(ALL) from one, mark all dirty, let
 * the other store it.
 *
 * Rule: outside an engine nobody touches `state` directly. cpu_read() fetches
 * the parts asked for (once; they are then valid until the CPU runs again),
 * cpu_write() does the same and marks them to be stored before the CPU runs.
 *
 * All of it belongs to the thread that runs the CPU, or, while it is stopped, to the
 * thread that stopped it.
 */
#ifndef MINIKVM_CPU_H
#define MINIKVM_CPU_H

#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/cpu/io.h"
#include "vmm/cpu/breakpoint_kind.h"
#include "vmm/x86/state.h"

struct breakpoints;
struct cpu;
struct cpuid_choice;
struct engine;
struct engine_host;
struct memory;

/* An access to memory, by the instruction or (TABLE) on the way through the page tables. */
enum cpu_access { CPU_READ, CPU_WRITE, CPU_TABLE };

/* Why a CPU came back. In every case the state is that of an instruction
 * boundary: nothing half done. */
enum cpu_exit_kind {
    CPU_EXIT_KICKED,     /* kick() was called */
    CPU_EXIT_STEPPED,    /* step() is done */
    CPU_EXIT_BREAKPOINT, /* about to execute a breakpoint's address */
    CPU_EXIT_WATCHPOINT, /* the instruction just done touched a watchpoint */
    CPU_EXIT_HALTED,     /* after a hlt that nothing can wake */
    CPU_EXIT_WAITING,    /* at an IN whose device said IO_RETRY */
    CPU_EXIT_DEVICE,     /* after an access whose device said IO_STOP */
    CPU_EXIT_SHUTDOWN,   /* triple fault */
    CPU_EXIT_CANNOT,     /* at an instruction that this engine cannot run */
    CPU_EXIT_EVENT,      /* something in `catch` happened; text says what */
    CPU_EXIT_SLOW,       /* another engine would be far quicker here; text says why */
    CPU_EXIT_RUNAWAY,    /* execution has gone astray; text says why */
    CPU_EXIT_LIMIT,      /* the instruction budget is used up (soft only) */
};

struct cpu_exit {
    enum cpu_exit_kind kind;
    enum bp_kind point; /* BREAKPOINT, WATCHPOINT: which kind */
    uint64_t address;   /* BREAKPOINT, WATCHPOINT: linear address */
    bool fatal;         /* CANNOT: no engine could go on from here */
    char text[256];     /* one sentence for a person, or empty */
};

/* What an engine asks of the machine around the CPU. `context` is handed back as given. */
struct cpu_host {
    void *context;
    enum io_result (*io)(void *context, uint16_t port, bool out, unsigned size, void *data);
    /* A device has answered IO_SERVICE, and the OUT that it answered is done: the CPU stands
     * between two instructions, and all of its state may be read and changed; guest memory
     * by service.h. For a debugger that is part of the OUT. IO_STOP: CPU_EXIT_DEVICE. One that
     * puts the CPU back to the OUT takes its tick back, too. */
    enum io_result (*service)(void *context);
    /* An access to physical memory that is neither RAM nor ROM, of 1 to 8 bytes. IO_NOBODY:
     * no device is there; IO_RETRY: give the instruction up (CPU_EXIT_WAITING), as if it had
     * not begun. NULL: there are no devices. */
    enum io_result (*mmio)(void *context, uint64_t phys, bool write, unsigned size, void *data);
    const struct engine_host *extra; /* engine.h; NULL: nothing beside devices */
};

/* What has been done about breakpoints at the current instruction, as RF says for the
 * guest's own ones (17.3.1.1). Engines make it NEW as soon as the instruction is done or an
 * event has led elsewhere, hits.c sets the rest. It is valid for `pc` only, so whatever
 * moves the CPU (a write of CS's base, a load of a snapshot) makes it void. */
struct cpu_arrival {
    enum {
        ARRIVAL_NEW,    /* nothing: run() stops at a breakpoint here */
        ARRIVAL_TRACED, /* a step ended here: tracepoints have been served, nothing else */
        ARRIVAL_DONE,   /* the stop was reported, or its program wanted none: run() passes */
    } state;
    uint64_t pc; /* linear */
};

/* A watchpoint that a service has touched, the first. */
struct cpu_touched {
    bool any;
    enum bp_kind point;
    uint64_t address;
};

/* Events to stop at, exactly. Ports and hypercalls are the machine's affair
 * (its devices answer IO_STOP). */
struct cpu_catch {
    bool mode;             /* a change of x86_mode(); after the instruction */
    uint8_t mode_bits;     /* with `mode`: 0, or into code of so many bits alone */
    bool cr3;              /* a write to CR3; after the instruction */
    bool calls;            /* before an INT n, or where a service begins: as the machine says */
    uint64_t exception[4]; /* bitmap of vectors; at the handler's first instruction */
    uint64_t interrupt[4]; /* likewise, external interrupts and int n */
};

struct addresses;

/* What accesses memory: an instruction, the delivery of an interrupt or fault, or paging,
 * which sets accessed and dirty bits. */
enum cpu_access_by { BY_INSTRUCTION, BY_DELIVERY, BY_PAGING };

/* What runs a CPU. An engine does more than that: engine.h. */
struct cpu_ops {
    /* State between cpu->state and the engine; 0 or -errno. fetch() may fill more than was
     * asked for (it ORs into cpu->valid); of what it cannot give see cpu_miss(), engine.h. */
    int (*fetch)(struct cpu *, unsigned parts);
    int (*store)(struct cpu *, unsigned parts);
    /* Run until there is something to report; breakpoints and watchpoints of
     * cpu->breakpoints stop it, also one where it begins, unless cpu_passes(). */
    void (*run)(struct cpu *, struct cpu_exit *);
};

struct cpu {
    const struct cpu_ops *ops;
    const struct engine *engine; /* that has these operations; NULL in the core */
    void *priv;                  /* the engine's own */
    struct cpu_state state;
    unsigned valid, dirty; /* masks of cpu_part */
    unsigned missing;      /* valid parts that the engine could not give: zeros */
    struct memory *memory;
    struct breakpoints *breakpoints; /* breakpoints and watchpoints to stop at */
    struct cpu_host host;
    const struct cpuid_choice *cpuid; /* NULL: what the engine gives by itself */
    struct cpu_catch catch;
    struct cpu_arrival arrival;
    struct cpu_touched touched; /* service.h */
    /* Called when an interrupt could be taken: is it deferred? In a live run while
     * single-stepping, in a replay as it was recorded. NULL: the same as `stepping`. */
    bool (*defer_irq)(void *context, uint64_t now, bool halted, bool stepping);
    const struct addresses *addresses; /* the debugger's choice, for address_shift() */
    /* Linear address less what a debugger sees in a flat register. NULL: 0. */
    uint64_t (*address_shift)(const struct addresses *, const struct cpu_state *);
    bool host_features; /* the guest has seen those that the host's processor has (soft) */
    bool step_irqs;     /* interrupts may enter during step() */
    bool verbose;       /* a line on stderr for each exit */
    bool behind;        /* during a call of `host`: the state is that after the instruction */
    /* The virtual clock of the soft engine: one tick for each instruction, and those
     * that passed while the CPU waited. No two states that a person can see have the
     * same count. */
    uint64_t ticks;
    uint64_t slept;        /* of these: waited in a hlt, or for input */
    uint64_t limit;        /* stop with CPU_EXIT_LIMIT when ticks reaches it; 0 = none (soft) */
    uint64_t watch_icount; /* WATCHPOINT: ticks before the instruction that hit it (soft), */
    enum cpu_access_by watched_by; /* and which part of it did */
    bool mid_rep;                  /* it stands within a repeated instruction (soft) */
    volatile bool intr;            /* the PIC's INTR line (soft engine; set by the machine) */
};

/* Both never fail: a part that the engine cannot give reads as zeros, and is in
 * `missing`. */
const struct cpu_state *cpu_read(struct cpu *, unsigned parts);
struct cpu_state *cpu_write(struct cpu *, unsigned parts);

#endif
