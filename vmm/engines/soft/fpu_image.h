/* The x87, MMX and SSE registers as FXSAVE writes them (Vol. 1 §10.5.1, table 10-2). */
#ifndef MINIKVM_SOFT_FPU_IMAGE_H
#define MINIKVM_SOFT_FPU_IMAGE_H

#include <stdint.h>

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

enum { FPU_TOP_SHIFT = 11, FSW_ES = 1 << 7, FSW_TOP = 7 << FPU_TOP_SHIFT, FSW_B = 1 << 15, FCW_MASKS = 0x3F };

/* I, D, Z, O, U: of those that are not masked, each keeps a store from being done. */
enum { X87_NO_STORE = 0x1F };

#endif
