/* Instructions with an immediate: the host has it in the instruction, so there are 256 of each,
 * made by the assembler; the guest's immediate says which.
 */
#ifndef MINIKVM_SOFT_SSE_IMMEDIATE_H
#define MINIKVM_SOFT_SSE_IMMEDIATE_H

#include "vmm/engines/soft/sse.h"

/* Functions of eight bytes: vector of (vector a in XMM0, vector b in XMM1). */
#define IMMEDIATES(name, registers)                                                                \
    __asm__(".pushsection .text\n.p2align 3\n.globl with_" #name "\n.hidden with_" #name "\n"      \
            "with_" #name ":\n.set immediate_value, 0\n.rept 256\n" #name                          \
            " $immediate_value, " registers "\nret\n.p2align 3\n"                                  \
            ".set immediate_value, immediate_value + 1\n.endr\n.popsection\n");                    \
    extern const uint8_t with_##name[256][8];

ALWAYS plain_fn *with_immediate(const uint8_t (*all)[8], const struct op *op) {
    return (plain_fn *)(uintptr_t)all[(uint8_t)op->imm];
}

ALWAYS const struct op *dot_product(struct soft *s, const struct op *op, enum results r,
                                    const uint8_t (*all)[8]) {
    need_sse(s);
    vector w = get_w(s, op, 16, ALIGNED);
    float_begin(s);
    vector v = with_immediate(all, op)(*v_of(s, op), w);
    if (UNLIKELY(!s->mxcsr_ready))
        mxcsr_check_dot_product(s, (uint8_t)op->imm, &(struct float_done){0, r, *v_of(s, op), w, v});
    *v_of(s, op) = v;
    return op + 1;
}

#define PLAIN_IMMEDIATE(name, size)                                                                \
    IMMEDIATES(name, "%xmm1, %xmm0")                                                               \
    HANDLERS(sse_##name, sse_plain(s, op, place, size, with_immediate(with_##name, op)))
#define FLOAT_IMMEDIATE(name, size)                                                                \
    IMMEDIATES(name, "%xmm1, %xmm0")                                                               \
    HANDLERS(sse_##name, sse_float(s, op, place, size, NOT_TINY, with_immediate(with_##name, op)))
#define DOT_PRODUCT(name, results)                                                                 \
    IMMEDIATES(name, "%xmm1, %xmm0")                                                               \
    HANDLER(sse_##name, dot_product(s, op, results, with_##name))

#endif
