/* The built-in CPU's own state, and what all of its files share.
 *
 * How an instruction runs: decode.c turns bytes into a `struct op`, whose
 * `run` does the work and goes on to the next of its block (next_op), or returns
 * the op to do next: op + 1, or what leave() finds at another address. The loop
 * in soft.c does nothing else until `pending` is set.
 *
 * Rule: an instruction that faults has changed nothing. Either it does all that
 * can fault before its first change, or it calls checkpoint() first, which
 * raise() goes back to. Memory it writes only after checking all of it.
 */
#ifndef MINIKVM_SOFT_STATE_H
#define MINIKVM_SOFT_STATE_H

#include <setjmp.h>
#include <stdatomic.h>
#include <stddef.h>

#include "vmm/cpu/breakpoints.h"
#include "vmm/cpu/cpu.h"
#include "vmm/engines/soft/op.h"
#include "vmm/x86/fpu.h"
#include "vmm/memory/memory.h"
#include "vmm/x86/cpuid.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

/* Physical addresses have so many bits (CPUID leaf 80000008h). */
#define PHYS_BITS 40
#define PHYS_MASK ((1ull << PHYS_BITS) - 1)

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ALWAYS      static inline __attribute__((always_inline))
#define NOINLINE    static __attribute__((noinline))

/* General registers in the order of their encoding; R_ZERO is always 0 and
 * stands for the base or index that an address does not have. */
enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, R_8, R_ZERO = 16, R_COUNT };

/* Segment registers in the order of their encoding, then LDTR and TR. */
enum { S_ES, S_CS, S_SS, S_DS, S_FS, S_GS, S_LDT, S_TR, S_COUNT };

/* A segment register with its hidden part. An offset's linear address is base + offset,
 * cut to 32 bits outside 64-bit code. Offsets below read_end (write_end) may be read
 * (written) without a further look, and that sum needs no cutting; 0 sends every access
 * through segment_check(). In 64-bit code both are ~0: no address that is not canonical
 * has a TLB entry. */
struct segment {
    struct kvm_segment k;
    uint64_t base; /* k.base, or 0 where the mode does not look at it (3.2.4) */
    uint64_t read_end, write_end;
};

/* One translation. read and write are the page's linear address when the fast
 * path may go straight to host + linear, else NO_PAGE: not mapped so, watched,
 * or (write) holding code. */
struct tlb_entry {
    uint64_t read, write;
    uintptr_t host;
    uint64_t page; /* linear, or NO_PAGE when the entry is empty */
    uint64_t phys;
    bool writable, dirty, global;
    uint8_t shift; /* of the page in the tables that it is a part of: 12, 21, 22, 30 */
    uint64_t unused[2]; /* a power of two is found by one shift */
};
#define NO_PAGE  1ull /* no page's address */
#define TLB_SIZE 512u

/* With whose rights memory is accessed (4.6.1): the system's, also what the CPU itself does
 * in any ring; a user's; the system's where SMAP does not keep it from users' pages. There is
 * a TLB for data of each, and from TLB_CODE on two for code. */
enum rights { RIGHTS_SYSTEM, RIGHTS_USER, RIGHTS_SYSTEM_AC };
enum { TLB_CODE = RIGHTS_SYSTEM_AC + 1, TLB_KINDS = TLB_CODE + 2 };

#define JUMPS 2048u

enum pending {
    PENDING_KICK = 1,    /* kick() */
    PENDING_CHECK = 2,   /* something at the next instruction boundary */
    PENDING_CAREFUL = 4, /* one instruction at a time */
};

/* An exception or interrupt on its way. */
enum fault_kind { KIND_EXCEPTION, KIND_EXTERNAL, KIND_SOFTWARE };
struct fault {
    unsigned vector;
    enum fault_kind kind;
    bool raised; /* by an instruction, which did not happen */
    bool has_code;
    uint32_t code;
    uint64_t cr2;
    uint16_t cs;  /* where it came up, for the text of a triple fault */
    uint64_t ip;  /* to return to */
};

enum { UNWIND_FAULT = 1, UNWIND_EXIT };

struct soft {
    /* --- what checkpoint() saves --- */
    uint64_t r[R_COUNT];
    uint64_t ip;     /* of the block's first instruction: see here() */
    uint64_t result, carry; /* six flags: see flags.h */
    uint32_t flags;  /* EFLAGS without these six */
    uint32_t cpl;
    uint64_t stack_mask, stack_kept; /* what of RSP is SP, and what a new SP leaves of it */
    struct segment seg[S_COUNT];
    struct tlb_entry *tlb; /* of the present rights */
    enum rights rights;    /* of the program */
    bool flat;             /* segments_are_flat() */
    /* --- up to here --- */
    bool saved_valid;

    bool protected;  /* CR0.PE and not virtual-8086 mode */
    bool long_mode;  /* EFER.LMA: 64-bit or compatibility mode */
    bool align;      /* alignment is checked (6.15, #AC) */
    unsigned width;  /* of code, in bytes: 2, 4, or 8 in 64-bit mode */
    uint64_t ip_bias, ip_last; /* see ip_exists() */
    uint64_t fcs;    /* CS as it is above an offset in FIP: nothing in 64-bit code */
    uint64_t cr0, cr2, cr3, cr4, efer;
    uint64_t pdpte[4]; /* PAE paging's first level (4.4.1) */
    uint64_t features; /* that CPUID announces: see has_feature() */
    enum cpuid_vendor vendor;
    bool amd; /* where vendors differ, it does as AMD's do */
    bool error_pointers; /* FXSAVE and FXRSTOR have FIP, FDP and FOP, exception or not */
    struct kvm_dtable gdt, idt;
    uint64_t dr[8];
    struct cpu_msrs msrs; /* tsc is what to add to the ticks */
    struct kvm_sregs sregs;   /* what we only keep: the APIC base, CR8 */
    struct kvm_debugregs debugregs;
    struct kvm_vcpu_events events;

    const struct op *op; /* in progress: with ip, the place of a fault */
    struct op nothing[1];
    uint64_t ticks;      /* before the block's first instruction */
    uint64_t horizon;    /* no block may run past this count */
    uint64_t turn_end;   /* nor begin behind this one without a look: see TURN */
    uint64_t deadline;   /* when engine_host.deadline() is to be called */
    atomic_uint pending;

    bool x87_here;
    bool x87_ready; /* it is here, and no x87 instruction raises #NM or #MF */
    bool sse_ready; /* CR0 and CR4 let SSE instructions be executed */
    bool mmx_ready; /* no MMX instruction raises #NM or #MF, and the registers are in MMX's order */
    bool mxcsr_here;  /* sse.h */
    bool mxcsr_ready; /* it is here and masks all exceptions, and sse_ready */
    bool ferr;      /* the board may have been told of FERR# */

    bool shadow_sti, shadow_ss; /* no interrupt before the next instruction */
    bool halted;
    bool stepping;      /* step(): one instruction, then leave */
    bool first;         /* the first instruction of a run(): breakpoints there are looked at */
    bool repeating;     /* a string instruction has iterations to do */
    bool irq_deferred;       /* an interrupt is pending, deferred by a step */
    bool serves;        /* a device has answered IO_SERVICE to the instruction just done */
    bool delivered;     /* the instruction was an interrupt: no single-step trap */
    bool rf;            /* RF as it was before the instruction */
    uint32_t db_trap;   /* DR6 bits of a #DB due after this instruction */
    enum cpu_mode mode;

    jmp_buf unwind;
    struct fault fault;        /* raised */
    struct fault chain[8];     /* those being delivered, the first first */
    unsigned chained;
    struct cpu_exit *exit;
    bool exiting;
    bool watch_hit;
    struct breakpoint watch;        /* which, with the address that was hit */

    struct cpu *cpu;
    unsigned breakpoints_seen;      /* generation that the caches below agree with, */
    const struct breakpoints *points_of; /* of this table */
    bool watching;             /* there are watchpoints */
    bool guest_watching;       /* DR7 enables some data breakpoint */

    uint64_t xcr0;
    struct cpuid_xstate xstate[XSTATES]; /* xsave.c */
    union { /* but the x87's registers are the host's while x87_here: x87.h */
        struct fpu_image fpu;
        struct xsave_area xsave; /* with what only KVM has instructions for */
    };

    /* --- caches --- */
    struct tlb_entry tlbs[TLB_KINDS][TLB_SIZE];
    bool large_pages; /* some entry is part of a 4 MiB page */
    uint64_t epoch;   /* how often blocks that were found became void, and in its lowest bits
                         what else they depend on: see new_epoch() */
    const struct block *jumps[JUMPS]; /* by ip: the last that was found; never NULL */
    struct cache *cache;
    struct op scratch[3];
    uint8_t saved[1024]; /* checkpoint() */
};

#define SAVED_SIZE offsetof(struct soft, saved_valid)
_Static_assert(SAVED_SIZE <= sizeof(((struct soft *)0)->saved), "room for a checkpoint");

static inline void pend(struct soft *s, unsigned why) {
    atomic_fetch_or_explicit(&s->pending, why, memory_order_relaxed);
}

static inline unsigned pending(struct soft *s) {
    return atomic_load_explicit(&s->pending, memory_order_relaxed);
}

/* Where the instruction in progress begins, and where it ends, in CS. */
static inline uint64_t here(const struct soft *s) {
    return s->ip + s->op->start;
}
static inline uint64_t after(const struct soft *s, const struct op *op) {
    return s->ip + op->end;
}

static inline uint64_t mask_of(unsigned size) {
    return size == 8 ? ~0ull : (1ull << 8 * size) - 1;
}

/* What else a block depends on, in one number: the width of code, and whether data is flat.
 * An epoch has it in its lowest bits, and ring 3 in the lowest. */
enum { MODE_FLAT = 16, EPOCH_MODE = 31 };
static inline unsigned code_mode(const struct soft *s) {
    return s->width | (s->flat ? MODE_FLAT : 0);
}

/* No block that was found is known any more to be the right one. */
static inline void new_epoch(struct soft *s) {
    s->epoch += EPOCH_MODE + 1;
}

static inline bool has_feature(const struct soft *s, enum cpuid_feature f) {
    return s->features >> f & 1;
}

static inline bool code64(const struct soft *s) {
    return s->width == 8;
}

/* Instructions may begin there: within CS's limit or, in 64-bit code, canonical. */
static inline bool ip_exists(const struct soft *s, uint64_t ip) {
    return ip + s->ip_bias <= s->ip_last;
}

/* A linear address as the present code cuts it, or (tables and TSSs) the mode. */
static inline uint64_t wrap_linear(const struct soft *s, uint64_t linear) {
    return code64(s) ? linear : (uint32_t)linear;
}
static inline uint64_t wrap_system(const struct soft *s, uint64_t linear) {
    return s->long_mode ? linear : (uint32_t)linear;
}

static inline bool vm86(const struct soft *s) {
    return s->flags & FLAG_VM;
}
static inline unsigned iopl(const struct soft *s) {
    return (s->flags & FLAG_IOPL) >> 12;
}

/* --- soft.c --- */
void checkpoint(struct soft *); /* a fault from here on restores the registers of now */
void commit(struct soft *);     /* and from here on it does not */
_Noreturn void raise_fault(struct soft *, unsigned vector, uint32_t code); /* with an error code */
_Noreturn void raise_plain(struct soft *, unsigned vector);                /* without */
_Noreturn void raise_page_fault(struct soft *, uint64_t linear, uint32_t code);
_Noreturn void leave_with(struct soft *, enum cpu_exit_kind, const char *text);
void report(struct soft *, enum cpu_exit_kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void mode_changed(struct soft *); /* PE, VM, AC, CPL, CS or SS may have */
void blocks_changed(struct soft *); /* a data segment may have */
uint64_t now(const struct soft *); /* instructions done before the one in progress */
void settle(struct soft *, const struct op *next); /* ip and ticks become next's */

#define raise_gp0(s) raise_fault(s, VECTOR_GP, 0)

/* cpuid.c: takes what cpu->cpuid says; returns the features of it that there are none of. */
uint64_t features_choose(struct soft *);

/* --- state_sync.c --- */
int soft_fetch(struct cpu *, unsigned parts);
int soft_store(struct cpu *, unsigned parts);
void soft_reset(struct soft *);
/* Runs, or does one instruction, until there is something to report. */
void soft_go(struct cpu *, struct cpu_exit *, bool stepping);
void events_drop_exception(struct kvm_vcpu_events *);
void events_add_traps(const struct soft *, struct kvm_vcpu_events *); /* db_trap */

/* --- paging.c --- */
enum access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };
/* Fills in all that follows from the tables; raises #PF. */
void walk_tables(struct soft *, struct tlb_entry *, uint64_t linear, enum access, enum rights);
bool pdptes_load(struct soft *, uint64_t cr3);

/* --- tlb.c --- */
struct tlb_entry *translate(struct soft *, uint64_t linear, enum access, enum rights);
void tlb_flush(struct soft *, bool global_too);
void tlb_flush_page(struct soft *, uint64_t linear);
/* The translation for a fetch, if it is there: nothing is looked up or marked. */
const struct tlb_entry *tlb_find_code(struct soft *, uint64_t linear);
void tlb_retag(struct soft *); /* which accesses may be fast has changed */
void tlb_see_writes(struct soft *); /* the next to each page is to come by memory_dirty() */
void tlb_protect_code(struct soft *, uint64_t phys);
struct saved_tlb;
struct saved_tlb *tlb_save(const struct soft *, size_t *size); /* free() it; NULL: no memory */
void tlb_load(struct soft *, const struct saved_tlb *);

/* --- memory access that is not the fast path: access.c --- */
uint64_t read_slow(struct soft *, unsigned seg, uint64_t offset, unsigned size);
uint64_t read_for_write_slow(struct soft *, unsigned seg, uint64_t offset, unsigned size);
void write_slow(struct soft *, unsigned seg, uint64_t offset, unsigned size, uint64_t value);
/* By linear address. */
uint64_t read_linear(struct soft *, uint64_t linear, unsigned size, enum rights);
void write_linear(struct soft *, uint64_t linear, unsigned size, uint64_t value, enum rights);
void check_linear(struct soft *, uint64_t linear, unsigned size, enum access, enum rights);
void check_write(struct soft *, unsigned seg, uint64_t offset, unsigned size);
/* An area of any size, and the alignment that #AC asks of it. */
void check_write_area(struct soft *, unsigned seg, uint64_t offset, unsigned size,
                      unsigned alignment);
void read_16(struct soft *, unsigned seg, uint64_t offset, uint64_t to[2]);
void write_16(struct soft *, unsigned seg, uint64_t offset, const uint64_t from[2]);
/* Entries of page tables, of 4 or 8 bytes. */
void phys_write_entry(struct soft *, uint64_t phys, unsigned size, uint64_t value);
uint64_t phys_read_entry(struct soft *, uint64_t phys, unsigned size);

/* --- segment.c --- */
void segment_refresh(struct soft *, struct segment *);
void segments_refresh(struct soft *);
bool segments_are_flat(const struct soft *);
bool segment_allows(const struct soft *, const struct segment *, uint64_t offset, unsigned size,
                    bool write);
/* Linear address, or the fault of this segment (#SS for SS, else #GP). */
uint64_t segment_check(struct soft *, unsigned seg, uint64_t offset, unsigned size, bool write);
void segment_load(struct soft *, unsigned seg, uint16_t selector);
void segment_load_task(struct soft *, unsigned seg, uint16_t selector);
void segments_drop_inner(struct soft *);
void segments_drop_all(struct soft *);
void segment_set_real(struct soft *, unsigned seg, uint16_t selector);
void segment_set_vm86(struct soft *, unsigned seg, uint16_t selector);
bool descriptor_at(struct soft *, uint16_t selector, uint64_t *raw, uint64_t *linear);
uint64_t descriptor_need(struct soft *, uint16_t selector, unsigned vector, uint64_t *linear);
/* Of an LDT or a TSS: in 64-bit code it has 16 bytes. */
struct kvm_segment system_descriptor(struct soft *, uint16_t selector, unsigned vector,
                                     uint64_t *linear);
void descriptor_accessed(struct soft *, uint64_t linear, struct kvm_segment *);
void load_ldt(struct soft *, uint16_t selector, unsigned vector);
bool stack_may_be_null(uint16_t selector, unsigned cpl, bool is64);
struct kvm_segment null_stack(uint16_t selector);
void stack_segment_fits(struct soft *, uint16_t selector, unsigned cpl, unsigned vector,
                        struct kvm_segment *k);

/* --- transfer.c: far transfers --- */
/* Of the offset in a far pointer in memory. */
unsigned far_offset_size(const struct soft *, const struct op *);
/* CS, with its RPL and the CPL made to agree; faults nothing. */
void set_code(struct soft *, struct kvm_segment k, unsigned cpl);
void set_code_real(struct soft *, uint16_t selector);
void set_stack(struct soft *, struct kvm_segment k, uint64_t sp);
/* An ip that exists in the code segment `k`, or #GP. */
uint64_t target_in(struct soft *, const struct kvm_segment *k, uint64_t ip);
/* A code segment that may be loaded: present, or #NP; and what L and D must be in long mode. */
void code_fits(struct soft *, const struct kvm_segment *k);
/* Values to push together: all room is checked before the first is written. */
struct frame {
    unsigned size, count;
    uint32_t code; /* error code of the #SS when there is no room */
    uint64_t value[40];
};
void frame_add(struct frame *, uint64_t value);
void frame_push(struct soft *, const struct frame *);

/* --- task.c --- */
enum switch_cause { SWITCH_JMP, SWITCH_CALL, SWITCH_INT, SWITCH_IRET };
/* Goes to the task of this TSS; from then on we are in that task: retire_block() is
 * done. `error` is the error code to push there, or NULL. */
void task_switch(struct soft *, uint16_t selector, enum switch_cause, uint64_t return_ip,
                 const uint32_t *error);
void task_switch_gate(struct soft *, uint64_t gate, enum switch_cause, uint64_t return_ip,
                      const uint32_t *error);
void task_return(struct soft *, uint64_t return_ip);
void task_stack(struct soft *, unsigned cpl, uint16_t *ss, uint32_t *esp);
/* RSP0 to RSP2 (number 0 to 2) and IST1 to IST7 (TSS_IST + 1 to 7) of a 64-bit TSS. */
enum { TSS_IST = 3 };
uint64_t task_stack64(struct soft *, unsigned number);

/* --- interrupt.c --- */
/* Takes an exception or interrupt to its handler; retire_block() is done. */
void deliver(struct soft *, struct fault);
/* After raise_fault() unwound: deliver it, or the double fault it makes, or end
 * in a triple one. */
void fault_unwound(struct soft *);

/* --- astray.c: execution that has lost its way --- */
enum { ZEROS = 16 }; /* so many bytes of them are no code */
bool are_zeros(const uint8_t *bytes, unsigned length);
void leave_if_astray(struct soft *);
void report_empty_vector(struct soft *, const char *came);

/* --- debug.c: debug registers and the debugger's points --- */
void points_refresh(struct soft *);
bool page_watched(struct soft *, uint64_t page, uint64_t phys);
void watch_access(struct soft *, uint64_t linear, unsigned size, bool write);
void watch_physical_write(struct soft *, uint64_t phys, unsigned size, bool by_paging);
void watch_io(struct soft *, uint16_t port, unsigned size);
bool code_stops_at(struct soft *, uint64_t linear);
unsigned guest_breaks_at(struct soft *, uint64_t linear); /* DR6 bits */
void dr7_changed(struct soft *);

/* --- flags --- */
uint32_t flags_get(const struct soft *);
void flags_set(struct soft *, uint32_t);
void flags_changed(struct soft *); /* after TF, IF, VM, AC, RF may have been set */

#endif
