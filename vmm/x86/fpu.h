/* The x87, MMX and SSE registers as FXSAVE writes them (Vol. 1 §10.5.1, table 10-2), and the
 * XSAVE area that begins with them (13.4): in it KVM gives and takes all of a CPU's FPU, and so
 * does struct cpu_state, whose bytes these are the names of.
 */
#ifndef MINIKVM_X86_FPU_H
#define MINIKVM_X86_FPU_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/x86/state.h"

/* An XMM register, or the memory operand that goes with one. */
union xmm {
    uint8_t b[16];
    uint16_t w[8];
    uint32_t d[4];
    uint64_t q[2];
    long long v __attribute__((vector_size(16)));
};

/* ST(n); an MMX register is the significand of one. */
union st {
    uint8_t b[16]; /* the last six are unused, 0 */
    uint16_t w[8]; /* w[4]: sign and exponent */
    uint64_t q[2];
    long long v __attribute__((vector_size(16)));
};

struct fpu_image {
    uint16_t fcw, fsw;
    uint8_t ftw, zero; /* one bit a register by its number, not from the top: 0 is empty */
    uint16_t fop;
    uint32_t fip;
    uint16_t fcs, fip_high; /* in 64-bit code FIP and FDP have 64 bits, and no selector */
    uint32_t fdp;
    uint16_t fds, fdp_high;
    uint32_t mxcsr, mxcsr_mask;
    union st st[8];
    union xmm xmm[16];
    uint8_t unused[96];
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct fpu_image) == 512, "as FXSAVE writes it");

/* As FNINIT leaves it, and as a CPU begins (table 8-1 and 10.2.3). */
static const struct fpu_image fpu_reset = {.fcw = 0x37F, .mxcsr = 0x1F80};
enum { MXCSR_DEFINED = 0xFFFF };

/* In the standard format: where a further component lies, CPUID says (leaf 0Dh). */
enum { XSAVE_SIZE = sizeof(struct kvm_xsave), XSAVE_FIRST = 512 + 64 };
struct xsave_area {
    struct fpu_image fpu;
    uint64_t present, compact, reserved[6]; /* XSTATE_BV; XCOMP_BV, 0 */
    uint8_t beyond[XSAVE_SIZE - XSAVE_FIRST];
};
_Static_assert(sizeof(struct xsave_area) == XSAVE_SIZE, "as KVM has it");

/* Components of XCR0 and XSTATE_BV. */
enum {
    XSTATE_X87 = 1 << 0, XSTATE_SSE = 1 << 1, XSTATE_AVX = 1 << 2, XSTATE_AVX512 = 7 << 5,
    XSTATE_FIRST = 2, /* behind the header; and so many are within 4 KiB, or may be: */
    XSTATES = 32,
};

static inline struct xsave_area *xsave_of(struct cpu_state *s) {
    return (struct xsave_area *)(void *)s->xsave;
}
static inline const struct xsave_area *xsave_in(const struct cpu_state *s) {
    return (const struct xsave_area *)(const void *)s->xsave;
}
static inline struct fpu_image *fpu_of(struct cpu_state *s) { return &xsave_of(s)->fpu; }
static inline const struct fpu_image *fpu_in(const struct cpu_state *s) {
    return &xsave_in(s)->fpu;
}
#define AT_XSAVE(member) (offsetof(struct cpu_state, xsave) + offsetof(struct xsave_area, member))

enum {
    FPU_TOP_SHIFT = 11,
    FSW_ES = 1 << 7,
    FSW_TOP = 7 << FPU_TOP_SHIFT,
    FSW_B = 1 << 15,
    FCW_MASKS = 0x3F
};

/* I, D, Z, O, U: of those that are not masked, each keeps a store from being done. */
enum { X87_NO_STORE = 0x1F };

#endif
