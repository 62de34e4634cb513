/* XSAVE, XSAVEOPT, XRSTOR, XGETBV, XSETBV (Vol. 1, chapter 13) and what CPUID says of them, case
 * by case; then beside the host's own; then components that only KVM has instructions for.
 */
#include <cpuid.h>

#include "soft_case.h"

#define ON    "+xsaveopt cr4=40600 xcr0=3 "
#define ALL   "eax=ffffffff edx=ffffffff "
#define ONE   "fsw=3800 ftw=80 st0=8000000000000000 st0e=3fff "
#define SAVE  "0f ae 25 00 00 03 00"
#define OPT   "0f ae 35 00 00 03 00"
#define RSTOR "0f ae 2d 00 00 03 00"

static const struct row refused[] = {
    {"XSAVE, not announced", "cr4=600", SAVE, "#UD"},
    {"XRSTOR, not announced", "cr4=600", RSTOR, "#UD"},
    {"XGETBV, not announced", "cr4=600", "0f 01 d0", "#UD"},
    {"OSXSAVE, not announced", "cr4=600 eax=40600", "0f 22 e0", "#GP(0)"},
    {"OSXSAVE", "+xsave cr4=600 eax=40600", "0f 22 e0", "cr4=40600"},
    {"XSAVE without OSXSAVE", "+xsave cr4=600", SAVE, "#UD"},
    {"XRSTOR without OSXSAVE", "+xsave cr4=600", RSTOR, "#UD"},
    {"XGETBV without OSXSAVE", "+xsave cr4=600", "0f 01 d0", "#UD"},
    {"XSETBV without OSXSAVE, in ring 3", "+xsave cr4=600 ring3", "0f 01 d1", "#UD"},
    {"XSAVEOPT, not announced", "+xsave cr4=40600 xcr0=3", OPT, "#UD"},
    {"XSAVE of a register is LFENCE's place", ON, "0f ae e0", "#UD"},
    {"LFENCE", ON, "0f ae e8", ""},
    {"MFENCE, whatever its register", ON, "0f ae f3", ""},
    {"XSAVE with a prefix", ON, "66 0f ae 25 00 00 03 00", "#UD"},
    {"XSAVE with LOCK", ON, "f0 0f ae 25 00 00 03 00", "#UD"},
    {"XGETBV with a prefix", ON, "66 0f 01 d0", "#UD"},
    {"XSETBV with REP", ON, "f3 0f 01 d1", "#UD"},
    {"XSAVE with TS", ON "cr0=19", SAVE, "#NM"},
    {"XRSTOR with TS: before the alignment", ON "cr0=19", "0f ae 2d 08 00 03 00", "#NM"},
    {"XSAVE with EM is done", ON ALL "cr0=15", SAVE, "d:30000=37f d:30018=1f80,ffff"},
    {"XSAVE that is not aligned", ON "eax=3", "0f ae 25 10 00 03 00", "#GP(0)"},
    {"XRSTOR that is not aligned", ON "eax=3", "0f ae 2d 20 00 03 00", "#GP(0)"},
    {"XSAVE over a page that is not there", ON ALL "paging page:31000=0", "0f ae 25 00 0e 03 00",
     "#PF(2,31000)"},
    {"VEX, of a CPU that has none", ON, "c5 f8 77", "#UD"},
    {"VEX in 64-bit code", "+xsave long cr4=40620", "c5 f8 77", "#UD"},
    {"EVEX", "long", "62 f1 7c 48 58 c1", "#UD"},
    {"LES of a register", "", "c4 c0", "#UD"},
    {"LES", "d:30000=5 w:30004=10 es=23", "c4 05 00 00 03 00", "eax=5 es=10"},
    {"XSAVEC", ON, "0f c7 25 00 00 03 00", "#UD"},
};

static const struct row xcr0[] = {
    {"XGETBV", ON "eax=55 edx=66 ecx=0", "0f 01 d0", "eax=3 edx=0"},
    {"XGETBV in ring 3", ON "ring3 eax=55 edx=66", "0f 01 d0", "eax=3 edx=0"},
    {"XGETBV of another register", ON "ecx=1", "0f 01 d0", "#GP(0)"},
    {"XSETBV", ON "eax=1", "0f 01 d1", "xcr0=1"},
    {"XSETBV in ring 3", ON "ring3 eax=1", "0f 01 d1", "#GP(0)"},
    {"XSETBV of another register", ON "ecx=1 eax=1", "0f 01 d1", "#GP(0)"},
    {"XSETBV without x87", ON "eax=2", "0f 01 d1", "#GP(0)"},
    {"XSETBV of AVX, which there is not", ON "eax=7", "0f 01 d1", "#GP(0)"},
    {"XSETBV of an upper bit", ON "eax=3 edx=1", "0f 01 d1", "#GP(0)"},
    {"XSETBV, where KVM has set AVX", ON "xcr0=7 eax=3", "0f 01 d1", "xcr0=3"},
    {"XSETBV of AVX without SSE", ON "xcr0=7 eax=5", "0f 01 d1", "#GP(0)"},
    {"XSETBV of a part of AVX-512", ON "xcr0=e7 eax=27", "0f 01 d1", "#GP(0)"},
    {"XSETBV of AVX-512", ON "xcr0=e7 eax=e7", "0f 01 d1", ""},
};

static const struct row saved[] = {
    {"XSAVE", ON ALL ONE "xmm0=5 xmm1h=6 mxcsr=1f00 fop=123 fip=800012345 fdp=1000056789 q:30200=fc",
     SAVE,
     "d:30000=3800037f,1230080,12345,8,56789,10,1f00,ffff q:30020=8000000000000000 w:30028=3fff "
     "q:300a0=5 q:300b8=6 q:30200=ff"},
    {"XSAVE of what is as at the start", ON ALL "q:30200=3", SAVE,
     "d:30000=37f d:30018=1f80,ffff q:30200=0"},
    {"XSAVE of x87 alone", ON ONE "eax=1 xmm0=5 q:30200=0", SAVE,
     "d:30000=3800037f,80 q:30020=8000000000000000 w:30028=3fff q:30200=1"},
    {"XSAVE of SSE alone", ON ONE "eax=2 xmm0=5", SAVE, "d:30018=1f80,ffff q:300a0=5 q:30200=2"},
    {"XSAVE of SSE: MXCSR alone is in use", ON "eax=2 mxcsr=1f00", SAVE,
     "d:30018=1f00,ffff q:30200=2"},
    {"XSAVE of nothing", ON "eax=0 xmm0=5 q:30200=7", SAVE, ""},
    {"XSAVE of what XCR0 has not", ON "xcr0=1 eax=2 xmm0=5", SAVE, ""},
    {"XSAVEOPT leaves what is not in use", ON ALL "d:30000=55555555 q:300a0=77 xmm1=5 xmm0=0 q:30200=1",
     OPT, "d:30018=1f80,ffff q:300a0=0 q:300b0=5 q:30200=2"},
    {"XSAVE64", ON "long cr4=40620 " ALL "fip=ffff800012345678 fop=1", "48 0f ae 24 25 00 00 03 00",
     "d:30000=37f,10000 q:30008=ffff800012345678 d:30018=1f80,ffff q:30200=1"},
};

static const struct row restored[] = {
    {"XRSTOR", ON ALL "d:30000=3800037f,1230080,12345,8,56789,10,1f00,ffff q:30020=8000000000000000 "
                  "w:30028=3fff q:300a0=5 q:300b8=6 q:30200=3",
     RSTOR, ONE "xmm0=5 xmm1h=6 mxcsr=1f00 fop=123 fip=800012345 fdp=1000056789"},
    {"XRSTOR of what the area has not: as at the start, but for MXCSR",
     ON ALL ONE "xmm0=5 d:30000=55555555 q:300a0=77 d:30018=1f00", RSTOR,
     "fsw=0 ftw=0 st0=0 st0e=0 xmm0=0 mxcsr=1f00"},
    {"XRSTOR of SSE alone", ON ONE "eax=2 d:30000=55 d:30018=1f00 q:300a0=5 q:30200=3", RSTOR,
     "xmm0=5 mxcsr=1f00"},
    {"XRSTOR of x87 alone", ON "eax=1 xmm0=5 d:30018=55555555 d:30000=27f q:30200=3", RSTOR,
     "fcw=27f"},
    {"XRSTOR of bits that are not there, and of ES and B without a cause",
     ON "eax=1 d:30000=8081e0bf q:30200=1", RSTOR, "fcw=7f fsw=1"},
    {"XRSTOR of an exception that is not masked: it is pending", ON "eax=1 d:30000=10000 q:30200=1", RSTOR,
     "fcw=40 fsw=8081"},
    {"XRSTOR of MXCSR's reserved bits", ON ONE "eax=3 d:30018=10000 q:30200=3", RSTOR, "#GP(0)"},
    {"XRSTOR of MXCSR's reserved bits, of no XMM", ON ONE "eax=3 d:30018=10000", RSTOR, "#GP(0)"},
    {"XRSTOR of what XCR0 has not", ON "eax=1 q:30200=5 d:30000=37f d:30018=1f80", RSTOR, "#GP(0)"},
    {"XRSTOR of the compacted format", ON "eax=1 q:30208=8000000000000003", RSTOR, "#GP(0)"},
    {"XRSTOR with a reserved field of the header", ON "eax=1 q:30210=1", RSTOR, "#GP(0)"},
    {"XRSTOR does not look behind that", ON "eax=1 q:30218=1", RSTOR, ""},
    {"XRSTOR of a page that is not there", ON "paging page:31000=0 eax=3", "0f ae 2d 00 0e 03 00",
     "#PF(0,31000)"},
    {"XRSTOR64", ON "long cr4=40620 eax=1 d:30000=37f q:30008=ffff800012345678 q:30200=1",
     "48 0f ae 2c 25 00 00 03 00", "fip=ffff800012345678"},
};

/* What the FPU has been doing is in the area; what the area has the FPU goes on with. */
static const struct row programs[] = {
    {"ADDSS, FLD1, XSAVE", ON "eax=3 xmm0=3f800000 xmm1=33000000",
     "f3 0f 58 c1 d9 e8 " SAVE " f4",
     "mxcsr=1fa0 " ONE "fip=800010004 d:30000=3800037f,80,10004,8 d:30018=1fa0,ffff q:30020=8000000000000000 "
     "w:30028=3fff q:300a0=3f800000 q:300b0=33000000 q:30200=3"},
    {"ADDSS, XRSTOR of another rounding, ADDSS",
     ON "eax=2 xmm0=3f800000 d:30018=5f80 q:300a0=3f800000 q:300b0=33000000 q:30200=2",
     "f3 0f 58 c0 " RSTOR " f3 0f 58 c1 f4", "mxcsr=5fa0 xmm0=3f800001 xmm1=33000000"},
};

static const struct row leaves[] = {
    {"CPUID 0 without XSAVE", "eax=0", "0f a2", "eax=7 ebx=756e6547 ecx=6c65746e edx=49656e69"},
    {"CPUID 0", "+xsave eax=0", "0f a2", "eax=d ebx=756e6547 ecx=6c65746e edx=49656e69"},
    {"CPUID D", ON "xcr0=1 eax=d ecx=0", "0f a2", "eax=3 ebx=240 ecx=240 edx=0"},
    {"CPUID D, 1", ON "eax=d ecx=1 ebx=5", "0f a2", "eax=1 ebx=0 ecx=0 edx=0"},
    {"CPUID D, 1 without XSAVEOPT", "+xsave eax=d ecx=1", "0f a2", "eax=0 ebx=0 ecx=0 edx=0"},
    {"CPUID D, 2", ON "eax=d ecx=2", "0f a2", "eax=0 ebx=0 ecx=0 edx=0"},
    {"CPUID D, far behind", ON "eax=d ecx=ffffffff", "0f a2", "eax=0 ebx=0 ecx=0 edx=0"},
    {"CPUID D without XSAVE is leaf 7", "eax=d ecx=0", "0f a2", "eax=0 ebx=40 ecx=0 edx=0"},
};

/* --- beside the host's own --- */

static bool host_has_xsave(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && c & bit_OSXSAVE;
}

/* This program's own state is put away meanwhile. */
static void host_settles(struct xsave_area *area) {
    struct xsave_area mine __attribute__((aligned(64))) = {0};
    __asm__ volatile("xsave %0\n\txrstor %1\n\txsave %1\n\txrstor %0"
                     : "+m"(mine), "+m"(*area) : "a"(3), "d"(0) : "memory");
}

static void random_fpu(struct fpu_image *f, unsigned seed) {
    srandom(seed);
    for (unsigned n = 0; n < 8; n++)
        for (unsigned b = 0; b < 10; b++)
            f->st[n].b[b] = seed % 3 ? (uint8_t)random() : 0;
    for (unsigned n = 0; n < 8 * 16; n++)
        f->xmm[n / 16].b[n % 16] = seed % 5 ? (uint8_t)random() : 0;
    f->ftw = (uint8_t)random();
    f->fsw = random() & 0x477F;
    f->mxcsr = seed % 7 ? 0x1F80 : random() & 0xFFFF;
}

/* ES and B follow from what is pending and not masked. */
static bool same_image(const struct fpu_image *a, const struct fpu_image *b) {
    return !memcmp(a->st, b->st, sizeof a->st) && !memcmp(a->xmm, b->xmm, sizeof a->xmm) &&
           a->fcw == b->fcw && a->ftw == b->ftw && a->mxcsr == b->mxcsr &&
           !((a->fsw ^ b->fsw) & ~(FSW_ES | FSW_B));
}

/* What we have saved the host restores and saves again, and it is the same; and so do we with what
 * the host has saved. */
static void beside_host(unsigned seed) {
    static struct xsave_area ours __attribute__((aligned(64))), its __attribute__((aligned(64)));
    struct rig r;
    rig_open(&r, soft_open, CASE_RAM);
    rig_flat(&r, "", 0);
    apply(&r, ON "eax=3");
    rig_put(&r, CODE_AT, "\x0f\xae\x25\x00\x00\x03\x00\x0f\xae\x2d\x00\x00\x03\x00", 14);
    random_fpu(fpu_of(&r.cpu.state), seed);
    rig_set(&r);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    struct fpu_image before = *fpu_in(rig_get(&r));
    memory_read(&r.memory, 0x30000, &ours, sizeof ours);
    its = ours;
    host_settles(&its);
    CHECK(same_image(&its.fpu, &ours.fpu));
    rig_put(&r, 0x30000, &its, sizeof its);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    CHECK(same_image(fpu_in(rig_get(&r)), &before));
    rig_close(&r);
}

/* --- what only KVM has instructions for --- */

enum { HALVES = 256, AREA = 0x30000 };

static void halves_given(struct rig *r, const struct cpuid_xstate *avx) {
    rig_open(r, soft_open, CASE_RAM);
    rig_flat(r, "", 0);
    apply(r, ON "xcr0=7 " ALL);
    memset((uint8_t *)xsave_of(&r->cpu.state) + avx->offset, 0x5A, HALVES);
    xsave_of(&r->cpu.state)->present = 7;
    rig_put(r, CODE_AT, "\x0f\xae\x25\x00\x00\x03\x00\x0f\xae\x2d\x00\x00\x03\x00\x0f\xa2", 16);
    rig_set(r);
}

/* A guest that came from KVM with AVX on: its area is as large as the host's, and another task's
 * halves go in and out with it. */
static void halves_move(const struct cpuid_xstate *avx) {
    uint8_t bytes[HALVES], present = 0;
    struct rig r;
    halves_given(&r, avx);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    memory_read(&r.memory, AREA + avx->offset, bytes, sizeof bytes);
    CHECK(bytes[0] == 0x5A && !memcmp(bytes, bytes + 1, sizeof bytes - 1));
    memory_read(&r.memory, AREA + 512, &present, 1);
    CHECK(present == XSTATE_AVX); /* the others are as at the start */
    memset(bytes, 0xA5, sizeof bytes);
    rig_put(&r, AREA + avx->offset, bytes, sizeof bytes);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    const struct cpu_state *s = rig_get(&r);
    CHECK(!memcmp((const uint8_t *)xsave_in(s) + avx->offset, bytes, sizeof bytes));
    CHECK(s->xcr0 == 7 && xsave_in(s)->present == 7);
    rig_close(&r);
}

static void halves_announced(const struct cpuid_xstate *avx) {
    struct rig r;
    halves_given(&r, avx);
    rig_get(&r)->regs.rip = CODE_AT + 14;
    r.cpu.state.regs.rax = 0xD;
    r.cpu.state.regs.rcx = 0;
    rig_set(&r);
    CHECK(rig_step(&r) == CPU_EXIT_STEPPED);
    const struct kvm_regs *regs = &rig_get(&r)->regs;
    CHECK(regs->rax == 7 && regs->rbx == avx->offset + avx->size && regs->rcx == regs->rbx);
    rig_close(&r);
}

/* What such a guest may execute ends the run with a sentence; it is no #UD. */
static void says_what_is_missing(const char *given, const char *code, size_t length, const char *cure) {
    struct rig r;
    rig_open(&r, soft_open, CASE_RAM);
    rig_flat(&r, "", 0);
    r.cpu.host_features = true;
    apply(&r, given);
    rig_put(&r, r.cpu.state.regs.rip, code, length);
    rig_set(&r);
    uint64_t at = rig_get(&r)->regs.rip;
    CHECK(rig_step(&r) == CPU_EXIT_CANNOT && strstr(r.exit.text, cure));
    CHECK(rig_get(&r)->regs.rip == at);
    rig_close(&r);
}

int main(void) {
    RUN_ROWS(refused);
    RUN_ROWS(xcr0);
    RUN_ROWS(saved);
    RUN_ROWS(restored);
    RUN_ROWS(leaves);
    RUN_PROGRAMS(programs);
    for (unsigned seed = 0; host_has_xsave() && seed < 300; seed++)
        beside_host(seed);
    struct cpuid_xstate avx = cpuid_xstate(2);
    if (avx.size != HALVES)
        puts("no AVX on this host");
    else
        halves_move(&avx), halves_announced(&avx);
    says_what_is_missing(ON "eax=7", "\x0f\x01\xd1", 3, "--cpuid=-avx"); /* XSETBV: CPUID has said so, on KVM */
    says_what_is_missing(ON "xcr0=7", "\xc5\xf8\x77", 3, "--cpuid=-avx");
    says_what_is_missing("long cr4=40620 xcr0=7", "\xc5\xf8\x77", 3, "--cpuid=-avx");
    says_what_is_missing("long cr4=40620 xcr0=e7", "\x62\xf1\x7c\x48\x58\xc1", 6, "--cpuid=-avx");
    says_what_is_missing(ON "xcr0=7", "\x0f\xc7\x25\x00\x00\x03\x00", 7, "--cpuid=-xsave");
    return unit_end();
}
