/* The opcode maps of MMX and SSE (Vol. 2D, tables ): which instruction an opcode is
 * with no prefix, 66, F3, F2. Names are the manual's; those that begin with mmx_ work on MMX
 * registers.
 */
#include "vmm/engines/soft/handlers.h"
#include "vmm/engines/soft/opcodes.h"
#include "vmm/engines/soft/sse_handlers.h"

#define ROW(n, plain, p66, f3, f2)                                                                 \
    [n] = {[PREFIX_NONE] = plain, [PREFIX_66] = p66, [PREFIX_F3] = f3, [PREFIX_F2] = f2}
#define VW(fn)  {.operands = O_VW, .run = fn}                        /* V, W: vector or memory */
#define VWI(fn) {.operands = O_VW, .immediate = I_B, .run = fn}
#define VM(fn)  {.operands = O_VW, .flags = MEM, .run = fn}          /* memory only */
#define VU(fn)  {.operands = O_VW, .flags = ONLY_REG, .run = fn}     /* registers only */
#define VE(fn)  {.operands = O_VE, .run = fn}                        /* a general register or memory */
#define VEI(fn) {.operands = O_VE, .immediate = I_B, .run = fn}
#define GW(fn)  {.operands = O_GW, .run = fn}
#define GU(fn)  {.operands = O_GW, .flags = ONLY_REG, .run = fn}
#define GUI(fn) {.operands = O_GW, .immediate = I_B, .flags = ONLY_REG, .run = fn}
#define GM(fn)  {.operands = O_E, .flags = MEM, .run = fn}
#define GE(fn)  {.operands = O_E, .run = fn}
#define GE8(fn) {.operands = O_E, .flags = RM8, .run = fn}
#define NO      {0}

/* clang-format off */

#define UI(fn)  {.operands = O_VW, .immediate = I_B, .flags = ONLY_REG, .run = fn}

#define FOUR(n, name) ROW(n, VW(sse_##name##ps), VW(sse_##name##pd), VW(sse_##name##ss), VW(sse_##name##sd))
#define TWO(n, name)  ROW(n, VW(sse_##name##ps), VW(sse_##name##pd), NO, NO)
#define MMX(n, name)  ROW(n, VW(mmx_##name), VW(sse_##name), NO, NO)

const struct sse_opcode opcodes_sse[256][4] = {
    /*         none                66                  F3                  F2 */
    ROW(0x10, VW(sse_movups),       VW(sse_movups),       VW(sse_movss),       VW(sse_movsd)),
    ROW(0x11, VW(sse_movups_store), VW(sse_movups_store), VW(sse_movss_store), VW(sse_movsd_store)),
    ROW(0x12, VW(sse_movlps),       VM(sse_movlpd),       VW(sse_movsldup),    VW(sse_movddup)),
    ROW(0x13, VM(sse_movlps_store), VM(sse_movlpd_store), NO,                  NO),
    ROW(0x14, VW(sse_unpcklps),     VW(sse_unpcklpd),     NO,                  NO),
    ROW(0x15, VW(sse_unpckhps),     VW(sse_unpckhpd),     NO,                  NO),
    ROW(0x16, VW(sse_movhps),       VM(sse_movhpd),       VW(sse_movshdup),    NO),
    ROW(0x17, VM(sse_movhps_store), VM(sse_movhpd_store), NO,                  NO),
    ROW(0x28, VW(sse_movaps),       VW(sse_movaps),       NO,                  NO),
    ROW(0x29, VW(sse_movaps_store), VW(sse_movaps_store), NO,                  NO),
    ROW(0x2A, VW(sse_cvtpi2ps),     VW(sse_cvtpi2pd),     VE(sse_cvtsi2ss),    VE(sse_cvtsi2sd)),
    ROW(0x2B, VM(sse_movaps_store), VM(sse_movdqa_store), NO,                  NO),
    ROW(0x2C, VW(sse_cvttps2pi),    VW(sse_cvttpd2pi),    GW(sse_cvttss2si),   GW(sse_cvttsd2si)),
    ROW(0x2D, VW(sse_cvtps2pi),     VW(sse_cvtpd2pi),     GW(sse_cvtss2si),    GW(sse_cvtsd2si)),
    ROW(0x2E, VW(sse_ucomiss),      VW(sse_ucomisd),      NO,                  NO),
    ROW(0x2F, VW(sse_comiss),       VW(sse_comisd),       NO,                  NO),
    ROW(0x50, GU(sse_movmskps),     GU(sse_movmskpd),     NO,                  NO),
    FOUR(0x51, sqrt),
    ROW(0x52, VW(sse_rsqrtps),      NO,                   VW(sse_rsqrtss),     NO),
    ROW(0x53, VW(sse_rcpps),        NO,                   VW(sse_rcpss),       NO),
    TWO(0x54, and), TWO(0x55, andn), TWO(0x56, or), TWO(0x57, xor),
    FOUR(0x58, add), FOUR(0x59, mul),
    ROW(0x5A, VW(sse_cvtps2pd),     VW(sse_cvtpd2ps),     VW(sse_cvtss2sd),    VW(sse_cvtsd2ss)),
    ROW(0x5B, VW(sse_cvtdq2ps),     VW(sse_cvtps2dq),     VW(sse_cvttps2dq),   NO),
    FOUR(0x5C, sub), FOUR(0x5D, min), FOUR(0x5E, div), FOUR(0x5F, max),
    MMX(0x60, punpcklbw), MMX(0x61, punpcklwd), MMX(0x62, punpckldq), MMX(0x63, packsswb),
    MMX(0x64, pcmpgtb),   MMX(0x65, pcmpgtw),   MMX(0x66, pcmpgtd),   MMX(0x67, packuswb),
    MMX(0x68, punpckhbw), MMX(0x69, punpckhwd), MMX(0x6A, punpckhdq), MMX(0x6B, packssdw),
    ROW(0x6C, NO,                   VW(sse_punpcklqdq),   NO,                  NO),
    ROW(0x6D, NO,                   VW(sse_punpckhqdq),   NO,                  NO),
    ROW(0x6E, VE(mmx_movd),         VE(sse_movd),         NO,                  NO),
    ROW(0x6F, VW(mmx_movq),         VW(sse_movdqa),       VW(sse_movdqu),      NO),
    ROW(0x70, VWI(mmx_pshufw),      VWI(sse_pshufd),      VWI(sse_pshufhw),    VWI(sse_pshuflw)),
    ROW(0x71, UI(mmx_group71),      UI(sse_group71),       NO,                  NO),
    ROW(0x72, UI(mmx_group72),      UI(sse_group72),       NO,                  NO),
    ROW(0x73, UI(mmx_group73),      UI(sse_group73),       NO,                  NO),
    MMX(0x74, pcmpeqb), MMX(0x75, pcmpeqw), MMX(0x76, pcmpeqd),
    ROW(0x7C, NO,                   VW(sse_haddpd),       NO,                  VW(sse_haddps)),
    ROW(0x7D, NO,                   VW(sse_hsubpd),       NO,                  VW(sse_hsubps)),
    ROW(0x7E, VE(mmx_movd_store),   VE(sse_movd_store),   VW(sse_movq),        NO),
    ROW(0x7F, VW(mmx_movq_store),   VW(sse_movdqa_store), VW(sse_movdqu_store), NO),
    ROW(0xC2, VWI(sse_cmpps),       VWI(sse_cmppd),       VWI(sse_cmpss),      VWI(sse_cmpsd)),
    ROW(0xC3, GM(sse_movnti),       NO,                   NO,                  NO),
    ROW(0xC4, VEI(mmx_pinsrw),      VEI(sse_pinsrw),      NO,                  NO),
    ROW(0xC5, GUI(mmx_pextrw),      GUI(sse_pextrw),      NO,                  NO),
    ROW(0xC6, VWI(sse_shufps),      VWI(sse_shufpd),      NO,                  NO),
    ROW(0xD0, NO,                   VW(sse_addsubpd),     NO,                  VW(sse_addsubps)),
    MMX(0xD1, psrlw), MMX(0xD2, psrld), MMX(0xD3, psrlq), MMX(0xD4, paddq), MMX(0xD5, pmullw),
    ROW(0xD6, NO,                   VW(sse_movq_store),   VU(sse_movq2dq),     VU(sse_movdq2q)),
    ROW(0xD7, GU(mmx_pmovmskb),     GU(sse_pmovmskb),     NO,                  NO),
    MMX(0xD8, psubusb), MMX(0xD9, psubusw), MMX(0xDA, pminub), MMX(0xDB, pand),
    MMX(0xDC, paddusb), MMX(0xDD, paddusw), MMX(0xDE, pmaxub), MMX(0xDF, pandn),
    MMX(0xE0, pavgb), MMX(0xE1, psraw), MMX(0xE2, psrad), MMX(0xE3, pavgw),
    MMX(0xE4, pmulhuw), MMX(0xE5, pmulhw),
    ROW(0xE6, NO,                   VW(sse_cvttpd2dq),    VW(sse_cvtdq2pd),    VW(sse_cvtpd2dq)),
    ROW(0xE7, VM(mmx_movntq),       VM(sse_movdqa_store), NO,                  NO),
    MMX(0xE8, psubsb), MMX(0xE9, psubsw), MMX(0xEA, pminsw), MMX(0xEB, por),
    MMX(0xEC, paddsb), MMX(0xED, paddsw), MMX(0xEE, pmaxsw), MMX(0xEF, pxor),
    ROW(0xF0, NO,                   NO,                   NO,                  VM(sse_lddqu)),
    MMX(0xF1, psllw), MMX(0xF2, pslld), MMX(0xF3, psllq), MMX(0xF4, pmuludq),
    MMX(0xF5, pmaddwd), MMX(0xF6, psadbw),
    ROW(0xF7, VU(mmx_maskmovq),     VU(sse_maskmovdqu),   NO,                  NO),
    MMX(0xF8, psubb), MMX(0xF9, psubw), MMX(0xFA, psubd), MMX(0xFB, psubq),
    MMX(0xFC, paddb), MMX(0xFD, paddw), MMX(0xFE, paddd),
};

const struct sse_opcode opcodes_0f38[256][4] = {
    MMX(0x00, pshufb), MMX(0x01, phaddw), MMX(0x02, phaddd), MMX(0x03, phaddsw),
    MMX(0x04, pmaddubsw), MMX(0x05, phsubw), MMX(0x06, phsubd), MMX(0x07, phsubsw),
    MMX(0x08, psignb), MMX(0x09, psignw), MMX(0x0A, psignd), MMX(0x0B, pmulhrsw),
    MMX(0x1C, pabsb), MMX(0x1D, pabsw), MMX(0x1E, pabsd),
#define ONLY66(n, cell) [n] = {[PREFIX_66] = cell}
    ONLY66(0x10, VW(sse_pblendvb)), ONLY66(0x14, VW(sse_blendvps)), ONLY66(0x15, VW(sse_blendvpd)),
    ONLY66(0x17, VW(sse_ptest)),
    ONLY66(0x20, VW(sse_pmovsxbw)), ONLY66(0x21, VW(sse_pmovsxbd)), ONLY66(0x22, VW(sse_pmovsxbq)),
    ONLY66(0x23, VW(sse_pmovsxwd)), ONLY66(0x24, VW(sse_pmovsxwq)), ONLY66(0x25, VW(sse_pmovsxdq)),
    ONLY66(0x28, VW(sse_pmuldq)), ONLY66(0x29, VW(sse_pcmpeqq)), ONLY66(0x2A, VM(sse_movntdqa)),
    ONLY66(0x2B, VW(sse_packusdw)),
    ONLY66(0x30, VW(sse_pmovzxbw)), ONLY66(0x31, VW(sse_pmovzxbd)), ONLY66(0x32, VW(sse_pmovzxbq)),
    ONLY66(0x33, VW(sse_pmovzxwd)), ONLY66(0x34, VW(sse_pmovzxwq)), ONLY66(0x35, VW(sse_pmovzxdq)),
    ONLY66(0x37, VW(sse_pcmpgtq)), ONLY66(0x38, VW(sse_pminsb)), ONLY66(0x39, VW(sse_pminsd)),
    ONLY66(0x3A, VW(sse_pminuw)), ONLY66(0x3B, VW(sse_pminud)), ONLY66(0x3C, VW(sse_pmaxsb)),
    ONLY66(0x3D, VW(sse_pmaxsd)), ONLY66(0x3E, VW(sse_pmaxuw)), ONLY66(0x3F, VW(sse_pmaxud)),
    ONLY66(0x40, VW(sse_pmulld)), ONLY66(0x41, VW(sse_phminposuw)),
    ROW(0xF0, NO, NO, NO, GE8(crc32)),
    ROW(0xF1, NO, NO, NO, GE(crc32)),
};

const struct sse_opcode opcodes_0f3a[256][4] = {
    ONLY66(0x08, VWI(sse_roundps)), ONLY66(0x09, VWI(sse_roundpd)),
    ONLY66(0x0A, VWI(sse_roundss)), ONLY66(0x0B, VWI(sse_roundsd)),
    ONLY66(0x0C, VWI(sse_blendps)), ONLY66(0x0D, VWI(sse_blendpd)), ONLY66(0x0E, VWI(sse_pblendw)),
    ROW(0x0F, VWI(mmx_palignr), VWI(sse_palignr), NO, NO),
    ONLY66(0x14, VEI(sse_pextrb)), ONLY66(0x15, VEI(sse_pextrw_store)),
    ONLY66(0x16, VEI(sse_pextrd)), ONLY66(0x17, VEI(sse_extractps)),
    ONLY66(0x20, VEI(sse_pinsrb)), ONLY66(0x21, VWI(sse_insertps)), ONLY66(0x22, VEI(sse_pinsrd)),
    ONLY66(0x40, VWI(sse_dpps)), ONLY66(0x41, VWI(sse_dppd)), ONLY66(0x42, VWI(sse_mpsadbw)),
    ONLY66(0x60, VWI(sse_pcmpestrm)), ONLY66(0x61, VWI(sse_pcmpestri)),
    ONLY66(0x62, VWI(sse_pcmpistrm)), ONLY66(0x63, VWI(sse_pcmpistri)),
};
