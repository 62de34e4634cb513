/* What the files of the KVM engine share: the vCPU and the few steps that all
 * of them are made of.
 *
 *   open.c   making the VM and the vCPU; the engine
 *   vcpu.c   KVM_RUN
 *   state.c  the vCPU's state in and out
 *   chips.c  interrupt chips in the kernel
 *   exits.c  what each exit means to every user of enter()
 *   step.c   exactly one instruction, whatever this KVM makes of it
 *   hold.c   breakpoints and watchpoints: who gets which means
 *   run.c    running with them held
 *   guard.c  what a KVM without 32-bit paging gets wrong
 *   probe.c  what this KVM can do, measured
 *
 * "facts" below refers to what was seen on kvm-amd, kvm-intel and a partial KVM
 * without hardware (kvm-pvm); each remedy is explained where it is applied.
 */
#ifndef MINIKVM_KVM_VCPU_H
#define MINIKVM_KVM_VCPU_H

#include <pthread.h>

#include "vmm/engines/kvm/kvm.h"
#include "vmm/x86/x86.h"

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

/* How the points of one resume are held; made by hold_decide(). */
struct holds {
    struct {
        uint64_t address;
        unsigned kind, length; /* kind: DR7's R/W bits */
        const struct breakpoint *point;
    } dr[DEBUG_REGISTERS];
    unsigned drs;     /* how many are in use */
    bool int3;        /* some point is an int3 */
    bool pages;       /* some watchpoint protects its page */
    bool stepping;    /* some point needs every instruction stepped */
    uint8_t *watched; /* values of watchpoints held by page or by stepping */
    size_t watched_room;
};

/* MOVs to CR0 to be looked at; see guard.c. */
struct guards {
    uint64_t address[DEBUG_REGISTERS];
    unsigned count;
};

struct vcpu {
    int vm, fd;
    struct kvm_run *run;
    size_t run_size;
    unsigned slots;  /* memory slots in use, from 0 */
    bool irqchip;      /* in the kernel */
    bool sync;       /* KVM_CAP_SYNC_REGS */
    bool io_pending; /* an IO or MMIO exit that the next KVM_RUN completes */
    bool halted;     /* after a hlt that nothing can wake */
    bool guest_tf;   /* the guest's own TF, which KVM hides while we step */
    bool frozen;     /* the PIT stands still; `pit` has its true state */
    struct kvm_pit_state2 pit;
    struct kvm_guest_debug armed; /* as last given to KVM */
    unsigned inject;              /* KVM_GUESTDBG_INJECT_* for the next entry */
    uint64_t entry_rip;
    bool after_step;              /* the last entry was a single step, or this one is */
    bool mid_rep;                  /* the last step was an iteration of a rep, with more to come */
    struct cpu_state before;      /* REGS and SREGS as of the last entry */
    struct holds holds;
    struct guards guards;
    struct kvm_counters counters;
    timer_t watchdog;
    bool has_watchdog;
    volatile bool kicked;
    volatile bool inside;         /* `thread` is in run() or step() */
    pthread_t thread;
};

static inline struct vcpu *vcpu_of(const struct cpu *cpu) { return cpu->priv; }

/* --- state.c --- */
/* As struct engine has them; what was not taken stays dirty. 0, or -errno. */
int state_fetch(struct cpu *, unsigned parts);
int state_store(struct cpu *, unsigned parts);
/* While we step, KVM hides TF; what the guest's own TF is we know ourselves. */
void state_show_guest_tf(const struct vcpu *, struct kvm_regs *);

/* --- chips.c: as struct engine has them --- */
void chips_irq_line(struct cpu *, unsigned irq, bool level);
int chips_get(struct cpu *, struct irqchip_state *);
int chips_set(struct cpu *, const struct irqchip_state *);
void chips_freeze(struct cpu *, bool on);

/* --- vcpu.c --- */
void vcpu_run(struct cpu *, struct cpu_exit *);  /* as struct engine has them: */
void vcpu_step(struct cpu *, struct cpu_exit *); /* run_guest() and run_single(), guarded */
void vcpu_kick(struct cpu *);
void vcpu_catch_kicks(void); /* once per process: the signal is there to interrupt */
/* Store what is dirty, arm `debug`, KVM_RUN. Returns the exit's reason, or
 * -EINTR (kicked, or a signal) or another -errno. */
int vcpu_enter(struct cpu *, const struct kvm_guest_debug *debug);
/* Complete the instruction of a pending IO or MMIO exit, running nothing else
 * (facts, remedy 2). Same results as vcpu_enter(); -EINTR is the usual one. */
int vcpu_complete(struct cpu *);
bool vcpu_take_kick(struct vcpu *);
uint64_t vcpu_pc(struct cpu *);

/* --- exits.c --- */
/* Deal with an exit that means the same to everyone: devices, halts, failures.
 * true: *exit is filled in and the CPU must stop; false: it may go on. */
bool exits_settle(struct cpu *, int reason, struct cpu_exit *exit);
bool exits_report(struct cpu_exit *, enum cpu_exit_kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A DEBUG exit for a #DB that is not ours: if it is the guest's own, arrange that
 * the next entry delivers it. */
bool exits_give_back(struct cpu *);
/* --verbose: one line on stderr for the exit just made. */
void exits_trace(struct cpu *, int reason);
/* A vCPU that is halted: true (and *exit) if nothing can wake it. */
bool exits_halted(struct cpu *, struct cpu_exit *exit);

/* --- probe.c --- */
const struct kvm_traits *probe_traits(void); /* measures at the first call */

/* --- hold.c --- */
void hold_decide(struct cpu *);
/* DR7 and addresses for `debug` from the holds: data watchpoints, and execution
 * breakpoints too if wanted. */
void hold_registers(const struct vcpu *, struct kvm_guest_debug *debug, bool exec);
void hold_add_exec(struct kvm_guest_debug *debug, uint64_t address);
/* The point behind a DEBUG exit's DR6, or NULL if that was not ours. */
const struct breakpoint *hold_hit(const struct vcpu *, uint64_t dr6, bool data_only);
void hold_plant(struct cpu *);  /* int3s in, pages protected */
void hold_remove(struct cpu *); /* and out again */
void hold_protect(struct cpu *, bool on);
bool hold_snapshot(struct cpu *); /* false: no memory for the values */
/* A watchpoint held by value whose value is not that of the snapshot. */
const struct breakpoint *hold_changed(struct cpu *);
bool hold_strained(struct cpu *);
const char *hold_refuses(struct cpu *, enum bp_kind, uint64_t address, uint32_t length);

/* --- guard.c --- */
/* Looks for them in the code at [from, to), physical and real-mode linear alike. */
void guard_open(struct vcpu *, const struct memory *, uint64_t from, uint64_t to);
void guard_arm(struct cpu *, struct kvm_guest_debug *debug); /* in what is free of `debug` */
bool guard_at(struct cpu *); /* the CPU stands at one */
/* true, and *exit: this KVM cannot do the next instruction, which sets CR0.PG. */
bool guard_refuses(struct cpu *, struct cpu_exit *exit);
bool guard_sets_paging(struct cpu *, uint64_t pc);

/* --- step.c and run.c --- */
void step_one(struct cpu *, struct cpu_exit *);
/* As step_one, but an iteration of a rep instruction may count as a step. */
void step_raw(struct cpu *, struct cpu_exit *);
void run_guest(struct cpu *, struct cpu_exit *);
void run_single(struct cpu *, struct cpu_exit *);

#endif
