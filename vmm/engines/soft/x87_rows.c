/* The x87's instructions (Vol. 2D, A.5), a row for each: by opcode D8 to DF and ModRM.
 *
 * An instruction on registers is done by the host with its own bytes, so its row says little;
 * of a memory operand it says which way it goes and how long it is.
 */
#include "vmm/engines/soft/x87.h"

/* clang-format off */

/* --- with a memory operand: [opcode - D8][reg] --- */
#define LOAD(n, name)   {name, X87_LOAD, n, X87_HOST, FEATURE_FPU}
#define STORE(n, name)  {name, X87_STORE, n, X87_HOST, FEATURE_FPU}
#define STORE3(n, name) {name, X87_STORE, n, X87_HOST, FEATURE_SSE3}
#define CONTROL(f, n, name) {name, X87_CONTROL | (f), n, X87_HOST, FEATURE_FPU}
#define BY(fn, f, name) {name, X87_CONTROL | (f), 0, fn, FEATURE_FPU}
#define NONE {"", 0, 0, X87_HOST, FEATURE_FPU}

const struct x87_row x87_memory_rows[8][8] = {
    { /* D8 */ LOAD(4, "fadd m32"), LOAD(4, "fmul m32"), LOAD(4, "fcom m32"), LOAD(4, "fcomp m32"),
      LOAD(4, "fsub m32"), LOAD(4, "fsubr m32"), LOAD(4, "fdiv m32"), LOAD(4, "fdivr m32") },
    { /* D9 */ LOAD(4, "fld m32"), NONE, STORE(4, "fst m32"), STORE(4, "fstp m32"),
      BY(X87_FLDENV, 0, "fldenv"), CONTROL(X87_LOAD, 2, "fldcw"),
      BY(X87_FNSTENV, X87_NO_WAIT, "fnstenv"), CONTROL(X87_STORE | X87_NO_WAIT, 2, "fnstcw") },
    { /* DA */ LOAD(4, "fiadd m32"), LOAD(4, "fimul m32"), LOAD(4, "ficom m32"), LOAD(4, "ficomp m32"),
      LOAD(4, "fisub m32"), LOAD(4, "fisubr m32"), LOAD(4, "fidiv m32"), LOAD(4, "fidivr m32") },
    { /* DB */ LOAD(4, "fild m32"), STORE3(4, "fisttp m32"), STORE(4, "fist m32"), STORE(4, "fistp m32"),
      NONE, LOAD(10, "fld m80"), NONE, STORE(10, "fstp m80") },
    { /* DC */ LOAD(8, "fadd m64"), LOAD(8, "fmul m64"), LOAD(8, "fcom m64"), LOAD(8, "fcomp m64"),
      LOAD(8, "fsub m64"), LOAD(8, "fsubr m64"), LOAD(8, "fdiv m64"), LOAD(8, "fdivr m64") },
    { /* DD */ LOAD(8, "fld m64"), STORE3(8, "fisttp m64"), STORE(8, "fst m64"), STORE(8, "fstp m64"),
      BY(X87_FRSTOR, 0, "frstor"), NONE,
      BY(X87_FNSAVE, X87_NO_WAIT, "fnsave"), CONTROL(X87_STORE | X87_NO_WAIT, 2, "fnstsw m16") },
    { /* DE */ LOAD(2, "fiadd m16"), LOAD(2, "fimul m16"), LOAD(2, "ficom m16"), LOAD(2, "ficomp m16"),
      LOAD(2, "fisub m16"), LOAD(2, "fisubr m16"), LOAD(2, "fidiv m16"), LOAD(2, "fidivr m16") },
    { /* DF */ LOAD(2, "fild m16"), STORE3(2, "fisttp m16"), STORE(2, "fist m16"), STORE(2, "fistp m16"),
      LOAD(10, "fbld m80"), LOAD(8, "fild m64"), STORE(10, "fbstp m80"), STORE(8, "fistp m64") },
};
#undef CONTROL
#undef BY

/* --- on registers: [opcode - D8][ModRM - C0] --- */
#define ONE(name)           {name, 0, 0, X87_HOST, FEATURE_FPU}
#define COMPARE(name)       {name, X87_EFLAGS, 0, X87_HOST, FEATURE_CMOV}
#define WHEN(name)          {name, X87_USES_EFLAGS, 0, X87_HOST, FEATURE_CMOV}
#define CONTROL(name)       {name, X87_CONTROL | X87_NO_WAIT, 0, X87_HOST, FEATURE_FPU}
#define BY(fn, name)        {name, X87_CONTROL | X87_NO_WAIT, 0, fn, FEATURE_FPU}
#define EIGHT(row)          row, row, row, row, row, row, row, row

const struct x87_row x87_register_rows[8][64] = {
    { /* D8 */
      EIGHT(ONE("fadd st,st(i)")), EIGHT(ONE("fmul st,st(i)")),
      EIGHT(ONE("fcom st(i)")),    EIGHT(ONE("fcomp st(i)")),
      EIGHT(ONE("fsub st,st(i)")), EIGHT(ONE("fsubr st,st(i)")),
      EIGHT(ONE("fdiv st,st(i)")), EIGHT(ONE("fdivr st,st(i)")) },
    { /* D9 */
      EIGHT(ONE("fld st(i)")), EIGHT(ONE("fxch st(i)")),
      ONE("fnop"), NONE, NONE, NONE, NONE, NONE, NONE, NONE,
      EIGHT(ONE("fstp1 st(i)")), /* as fstp, but an empty ST(0) raises nothing */
      ONE("fchs"),    ONE("fabs"),    NONE,           NONE,
      ONE("ftst"),    ONE("fxam"),    NONE,           NONE,
      ONE("fld1"),    ONE("fldl2t"),  ONE("fldl2e"),  ONE("fldpi"),
      ONE("fldlg2"),  ONE("fldln2"),  ONE("fldz"),    NONE,
      ONE("f2xm1"),   ONE("fyl2x"),   ONE("fptan"),   ONE("fpatan"),
      ONE("fxtract"), ONE("fprem1"),  ONE("fdecstp"), ONE("fincstp"),
      ONE("fprem"),   ONE("fyl2xp1"), ONE("fsqrt"),   ONE("fsincos"),
      ONE("frndint"), ONE("fscale"),  ONE("fsin"),    ONE("fcos") },
    { /* DA */
      EIGHT(WHEN("fcmovb st,st(i)")),  EIGHT(WHEN("fcmove st,st(i)")),
      EIGHT(WHEN("fcmovbe st,st(i)")), EIGHT(WHEN("fcmovu st,st(i)")),
      EIGHT(NONE), NONE, ONE("fucompp"), NONE, NONE, NONE, NONE, NONE, NONE,
      EIGHT(NONE), EIGHT(NONE) },
    { /* DB: the 8087's interrupts and the 287's mode are no more, their instructions do nothing */
      EIGHT(WHEN("fcmovnb st,st(i)")),  EIGHT(WHEN("fcmovne st,st(i)")),
      EIGHT(WHEN("fcmovnbe st,st(i)")), EIGHT(WHEN("fcmovnu st,st(i)")),
      CONTROL("fneni"), CONTROL("fndisi"), CONTROL("fnclex"), BY(X87_FNINIT, "fninit"),
      CONTROL("fnsetpm"), NONE, NONE, NONE,
      EIGHT(COMPARE("fucomi st,st(i)")), EIGHT(COMPARE("fcomi st,st(i)")), EIGHT(NONE) },
    { /* DC */
      EIGHT(ONE("fadd st(i),st")),  EIGHT(ONE("fmul st(i),st")),
      EIGHT(ONE("fcom2 st(i)")),    EIGHT(ONE("fcomp3 st(i)")),
      EIGHT(ONE("fsubr st(i),st")), EIGHT(ONE("fsub st(i),st")),
      EIGHT(ONE("fdivr st(i),st")), EIGHT(ONE("fdiv st(i),st")) },
    { /* DD */
      EIGHT(ONE("ffree st(i)")), EIGHT(ONE("fxch4 st(i)")),
      EIGHT(ONE("fst st(i)")),   EIGHT(ONE("fstp st(i)")),
      EIGHT(ONE("fucom st(i)")), EIGHT(ONE("fucomp st(i)")),
      EIGHT(NONE), EIGHT(NONE) },
    { /* DE */
      EIGHT(ONE("faddp st(i),st")), EIGHT(ONE("fmulp st(i),st")),
      EIGHT(ONE("fcomp5 st(i)")),
      NONE, ONE("fcompp"), NONE, NONE, NONE, NONE, NONE, NONE,
      EIGHT(ONE("fsubrp st(i),st")), EIGHT(ONE("fsubp st(i),st")),
      EIGHT(ONE("fdivrp st(i),st")), EIGHT(ONE("fdivp st(i),st")) },
    { /* DF */
      EIGHT(ONE("ffreep st(i)")), EIGHT(ONE("fxch7 st(i)")),
      EIGHT(ONE("fstp8 st(i)")),  EIGHT(ONE("fstp9 st(i)")),
      BY(X87_FNSTSW_AX, "fnstsw ax"), NONE, NONE, NONE, NONE, NONE, NONE, NONE,
      EIGHT(COMPARE("fucomip st,st(i)")), EIGHT(COMPARE("fcomip st,st(i)")), EIGHT(NONE) },
};
