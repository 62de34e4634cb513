/* SSSE3, SSE4.1, SSE4.2, and what came with it: CRC32 and POPCNT. */
#include "vmm/engines/soft/sse.h"

#include "vmm/engines/soft/flags.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/sse_handlers.h"
#include "vmm/engines/soft/sse_immediate.h"

/* --- SSSE3: the MMX ones that add within a register take both at once --- */
#define HORIZONTAL(name) BOTH_BY(name, "punpcklqdq %1, %0\n\t" #name " %0, %0")
HORIZONTAL(phaddw)
HORIZONTAL(phaddd)
HORIZONTAL(phaddsw)
HORIZONTAL(phsubw)
HORIZONTAL(phsubd)
HORIZONTAL(phsubsw)
BOTH(pmaddubsw, 8)
BOTH(psignb, 8)
BOTH(psignw, 8)
BOTH(psignd, 8)
BOTH(pmulhrsw, 8)
BOTH(pabsb, 8)
BOTH(pabsw, 8)
BOTH(pabsd, 8)
PLAIN(pshufb, 16)

/* An index of 3 bits. */
ALWAYS vector do_pshufb_mmx(vector a, vector b) {
    const vector bits = {(long long)0x8787878787878787, 0};
    return do_pshufb(a, b & bits);
}
HANDLERS(mmx_pshufb, mmx_plain(s, op, place, 8, do_pshufb_mmx))

PLAIN_IMMEDIATE(palignr, 16)

/* The two quadwords side by side, moved to the right. */
const struct op *mmx_palignr(struct soft *s, const struct op *op) {
    need_mmx(s);
    uint64_t q = get_q(s, op, 8);
    begin_mmx(s);
    union xmm both = {.q = {q, get_mm(s, op->reg)}};
    vector v = with_immediate(with_palignr, op)((vector){0}, both.v);
    set_mm(s, op->reg, quadword_of(v));
    return op + 1;
}

/* --- SSE4.1 --- */
PLAIN(pmovsxbw, 8)
PLAIN(pmovsxbd, 4)
PLAIN(pmovsxbq, 2)
PLAIN(pmovsxwd, 8)
PLAIN(pmovsxwq, 4)
PLAIN(pmovsxdq, 8)
PLAIN(pmovzxbw, 8)
PLAIN(pmovzxbd, 4)
PLAIN(pmovzxbq, 2)
PLAIN(pmovzxwd, 8)
PLAIN(pmovzxwq, 4)
PLAIN(pmovzxdq, 8)
PLAIN(pmuldq, 16)
PLAIN(pmulld, 16)
PLAIN(pcmpeqq, 16)
PLAIN(packusdw, 16)
PLAIN(pminsb, 16)
PLAIN(pminsd, 16)
PLAIN(pminuw, 16)
PLAIN(pminud, 16)
PLAIN(pmaxsb, 16)
PLAIN(pmaxsd, 16)
PLAIN(pmaxuw, 16)
PLAIN(pmaxud, 16)
PLAIN(phminposuw, 16)
PLAIN(pcmpgtq, 16)

/* The third operand is XMM0. */
#define DO_BLEND(name)                                                                             \
    ALWAYS vector do_##name(vector a, vector b, vector by) {                                       \
        register vector xmm0 __asm__("xmm0") = by;                                                 \
        __asm__(#name " %%xmm0, %1, %0" : "+x"(a) : "x"(b), "x"(xmm0));                            \
        return a;                                                                                  \
    }
typedef vector blend_fn(vector a, vector b, vector by);

ALWAYS const struct op *blend_by_xmm0(struct soft *s, const struct op *op, blend_fn *run) {
    need_sse(s);
    vector w = get_w(s, op, 16, ALIGNED);
    *v_of(s, op) = run(*v_of(s, op), w, s->fpu.xmm[0].v);
    return next_op_after_e(s, op);
}

DO_BLEND(pblendvb)
DO_BLEND(blendvps)
DO_BLEND(blendvpd)
HANDLER(sse_pblendvb, blend_by_xmm0(s, op, do_pblendvb))
HANDLER(sse_blendvps, blend_by_xmm0(s, op, do_blendvps))
HANDLER(sse_blendvpd, blend_by_xmm0(s, op, do_blendvpd))

PLAIN_IMMEDIATE(blendps, 16)
PLAIN_IMMEDIATE(blendpd, 16)
PLAIN_IMMEDIATE(pblendw, 16)
PLAIN_IMMEDIATE(mpsadbw, 16)

/* ZF: W has no bit of V; CF: no bit that V has not. */
const struct op *sse_ptest(struct soft *s, const struct op *op) {
    need_sse(s);
    union xmm w = {.v = get_w(s, op, 16, ALIGNED)}, v = s->fpu.xmm[op->reg];
    bool zf = !((v.q[0] & w.q[0]) | (v.q[1] & w.q[1]));
    bool cf = !((~v.q[0] & w.q[0]) | (~v.q[1] & w.q[1]));
    set_compared(s, (zf ? FLAG_ZF : 0) | (cf ? FLAG_CF : 0));
    return next_op_after_e(s, op);
}

/* --- elements to and from a general register or memory --- */

ALWAYS const struct op *extract(struct soft *s, const struct op *op, unsigned size) {
    need_sse(s);
    unsigned at = ((unsigned)op->imm & (16 / size - 1)) * size;
    uint64_t value = fetch_host(s->fpu.xmm[op->reg].b + at, size);
    if (op->memory)
        store(s, op->seg, address(s, op), size, value);
    else
        set_reg(s, op->rm, size < 4 ? 4 : size, value);
    return next_op_after_e(s, op);
}

ALWAYS const struct op *insert(struct soft *s, const struct op *op, unsigned size) {
    need_sse(s);
    unsigned at = ((unsigned)op->imm & (16 / size - 1)) * size;
    uint64_t value = op->memory ? load(s, op->seg, address(s, op), size) : get_reg(s, op->rm, size);
    store_host(s->fpu.xmm[op->reg].b + at, size, value);
    return next_op_after_e(s, op);
}

HANDLER(sse_pextrb, extract(s, op, 1))
HANDLER(sse_pextrw_store, extract(s, op, 2))
HANDLER(sse_extractps, extract(s, op, 4))
HANDLER(sse_pinsrb, insert(s, op, 1))
HANDLER(sse_pextrd, op->wide == 8 ? extract(s, op, 8) : extract(s, op, 4))
HANDLER(sse_pinsrd, op->wide == 8 ? insert(s, op, 8) : insert(s, op, 4))

/* From memory there is one element, whatever bits 7 and 6 say. */
IMMEDIATES(insertps, "%xmm1, %xmm0")
const struct op *sse_insertps(struct soft *s, const struct op *op) {
    need_sse(s);
    vector w = get_w(s, op, 4, UNALIGNED);
    unsigned which = (uint8_t)op->imm & (op->memory ? 0x3F : 0xFF);
    plain_fn *run = (plain_fn *)(uintptr_t)with_insertps[which];
    *v_of(s, op) = run(*v_of(s, op), w);
    return op + 1;
}

/* --- SSE4.2: strings. As those of sse_immediate.h, but lengths come, too, and FLAGS and ECX, in
 * its upper half, are the result; or the mask in XMM0, if it is called as a function that gives
 * a vector --- */

#define STRINGS(name)                                                                              \
    __asm__(".pushsection .text\n.p2align 5\n.globl with_" #name "\n.hidden with_" #name "\n"      \
            "with_" #name ":\n.set immediate_value, 0\n.rept 256\n"                                \
            "mov %edi, %eax\nmov %esi, %edx\n" #name " $immediate_value, %xmm1, %xmm0\n"           \
            "pushfq\npop %rax\nshl $32, %rcx\nor %rcx, %rax\nret\n.p2align 5\n"                    \
            ".set immediate_value, immediate_value + 1\n.endr\n.popsection\n");                    \
    extern const uint8_t with_##name[256][32];

typedef uint64_t string_flags_fn(vector a, vector b, int32_t a_length, int32_t b_length);
typedef vector string_mask_fn(vector a, vector b, int32_t a_length, int32_t b_length);

/* All that is beyond 16 elements is the same. */
static int32_t vector_length(const struct soft *s, unsigned reg, const struct op *op) {
    int64_t length = op->wide == 8 ? (int64_t)s->r[reg] : (int32_t)s->r[reg];
    return length > 16 || length < -16 ? 16 : (int32_t)length;
}

static const struct op *compare_vectors(struct soft *s, const struct op *op,
                                        const uint8_t (*all)[32], bool gives_mask) {
    need_sse(s);
    const void *code = all[(uint8_t)op->imm];
    vector v = *v_of(s, op), w = get_w(s, op, 16, UNALIGNED);
    int32_t a = vector_length(s, R_AX, op), b = vector_length(s, R_DX, op);
    uint64_t result = ((string_flags_fn *)(uintptr_t)code)(v, w, a, b);
    uint32_t given = FLAG_CF | FLAG_ZF | FLAG_SF | FLAG_OF;
    if (gives_mask)
        s->fpu.xmm[0].v = ((string_mask_fn *)(uintptr_t)code)(v, w, a, b);
    else
        set_reg(s, REG(R_CX), 4, result >> 32);
    flags_set(s, (flags_get(s) & ~(uint32_t)FLAGS_ALU) | ((uint32_t)result & given));
    return op + 1;
}

STRINGS(pcmpestri)
STRINGS(pcmpestrm)
STRINGS(pcmpistri)
STRINGS(pcmpistrm)
HANDLER(sse_pcmpestri, compare_vectors(s, op, with_pcmpestri, false))
HANDLER(sse_pcmpestrm, compare_vectors(s, op, with_pcmpestrm, true))
HANDLER(sse_pcmpistri, compare_vectors(s, op, with_pcmpistri, false))
HANDLER(sse_pcmpistrm, compare_vectors(s, op, with_pcmpistrm, true))

/* --- on general registers: F2 or F3 is part of the opcode, 66 is still an operand size --- */

static unsigned size_with_prefix(const struct soft *s, const struct op *op) {
    return op->wide == 8 ? 8 : op->data16 == (s->width == 2) ? 4 : 2;
}

const struct op *crc32(struct soft *s, const struct op *op) {
    unsigned size = op->opcode == 0xF0 ? 1 : size_with_prefix(s, op);
    uint64_t crc = get_reg(s, op->reg, 4), e = get_e(s, op, size, op->memory);
    switch (size) {
    case 1: __asm__("crc32b %b1, %k0" : "+r"(crc) : "r"(e)); break;
    case 2: __asm__("crc32w %w1, %k0" : "+r"(crc) : "r"(e)); break;
    case 4: __asm__("crc32l %k1, %k0" : "+r"(crc) : "r"(e)); break;
    default: __asm__("crc32q %1, %0" : "+r"(crc) : "r"(e)); break;
    }
    set_reg(s, op->reg, 4, crc);
    return op + 1;
}

const struct op *popcnt(struct soft *s, const struct op *op) {
    unsigned size = size_with_prefix(s, op);
    uint64_t e = get_e(s, op, size, op->memory);
    set_reg(s, op->reg, size, (uint64_t)__builtin_popcountll(e));
    set_compared(s, e ? 0 : FLAG_ZF);
    return op + 1;
}
