/* The one-byte and the 0F opcode map (Vol. 2D, appendix A). */
#include "vmm/engines/soft/opcodes.h"
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/sse_handlers.h"

#define ONE(o, i, f, fn) {.operands = O_##o, .immediate = I_##i, .flags = (f), .run = fn}
#define FAM(o, i, f, name)                                                                         \
    {.operands = O_##o, .immediate = I_##i, .flags = (f), .family = name##_family}
/* One for each condition. */
#define CC(o, f, need, handlers)                                                                   \
    {.operands = O_##o, .flags = (f), .needs = (need), .conditions = handlers}
/* Of a feature that may not be there. */
#define NEW(f, o, i, flag, fn)                                                                     \
    {.needs = FEATURE_BIT(f), .operands = O_##o, .immediate = I_##i, .flags = (flag), .run = fn}
#define GROUP(rows) {.operands = O_N, .group = rows}
#define UD          {.operands = O_NONE, .flags = LAST, .run = undefined}

#define EIGHT(base, row)                                                                           \
    [base] = row, [base + 1] = row, [base + 2] = row, [base + 3] = row, [base + 4] = row,          \
    [base + 5] = row, [base + 6] = row, [base + 7] = row

/* --- groups (A.4) --- */

#define ALU_GROUP(label, imm, f)                                                                   \
    static const struct opcode label[8] = {                                                        \
        FAM(N, imm, f | LOCKS, add_ei), FAM(N, imm, f | LOCKS, or_ei),                             \
        FAM(N, imm, f | LOCKS, adc_ei), FAM(N, imm, f | LOCKS, sbb_ei),                            \
        FAM(N, imm, f | LOCKS, and_ei), FAM(N, imm, f | LOCKS, sub_ei),                            \
        FAM(N, imm, f | LOCKS, xor_ei), FAM(N, imm, f, cmp_ei),                                    \
    };
ALU_GROUP(group1_byte, V, BYTE)
ALU_GROUP(group1, V, 0)
ALU_GROUP(group1_short, B, 0)

#define SHIFT_GROUP(label, imm, f, by)                                                             \
    static const struct opcode label[8] = {                                                        \
        FAM(N, imm, f, rol_##by), FAM(N, imm, f, ror_##by),                                        \
        FAM(N, imm, f, rcl_##by), FAM(N, imm, f, rcr_##by),                                        \
        FAM(N, imm, f, shl_##by), FAM(N, imm, f, shr_##by),                                        \
        FAM(N, imm, f, shl_##by), FAM(N, imm, f, sar_##by), /* 6 as all parts do */                \
    };
SHIFT_GROUP(group2_byte_i, B, BYTE, i)
SHIFT_GROUP(group2_i, B, 0, i)
SHIFT_GROUP(group2_byte_1, NONE, BYTE, 1)
SHIFT_GROUP(group2_1, NONE, 0, 1)
SHIFT_GROUP(group2_byte_cl, NONE, BYTE, cl)
SHIFT_GROUP(group2_cl, NONE, 0, cl)

static const struct opcode group1a[8] = {
    FAM(N, NONE, DEFAULT64, pop_e), UD, UD, UD, UD, UD, UD, UD,
};

#define UNARY_GROUP(label, f)                                                                      \
    static const struct opcode label[8] = {                                                        \
        FAM(N, V, f, test_ei),            FAM(N, V, f, test_ei),                                   \
        FAM(N, NONE, f | LOCKS, not),     FAM(N, NONE, f | LOCKS, neg),                            \
        FAM(N, NONE, f, mul),             FAM(N, NONE, f, imul),                                   \
        FAM(N, NONE, f, div_),            FAM(N, NONE, f, idiv),                                   \
    };
UNARY_GROUP(group3_byte, BYTE)
UNARY_GROUP(group3, 0)

static const struct opcode group4[8] = {
    FAM(N, NONE, BYTE | LOCKS, inc), FAM(N, NONE, BYTE | LOCKS, dec), UD, UD, UD, UD, UD, UD,
};

static const struct opcode group5[8] = {
    FAM(N, NONE, LOCKS, inc),
    FAM(N, NONE, LOCKS, dec),
    FAM(N, NONE, LAST | FORCE64, call_e),
    ONE(N, NONE, LAST | MEM, call_far_e),
    FAM(N, NONE, LAST | FORCE64, jmp_e),
    ONE(N, NONE, LAST | MEM, jmp_far_e),
    FAM(N, NONE, DEFAULT64, push_e),
    UD,
};

static const struct opcode group6[8] = {
    ONE(N, NONE, RM16, sldt), ONE(N, NONE, RM16, str),  ONE(N, NONE, RM16, lldt),
    ONE(N, NONE, RM16, ltr),  ONE(N, NONE, RM16, verr), ONE(N, NONE, RM16, verw),
    UD,                       UD,
};

/* Where E would be a register. */
static const struct opcode group7_2[8] = {
    NEW(XSAVE, N, NONE, 0, xgetbv), NEW(XSAVE, N, NONE, 0, xsetbv), UD, UD, UD, UD, UD, UD,
};
static const struct opcode group7_1[8] = {
    UD, UD, NEW(SMAP, N, NONE, 0, clac), NEW(SMAP, N, NONE, 0, stac), UD, UD, UD, UD,
};
static const struct opcode group7_7[8] = {
    ONE(N, NONE, 0, swapgs), NEW(RDTSCP, N, NONE, 0, rdtscp), UD, UD, UD, UD, UD, UD,
};
#define OR_BY_RM(fn, rows)                                                                         \
    {.operands = O_N, .flags = MEM, .run = fn, .registers = rows}

static const struct opcode group7[8] = {
    ONE(N, NONE, MEM, sgdt),  OR_BY_RM(sidt, group7_1), OR_BY_RM(lgdt, group7_2),
    ONE(N, NONE, MEM, lidt),  ONE(N, NONE, RM16, smsw), UD,
    ONE(N, NONE, RM16, lmsw), OR_BY_RM(invlpg, group7_7),
};

static const struct opcode group8[8] = {
    UD,
    UD,
    UD,
    UD,
    ONE(N, B, 0, bit_ei),
    ONE(N, B, LOCKS, bit_ei),
    ONE(N, B, LOCKS, bit_ei),
    ONE(N, B, LOCKS, bit_ei),
};

static const struct opcode group9[8] = {
    UD,
    NEW(CX8, N, NONE, MEM | LOCKS, cmpxchg8b),
    UD,
    NEW(XSAVE, N, NONE, MEM | LAST, xsave_compact), /* XRSTORS, XSAVEC, XSAVES */
    NEW(XSAVE, N, NONE, MEM | LAST, xsave_compact),
    NEW(XSAVE, N, NONE, MEM | LAST, xsave_compact),
    UD,
    UD,
};

static const struct opcode sfence[8] = {EIGHT(0, NEW(SSE, N, NONE, 0, fence))};
static const struct opcode fences[8] = {EIGHT(0, NEW(SSE2, N, NONE, 0, fence))};
static const struct opcode group15_plain[8] = {
    NEW(FXSR, N, NONE, MEM, fxsave),
    NEW(FXSR, N, NONE, MEM, fxrstor),
    NEW(SSE, N, NONE, MEM, ldmxcsr),
    NEW(SSE, N, NONE, MEM, stmxcsr),
    NEW(XSAVE, N, NONE, MEM, xsave),
    {.operands = O_N, .flags = MEM, .needs = FEATURE_BIT(XSAVE), .run = xrstor, .registers = fences},
    {.operands = O_N, .flags = MEM, .needs = FEATURE_BIT(XSAVEOPT), .run = xsaveopt, .registers = fences},
    {.operands = O_N, .needs = FEATURE_BIT(CLFLUSH), .run = clflush, .registers = sfence},
};
static const struct opcode group15_f3[8] = { /* CR4 says if they are there */
    ONE(N, NONE, ONLY_REG, fsgsbase), ONE(N, NONE, ONLY_REG, fsgsbase),
    ONE(N, NONE, ONLY_REG, fsgsbase), ONE(N, NONE, ONLY_REG, fsgsbase), UD, UD, UD, UD,
};
static const struct opcode group15[4] = {
    [PREFIX_NONE] = GROUP(group15_plain),
    [PREFIX_66] = UD,
    [PREFIX_F3] = GROUP(group15_f3),
    [PREFIX_F2] = UD,
};

static const struct opcode group11_byte[8] = {
    FAM(N, V, BYTE, mov_ei), UD, UD, UD, UD, UD, UD, UD,
};
static const struct opcode group11[8] = {
    FAM(N, V, 0, mov_ei), UD, UD, UD, UD, UD, UD, UD,
};

static const struct opcode only_emms[4] = {[PREFIX_NONE] = NEW(MMX, NONE, NONE, 0, emms)};
static const struct opcode only_popcnt[4] = {[PREFIX_F3] = NEW(POPCNT, E, NONE, 0, popcnt)};

/* --- rows of 64-bit code --- */

static const struct opcode no_row = UD;
static const struct opcode lahf_64 = NEW(LAHF_LM, NONE, NONE, 0, lahf);
static const struct opcode sahf_64 = NEW(LAHF_LM, NONE, NONE, 0, sahf);
static const struct opcode vex_row = ONE(NONE, NONE, LAST, vex);
static const struct opcode vex_registers[8] = {EIGHT(0, ONE(N, NONE, LAST, vex))};
static const struct opcode movsxd = FAM(E, NONE, RM32, movsx);

/* --- one byte --- */

#define JCC_ROWS(base, i) EIGHT(base, JCC(i)), EIGHT((base) + 8, JCC(i))
#define JCC(i) {.operands = O_NONE, .immediate = I_##i, .flags = FORCE64, .conditions = jcc}

#define ALU_ROWS(base, name, locks)                                                                \
    [base] = FAM(E, NONE, BYTE | (locks), name##_eg), [base + 1] = FAM(E, NONE, locks, name##_eg), \
    [base + 2] = FAM(E, NONE, BYTE, name##_ge), [base + 3] = FAM(E, NONE, 0, name##_ge),           \
    [base + 4] = FAM(A, V, BYTE, name##_ei), [base + 5] = FAM(A, V, 0, name##_ei)

/* In 64-bit code, and where E would be a register, it is a prefix, VEX or EVEX. */
#define OR_VEX(fn)                                                                                 \
    {.operands = O_E, .flags = MEM, .run = fn, .registers = vex_registers, .code64 = &vex_row}

const struct opcode opcodes[256] = {
    ALU_ROWS(0x00, add, LOCKS),
    [0x06] = ONE(SEG, NONE, INVALID64, push_s),
    [0x07] = ONE(SEG, NONE, INVALID64, pop_s),
    ALU_ROWS(0x08, or, LOCKS),
    [0x0E] = ONE(SEG, NONE, INVALID64, push_s),
    ALU_ROWS(0x10, adc, LOCKS),
    [0x16] = ONE(SEG, NONE, INVALID64, push_s),
    [0x17] = ONE(SEG, NONE, INVALID64, pop_s),
    ALU_ROWS(0x18, sbb, LOCKS),
    [0x1E] = ONE(SEG, NONE, INVALID64, push_s),
    [0x1F] = ONE(SEG, NONE, INVALID64, pop_s),
    ALU_ROWS(0x20, and, LOCKS),
    [0x27] = ONE(NONE, NONE, INVALID64, daa),
    ALU_ROWS(0x28, sub, LOCKS),
    [0x2F] = ONE(NONE, NONE, INVALID64, das),
    ALU_ROWS(0x30, xor, LOCKS),
    [0x37] = ONE(NONE, NONE, INVALID64, aaa),
    ALU_ROWS(0x38, cmp, 0),
    [0x3F] = ONE(NONE, NONE, INVALID64, aas),
    EIGHT(0x40, FAM(Z, NONE, 0, inc)),
    EIGHT(0x48, FAM(Z, NONE, 0, dec)),
    EIGHT(0x50, FAM(Z, NONE, DEFAULT64, push_e)),
    EIGHT(0x58, FAM(Z, NONE, DEFAULT64, pop_e)),
    [0x60] = ONE(NONE, NONE, INVALID64, pusha),
    [0x61] = ONE(NONE, NONE, INVALID64, popa),
    [0x62] = OR_VEX(bound),
    [0x63] = {.operands = O_E, .flags = RM16, .run = arpl, .code64 = &movsxd},
    [0x68] = FAM(NONE, V, DEFAULT64, push_i),
    [0x69] = FAM(E, V, 0, imul_gei),
    [0x6A] = FAM(NONE, B, DEFAULT64, push_i),
    [0x6B] = FAM(E, B, 0, imul_gei),
    [0x6C] = ONE(NONE, NONE, BYTE | REPEATS, ins),
    [0x6D] = ONE(NONE, NONE, REPEATS | NEVER64, ins),
    [0x6E] = ONE(NONE, NONE, BYTE | REPEATS, outs),
    [0x6F] = ONE(NONE, NONE, REPEATS | NEVER64, outs),
    JCC_ROWS(0x70, B),
    [0x80] = GROUP(group1_byte),
    [0x81] = GROUP(group1),
    [0x82] = {.operands = O_N, .group = group1_byte, .code64 = &no_row},
    [0x83] = GROUP(group1_short),
    [0x84] = FAM(E, NONE, BYTE, test_eg),
    [0x85] = FAM(E, NONE, 0, test_eg),
    [0x86] = FAM(E, NONE, BYTE | LOCKS, xchg),
    [0x87] = FAM(E, NONE, LOCKS, xchg),
    [0x88] = FAM(E, NONE, BYTE, mov_eg),
    [0x89] = FAM(E, NONE, 0, mov_eg),
    [0x8A] = FAM(E, NONE, BYTE, mov_ge),
    [0x8B] = FAM(E, NONE, 0, mov_ge),
    [0x8C] = ONE(N, NONE, 0, mov_es),
    [0x8D] = FAM(E, NONE, MEM, lea),
    [0x8E] = ONE(N, NONE, 0, mov_se),
    [0x8F] = GROUP(group1a),
    EIGHT(0x90, FAM(Z, NONE, 0, xchg_ax)),
    [0x98] = ONE(NONE, NONE, 0, cbw),
    [0x99] = ONE(NONE, NONE, 0, cwd),
    [0x9A] = ONE(NONE, FAR, LAST | INVALID64, call_far),
    [0x9B] = ONE(NONE, NONE, 0, fwait),
    [0x9C] = ONE(NONE, NONE, DEFAULT64, pushf),
    [0x9D] = ONE(NONE, NONE, DEFAULT64, popf),
    [0x9E] = {.operands = O_NONE, .run = sahf, .code64 = &sahf_64},
    [0x9F] = {.operands = O_NONE, .run = lahf, .code64 = &lahf_64},
    [0xA0] = FAM(MOFF, NONE, BYTE, mov_ge),
    [0xA1] = FAM(MOFF, NONE, 0, mov_ge),
    [0xA2] = FAM(MOFF, NONE, BYTE, mov_eg),
    [0xA3] = FAM(MOFF, NONE, 0, mov_eg),
    [0xA4] = ONE(NONE, NONE, BYTE | REPEATS, movs),
    [0xA5] = ONE(NONE, NONE, REPEATS, movs),
    [0xA6] = ONE(NONE, NONE, BYTE | REPEATS, cmps),
    [0xA7] = ONE(NONE, NONE, REPEATS, cmps),
    [0xA8] = FAM(A, V, BYTE, test_ei),
    [0xA9] = FAM(A, V, 0, test_ei),
    [0xAA] = ONE(NONE, NONE, BYTE | REPEATS, stos),
    [0xAB] = ONE(NONE, NONE, REPEATS, stos),
    [0xAC] = ONE(NONE, NONE, BYTE | REPEATS, lods),
    [0xAD] = ONE(NONE, NONE, REPEATS, lods),
    [0xAE] = ONE(NONE, NONE, BYTE | REPEATS, scas),
    [0xAF] = ONE(NONE, NONE, REPEATS, scas),
    EIGHT(0xB0, FAM(Z, V, BYTE, mov_ei)),
    EIGHT(0xB8, FAM(Z, Q, 0, mov_ei)),
    [0xC0] = GROUP(group2_byte_i),
    [0xC1] = GROUP(group2_i),
    [0xC2] = FAM(NONE, W, LAST | FORCE64, ret),
    [0xC3] = FAM(NONE, NONE, LAST | FORCE64, ret),
    [0xC4] = OR_VEX(les),
    [0xC5] = OR_VEX(lds),
    [0xC6] = GROUP(group11_byte),
    [0xC7] = GROUP(group11),
    [0xC8] = ONE(NONE, WB, DEFAULT64, enter),
    [0xC9] = ONE(NONE, NONE, DEFAULT64, leave_frame),
    [0xCA] = ONE(NONE, W, LAST, ret_far),
    [0xCB] = ONE(NONE, NONE, LAST, ret_far),
    [0xCC] = ONE(NONE, NONE, LAST, int3),
    [0xCD] = ONE(NONE, B, LAST, int_n),
    [0xCE] = ONE(NONE, NONE, INVALID64, into),
    [0xCF] = ONE(NONE, NONE, LAST, iret),
    [0xD0] = GROUP(group2_byte_1),
    [0xD1] = GROUP(group2_1),
    [0xD2] = GROUP(group2_byte_cl),
    [0xD3] = GROUP(group2_cl),
    [0xD4] = ONE(NONE, B, INVALID64, aam),
    [0xD5] = ONE(NONE, B, INVALID64, aad),
    [0xD6] = ONE(NONE, NONE, INVALID64, salc),
    [0xD7] = ONE(NONE, NONE, 0, xlat),
    EIGHT(0xD8, {.operands = O_X87}),
    [0xE0] = ONE(NONE, B, FORCE64, loopne),
    [0xE1] = ONE(NONE, B, FORCE64, loope),
    [0xE2] = ONE(NONE, B, FORCE64, loop),
    [0xE3] = ONE(NONE, B, FORCE64, jcxz),
    [0xE4] = ONE(NONE, B, BYTE, in_i),
    [0xE5] = ONE(NONE, B, NEVER64, in_i),
    [0xE6] = ONE(NONE, B, BYTE, out_i),
    [0xE7] = ONE(NONE, B, NEVER64, out_i),
    [0xE8] = FAM(NONE, V, LAST | FORCE64, call),
    [0xE9] = ONE(NONE, V, LAST | FORCE64, jmp),
    [0xEA] = ONE(NONE, FAR, LAST | INVALID64, jmp_far),
    [0xEB] = ONE(NONE, B, LAST | FORCE64, jmp),
    [0xEC] = ONE(NONE, NONE, BYTE, in_dx),
    [0xED] = ONE(NONE, NONE, NEVER64, in_dx),
    [0xEE] = ONE(NONE, NONE, BYTE, out_dx),
    [0xEF] = ONE(NONE, NONE, NEVER64, out_dx),
    [0xF1] = ONE(NONE, NONE, LAST, int1),
    [0xF4] = ONE(NONE, NONE, 0, hlt),
    [0xF5] = ONE(NONE, NONE, 0, cmc),
    [0xF6] = GROUP(group3_byte),
    [0xF7] = GROUP(group3),
    [0xF8] = ONE(NONE, NONE, 0, clc),
    [0xF9] = ONE(NONE, NONE, 0, stc),
    [0xFA] = ONE(NONE, NONE, 0, cli),
    [0xFB] = ONE(NONE, NONE, 0, sti),
    [0xFC] = ONE(NONE, NONE, 0, cld),
    [0xFD] = ONE(NONE, NONE, 0, std_),
    [0xFE] = GROUP(group4),
    [0xFF] = GROUP(group5),
};

/* MMX and SSE: by sse_rows.c. */
#define SSE(n) [n] = {.operands = O_SSE}
#define SSE4(n) SSE(n), SSE((n) + 1), SSE((n) + 2), SSE((n) + 3)
#define SSE8(n) SSE4(n), SSE4((n) + 4)

/* --- 0F --- a row of zeros (no handler) is undefined, too. */

const struct opcode opcodes_0f[256] = {
    [0x00] = GROUP(group6),
    [0x01] = GROUP(group7),
    [0x02] = ONE(E, NONE, RM16, lar),
    [0x03] = ONE(E, NONE, RM16, lsl),
    [0x05] = NEW(SYSCALL, NONE, NONE, LAST, syscall_),
    [0x06] = ONE(NONE, NONE, 0, clts),
    [0x07] = NEW(SYSCALL, NONE, NONE, LAST, sysret),
    [0x08] = ONE(NONE, NONE, 0, invd),
    [0x09] = ONE(NONE, NONE, 0, invd),
    [0x0D] = ONE(N, NONE, 0, nop), /* PREFETCHW */
    SSE8(0x10),
    EIGHT(0x18, ONE(N, NONE, 0, nop)), /* hints */
    [0x20] = ONE(C, NONE, 0, mov_rc),
    [0x21] = ONE(C, NONE, 0, mov_rd),
    [0x22] = ONE(C, NONE, 0, mov_cr),
    [0x23] = ONE(C, NONE, 0, mov_dr),
    SSE8(0x28),
    [0x30] = NEW(MSR, NONE, NONE, 0, wrmsr),
    [0x31] = NEW(TSC, NONE, NONE, 0, rdtsc),
    [0x32] = NEW(MSR, NONE, NONE, 0, rdmsr),
    [0x33] = ONE(NONE, NONE, 0, rdpmc),
    [0x34] = NEW(SEP, NONE, NONE, LAST, sysenter),
    [0x35] = NEW(SEP, NONE, NONE, LAST, sysexit),
    EIGHT(0x40, CC(E, 0, FEATURE_BIT(CMOV), cmovcc)),
    EIGHT(0x48, CC(E, 0, FEATURE_BIT(CMOV), cmovcc)),
    SSE8(0x50), SSE8(0x58), SSE8(0x60), SSE8(0x68), SSE4(0x70),
    SSE(0x74), SSE(0x75), SSE(0x76),
    [0x77] = {.operands = O_NONE, .prefixes = only_emms},
    SSE4(0x7C),
    JCC_ROWS(0x80, V),
    EIGHT(0x90, CC(N, BYTE, 0, setcc)),
    EIGHT(0x98, CC(N, BYTE, 0, setcc)),
    [0xA0] = ONE(SEG, NONE, DEFAULT64, push_s),
    [0xA1] = ONE(SEG, NONE, DEFAULT64, pop_s),
    [0xA2] = ONE(NONE, NONE, 0, cpuid),
    [0xA3] = ONE(E, NONE, 0, bit_eg),
    [0xA4] = ONE(E, B, 0, shld_i),
    [0xA5] = ONE(E, NONE, 0, shld_cl),
    [0xA8] = ONE(SEG, NONE, DEFAULT64, push_s),
    [0xA9] = ONE(SEG, NONE, DEFAULT64, pop_s),
    [0xAB] = ONE(E, NONE, LOCKS, bit_eg),
    [0xAC] = ONE(E, B, 0, shrd_i),
    [0xAD] = ONE(E, NONE, 0, shrd_cl),
    [0xAE] = {.operands = O_N, .prefixes = group15},
    [0xAF] = FAM(E, NONE, 0, imul_ge),
    [0xB0] = FAM(E, NONE, BYTE | LOCKS, cmpxchg),
    [0xB1] = FAM(E, NONE, LOCKS, cmpxchg),
    [0xB2] = ONE(E, NONE, MEM, lss),
    [0xB3] = ONE(E, NONE, LOCKS, bit_eg),
    [0xB4] = ONE(E, NONE, MEM, lfs),
    [0xB5] = ONE(E, NONE, MEM, lgs),
    [0xB6] = FAM(E, NONE, RM8, movzx),
    [0xB7] = FAM(E, NONE, RM16, movzx),
    [0xB8] = {.operands = O_E, .prefixes = only_popcnt},
    [0xB9] = {.operands = O_N, .flags = LAST, .run = undefined}, /* UD1 has a ModRM */
    [0xBA] = GROUP(group8),
    [0xBB] = ONE(E, NONE, LOCKS, bit_eg),
    [0xBC] = ONE(E, NONE, 0, bsf),
    [0xBD] = ONE(E, NONE, 0, bsr),
    [0xBE] = FAM(E, NONE, RM8, movsx),
    [0xBF] = FAM(E, NONE, RM16, movsx),
    [0xC0] = FAM(E, NONE, BYTE | LOCKS, xadd),
    [0xC1] = FAM(E, NONE, LOCKS, xadd),
    SSE(0xC2), SSE4(0xC3),
    [0xC7] = GROUP(group9),
    EIGHT(0xC8, ONE(Z, NONE, 0, bswap)),
    SSE8(0xD0), SSE8(0xD8), SSE8(0xE0), SSE8(0xE8), SSE8(0xF0), SSE4(0xF8),
    SSE(0xFC), SSE(0xFD), SSE(0xFE),
};
