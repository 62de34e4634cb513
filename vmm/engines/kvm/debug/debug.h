/* The debugging half of the KVM engine: breakpoints, exact steps, kicks, and all of the state.
 *
 *   engine.c   the engine as engine.h has it
 *   probe.c    what this KVM can do, measured
 *   bp_plan.c   how each breakpoint and watchpoint is done
 *   cr0_guard.c what a KVM without 32-bit paging gets wrong
 *   long_mode.c what a KVM gets wrong in long mode
 *   enter.c    KVM_RUN with debug registers and TF
 *   exits.c    what exits mean besides
 *   trace.c    exits in words
 *   serve.c    services at the end of an OUT
 *   step.c     exactly one instruction, whatever this KVM makes of it
 *   step_faults.c the faults that it may end in
 *   step_holds.c  how their handlers are held meanwhile
 *   step_tf.c  what is seen of TF meanwhile, and the guest's own TF
 *   run.c      running with breakpoints
 *   slots.c    memory slots when memory moves
 *   kick.c     interrupting a run, and looking after it
 *   state.c    the parts of the state that a run does not need
 *   irqchip.c  interrupt chips in the kernel, for a debugger and a change of engine
 *
 * KVMs differ in what they make of KVM_SET_GUEST_DEBUG: docs/kvm-quirks.md has what was
 * seen, by number; each remedy is explained where it is applied.
 */
#ifndef MINIKVM_KVM_DEBUG_H
#define MINIKVM_KVM_DEBUG_H

#include <pthread.h>
#include <time.h>

#include "vmm/cpu/breakpoints.h"
#include "vmm/engines/kvm/kvm.h"
#include "vmm/engines/kvm/vcpu.h"
#include "vmm/memory/memory.h"
#include "vmm/x86/insn.h"

/* What this KVM can do; measured by probe.c, once per process. */
struct kvm_traits {
    bool exec_bp;   /* DR0–3 stop before an instruction */
    bool data_bp;   /* DR0–3 stop after an access */
    bool int3;      /* 0xCC comes to us */
    bool paging32;  /* CR0.PG without long mode */
    bool block_irq; /* KVM_GUESTDBG_BLOCKIRQ */
    bool protect;   /* a store to a read-only host page comes back as -EFAULT, undone */
};

enum { DEBUG_REGISTERS = 4 };

/* How the breakpoints of one resume are done; made by bp_plan_make(). */
struct bp_plan {
    struct {
        uint64_t address;
        unsigned kind, length; /* kind: DR7's R/W bits */
        const struct breakpoint *point;
    } dr[DEBUG_REGISTERS];
    unsigned drs;     /* how many are in use */
    bool int3;        /* some breakpoint is an int3 */
    bool pages;       /* some watchpoint protects its page */
    bool stepping;    /* some breakpoint needs every instruction stepped */
    uint8_t *watched; /* values of watchpoints that are done by page or by stepping */
    size_t watched_room;
};

/* MOVs to CR0 to be looked at; see cr0_guard.c. */
struct cr0_guard {
    uint64_t address[DEBUG_REGISTERS];
    unsigned count;
};

enum { KVM_EXITS_MAX = 48 }; /* more reasons than there are */

/* Counters of a CPU, by KVM_EXIT_ reason. */
struct kvm_counters {
    uint64_t exits[KVM_EXITS_MAX];
    uint64_t interrupted; /* KVM_RUN came back for a signal */
    uint64_t runs, debug_ioctls, state_ioctls;
};

enum { MEMORY_SLOTS = 4096 }; /* a closed A20 cuts 3 GiB at each megabyte */

struct debugged_vcpu {
    struct kvm_vcpu vcpu;         /* first: cpu->priv points to both */
    struct kvm_guest_debug armed; /* as last given to KVM */
    /* Memory by the number of its slot; length 0: it is free. */
    struct memory_piece slots[MEMORY_SLOTS];
    bool sync;       /* KVM_CAP_SYNC_REGS: registers travel in struct kvm_run */
    unsigned wanted; /* parts of the state that are to come with the next exit */
    bool stepping;   /* TF is set for a debugger; the guest's own TF is guest_tf */
    bool guest_tf;
    struct kvm_counters counters;
    unsigned inject; /* KVM_GUESTDBG_INJECT_* for the next entry */
    uint64_t entry_rip;
    bool after_step;         /* the last entry was a single step, or this one is */
    bool mid_rep;            /* the last step was an iteration of a rep, with more to come */
    struct cpu_state before; /* REGS and SREGS as of the last entry */
    struct bp_plan plan;
    struct cr0_guard guard;
    bool frozen; /* the PIT stands still; `pit` has its true state */
    struct kvm_pit_state2 pit;
    bool replaceable;      /* as the option says; false once it has been told */
    bool guards_long_mode; /* another engine may go on where this KVM gets it wrong */
    bool long_mode_seen;   /* the guest has come to it, and it was decided that it stays */
    unsigned empty_traps;  /* one after the other: see run.c */
    unsigned busy_looks;   /* of the watchdog, at a guest that executes */
    timer_t watchdog;
    bool has_watchdog;
    volatile bool inside; /* `thread` is in kick_run() or kick_step() */
    pthread_t thread;
};

static inline struct debugged_vcpu *debugged_of(const struct cpu *cpu) { return cpu->priv; }

/* --- state.c: all parts; as struct engine has them --- */
int debug_fetch(struct cpu *, unsigned parts);
int debug_store(struct cpu *, unsigned parts);
/* RFLAGS as the guest has them: while we step, KVM shows our TF there. */
void debug_show_guest_tf(const struct debugged_vcpu *, struct kvm_regs *);

/* --- slots.c --- */
void slots_note(struct debugged_vcpu *, const struct memory *); /* as they were made */
int slots_remap(struct cpu *);                                  /* as struct engine has it */

/* --- irqchip.c: as struct engine has them --- */
int irqchip_get(struct cpu *, struct irqchip_state *);
int irqchip_set(struct cpu *, const struct irqchip_state *);
void irqchip_freeze(struct cpu *, bool on);

/* --- kick.c --- */
void kick_run(struct cpu *, struct cpu_exit *);  /* as struct engine has them: */
void kick_step(struct cpu *, struct cpu_exit *); /* run_guest() and run_single(), interruptible */
void kick_send(struct cpu *);
void kick_catch(void); /* once per process: the signal is there to interrupt */

/* --- enter.c --- */
/* Arms `debug` and enters the guest; as vcpu_enter(). */
int debug_enter(struct cpu *, const struct kvm_guest_debug *debug);
/* Are the registers as they were then? */
bool debug_unchanged(struct cpu *, const struct kvm_regs *start);
/* struct kvm_vcpu has them: registers that travel in struct kvm_run, and counters. */
void debug_entering(struct cpu *);
void debug_left(struct cpu *, int reason);
/* Is there a kick? It is taken. */
bool debug_take_kick(struct kvm_vcpu *);

/* --- exits.c --- */
/* exits_settle() with a debugger: what means the same without one goes there. */
bool debug_settle(struct cpu *, int reason, struct cpu_exit *exit);
/* A DEBUG exit for a #DB that is not ours: if it is the guest's own, arrange that
 * the next entry delivers it. */
bool exits_give_back(struct cpu *);
/* An MMIO exit was for no device: the machine is told. */
void exits_unclaimed(struct cpu *);
/* A vCPU that is halted: true (and *exit) if nothing can wake it. */
bool exits_halted(struct cpu *, struct cpu_exit *exit);

/* --- trace.c --- */
const char *kvm_exit_name(unsigned reason);
/* --verbose: one line on stderr for the exit just made. */
void exits_trace(struct cpu *, int reason);

/* --- probe.c --- */
const struct kvm_traits *probe_traits(void); /* measures at the first call */

/* Calls `by` with a CPU in a VM of its own, with 64 KiB of memory; not if there is no KVM. */
void probe_in_scratch_vm(void (*by)(struct cpu *));
/* Enters it, again where only a signal came: the exit's reason, or a negative errno. */
int probe_enter(struct cpu *, const struct kvm_guest_debug *);
/* Are instructions outside long mode interpreted rather than executed by the processor?
 * Measured at the first call, some milliseconds (kvm-quirks 16). */
bool probe_interprets(void);

/* --- bp_plan.c --- */
void bp_plan_make(struct cpu *);
/* DR7 and addresses for `debug` from the plan: data watchpoints, and execution
 * breakpoints too if wanted. */
void bp_plan_registers(const struct debugged_vcpu *, struct kvm_guest_debug *debug, bool exec);
/* The guest's DR7.GD, which our DR7 hides from KVM. */
void bp_plan_detect(struct cpu *, struct kvm_guest_debug *debug);
/* false: all debug registers are taken. */
bool bp_plan_add_exec(struct kvm_guest_debug *debug, uint64_t address);
/* The breakpoint behind a DEBUG exit's DR6, or NULL if that was not ours. */
const struct breakpoint *bp_plan_hit(const struct debugged_vcpu *, uint64_t dr6, bool data_only);
void bp_plan_insert(struct cpu *); /* int3s in, pages protected */
void bp_plan_remove(struct cpu *); /* and out again */
void bp_plan_protect(struct cpu *, bool on);
bool bp_plan_snapshot(struct cpu *); /* false: no memory for the values */
/* A watchpoint that is done by value, whose value is not that of the snapshot. */
const struct breakpoint *bp_plan_changed(struct cpu *);
bool bp_plan_strained(struct cpu *);
const char *bp_plan_refuses(struct cpu *, enum bp_kind, uint64_t address, uint32_t length);

/* --- cr0_guard.c --- */
/* Looks for them in the code at [from, to), physical and real-mode linear alike. */
void cr0_guard_open(struct debugged_vcpu *, const struct memory *, uint64_t from, uint64_t to);
void cr0_guard_arm(struct cpu *, struct kvm_guest_debug *debug); /* in what is free of `debug` */
bool cr0_guard_at(struct cpu *);                                 /* the CPU stands at one */
/* true, and *exit: this KVM cannot do the next instruction, which sets CR0.PG. */
bool cr0_guard_refuses(struct cpu *, struct cpu_exit *exit);
bool cr0_guard_sets_paging(struct cpu *, uint64_t pc);

/* --- long_mode.c --- */
/* Does this KVM get system calls, interrupts and the FPU right there? Measured at the first
 * call. */
bool long_mode_is_right(void);
#define LONG_MODE_WRONG "this KVM gets 64-bit code wrong (system calls, or the FPU)"
/* From here on KVM asks before the guest's WRMSR to EFER. */
void long_mode_guard(struct kvm_vcpu *);
/* That exit. true, and *exit: the guest is about to enter long mode, and should not here. */
bool long_mode_at_wrmsr(struct cpu *, struct cpu_exit *exit);
/* The same for a CPU that was put into long mode from outside. */
bool long_mode_refuses(struct cpu *, struct cpu_exit *exit);

/* --- cpuid.c --- */
/* Gives the vCPU what cpu->cpuid says. 0, or -errno with a sentence. */
int cpuid_apply(struct cpu *, struct kvm_vcpu *, char *error, size_t size);

/* --- serve.c --- */
/* After an exit that has set vcpu.serves: ends the OUT, and does the service. true: *exit says
 * why to stop. */
bool serve(struct cpu *, struct cpu_exit *);

/* --- step.c and run.c --- */
void step_one(struct cpu *, struct cpu_exit *);
/* As step_one, but an iteration of a rep instruction may count as a step. */
void step_raw(struct cpu *, struct cpu_exit *);
enum { STEP_FAULTS = DEBUG_REGISTERS };
/* Vectors, the likeliest first. */
void step_faults(const struct cpu_state *, const struct insn *, uint8_t vectors[STEP_FAULTS]);
bool step_has_vex(const struct insn *, const struct cpu_state *);
/* --- step_holds.c --- */
enum { STEP_INT3S = 16 };
struct step_holds {
    struct kvm_guest_debug debug; /* with the registers of the plan */
    struct {
        uint8_t *byte, saved;
    } int3[STEP_INT3S];
    unsigned int3s;
};
/* Where the instruction must end. false: it cannot be held there. */
bool step_hold_end(struct cpu *, struct step_holds *, const struct insn *, uint64_t address);
void step_hold_handlers(struct cpu *, struct step_holds *, const struct insn *);
int step_enter(struct cpu *, struct step_holds *); /* as debug_enter() */

/* --- step_tf.c --- */
/* The guest's own TF before and after an instruction that comes to its end; is a #DB due then? */
struct guest_trace {
    bool before, after, trap;
};
/* `interrupts`: it is an INT, or an exception goes in before it. */
struct guest_trace step_tf_begin(struct cpu *, const struct insn *, bool interrupts);
/* `delivered`: a fault was, instead. `unfinished`: another exit came first. */
void step_tf_end(struct cpu *, const struct insn *, const struct guest_trace *, bool delivered,
                 bool unfinished);
bool step_loads_ss(const struct insn *); /* #DB is held off until after the next instruction */
void run_guest(struct cpu *, struct cpu_exit *);
void run_single(struct cpu *, struct cpu_exit *);

#endif
