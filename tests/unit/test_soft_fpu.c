/* x87, MMX and SSE, case by case: what keeps an instruction from being executed, exceptions that wait,
 * and its state in memory in all formats. What instructions do: test_soft_native_fpu.c.
 */
#include "soft_case.h"

/* ST(0) is 1.0; 37F but for one exception, and pending: precision. */
#define ONE_LOADED "fcw=37f fsw=3800 ftw=80 st0=8000000000000000 st0e=3fff "
#define INEXACT    "fcw=35f fsw=b8a0 ftw=80 st0=8000000000000000 st0e=3fff "

/* Vol. 3A 2.5, tables 2-2 and 13-1 */
static const struct row refused[] = {
    {"FLD1 with EM", "cr0=15", "d9 e8", "#NM"},
    {"FLD1 with TS", "cr0=19", "d9 e8", "#NM"},
    {"FNINIT with EM", "cr0=15", "db e3", "#NM"},
    {"FNINIT with TS", "cr0=19", "db e3", "#NM"},
    {"FNSTSW AX with EM", "cr0=15", "df e0", "#NM"},
    {"FNSTCW with TS", "cr0=19", "d9 3d 00 00 03 00", "#NM"},
    {"FNSAVE with TS", "cr0=19", "dd 35 00 00 03 00", "#NM"},
    {"FLD m32 with TS: before its page", "paging page:30000=0 cr0=80000019",
     "d9 05 00 00 03 00", "#NM"},
    {"FXSAVE with EM", "cr0=15", "0f ae 05 00 00 03 00", "#NM"},
    {"FXRSTOR with TS", "cr0=19", "0f ae 0d 00 00 03 00", "#NM"},
    {"FWAIT with EM alone", "cr0=15", "9b", ""},
    {"FWAIT with MP alone", "cr0=13", "9b", ""},
    {"FLD1 with MP alone", "cr0=13 fcw=37f ftw=0", "d9 e8",
     "fsw=3800 ftw=80 st0=8000000000000000 st0e=3fff fip=800010000"},
    {"no instruction", "", "d9 d1", "#UD"},
    {"no instruction, with memory", "", "db 35 00 00 03 00", "#UD"},
};

/* Vol. 1 §8.6, §8.7 */
static const struct row pending_exceptions[] = {
    {"FLD1 raises what is pending", "cr0=31 " INEXACT, "d9 e8", "#MF"},
    {"FWAIT", "cr0=31 " INEXACT, "9b", "#MF"},
    {"FLDCW waits", "cr0=31 " INEXACT, "d9 2d 00 00 03 00", "#MF"},
    {"FRSTOR waits", "cr0=31 " INEXACT, "dd 25 00 00 03 00", "#MF"},
    {"before a page fault", "paging cr0=80000031 page:30000=0 " INEXACT, "d9 05 00 00 03 00",
     "#MF"},
    {"FNSTSW AX does not", "cr0=31 " INEXACT, "df e0", "eax=b8a0"},
    {"FNSTCW does not", "cr0=31 " INEXACT, "d9 3d 00 00 03 00", "w:30000=35f"},
    {"FNCLEX does not", "cr0=31 " INEXACT, "db e2", "fsw=3800"},
    {"FNINIT does not", "cr0=31 fop=123 fip=5 fdp=6 " INEXACT, "db e3",
     "fcw=37f fsw=0 ftw=0 st0=0 st0e=0 st7=8000000000000000 st7e=3fff fop=0 fip=0 fdp=0"},
    {"TS is before it", "cr0=39 " INEXACT, "d9 e8", "#NM"},
    {"without NE the CPU stands still at it", "cr0=11 " INEXACT, "d9 e8", "eip=10000 halted=3"},
    {"FWAIT likewise", "cr0=11 " INEXACT, "9b", "eip=10000 halted=3"},
    {"FNSTSW AX does not", "cr0=11 " INEXACT, "df e0", "eax=b8a0"},
};

/* An exception that is not masked: before the operation nothing is changed, after it the result
 * is stored or not, and FOP and FDP say which (Vol. 1 §8.5, 8.1.8, 8.1.9). */
static const struct row unmasked[] = {
    {"zero divide: the operand stays", "cr0=31 d:30000=0 " ONE_LOADED "fcw=37b",
     "d8 35 00 00 03 00", "fsw=b884 fop=35 fip=800010000 fdp=1000030000"},
    {"zero divide, masked", "cr0=31 d:30000=0 " ONE_LOADED, "d8 35 00 00 03 00",
     "fsw=3804 st0e=7fff fip=800010000"},
    {"FSTP of what does not fit: not stored, not popped",
     "cr0=31 d:30000=5 " ONE_LOADED "st0e=7000 fcw=377", "d9 1d 00 00 03 00",
     "fsw=b888 fop=11d fip=800010000 fdp=1000030000"},
    {"FSTP, inexact: stored and popped", "cr0=31 d:30000=5 " ONE_LOADED "st0=8000000000000001 fcw=35f",
     "d9 1d 00 00 03 00",
     "fsw=80a0 ftw=0 st0=0 st0e=0 st7=8000000000000001 st7e=3fff d:30000=3f800000 fop=11d fip=800010000 fdp=1000030000"},
    {"stack underflow", "cr0=31 fcw=37e", "d8 c1", "fsw=80c1 fop=c1 fip=800010000"},
    {"stack overflow", "cr0=31 ftw=ff fcw=37e", "d9 e8", "fsw=82c1 fop=1e8 fip=800010000"},
};

/* Vol. 1 §8.1.10, figures 8-9 to 8-12 */
#define POINTERS "fop=123 fip=800012345 fdp=1000056789 "
static const struct row formats[] = {
    {"FNSTENV, 32-bit protected", "fcw=340 fsw=3800 ftw=80 st0e=3fff " POINTERS,
     "d9 35 00 00 03 00",
     "d:30000=ffff0340,ffff3800,ffffbfff,12345,1230008,56789,ffff0010 fcw=37f"},
    {"FNSTENV, 16-bit protected", POINTERS, "66 d9 35 00 00 03 00",
     "w:30000=37f,0,ffff,2345,8,6789,10"},
    {"FNSTENV, 32-bit real", "real ds=3000 " POINTERS, "66 d9 36 00 00",
     "d:30000=ffff037f,ffff0000,ffffffff,ffff23c5,1123,ffff6889,5000"},
    {"FNSTENV, 16-bit real", "real ds=3000 " POINTERS, "d9 36 00 00",
     "w:30000=37f,0,ffff,23c5,1123,6889,5000"},
    {"FNSTENV in virtual-8086 mode", "vm86 " POINTERS, "d9 36 00 00",
     "w:30000=37f,0,ffff,23c5,1123,6889,5000"},
    {"FLDENV, 32-bit protected", "d:30000=340,3800,bfff,12345,7ff0008,56789,10",
     "d9 25 00 00 03 00",
     "fcw=340 fsw=b880 ftw=80 fop=7ff fip=800012345 fdp=1000056789 fsw=3800"},
    {"FLDENV, 16-bit real", "real ds=3000 w:30000=37f,0,ffff,2345,1123,6789,5000", "d9 26 00 00",
     "fop=123 fip=12345 fdp=56789"},
    {"FNSAVE, and FNINIT", "ftw=80 fsw=3800 st0=8000000000000000 st0e=3fff fcw=340 " POINTERS,
     "dd 35 00 00 03 00",
     "d:30000=ffff0340,ffff3800,ffff3fff,12345,1230008,56789,ffff0010 q:3001c=8000000000000000 "
     "w:30024=3fff fcw=37f fsw=0 ftw=0 st0=0 st0e=0 st7=8000000000000000 st7e=3fff fop=0 fip=0 fdp=0"},
    {"FNSTENV over a page that is not there", "paging page:31000=0", "d9 35 f0 0f 03 00",
     "#PF(2,31000)"},
    {"FNSAVE over a page that is not there", "paging page:31000=0", "dd 35 a0 0f 03 00",
     "#PF(2,31000)"},
    {"FRSTOR over a page that is not there", "paging page:31000=0", "dd 25 a0 0f 03 00",
     "#PF(0,31000)"},
    {"FSTP m80 over a page that is not there", "paging page:31000=0 " ONE_LOADED,
     "db 3d fa 0f 03 00", "#PF(2,31000)"},
    {"FST beyond the segment's limit: #SS", "ss=68 " ONE_LOADED, "36 dd 15 fc 1f 00 00", "#SS(0)"},
    {"FLD beyond the segment's limit: #GP", "ds=68", "db 2d f8 1f 00 00", "#GP(0)"},
};

/* Vol. 1 §10.5 */
static const struct row fxsave_area[] = {
    {"FXSAVE that is not aligned", "cr4=200", "0f ae 05 08 00 03 00", "#GP(0)"},
    {"FXRSTOR that is not aligned", "cr4=200", "0f ae 0d 08 00 03 00", "#GP(0)"},
    {"FXRSTOR of a reserved bit of MXCSR", "cr4=200 d:30018=10000", "0f ae 0d 00 00 03 00",
     "#GP(0)"},
    {"FXSAVE of a register", "", "0f ae c0", "#UD"},
    {"FXSAVE", "cr4=200 fsw=3800 ftw=80 st0=8000000000000000 st0e=3fff xmm0=5 xmm1h=6 mxcsr=1f00 "
               "d:30120=55555555 d:301d0=55555555 " POINTERS,
     "0f ae 05 00 00 03 00",
     "d:30000=3800037f,1230080,12345,8,56789,10,1f00,ffff q:30020=8000000000000000 w:30028=3fff "
     "q:300a0=5 q:300b8=6"},
    {"FXSAVE without OSFXSR", "cr4=0 xmm0=5 mxcsr=1f00", "0f ae 05 00 00 03 00", "d:30000=37f"},
    {"FXRSTOR", "cr4=200 d:30000=3800037f,1230080,12345,8,56789,10,1f00,ffff q:30020=8000000000000000 "
                "w:30028=3fff q:300a0=5 q:300b8=6",
     "0f ae 0d 00 00 03 00",
     "fsw=3800 ftw=80 st0=8000000000000000 st0e=3fff xmm0=5 xmm1h=6 mxcsr=1f00 " POINTERS},
    {"FXRSTOR of bits that are not there, and of ES and B without a cause", "cr4=200 d:30000=8081e0bf d:30018=1f80",
     "0f ae 0d 00 00 03 00", "fcw=7f fsw=1"},
    {"FXRSTOR of an exception that is not masked: it is pending", "cr4=200 d:30000=10000 d:30018=1f80",
     "0f ae 0d 00 00 03 00", "fcw=40 fsw=8081"},
    {"FXRSTOR without OSFXSR", "cr4=0 d:30000=37f d:30018=1f00 q:300a0=5", "0f ae 0d 00 00 03 00", ""},
    {"FXSAVE by AMD: the pointers only with an exception", "amd cr4=200 fsw=3800 d:30004=aaaabbbb,cccccccc,dddddddd,"
                                                           "eeeeeeee,ffffffff " POINTERS,
     "0f ae 05 00 00 03 00", "d:30000=3800037f,aaaa0000,cccccccc,dddddddd,eeeeeeee,ffffffff,1f80,ffff"},
    {"FXSAVE by AMD: with one", "amd cr4=200 fcw=37e fsw=8081 d:30004=aaaabbbb " POINTERS, "0f ae 05 00 00 03 00",
     "d:30000=8081037e,1230000,12345,8,56789,10,1f80,ffff"},
    {"FXRSTOR by AMD: the pointers only with an exception",
     "amd cr4=200 d:30000=3800037f,aaaa0080,cccccccc,dddddddd,eeeeeeee,ffffffff,1f80 " POINTERS,
     "0f ae 0d 00 00 03 00", "fsw=3800 ftw=80 mxcsr=1f80"},
    {"FXRSTOR by AMD: with one", "amd cr4=200 d:30000=8081037e,1230000,12345,8,56789,10,1f80,ffff",
     "0f ae 0d 00 00 03 00", "fcw=37e fsw=8081 mxcsr=1f80 " POINTERS},
    {"XSAVE by AMD", "amd +xsave cr4=40200 xcr0=3 eax=3 fsw=3800 d:30004=aaaabbbb,cccccccc " POINTERS,
     "0f ae 25 00 00 03 00", "d:30000=3800037f,aaaa0000,cccccccc d:30018=1f80,ffff q:30200=1"},
    {"FXSAVE over a page that is not there", "paging page:31000=0 cr4=200",
     "0f ae 05 00 0f 03 00", "#PF(2,31000)"},
};

/* The guest's x87 is not lost or changed where the CPU leaves it for a device, a fault, a HLT. */
static const struct row programs[] = {
    {"through a port and back", "eax=0",
     "d9 e8 d9 eb e6 ed d9 ee e4 ed de c1 de c9 f4",
     "fsw=3800 ftw=80 st0=c90fdaa22168c235 st0e=4000 st7=c90fdaa22168c235 st7e=4000 fip=80001000c eax=ff"},
    {"MOVD, PADDQ, EMMS, FLD1, PADDQ: MMX's order again", "eax=7",
     "0f 6e c0 0f d4 c0 0f 77 d9 e8 0f d4 c0 f4",
     "ftw=ff st0=1c st0e=ffff st7=8000000000000000 st7e=3fff fip=800010008"},
    {"PADDQ, FXRSTOR with another TOP, PADDQ",
     "cr4=200 d:30000=3800037f d:30018=1f80 q:30020=5 q:30030=9 q:30040=1",
     "0f d4 c0 0f ae 0d 00 00 03 00 0f d4 c8 f4", "ftw=ff st0=9 st1=a st1e=ffff st7=5"},
    {"PADDQ, EMMS, MOVQ of a store: tags", "", "0f d4 c0 0f 77 0f 7f 05 00 00 03 00 f4",
     "ftw=ff st0e=ffff"},
};

/* --- MMX and SSE: Vol. 2A §2.4, Vol. 3A 2.5, 12.1, 13.1 --- */

#define SSE_ON "cr4=600 "
static const struct row sse_refused[] = {
    {"ADDPS without OSFXSR", "cr4=0", "0f 58 c1", "#UD"},
    {"ADDPS with EM", SSE_ON "cr0=15", "0f 58 c1", "#UD"},
    {"ADDPS with TS", SSE_ON "cr0=19", "0f 58 c1", "#NM"},
    {"ADDPS with EM and TS", SSE_ON "cr0=1d", "0f 58 c1", "#UD"},
    {"ADDPS with TS, not aligned", SSE_ON "cr0=19", "0f 58 05 08 00 03 00", "#NM"},
    {"PADDB with EM", "cr0=15", "0f fc c1", "#UD"},
    {"PADDB with TS", "cr0=19", "0f fc c1", "#NM"},
    {"PADDB without OSFXSR", "cr4=0", "0f fc c1", "ftw=ff st0e=ffff"},
    {"PADDB with an x87 exception that is pending", "cr0=31 " INEXACT, "0f fc c1", "#MF"},
    {"EMMS with an x87 exception that is pending", "cr0=31 " INEXACT, "0f 77", "#MF"},
    {"EMMS with TS", "cr0=19", "0f 77", "#NM"},
    {"CVTPI2PS of a register, x87 pending", SSE_ON "cr0=31 " INEXACT, "0f 2a c1", "#MF"},
    {"CVTPI2PS of memory has nothing to do with it", SSE_ON "cr0=31 " INEXACT,
     "0f 2a 05 00 00 03 00", ""},
    {"LDMXCSR with TS", SSE_ON "cr0=19", "0f ae 15 00 00 03 00", "#NM"},
    {"LDMXCSR of a reserved bit", SSE_ON "d:30000=10000", "0f ae 15 00 00 03 00", "#GP(0)"},
    {"LDMXCSR", SSE_ON "d:30000=ffff", "0f ae 15 00 00 03 00", "mxcsr=ffff"},
    {"STMXCSR", SSE_ON "mxcsr=1f81", "0f ae 1d 00 00 03 00", "d:30000=1f81"},
    {"STMXCSR of a register", SSE_ON, "0f ae d8", "#UD"},
    {"MOVNTI with EM and TS", "cr0=1d eax=5", "0f c3 05 00 00 03 00", "d:30000=5"},
    {"LFENCE with EM and TS", "cr0=1d", "0f ae e8", ""},
    {"MFENCE", "", "0f ae f0", ""},
    {"SFENCE", "", "0f ae f8", ""},
    {"CLFLUSH where nothing is mapped", "paging page:30000=0", "0f ae 3d 00 00 03 00",
     "#PF(0,30000)"},
    {"PREFETCH where nothing is mapped", "paging page:30000=0", "0f 18 0d 00 00 03 00", ""},
    {"a feature that is not announced: HADDPS", SSE_ON, "f2 0f 7c c1", "#UD"},
    {"POPCNT", "", "f3 0f b8 c1", "#UD"},
    {"PSHUFB", SSE_ON, "66 0f 38 00 c1", "#UD"},
    {"LOCK", SSE_ON, "f0 0f 58 05 00 00 03 00", "#UD"},
};

#define ALIGNS SSE_ON "ring3 ac=1 cr0=40011 "
static const struct row sse_memory[] = {
    {"MOVAPS that is not aligned", SSE_ON, "0f 28 05 08 00 03 00", "#GP(0)"},
    {"MOVAPS to memory", SSE_ON, "0f 29 05 08 00 03 00", "#GP(0)"},
    {"MOVAPS beyond the stack's limit", SSE_ON "ss=68", "36 0f 28 05 00 10 00 00", "#SS(0)"},
    {"MOVAPS on the stack, not aligned", SSE_ON, "36 0f 28 05 08 00 03 00", "#GP(0)"},
    {"ADDPS that is not aligned", SSE_ON, "0f 58 05 04 00 03 00", "#GP(0)"},
    {"ADDSS need not be", SSE_ON "d:30003=3f800000 xmm0=1111111100000000", "f3 0f 58 05 03 00 03 00",
     "xmm0=111111113f800000"},
    {"MOVUPS need not be", SSE_ON "q:30003=5,6", "0f 10 05 03 00 03 00", "xmm0=5 xmm0h=6"},
    {"MOVUPS over two pages", SSE_ON "paging q:30ff8=5,6", "0f 10 05 f8 0f 03 00", "xmm0=5 xmm0h=6"},
    {"MOVUPS to a page that is not there: nothing of it", SSE_ON "paging page:31000=0 xmm0=5",
     "0f 11 05 f8 0f 03 00", "#PF(2,31000)"},
    {"MOVUPS from one", SSE_ON "paging page:31000=0", "0f 10 05 f1 0f 03 00", "#PF(0,31000)"},
    {"MOVDQU within a quadword", SSE_ON "paging page:31000=0 xmm0=5", "f3 0f 7f 05 f4 0f 03 00",
     "#PF(2,31000)"},
    {"MOVHPS keeps the other half", SSE_ON "xmm0=5 q:30000=7", "0f 16 05 00 00 03 00", "xmm0h=7"},
    {"MOVSS from memory clears the rest", SSE_ON "xmm0=ffffffffffffffff xmm0h=1 d:30000=7",
     "f3 0f 10 05 00 00 03 00", "xmm0=7 xmm0h=0"},
    {"alignment checks: MOVUPS is none's", ALIGNS "q:30004=5,6", "0f 10 05 04 00 03 00",
     "xmm0=5 xmm0h=6"},
    {"alignment checks: MOVSD", ALIGNS, "f2 0f 10 05 04 00 03 00", "#AC(0)"},
    {"alignment checks: FLD m80 at 8", ALIGNS "d:30008=0,80000000 w:30010=3fff",
     "db 2d 08 00 03 00", "fsw=3800 ftw=80 st0=8000000000000000 st0e=3fff fip=1b00010000"},
    {"alignment checks: FLD m80 at 4", ALIGNS, "db 2d 04 00 03 00", "#AC(0)"},
    {"alignment checks: FNSTENV at 4", ALIGNS "fcw=340", "d9 35 04 00 03 00",
     "d:30004=ffff0340,ffff0000,ffffffff,0,0,0,ffff0000 fcw=37f"},
    {"alignment checks: FNSTENV at 2", ALIGNS, "d9 35 02 00 03 00", "#AC(0)"},
    {"MASKMOVDQU of nothing: no fault", SSE_ON "paging page:30000=0 edi=30000", "66 0f f7 c1", ""},
    {"MASKMOVDQU of some", SSE_ON "edi=30000 xmm0=8877665544332211 xmm1=8000000000008000",
     "66 0f f7 c1", "b:30001=22 b:30007=88"},
    {"MASKMOVDQU: all of it or nothing", SSE_ON "paging page:31000=0 edi=30ff8 xmm0=1 xmm0h=2 "
     "xmm1=80 xmm1h=80", "66 0f f7 c1", "#PF(2,31000)"},
};

/* Vol. 1 §11.5 */
static const struct row simd_exceptions[] = {
    {"invalid", SSE_ON "mxcsr=1f00 xmm1=7f800001", "f3 0f 58 c1", "#XM mxcsr=1f01"},
    {"invalid, and no OSXMMEXCPT", "cr4=200 mxcsr=1f00 xmm1=7f800001", "f3 0f 58 c1",
     "#UD mxcsr=1f01"},
    {"invalid, masked", SSE_ON "xmm1=7f800001", "f3 0f 58 c1", "mxcsr=1f81 xmm0=7fc00001"},
    {"an exact tiny result", SSE_ON "mxcsr=1780 xmm0=00800000 xmm1=3f000000", "f3 0f 59 c1",
     "#XM mxcsr=1790"},
    {"masked it is nothing", SSE_ON "xmm0=00800000 xmm1=3f000000", "f3 0f 59 c1", "xmm0=400000"},
    {"flush to zero", SSE_ON "mxcsr=9f80 xmm0=00800000 xmm1=3f000000", "f3 0f 59 c1",
     "mxcsr=9fb0 xmm0=0"},
    {"before the operation: what comes after is not found", SSE_ON "mxcsr=1d80 xmm1=4040000000000000 xmm0=3f8000003f800000",
     "0f 5e c1", "#XM mxcsr=1d85"},
    {"COMISS of a NaN leaves the flags", SSE_ON "mxcsr=1f00 xmm1=7fc00000 cf=1 zf=0 of=1", "0f 2f c1",
     "#XM mxcsr=1f01"},
    {"CVTSS2SI that does not fit", SSE_ON "mxcsr=1f00 xmm1=7f800000 eax=5", "f3 0f 2d c1",
     "#XM mxcsr=1f01"},
};

/* MMX registers are the x87's, by their numbers (Vol. 3A 12.2). */
static const struct row mmx_registers[] = {
    {"an MMX instruction: TOP is 0, all are valid, exponents are ones",
     "fsw=3800 ftw=80 st0=5 st0e=3fff eax=7", "0f 6e c0",
     "fsw=0 ftw=ff st7=5 st7e=3fff st0=7 st0e=ffff"},
    {"a store changes TOP and tags, too", "fsw=3800 st1=7", "0f 7f 05 00 00 03 00",
     "q:30000=7 fsw=0 ftw=ff st1=0 st0=7"},
    {"EMMS", "fsw=3800 ftw=ff st0=5", "0f 77", "fsw=0 ftw=0 st0=0 st7=5"},
    {"none if it faults", "paging page:30000=0 fsw=3800", "0f 6f 05 00 00 03 00", "#PF(0,30000)"},
};

/* Intel AP-485: how software looks for an x87; Vol. 3A 2.5 */
static const struct row no_x87[] = {
    {"FNINIT", "-fpu", "db e3", ""},
    {"FNCLEX", "-fpu", "db e2", ""},
    {"FNSTSW AX", "-fpu eax=5a5a0000", "df e0", "eax=5a5affff"},
    {"FNSTSW", "-fpu w:30000=5a5a,5a5a", "dd 3d 00 00 03 00", "w:30000=ffff"},
    {"FNSTCW", "-fpu w:30000=5a5a,5a5a", "d9 3d 00 00 03 00", "w:30000=ffff"},
    {"FNSTCW to a page that is not there", "-fpu paging page:30000=0", "d9 3d 00 00 03 00",
     "#PF(2,30000)"},
    {"FLDZ", "-fpu", "d9 ee", "#UD"},
    {"FLDCW", "-fpu", "d9 2d 00 00 03 00", "#UD"},
    {"FUCOMI", "-fpu", "db e9", "#UD"},
    {"FNINIT with EM", "-fpu cr0=15", "db e3", "#NM"},
    {"FNINIT with TS", "-fpu cr0=19", "db e3", "#NM"},
    {"FNSTSW AX with EM", "-fpu cr0=15", "df e0", "#NM"},
};

/* What CPUID does not announce does not exist: the row of an opcode names its feature. */
static const struct row features[] = {
    {"FXSAVE, not announced", "-fxsr", "0f ae 05 00 00 03 00", "#UD"},
    {"PADDB, not announced", "-mmx", "0f fc c1", "#UD"},
    {"MOVQ from MMX, not announced", "-mmx", "0f 7f 05 00 00 03 00", "#UD"},
    {"PSHUFW came with SSE", "-sse cr4=600", "0f 70 c1 00", "#UD"},
    {"LDMXCSR", "-sse cr4=600", "0f ae 15 00 00 03 00", "#UD"},
    {"SFENCE", "-sse", "0f ae f8", "#UD"},
    {"CLFLUSH is another's", "-sse", "0f ae 3d 00 00 03 00", ""},
    {"CLFLUSH, not announced", "-clflush", "0f ae 3d 00 00 03 00", "#UD"},
    {"ADDPD, not announced", "-sse2 cr4=600", "66 0f 58 c1", "#UD"},
    {"ADDPS is there", "-sse2 cr4=600", "0f 58 c1", ""},
    {"MOVUPD, which does as MOVUPS", "-sse2 cr4=600", "66 0f 10 05 00 00 03 00", "#UD"},
    {"PADDQ of MMX registers came with SSE2", "-sse2", "0f d4 c1", "#UD"},
    {"PAUSE is a NOP of all", "-sse2", "f3 90", ""},
    {"FISTTP came with SSE3", "", "df 0d 00 00 03 00", "#UD"},
    {"FISTTP with TS", "cr0=19", "df 0d 00 00 03 00", "#NM"},
    {"FISTTP, announced", "+sse3 " ONE_LOADED, "df 0d 00 00 03 00",
     "w:30000=1 fsw=0 ftw=0 st0=0 st0e=0 st7=8000000000000000 st7e=3fff fip=800010000"},
    {"FCMOVE came with CMOV", "-cmov", "da c9", "#UD"},
    {"FCOMI too", "-cmov", "db f1", "#UD"},
    {"CMOVE", "-cmov", "0f 44 c1", "#UD"},
    {"RDTSC", "-tsc", "0f 31", "#UD"},
    {"RDMSR", "-msr", "0f 32", "#UD"},
    {"SYSENTER", "-sep", "0f 34", "#UD"},
    {"CMPXCHG8B", "-cx8", "0f c7 0d 00 00 03 00", "#UD"},
    {"HADDPS, announced", "+sse3 cr4=600 xmm1=3f8000003f800000", "f2 0f 7c c1",
     "xmm0h=40000000"},
    {"POPCNT, announced", "+popcnt ecx=f0f0", "f3 0f b8 c1", "eax=8"},
    {"POPCNT of 16 bits", "+popcnt ecx=fffff0f0 eax=11111111", "66 f3 0f b8 c1", "eax=11110008"},
    {"CRC32 of a byte", "+sse4_2 eax=ffffffff ecx=31", "f2 0f 38 f0 c1", "eax=6f0a661c"},
};

/* What is stored is fetched, and an x87 instruction in between changes its own alone. */
static void registers_survive(void) {
    static const uint8_t fnop[] = {0xD9, 0xD0};
    struct rig r;
    rig_open(&r, soft_open, CASE_RAM);
    rig_flat(&r, fnop, sizeof fnop);
    struct fpu_image all = {.fcw = 0x37F, .fsw = 0x3800, .ftw = 0xC1, .fop = 5,
                            .fdp = 6, .mxcsr = 0x1FC0};
    for (unsigned n = 0; n < 8; n++)
        memset(all.st[n].b, 0x81 + (int)n, 10);
    for (unsigned n = 0; n < 16; n++)
        memset(all.xmm[n].b, 0x11 + (int)n, 16);
    *fpu_of(rig_get(&r)) = all;
    rig_set(&r);
    CHECK(!memcmp(fpu_in(rig_get(&r)), &all, sizeof all));
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    all.fip = CODE_AT, all.fcs = 8;
    CHECK(!memcmp(fpu_in(rig_get(&r)), &all, sizeof all));
    rig_close(&r);
}

/* A watchpoint on a part of what is stored or loaded. */
static void watched(enum bp_kind kind, const char *code, size_t length, uint64_t at) {
    struct rig r;
    rig_open(&r, soft_open, CASE_RAM);
    rig_flat(&r, code, length);
    rig_get(&r)->sregs.cr4 |= CR4_OSFXSR;
    rig_set(&r);
    breakpoints_add(&r.breakpoints, kind, at, 2);
    CHECK(rig_step(&r) == CPU_EXIT_WATCHPOINT && r.exit.address == at && r.exit.point == kind);
    CHECK(rig_get(&r)->regs.rip == CODE_AT + length);
    rig_close(&r);
}

static void watchpoints(void) {
    watched(BP_WRITE, "\x0F\x11\x05\x00\x00\x03\x00", 7, 0x3000C);     /* movups [30000], xmm0 */
    watched(BP_READ, "\x0F\x28\x05\x00\x00\x03\x00", 7, 0x3000A);      /* movaps xmm0, [30000] */
    watched(BP_WRITE, "\xDB\x3D\x00\x00\x03\x00", 6, 0x30008);         /* fstp tbyte [30000] */
    watched(BP_WRITE, "\xDD\x35\x00\x00\x03\x00", 6, 0x30060);         /* fnsave [30000] */
    watched(BP_WRITE, "\x0F\xAE\x05\x00\x00\x03\x00", 7, 0x30110);     /* fxsave [30000] */
    watched(BP_READ, "\xDC\x05\x00\x00\x03\x00", 6, 0x30006);          /* fadd qword [30000] */
}

/* Of a device: 3.0, and the host's MXCSR is as it always is. */
static enum io_result three(void *context, uint64_t phys, bool write, unsigned size, void *data) {
    static const double value = 3.0;
    (void)context, (void)phys;
    CHECK(__builtin_ia32_stmxcsr() == 0x1F80);
    if (!write)
        memcpy(data, &value, size);
    return IO_DONE;
}

/* MXCSR is the guest's again behind a device that an operand comes from: 1 / 3, rounded up, and
 * what is inexact leaves its flag (Vol. 1 §10.2.3). */
static void operand_of_a_device(uint32_t mxcsr, uint64_t quotient) {
    static const uint8_t code[] = {
        0xF2, 0x0F, 0x58, 0xD2,                         /* addsd xmm2, xmm2 */
        0xF2, 0x0F, 0x5E, 0x05, 0x00, 0x00, 0x00, 0x40, /* divsd xmm0, [0x40000000] */
        0xF4,
    };
    struct rig r;
    rig_open(&r, soft_open, CASE_RAM);
    r.cpu.host.mmio = three;
    rig_flat(&r, code, sizeof code);
    rig_get(&r)->sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    fpu_of(&r.cpu.state)->mxcsr = mxcsr;
    fpu_of(&r.cpu.state)->xmm[0].q[0] = 0x3FF0000000000000;
    rig_set(&r);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED);
    CHECK(fpu_in(rig_get(&r))->xmm[0].q[0] == quotient);
    CHECK(fpu_in(&r.cpu.state)->mxcsr == (mxcsr | 0x20));
    rig_close(&r);
}

/* What was allowed an instruction ago: a MOV to a control register ends it. */
static void switched_off(const uint8_t code[9], uint64_t value, unsigned vector) {
    struct rig r;
    rig_open(&r, soft_open, CASE_RAM);
    rig_flat(&r, code, 9);
    rig_gate(&r, vector, 0x08, CODE_AT + 0x100, 0x8E);
    rig_put(&r, CODE_AT + 0x100, "\xF4", 1);
    rig_get(&r)->sregs.cr4 |= CR4_OSFXSR;
    r.cpu.state.regs.rax = value;
    rig_set(&r);
    CHECK(rig_run(&r) == CPU_EXIT_HALTED && rig_get(&r)->regs.rip == CODE_AT + 0x101);
    CHECK(rig_get32(&r, (uint32_t)r.cpu.state.regs.rsp) == CODE_AT + 6);
    rig_close(&r);
}

static void sse_and_mmx_are_switched_off(void) {
    static const uint8_t sse[] = {
        0x0F, 0x58, 0xC1, /* addps xmm0, xmm1 */
        0x0F, 0x22, 0xE0, /* mov cr4, eax */
        0x0F, 0x58, 0xC1,
    };
    static const uint8_t mmx[] = {
        0x0F, 0xD4, 0xC1, /* paddq mm0, mm1 */
        0x0F, 0x22, 0xC0, /* mov cr0, eax */
        0x0F, 0xD4, 0xC1,
    };
    switched_off(sse, 0, VECTOR_UD);
    switched_off(mmx, CR0_PE | CR0_ET | CR0_TS, VECTOR_NM);
}

/* Vol. 2A CRC32, 2B POPCNT: beside the prefix that belongs to the opcode, 66 and the code's own size
 * give the operand's. The CRC of bytes 0 is 0. */
#define MORE "+sse4_2 +popcnt "
static const struct row operand_sizes[] = {
    {"POPCNT of 32 bits", MORE "eax=ffffffff ecx=f0f0ffff", "f3 0f b8 c1", "eax=18"},
    {"POPCNT of 16 bits", MORE "eax=ffffffff ecx=f0f0ffff", "66 f3 0f b8 c1", "eax=ffff0010"},
    {"POPCNT of 16 bits in memory", MORE "eax=ffffffff d:30000=f0f0ffff",
     "f3 66 0f b8 05 00 00 03 00", "eax=ffff0010"},
    {"POPCNT of 64 bits", "long " MORE "ecx=f0f0f0f0ffffffff", "f3 48 0f b8 c1", "eax=30"},
    {"POPCNT of 64 bits and 66", "long " MORE "ecx=f0f0f0f0ffffffff", "66 f3 48 0f b8 c1", "eax=30"},
    {"POPCNT of 16 bits in 64-bit code", "long " MORE "eax=ffffffffffff0000 ecx=ffff",
     "66 f3 0f b8 c1", "eax=ffffffffffff0010"},
    {"POPCNT in real mode", "real " MORE "eax=ffffffff ecx=f0f0ffff", "f3 0f b8 c1", "eax=ffff0010"},
    {"POPCNT of 32 bits in real mode", "real " MORE "eax=ffffffff ecx=f0f0ffff", "66 f3 0f b8 c1",
     "eax=18"},
    {"POPCNT of 0", MORE "eax=1 ecx=0 cf=1 of=1 sf=1 af=1 pf=1", "f3 0f b8 c1", "eax=0 efl=42"},
    {"CRC32 of 8 bits", MORE "eax=0 ecx=80", "f2 0f 38 f0 c1", "eax=82f63b78"},
    {"CRC32 of 16 bits: not of 32", MORE "eax=0 ecx=12348000", "66 f2 0f 38 f1 c1", "eax=82f63b78"},
    {"CRC32 of 16 bits in memory", MORE "eax=0 d:30000=12348000", "66 f2 0f 38 f1 05 00 00 03 00",
     "eax=82f63b78"},
    {"CRC32 of 32 bits", MORE "eax=0 ecx=80000000", "f2 0f 38 f1 c1", "eax=82f63b78"},
    {"CRC32 of 64 bits", "long " MORE "eax=0 ecx=8000000000000000", "f2 48 0f 38 f1 c1",
     "eax=82f63b78"},
    {"CRC32 in real mode", "real " MORE "eax=0 ecx=12348000", "f2 0f 38 f1 c1", "eax=82f63b78"},
    {"CRC32 of 32 bits in real mode", "real " MORE "eax=0 ecx=80000000", "66 f2 0f 38 f1 c1",
     "eax=82f63b78"},
};

int main(void) {
    operand_of_a_device(0x5F80, 0x3FD5555555555556);
    operand_of_a_device(0x3F80, 0x3FD5555555555555);
    operand_of_a_device(0x5E80, 0x3FD5555555555556); /* a division by zero is not masked */
    sse_and_mmx_are_switched_off();
    watchpoints();
    RUN_ROWS(no_x87);
    RUN_ROWS(features);
    registers_survive();
    RUN_ROWS(refused);
    RUN_ROWS(pending_exceptions);
    RUN_ROWS(unmasked);
    RUN_ROWS(formats);
    RUN_ROWS(fxsave_area);
    RUN_PROGRAMS(programs);
    RUN_ROWS(sse_refused);
    RUN_ROWS(sse_memory);
    RUN_ROWS(simd_exceptions);
    RUN_ROWS(mmx_registers);
    RUN_ROWS(operand_sizes);
    return unit_end();
}
