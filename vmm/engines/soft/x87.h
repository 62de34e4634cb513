/* The x87. While the guest uses it, its registers are in the host's x87: an instruction is
 * the host's own, with its stack faults, tags, C1 and all, at the host's speed.
 *
 * That is possible because an x87 exception that is not masked does not come at once: the
 * next instruction that waits for it raises it (Vol. 1 §8.6). The guest's is held back by
 * x87_begin(), and the host executes none: its compiler and its libraries use SSE.
 *
 * Rule: nothing but the interpreter itself runs while `x87_here` is set. fpu_away() comes
 * before every call that leaves it, and takes the registers back into soft.fpu; with MXCSR, of
 * which the same is true (sse.h).
 *
 * FIP and FCS are those of the last instruction. FOP (Vol. 1 §8.1.9.1) and FDP, of which CPUID
 * says so (leaf 7, EBX bit 6), are those of the last one with an exception that is not masked.
 */
#ifndef MINIKVM_SOFT_X87_H
#define MINIKVM_SOFT_X87_H

#include <string.h>

#include "vmm/engines/soft/state.h"

enum {
    X87_LOAD = 1,
    X87_STORE = 2,
    X87_CONTROL = 4,     /* FIP, FDP and FOP stay as they are (Vol. 1 §8.1.8) */
    X87_NO_WAIT = 8,     /* a pending exception does not matter */
    X87_EFLAGS = 16,     /* gives ZF, PF, CF */
    X87_USES_EFLAGS = 32,
};

/* The handler of an x87 instruction that has been decoded; the rest of its op is filled in. */
op_fn *x87_choose(const struct soft *, struct op *);

/* Those that are not just the host's. */
enum x87_own { X87_HOST, X87_FNINIT, X87_FNSTSW_AX, X87_FLDENV, X87_FNSTENV, X87_FRSTOR, X87_FNSAVE };

struct x87_row {
    char name[18];       /* "": no instruction */
    uint8_t flags, size; /* size: of the memory operand, in bytes */
    uint8_t own;
    uint8_t feature;     /* that it came with */
};
extern const struct x87_row x87_memory_rows[8][8], x87_register_rows[8][64];

/* Everything that comes before an x87 instruction is done: the registers are here, and
 * none of the exceptions that keep it from being executed was raised. */
void x87_begin(struct soft *, bool waits);
/* Raises the exception that is pending, if there is one. */
void x87_wait(struct soft *);
/* CW or the flags may have changed. The last thing that an instruction does with the x87. */
void x87_control_changed(struct soft *);

/* The registers to the host, and back. */
void x87_bring(struct soft *);
void x87_take_back(struct soft *);
static inline void x87_away(struct soft *s) {
    if (UNLIKELY(s->x87_here))
        x87_take_back(s);
}
void mxcsr_take_back(struct soft *);
static inline void fpu_away(struct soft *s) {
    x87_away(s);
    if (UNLIKELY(s->mxcsr_here))
        mxcsr_take_back(s);
    s->sse_ready = s->mmx_ready = false;
}

static inline uint16_t x87_host_fcw(void) {
    uint16_t fcw;
    __asm__ volatile("fnstcw %0" : "=m"(fcw));
    return fcw;
}

/* FIP is where the instruction was; of 64-bit code there is no selector, but more of the offset. */
static inline void x87_set_fip(struct soft *s, const struct op *op) {
    uint64_t fip = (s->ip + op->start) | s->fcs;
    memcpy(&s->fpu.fip, &fip, sizeof fip);
}

/* An instruction, whatever the state. */
op_fn x87_carefully;
/* x87_fast.c: the handler of one that is no control on registers and does not use EFLAGS. */
op_fn *x87_fast(const struct x87_row *, const struct op *);

op_fn x87_fninit, x87_fnstsw_ax;

/* --- fpu_memory.c --- */
enum { FCW_DEFINED = 0x1F3F, FCW_ONE = 1 << 6 /* reserved, always set */ };
static const union st st_defined = {.q = {UINT64_MAX, 0xFFFF}};
void fpu_drop_reserved(struct fpu_image *);
/* Parts of FXSAVE's area, out to memory that can be written, and in: #GP for a MXCSR with
 * reserved bits. */
enum { FX_X87 = 1, FX_XMM = 2, FX_MXCSR = 4, FX_ALL = 7 };
void fx_store(struct soft *, const struct op *, uint64_t at, unsigned parts);
void fx_load(struct soft *, const struct op *, uint64_t at, unsigned parts, struct fpu_image *);
op_fn x87_fldenv, x87_fnstenv, x87_frstor, x87_fnsave;

#endif
