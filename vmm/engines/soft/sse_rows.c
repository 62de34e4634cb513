/* The opcode maps of MMX and SSE (Vol. 2D, tables ): which instruction an opcode is
 * with no prefix, 66, F3, F2. Names are the manual's; those that begin with mmx_ work on MMX
 * registers.
 */
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/opcodes.h"
#include "vmm/engines/soft/sse_handlers.h"

#define ROW(n, plain, p66, f3, f2)                                                                 \
    [n] = {[PREFIX_NONE] = plain, [PREFIX_66] = p66, [PREFIX_F3] = f3, [PREFIX_F2] = f2}
#define CELL(f, ...) {.needs = FEATURE_BIT(f), __VA_ARGS__}
/* V, W: vector or memory, with a handler for each place of it */
#define VW(f, fns)  CELL(f, .places = fns, .operands = O_VW)
#define VWI(f, fns) CELL(f, .places = fns, .operands = O_VW, .immediate = I_B)
#define VM(f, fns)  CELL(f, .places = fns, .operands = O_VW, .flags = MEM) /* memory only */
/* the same with one handler */
#define VW1(f, fn)  CELL(f, .run = fn, .operands = O_VW)
#define VWI1(f, fn) CELL(f, .run = fn, .operands = O_VW, .immediate = I_B)
#define VM1(f, fn)  CELL(f, .run = fn, .operands = O_VW, .flags = MEM)
#define VU(f, fn)   CELL(f, .run = fn, .operands = O_VW, .flags = ONLY_REG) /* registers only */
#define VE(f, fn)   CELL(f, .run = fn, .operands = O_VE) /* a general register or memory */
#define VEI(f, fn)  CELL(f, .run = fn, .operands = O_VE, .immediate = I_B)
#define GW(f, fn)   CELL(f, .run = fn, .operands = O_GW)
#define GU(f, fn)   CELL(f, .run = fn, .operands = O_GW, .flags = ONLY_REG)
#define GUI(f, fn)  CELL(f, .run = fn, .operands = O_GW, .immediate = I_B, .flags = ONLY_REG)
#define GM(f, fn)   CELL(f, .run = fn, .operands = O_E, .flags = MEM)
#define GE(f, fn)   CELL(f, .run = fn, .operands = O_E)
#define GE8(f, fn)  CELL(f, .run = fn, .operands = O_E, .flags = RM8)
/* a group with an immediate */
#define GI(f, fns)  CELL(f, .numbered = fns, .operands = O_VW, .immediate = I_B, .flags = ONLY_REG)
#define NO      {0}

/* clang-format off */

#define FOUR(n, name) ROW(n, VW(SSE, sse_##name##ps), VW(SSE2, sse_##name##pd), \
                              VW(SSE, sse_##name##ss), VW(SSE2, sse_##name##sd))
#define TWO(n, name)  ROW(n, VW(SSE, sse_##name##ps), VW(SSE2, sse_##name##pd), NO, NO)

/* On MMX registers, and on XMM registers; the second name is what the first of them came with. */
#define MMX(n, name)       ROW(n, VW(MMX, mmx_##name), VW(SSE2, sse_##name), NO, NO)
#define MMX_SSE(n, name)   ROW(n, VW(SSE, mmx_##name), VW(SSE2, sse_##name), NO, NO)
#define MMX_SSE2(n, name)  ROW(n, VW(SSE2, mmx_##name), VW(SSE2, sse_##name), NO, NO)
#define MMX_SSSE3(n, name) ROW(n, VW(SSSE3, mmx_##name), VW(SSSE3, sse_##name), NO, NO)

/* Shifts by an immediate. */
static op_fn *const mmx_group71[8] = {[2] = mmx_psrlw_i, [4] = mmx_psraw_i, [6] = mmx_psllw_i},
             *const sse_group71[8] = {[2] = sse_psrlw_i, [4] = sse_psraw_i, [6] = sse_psllw_i},
             *const mmx_group72[8] = {[2] = mmx_psrld_i, [4] = mmx_psrad_i, [6] = mmx_pslld_i},
             *const sse_group72[8] = {[2] = sse_psrld_i, [4] = sse_psrad_i, [6] = sse_pslld_i},
             *const mmx_group73[8] = {[2] = mmx_psrlq_i, [6] = mmx_psllq_i},
             *const sse_group73[8] = {[2] = sse_psrlq_i, [3] = sse_psrldq_i, [6] = sse_psllq_i,
                                      [7] = sse_pslldq_i};

const struct sse_opcode opcodes_sse[256][4] = {
    /*         none                66                  F3                  F2 */
    ROW(0x10, VW(SSE, sse_movups),           VW(SSE2, sse_movups),          VW(SSE, sse_movss),        VW(SSE2, sse_movsd)),
    ROW(0x11, VW(SSE, sse_movups_store),     VW(SSE2, sse_movups_store),    VW(SSE, sse_movss_store),  VW(SSE2, sse_movsd_store)),
    ROW(0x12, VW1(SSE, sse_movlps),          VM1(SSE2, sse_movlpd),         VW(SSE3, sse_movsldup),    VW(SSE3, sse_movddup)),
    ROW(0x13, VM1(SSE, sse_movlps_store),    VM1(SSE2, sse_movlpd_store),   NO,                        NO),
    ROW(0x14, VW(SSE, sse_unpcklps),         VW(SSE2, sse_unpcklpd),        NO,                        NO),
    ROW(0x15, VW(SSE, sse_unpckhps),         VW(SSE2, sse_unpckhpd),        NO,                        NO),
    ROW(0x16, VW1(SSE, sse_movhps),          VM1(SSE2, sse_movhpd),         VW(SSE3, sse_movshdup),    NO),
    ROW(0x17, VM1(SSE, sse_movhps_store),    VM1(SSE2, sse_movhpd_store),   NO,                        NO),
    ROW(0x28, VW(SSE, sse_movaps),           VW(SSE2, sse_movaps),          NO,                        NO),
    ROW(0x29, VW(SSE, sse_movaps_store),     VW(SSE2, sse_movaps_store),    NO,                        NO),
    ROW(0x2A, VW1(SSE, sse_cvtpi2ps),        VW1(SSE2, sse_cvtpi2pd),       VE(SSE, sse_cvtsi2ss),     VE(SSE2, sse_cvtsi2sd)),
    ROW(0x2B, VM(SSE, sse_movaps_store),     VM(SSE2, sse_movdqa_store),    NO,                        NO),
    ROW(0x2C, VW1(SSE, sse_cvttps2pi),       VW1(SSE2, sse_cvttpd2pi),      GW(SSE, sse_cvttss2si),    GW(SSE2, sse_cvttsd2si)),
    ROW(0x2D, VW1(SSE, sse_cvtps2pi),        VW1(SSE2, sse_cvtpd2pi),       GW(SSE, sse_cvtss2si),     GW(SSE2, sse_cvtsd2si)),
    ROW(0x2E, VW(SSE, sse_ucomiss),          VW(SSE2, sse_ucomisd),         NO,                        NO),
    ROW(0x2F, VW(SSE, sse_comiss),           VW(SSE2, sse_comisd),          NO,                        NO),
    ROW(0x50, GU(SSE, sse_movmskps),         GU(SSE2, sse_movmskpd),        NO,                        NO),
    FOUR(0x51, sqrt),
    ROW(0x52, VW(SSE, sse_rsqrtps),          NO,                            VW(SSE, sse_rsqrtss),      NO),
    ROW(0x53, VW(SSE, sse_rcpps),            NO,                            VW(SSE, sse_rcpss),        NO),
    TWO(0x54, and), TWO(0x55, andn), TWO(0x56, or), TWO(0x57, xor),
    FOUR(0x58, add), FOUR(0x59, mul),
    ROW(0x5A, VW(SSE2, sse_cvtps2pd),        VW(SSE2, sse_cvtpd2ps),        VW(SSE2, sse_cvtss2sd),    VW(SSE2, sse_cvtsd2ss)),
    ROW(0x5B, VW(SSE2, sse_cvtdq2ps),        VW(SSE2, sse_cvtps2dq),        VW(SSE2, sse_cvttps2dq),   NO),
    FOUR(0x5C, sub), FOUR(0x5D, min), FOUR(0x5E, div), FOUR(0x5F, max),
    MMX(0x60, punpcklbw), MMX(0x61, punpcklwd), MMX(0x62, punpckldq), MMX(0x63, packsswb),
    MMX(0x64, pcmpgtb),   MMX(0x65, pcmpgtw),   MMX(0x66, pcmpgtd),   MMX(0x67, packuswb),
    MMX(0x68, punpckhbw), MMX(0x69, punpckhwd), MMX(0x6A, punpckhdq), MMX(0x6B, packssdw),
    ROW(0x6C, NO,                            VW(SSE2, sse_punpcklqdq),      NO,                        NO),
    ROW(0x6D, NO,                            VW(SSE2, sse_punpckhqdq),      NO,                        NO),
    ROW(0x6E, VE(MMX, mmx_movd),             VE(SSE2, sse_movd),            NO,                        NO),
    ROW(0x6F, VW(MMX, mmx_movq),             VW(SSE2, sse_movdqa),          VW(SSE2, sse_movdqu),      NO),
    ROW(0x70, VWI1(SSE, mmx_pshufw),         VWI(SSE2, sse_pshufd),         VWI(SSE2, sse_pshufhw),    VWI(SSE2, sse_pshuflw)),
    ROW(0x71, GI(MMX, mmx_group71),          GI(SSE2, sse_group71),         NO,                        NO),
    ROW(0x72, GI(MMX, mmx_group72),          GI(SSE2, sse_group72),         NO,                        NO),
    ROW(0x73, GI(MMX, mmx_group73),          GI(SSE2, sse_group73),         NO,                        NO),
    MMX(0x74, pcmpeqb), MMX(0x75, pcmpeqw), MMX(0x76, pcmpeqd),
    ROW(0x7C, NO,                            VW(SSE3, sse_haddpd),          NO,                        VW(SSE3, sse_haddps)),
    ROW(0x7D, NO,                            VW(SSE3, sse_hsubpd),          NO,                        VW(SSE3, sse_hsubps)),
    ROW(0x7E, VE(MMX, mmx_movd_store),       VE(SSE2, sse_movd_store),      VW(SSE2, sse_movq),        NO),
    ROW(0x7F, VW(MMX, mmx_movq_store),       VW(SSE2, sse_movdqa_store),    VW(SSE2, sse_movdqu_store), NO),
    ROW(0xC2, VWI(SSE, sse_cmpps),           VWI(SSE2, sse_cmppd),          VWI(SSE, sse_cmpss),       VWI(SSE2, sse_cmpsd)),
    ROW(0xC3, GM(SSE2, sse_movnti),          NO,                            NO,                        NO),
    ROW(0xC4, VEI(SSE, mmx_pinsrw),          VEI(SSE2, sse_pinsrw),         NO,                        NO),
    ROW(0xC5, GUI(SSE, mmx_pextrw),          GUI(SSE2, sse_pextrw),         NO,                        NO),
    ROW(0xC6, VWI(SSE, sse_shufps),          VWI(SSE2, sse_shufpd),         NO,                        NO),
    ROW(0xD0, NO,                            VW(SSE3, sse_addsubpd),        NO,                        VW(SSE3, sse_addsubps)),
    MMX(0xD1, psrlw), MMX(0xD2, psrld), MMX(0xD3, psrlq), MMX_SSE2(0xD4, paddq), MMX(0xD5, pmullw),
    ROW(0xD6, NO,                            VW(SSE2, sse_movq_store),      VU(SSE2, sse_movq2dq),     VU(SSE2, sse_movdq2q)),
    ROW(0xD7, GU(SSE, mmx_pmovmskb),         GU(SSE2, sse_pmovmskb),        NO,                        NO),
    MMX(0xD8, psubusb), MMX(0xD9, psubusw), MMX_SSE(0xDA, pminub), MMX(0xDB, pand),
    MMX(0xDC, paddusb), MMX(0xDD, paddusw), MMX_SSE(0xDE, pmaxub), MMX(0xDF, pandn),
    MMX_SSE(0xE0, pavgb), MMX(0xE1, psraw), MMX(0xE2, psrad), MMX_SSE(0xE3, pavgw),
    MMX_SSE(0xE4, pmulhuw), MMX(0xE5, pmulhw),
    ROW(0xE6, NO,                            VW(SSE2, sse_cvttpd2dq),       VW(SSE2, sse_cvtdq2pd),    VW(SSE2, sse_cvtpd2dq)),
    ROW(0xE7, VM(SSE, mmx_movntq),           VM(SSE2, sse_movdqa_store),    NO,                        NO),
    MMX(0xE8, psubsb), MMX(0xE9, psubsw), MMX_SSE(0xEA, pminsw), MMX(0xEB, por),
    MMX(0xEC, paddsb), MMX(0xED, paddsw), MMX_SSE(0xEE, pmaxsw), MMX(0xEF, pxor),
    ROW(0xF0, NO,                            NO,                            NO,                        VM(SSE3, sse_lddqu)),
    MMX(0xF1, psllw), MMX(0xF2, pslld), MMX(0xF3, psllq), MMX_SSE2(0xF4, pmuludq),
    MMX(0xF5, pmaddwd), MMX_SSE(0xF6, psadbw),
    ROW(0xF7, VU(SSE, mmx_maskmovq),         VU(SSE2, sse_maskmovdqu),      NO,                        NO),
    MMX(0xF8, psubb), MMX(0xF9, psubw), MMX(0xFA, psubd), MMX_SSE2(0xFB, psubq),
    MMX(0xFC, paddb), MMX(0xFD, paddw), MMX(0xFE, paddd),
};

const struct sse_opcode opcodes_0f38[256][4] = {
    MMX_SSSE3(0x00, pshufb), MMX_SSSE3(0x01, phaddw), MMX_SSSE3(0x02, phaddd), MMX_SSSE3(0x03, phaddsw),
    MMX_SSSE3(0x04, pmaddubsw), MMX_SSSE3(0x05, phsubw), MMX_SSSE3(0x06, phsubd), MMX_SSSE3(0x07, phsubsw),
    MMX_SSSE3(0x08, psignb), MMX_SSSE3(0x09, psignw), MMX_SSSE3(0x0A, psignd), MMX_SSSE3(0x0B, pmulhrsw),
    MMX_SSSE3(0x1C, pabsb), MMX_SSSE3(0x1D, pabsw), MMX_SSSE3(0x1E, pabsd),
#define ONLY66(n, cell) [n] = {[PREFIX_66] = cell}
    ONLY66(0x10, VW1(SSE4_1, sse_pblendvb)), ONLY66(0x14, VW1(SSE4_1, sse_blendvps)), ONLY66(0x15, VW1(SSE4_1, sse_blendvpd)),
    ONLY66(0x17, VW1(SSE4_1, sse_ptest)),
    ONLY66(0x20, VW(SSE4_1, sse_pmovsxbw)), ONLY66(0x21, VW(SSE4_1, sse_pmovsxbd)), ONLY66(0x22, VW(SSE4_1, sse_pmovsxbq)),
    ONLY66(0x23, VW(SSE4_1, sse_pmovsxwd)), ONLY66(0x24, VW(SSE4_1, sse_pmovsxwq)), ONLY66(0x25, VW(SSE4_1, sse_pmovsxdq)),
    ONLY66(0x28, VW(SSE4_1, sse_pmuldq)), ONLY66(0x29, VW(SSE4_1, sse_pcmpeqq)), ONLY66(0x2A, VM(SSE4_1, sse_movntdqa)),
    ONLY66(0x2B, VW(SSE4_1, sse_packusdw)),
    ONLY66(0x30, VW(SSE4_1, sse_pmovzxbw)), ONLY66(0x31, VW(SSE4_1, sse_pmovzxbd)), ONLY66(0x32, VW(SSE4_1, sse_pmovzxbq)),
    ONLY66(0x33, VW(SSE4_1, sse_pmovzxwd)), ONLY66(0x34, VW(SSE4_1, sse_pmovzxwq)), ONLY66(0x35, VW(SSE4_1, sse_pmovzxdq)),
    ONLY66(0x37, VW(SSE4_2, sse_pcmpgtq)), ONLY66(0x38, VW(SSE4_1, sse_pminsb)), ONLY66(0x39, VW(SSE4_1, sse_pminsd)),
    ONLY66(0x3A, VW(SSE4_1, sse_pminuw)), ONLY66(0x3B, VW(SSE4_1, sse_pminud)), ONLY66(0x3C, VW(SSE4_1, sse_pmaxsb)),
    ONLY66(0x3D, VW(SSE4_1, sse_pmaxsd)), ONLY66(0x3E, VW(SSE4_1, sse_pmaxuw)), ONLY66(0x3F, VW(SSE4_1, sse_pmaxud)),
    ONLY66(0x40, VW(SSE4_1, sse_pmulld)), ONLY66(0x41, VW(SSE4_1, sse_phminposuw)),
    ROW(0xF0, NO,                            NO,                            NO,                        GE8(SSE4_2, crc32)),
    ROW(0xF1, NO,                            NO,                            NO,                        GE(SSE4_2, crc32)),
};

const struct sse_opcode opcodes_0f3a[256][4] = {
    ONLY66(0x08, VWI(SSE4_1, sse_roundps)), ONLY66(0x09, VWI(SSE4_1, sse_roundpd)),
    ONLY66(0x0A, VWI(SSE4_1, sse_roundss)), ONLY66(0x0B, VWI(SSE4_1, sse_roundsd)),
    ONLY66(0x0C, VWI(SSE4_1, sse_blendps)), ONLY66(0x0D, VWI(SSE4_1, sse_blendpd)), ONLY66(0x0E, VWI(SSE4_1, sse_pblendw)),
    ROW(0x0F, VWI1(SSSE3, mmx_palignr),      VWI(SSSE3, sse_palignr),       NO,                        NO),
    ONLY66(0x14, VEI(SSE4_1, sse_pextrb)), ONLY66(0x15, VEI(SSE4_1, sse_pextrw_store)),
    ONLY66(0x16, VEI(SSE4_1, sse_pextrd)), ONLY66(0x17, VEI(SSE4_1, sse_extractps)),
    ONLY66(0x20, VEI(SSE4_1, sse_pinsrb)), ONLY66(0x21, VWI1(SSE4_1, sse_insertps)), ONLY66(0x22, VEI(SSE4_1, sse_pinsrd)),
    ONLY66(0x40, VWI1(SSE4_1, sse_dpps)), ONLY66(0x41, VWI1(SSE4_1, sse_dppd)), ONLY66(0x42, VWI(SSE4_1, sse_mpsadbw)),
    ONLY66(0x60, VWI1(SSE4_2, sse_pcmpestrm)), ONLY66(0x61, VWI1(SSE4_2, sse_pcmpestri)),
    ONLY66(0x62, VWI1(SSE4_2, sse_pcmpistrm)), ONLY66(0x63, VWI1(SSE4_2, sse_pcmpistri)),
};
