/* The handlers that the opcode tables name, by the file they are in. What they
 * have in common: see state.h. A family has one for each operand size and place.
 */
#ifndef MINIKVM_SOFT_HANDLERS_H
#define MINIKVM_SOFT_HANDLERS_H

#include "vmm/engines/soft/state.h"

#define FAMILY1(name) extern op_fn *const name##_family[FAMILY_SLOTS]
#define FAMILY3(name) FAMILY1(name##_eg); FAMILY1(name##_ge); FAMILY1(name##_ei)
#define SHIFTS(name)  FAMILY1(name##_1); FAMILY1(name##_i); FAMILY1(name##_cl)

/* alu.c */
FAMILY3(add); FAMILY3(adc); FAMILY3(sub); FAMILY3(sbb);
FAMILY3(and); FAMILY3(or); FAMILY3(xor); FAMILY3(cmp);
FAMILY1(test_eg); FAMILY1(test_ei); FAMILY1(inc); FAMILY1(dec); FAMILY1(neg); FAMILY1(not);
FAMILY1(mul); FAMILY1(imul); FAMILY1(imul_ge); FAMILY1(imul_gei); FAMILY1(div_); FAMILY1(idiv);
FAMILY1(xadd); FAMILY1(cmpxchg);
extern op_fn *const cmp_eg_pairs[4][16], *const cmp_ei_pairs[4][16], *const test_eg_pairs[4][16],
    *const test_ei_pairs[4][16], *const inc_pairs[4][16], *const dec_pairs[4][16];
op_fn cmpxchg8b, daa, das, aaa, aas, aam, aad;

/* shift.c */
SHIFTS(rol); SHIFTS(ror); SHIFTS(rcl); SHIFTS(rcr); SHIFTS(shl); SHIFTS(shr); SHIFTS(sar);
op_fn shld_i, shld_cl, shrd_i, shrd_cl, bit_eg, bit_ei, bsf, bsr, bswap;

/* data.c */
FAMILY1(mov_eg); FAMILY1(mov_ge); FAMILY1(mov_ei); FAMILY1(movzx); FAMILY1(movsx); FAMILY1(xchg);
FAMILY1(push_e); FAMILY1(pop_e); FAMILY1(push_i); FAMILY1(xchg_ax); FAMILY1(lea);
extern op_fn *const cmovcc[16], *const setcc[16];
op_fn xlat, cbw, cwd, pusha, popa, enter, leave_frame;
op_fn mov_es, mov_se, push_s, pop_s, les, lds, lss, lfs, lgs;
op_fn pushf, popf, lahf, sahf, cmc, clc, stc, cld, std_, salc, nop;
uint32_t flags_allowed(const struct soft *, unsigned size);

/* flow.c */
extern op_fn *const jcc[16];
FAMILY1(jmp_e); FAMILY1(call); FAMILY1(call_e); FAMILY1(ret);
op_fn *pair_of(const struct op *first, const struct op *second);
op_fn jmp, loop, loope, loopne, jcxz, bound, undefined, too_long;

/* x87.c, fpu_memory.c */
op_fn fwait, fxsave, fxrstor;

/* xsave.c */
op_fn xsave, xsaveopt, xrstor, xgetbv, xsetbv, vex, xsave_compact;
uint64_t xsave_known(const struct soft *); /* the bits that XCR0 may have */
void xsave_components(struct soft *);      /* XCR0 or the components may have come from KVM */
unsigned xsave_size(const struct soft *, uint64_t components); /* of an area with these */

/* string.c */
op_fn movs, stos, lods, scas, cmps, ins, outs;

/* io.c */
op_fn in_i, in_dx, out_i, out_dx;
void io_allow(struct soft *, uint16_t port, unsigned size);
uint64_t io_read(struct soft *, uint16_t port, unsigned size);
void io_write(struct soft *, uint16_t port, unsigned size, uint64_t value);

/* transfer.c */
op_fn jmp_far, jmp_far_e, call_far, call_far_e, ret_far, iret;

/* interrupt.c */
op_fn int_n, int3, int1, into;

/* system.c */
op_fn cli, sti, hlt, lgdt, lidt, sgdt, sidt, lldt, ltr, sldt, str, invlpg, clac, stac;
op_fn invd, lar, lsl, verr, verw, arpl;

/* control.c */
op_fn mov_rc, mov_cr, clts, smsw, lmsw;

/* cpuid.c, msr.c */
op_fn cpuid, rdtsc, rdtscp, rdpmc, rdmsr, wrmsr;

/* syscall.c */
op_fn sysenter, sysexit, syscall_, sysret, swapgs, fsgsbase;

/* debug.c */
op_fn mov_rd, mov_dr;

/* astray.c */
op_fn zeros;

#undef FAMILY1
#undef FAMILY3
#undef SHIFTS
#endif
