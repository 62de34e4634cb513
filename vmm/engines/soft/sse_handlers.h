/* The handlers of MMX and SSE; sse_rows.c has their opcodes. */
#ifndef MINIKVM_SOFT_SSE_HANDLERS_H
#define MINIKVM_SOFT_SSE_HANDLERS_H

#include "vmm/engines/soft/state.h"

op_fn sse_dpps, sse_dppd, sse_cvtsi2ss, sse_cvtsi2sd, sse_cvtss2si, sse_cvttss2si, sse_cvtsd2si,
    sse_cvttsd2si, sse_cvtpi2ps, sse_cvtpi2pd, sse_cvtps2pi, sse_cvttps2pi, sse_cvtpd2pi,
    sse_cvttpd2pi, sse_pmovmskb, sse_movmskps, sse_movmskpd, mmx_pshufw, sse_pinsrw, mmx_pinsrw,
    sse_pextrw, mmx_pextrw, mmx_pmovmskb, sse_movlps, sse_movhps, sse_movlpd, sse_movhpd,
    sse_movlps_store, sse_movhps_store, sse_movlpd_store, sse_movhpd_store, sse_movd,
    sse_movd_store, mmx_movd, mmx_movd_store, sse_movnti, sse_movq2dq, sse_movdq2q, emms,
    sse_maskmovdqu, mmx_maskmovq, fence, clflush, sse_pblendvb, sse_blendvps, sse_blendvpd,
    sse_pextrb, sse_pextrw_store, sse_extractps, sse_pinsrb, sse_pextrd, sse_pinsrd, sse_pcmpestri,
    sse_pcmpestrm, sse_pcmpistri, sse_pcmpistrm, mmx_palignr, sse_ptest, sse_insertps, crc32,
    popcnt, ldmxcsr, stmxcsr, sse_psllw_i, mmx_psllw_i, sse_pslld_i, mmx_pslld_i, sse_psllq_i,
    mmx_psllq_i, sse_psrlw_i, mmx_psrlw_i, sse_psrld_i, mmx_psrld_i, sse_psrlq_i, mmx_psrlq_i,
    sse_psraw_i, mmx_psraw_i, sse_psrad_i, mmx_psrad_i, sse_pslldq_i, sse_psrldq_i;

/* One for each place of the operand W. */
typedef op_fn *const placed_fns[PLACES];
extern placed_fns mmx_movq, mmx_movq_store, mmx_movntq, sse_movq, sse_movq_store, sse_haddps,
    sse_haddpd, sse_hsubps, sse_hsubpd, sse_addsubps, sse_addsubpd, sse_rcpps, sse_rcpss,
    sse_rsqrtps, sse_rsqrtss, sse_andps, sse_andpd, sse_andnps, sse_andnpd, sse_orps, sse_orpd,
    sse_xorps, sse_xorpd, sse_cvtps2pd, sse_cvtpd2ps, sse_cvtss2sd, sse_cvtsd2ss, sse_cvtdq2ps,
    sse_cvtps2dq, sse_cvttps2dq, sse_cvtpd2dq, sse_cvttpd2dq, sse_cvtdq2pd, sse_cmpps, sse_cmppd,
    sse_cmpss, sse_cmpsd, sse_roundps, sse_roundpd, sse_roundss, sse_roundsd, sse_addps, sse_addpd,
    sse_addss, sse_addsd, sse_subps, sse_subpd, sse_subss, sse_subsd, sse_mulps, sse_mulpd,
    sse_mulss, sse_mulsd, sse_divps, sse_divpd, sse_divss, sse_divsd, sse_sqrtps, sse_sqrtpd,
    sse_sqrtss, sse_sqrtsd, sse_minps, sse_minpd, sse_minss, sse_minsd, sse_maxps, sse_maxpd,
    sse_maxss, sse_maxsd, sse_comiss, sse_comisd, sse_ucomiss, sse_ucomisd, sse_punpcklqdq,
    sse_punpckhqdq, sse_unpcklps, sse_unpckhps, sse_unpcklpd, sse_unpckhpd, sse_pshufd, sse_pshufhw,
    sse_pshuflw, sse_shufps, sse_shufpd, sse_paddb, mmx_paddb, sse_paddw, mmx_paddw, sse_paddd,
    mmx_paddd, sse_paddq, mmx_paddq, sse_paddsb, mmx_paddsb, sse_paddsw, mmx_paddsw, sse_paddusb,
    mmx_paddusb, sse_paddusw, mmx_paddusw, sse_psubb, mmx_psubb, sse_psubw, mmx_psubw, sse_psubd,
    mmx_psubd, sse_psubq, mmx_psubq, sse_psubsb, mmx_psubsb, sse_psubsw, mmx_psubsw, sse_psubusb,
    mmx_psubusb, sse_psubusw, mmx_psubusw, sse_pmullw, mmx_pmullw, sse_pmulhw, mmx_pmulhw,
    sse_pmulhuw, mmx_pmulhuw, sse_pmuludq, mmx_pmuludq, sse_pmaddwd, mmx_pmaddwd, sse_psadbw,
    mmx_psadbw, sse_pavgb, mmx_pavgb, sse_pavgw, mmx_pavgw, sse_pminub, mmx_pminub, sse_pmaxub,
    mmx_pmaxub, sse_pminsw, mmx_pminsw, sse_pmaxsw, mmx_pmaxsw, sse_pcmpeqb, mmx_pcmpeqb,
    sse_pcmpeqw, mmx_pcmpeqw, sse_pcmpeqd, mmx_pcmpeqd, sse_pcmpgtb, mmx_pcmpgtb, sse_pcmpgtw,
    mmx_pcmpgtw, sse_pcmpgtd, mmx_pcmpgtd, sse_pand, mmx_pand, sse_pandn, mmx_pandn, sse_por,
    mmx_por, sse_pxor, mmx_pxor, sse_packsswb, mmx_packsswb, sse_packssdw, mmx_packssdw,
    sse_packuswb, mmx_packuswb, sse_punpcklbw, mmx_punpcklbw, sse_punpcklwd, mmx_punpcklwd,
    sse_punpckldq, mmx_punpckldq, sse_punpckhbw, mmx_punpckhbw, sse_punpckhwd, mmx_punpckhwd,
    sse_punpckhdq, mmx_punpckhdq, sse_psllw, mmx_psllw, sse_pslld, mmx_pslld, sse_psllq, mmx_psllq,
    sse_psrlw, mmx_psrlw, sse_psrld, mmx_psrld, sse_psrlq, mmx_psrlq, sse_psraw, mmx_psraw,
    sse_psrad, mmx_psrad, sse_movsldup, sse_movshdup, sse_movddup, sse_movups, sse_movups_store,
    sse_movaps, sse_movaps_store, sse_movdqu, sse_movdqu_store, sse_movdqa, sse_movdqa_store,
    sse_lddqu, sse_movntdqa, sse_movss, sse_movss_store, sse_movsd, sse_movsd_store, sse_pshufb,
    sse_palignr, sse_pmovsxbw, sse_pmovsxbd, sse_pmovsxbq, sse_pmovsxwd, sse_pmovsxwq, sse_pmovsxdq,
    sse_pmovzxbw, sse_pmovzxbd, sse_pmovzxbq, sse_pmovzxwd, sse_pmovzxwq, sse_pmovzxdq, sse_pmuldq,
    sse_pmulld, sse_pcmpeqq, sse_packusdw, sse_pminsb, sse_pminsd, sse_pminuw, sse_pminud,
    sse_pmaxsb, sse_pmaxsd, sse_pmaxuw, sse_pmaxud, sse_phminposuw, sse_pcmpgtq, sse_blendps,
    sse_blendpd, sse_pblendw, sse_mpsadbw, sse_pmaddubsw, mmx_pmaddubsw, sse_psignb, mmx_psignb,
    sse_psignw, mmx_psignw, sse_psignd, mmx_psignd, sse_pmulhrsw, mmx_pmulhrsw, sse_pabsb,
    mmx_pabsb, sse_pabsw, mmx_pabsw, sse_pabsd, mmx_pabsd, sse_phaddw, mmx_phaddw, sse_phaddd,
    mmx_phaddd, sse_phaddsw, mmx_phaddsw, sse_phsubw, mmx_phsubw, sse_phsubd, mmx_phsubd,
    sse_phsubsw, mmx_phsubsw, mmx_pshufb;

#endif
