/* Generated instruction streams: what lockstep_streams.c, the machine's making
 * (streams_machine.c), the instructions' (streams_generate.c) and the tables of
 * what may differ (streams_excuses.c) share.
 *
 * A stream is a machine in a random state of one mode, and a few random
 * instructions that it runs one after the other; all of it follows from one
 * number, the seed.
 *
 * The machine, in 256 KiB of RAM, all in the first 64 KiB but the page tables:
 *
 *   0 IVT  1000 GDT  1800 LDT  2000 IDT  3000 TSS  3800 2nd TSS  3C00 16-bit TSS
 *   4000 handlers, all `hlt`: vector n enters at 4000 + 16 n
 *   6000 code, all `hlt` but for the instruction
 *   8000 data  C000 stack  E000 ring 0's stack  10000 page directory, table; in long
 *   mode the four levels
 *
 * Every way out of an instruction thus ends in a `hlt`: behind it, where it
 * jumps to, or in the handler of its fault, and where it stands tells which.
 */
#ifndef MINIKVM_STREAMS_H
#define MINIKVM_STREAMS_H

#include "rig.h"

enum {
    RAM_SIZE = 0x40000,
    LDT_AT = 0x1800,
    TSS2_AT = 0x3800,
    TSS16_AT = 0x3C00,
    HANDLERS_AT = 0x4000,
    HLT_AT = 0x6000, /* … to DATA */
    SLOT_AT = 0x7000,
    DATA_AT = 0x8000,
    DATA_SIZE = 0x4000,
    STACK3_AT = 0xC000, /* to RING0 */
    RING0_AT = 0xE000,
    RING0_TOP = 0xF000,
    DIRECTORY_AT = 0x10000,
    TABLE_AT = 0x11000,
    TABLE64_AT = 0x13000,
};

/* What a mode needs of the KVM, and by what its exceptions are told apart. */
enum kvm_trait {
    KVM_PAGING = 1 << 0, /* 32-bit paging; a KVM without is one that interprets */
    KVM_LIMITS = 1 << 1, /* segment limits and rights are checked */
    KVM_VM86 = 1 << 2,   /* virtual-8086 mode */
};

struct stream_mode {
    const char *name;
    unsigned needs;
    bool protected, user, vm86, paging, odd_segments, code16, long_mode, compat;
    bool fpu; /* x87, MMX and SSE alone, with all of their state */
};
extern const struct stream_mode stream_modes[];
extern const unsigned stream_mode_count;

/* --- chance --- */
struct chance {
    uint64_t state;
};
void chance_start(struct chance *, uint64_t seed);
uint32_t any(struct chance *);                      /* 32 random bits */
uint32_t below(struct chance *, uint32_t limit);    /* 0 to limit-1 */
static inline bool one_in(struct chance *c, uint32_t n) { return below(c, n) == 0; }
uint32_t any_value(struct chance *);                /* of a register: edges, pointers, … */
uint16_t any_selector(struct chance *);

/* --- streams_machine.c --- */
void machine_make(struct rig *, const struct stream_mode *, struct chance *);

/* --- streams_generate.c --- */
struct instruction {
    uint8_t bytes[16];
    unsigned length;    /* of the instruction; 15 at most */
    unsigned prefixes;  /* how many of the bytes are */
    bool two_bytes;     /* 0F first */
    uint8_t opcode;     /* the last byte of it */
    uint8_t modrm;
    uint8_t last_rep;   /* F2 or F3, the last of them, or 0 */
    bool operand16, lock;
    uint8_t rex;
};
/* Makes the next one for the state in the rig, sets the registers that its
 * operands need there, and puts it into memory. */
void instruction_make(struct rig *, struct instruction *, struct chance *);
struct kvm_segment *state_segment(struct cpu_state *, unsigned number);
__u64 *state_register(struct cpu_state *, unsigned number);
/* Instructions of x87, MMX and SSE are executed, and others are not made. */
static inline bool has_fpu(const struct cpu_state *s) { return !(s->sregs.cr0 & CR0_EM); }
static inline bool is_long(const struct cpu_state *s) { return s->sregs.efer & EFER_LMA; }
static inline bool is_code64(const struct cpu_state *s) { return is_long(s) && s->sregs.cs.l; }

/* --- streams_excuses.c --- */
struct trial {
    struct instruction i;
    struct cpu_state before, kvm, soft;
    enum cpu_exit_kind kvm_exit, soft_exit;
    struct memory *kvm_memory, *soft_memory;
    unsigned traits; /* of the KVM */
    bool ignore_ports;
    char why[256];   /* they differ, or are not compared */
};
/* Not for comparison: why, or NULL. Asked when only the built-in CPU has run. */
const char *excuse_skips(const struct trial *);
/* Did the KVM not know the instruction? */
bool excuse_gives_up(const struct trial *);
/* Gives `soft` and its memory those parts of `kvm` that the two may differ in. */
void excuse_apply(struct trial *);

#endif
