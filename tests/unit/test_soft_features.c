/* What CPUID announces is there, what it does not announce is not, and the leaves agree with each
 * other; and MSRs of the features that a kernel sets up without asking.
 */
#include "soft_case.h"

#define DEF "ecx=2ff "

/* Vol. 3A 11.11, 11.12; Vol. 4, table 2-2 */
static const struct row types_of_memory[] = {
    {"PAT after a reset", "ecx=277", "0f 32", "eax=70406 edx=70406"},
    {"WRMSR of PAT: the last byte", "ecx=277 edx=8000000", "0f 30", "#GP(0)"},
    {"RDMSR of MTRRCAP", "ecx=fe", "0f 32", "eax=508 edx=0"},
    {"WRMSR of MTRRCAP", "ecx=fe eax=508", "0f 30", "#GP(0)"},
    {"WRMSR of MTRR_DEF_TYPE", DEF "eax=c06", "0f 30", "mtrrdef=c06"},
    {"… of UC-, which is PAT's", DEF "eax=c07", "0f 30", "#GP(0)"},
    {"… with a reserved bit", DEF "eax=100", "0f 30", "#GP(0)"},
    {"WRMSR of a range's base", "ecx=200 eax=c0000006", "0f 30", "mtrrbase0=c0000006"},
    {"… with a reserved bit", "ecx=200 eax=c0000106", "0f 30", "#GP(0)"},
    {"… beyond memory", "ecx=200 eax=6 edx=100", "0f 30", "#GP(0)"},
    {"WRMSR of the last range's mask", "ecx=20f eax=c0000800 edx=ff", "0f 30", "mtrrmask7=ffc0000800"},
    {"… with a type", "ecx=20f eax=c0000806", "0f 30", "#GP(0)"},
    {"there are no more", "ecx=210", "0f 32", "#GP(0)"},
    {"WRMSR of the first fixed one", "ecx=250 eax=06060606 edx=6", "0f 30", "mtrrfix0=606060606"},
    {"WRMSR of the last", "ecx=26f eax=5 edx=1000000", "0f 30", "mtrrfix10=100000000000005"},
    {"… of UC-", "ecx=26f eax=7", "0f 30", "#GP(0)"},
    {"none between them", "ecx=251", "0f 32", "#GP(0)"},
    {"MTRRs, not announced", "-mtrr ecx=fe", "0f 32", "#GP(0)"},
    {"none of the ranges", "-mtrr ecx=200", "0f 30", "#GP(0)"},
};

/* There is no local APIC, no machine check, no counter; and what is of Intel's is not of all. */
static const struct row not_promised[] = {
    {"APIC_BASE", "ecx=1b", "0f 32", "#GP(0)"},
    {"MCG_CAP", "ecx=179", "0f 32", "#GP(0)"},
    {"MISC_ENABLE", "ecx=1a0", "0f 32", "#GP(0)"},
    {"MISC_ENABLE, which Intel's family 6 has from model 14 on", "intel ecx=1a0", "0f 32", "#GP(0)"},
    {"UCODE_REV, not of Intel", "amd ecx=8b", "0f 32", "#GP(0)"},
    {"UCODE_REV of Intel's", "intel ecx=8b eax=5", "0f 32", "eax=0"},
    {"UCODE_REV of Intel's, written", "intel ecx=8b", "0f 30", ""},
    {"PLATFORM_ID of Intel's", "intel ecx=17 eax=5", "0f 32", "eax=0"},
    {"PLATFORM_ID of Intel's, written", "intel ecx=17", "0f 30", "#GP(0)"},
    {"TSC_AUX without RDTSCP", "ecx=c0000103", "0f 32", "#GP(0)"},
    {"XSS", "+xsave ecx=da0", "0f 32", "#GP(0)"},
};

/* --- leaves --- */

struct leaf {
    uint32_t word[4];
};

static struct leaf leaf_of(struct rig *r, uint32_t leaf, uint32_t subleaf) {
    struct kvm_regs *regs = &rig_get(r)->regs;
    regs->rip = CODE_AT;
    regs->rax = leaf;
    regs->rcx = subleaf;
    rig_set(r);
    CHECK(rig_step(r) == CPU_EXIT_STEPPED);
    regs = &rig_get(r)->regs;
    return (struct leaf){{(uint32_t)regs->rax, (uint32_t)regs->rbx, (uint32_t)regs->rcx,
                          (uint32_t)regs->rdx}};
}

static void open_with(struct rig *r, const char *choice) {
    rig_open(r, soft_open, CASE_RAM);
    rig_flat(r, "\x0f\xa2", 2);
    CHECK(apply(r, choice));
    rig_set(r);
}

static bool announced(struct rig *r, enum cpuid_feature f) {
    const struct cpuid_bit *b = &cpuid_bits[f];
    uint32_t last = leaf_of(r, b->leaf & 0x80000000, 0).word[CPUID_EAX];
    return b->leaf <= last && leaf_of(r, b->leaf, b->subleaf).word[b->reg] >> b->bit & 1;
}

static const char *const choices[] = {
    "", "amd", "intel", "+xsaveopt", "-xsave", "+sse4_2 +popcnt", "-sse", "-sse2 +sse3", "-fxsr", "-lm",
    "-pae -nx", "-clflush", "+rdtscp +fsgsbase +smep +smap +umip +pcid", "-fpu -mmx -fxsr",
    "+xsaveopt -xsave", "+sse4_1 -ssse3", "-mtrr -pat", "amd -lm",
};

/* Each with what it cannot be without. */
static const struct {
    enum cpuid_feature feature, without;
} pairs[] = {
    {FEATURE_SSE, FEATURE_FXSR},     {FEATURE_SSE2, FEATURE_SSE},      {FEATURE_SSE3, FEATURE_SSE2},
    {FEATURE_SSSE3, FEATURE_SSE3},   {FEATURE_SSE4_1, FEATURE_SSSE3},  {FEATURE_SSE4_2, FEATURE_SSE4_1},
    {FEATURE_XSAVEOPT, FEATURE_XSAVE}, {FEATURE_PDPE1GB, FEATURE_LM},  {FEATURE_LAHF_LM, FEATURE_LM},
    {FEATURE_FSGSBASE, FEATURE_LM},
};

static void leaves_agree(const char *choice) {
    enum { CLFLUSH_LINE = 0xFF00, SAME = 0x0183F3FF };
    struct rig r;
    open_with(&r, choice);
    for (unsigned n = 0; n < sizeof pairs / sizeof *pairs; n++)
        CHECK(!announced(&r, pairs[n].feature) || announced(&r, pairs[n].without));
    CHECK(!announced(&r, FEATURE_AVX));
    struct leaf one = leaf_of(&r, 1, 0), extended = leaf_of(&r, 0x80000001, 0);
    CHECK(announced(&r, FEATURE_CLFLUSH) == !!(one.word[CPUID_EBX] & CLFLUSH_LINE));
    CHECK(!r.cpu.cpuid || r.cpu.cpuid->vendor != VENDOR_AMD ||
          !((one.word[CPUID_EDX] ^ extended.word[CPUID_EDX]) & SAME));
    CHECK((leaf_of(&r, 0, 0).word[CPUID_EAX] == 0xD) == announced(&r, FEATURE_XSAVE));
    CHECK(announced(&r, FEATURE_LM) == (leaf_of(&r, 0x80000008, 0).word[CPUID_EAX] >> 8 == 48));
    struct leaf beyond = leaf_of(&r, 0x100, 0), last = leaf_of(&r, leaf_of(&r, 0, 0).word[CPUID_EAX], 0);
    if (r.cpu.cpuid && r.cpu.cpuid->vendor == VENDOR_AMD)
        last = (struct leaf){0};
    CHECK(!memcmp(&beyond, &last, sizeof last));
    rig_close(&r);
}

/* --- what each bit promises: a bit of CR4, an MSR, or an instruction --- */

static const struct promise {
    enum cpuid_feature feature;
    uint32_t cr4, msr;
    const char *code; /* not #UD */
} promises[] = {
    {FEATURE_DE, CR4_DE, 0, NULL},
    {FEATURE_PSE, CR4_PSE, 0, NULL},
    {FEATURE_TSC, CR4_TSD, 0, NULL},
    {FEATURE_PAE, CR4_PAE, 0, NULL},
    {FEATURE_PGE, CR4_PGE, 0, NULL},
    {FEATURE_SMEP, CR4_SMEP, 0, NULL},
    {FEATURE_SMAP, CR4_SMAP, 0, NULL},
    {FEATURE_UMIP, CR4_UMIP, 0, NULL},
    {FEATURE_FSGSBASE, CR4_FSGSBASE, 0, NULL},
    {FEATURE_FXSR, CR4_OSFXSR, 0, NULL},
    {FEATURE_SSE, CR4_OSXMMEXCPT, 0, NULL},
    {FEATURE_XSAVE, CR4_OSXSAVE, 0, NULL},
    {FEATURE_SEP, 0, 0x174, NULL},
    {FEATURE_SYSCALL, 0, 0xC0000081, NULL},
    {FEATURE_LM, 0, 0xC0000100, NULL},
    {FEATURE_RDTSCP, 0, 0xC0000103, NULL},
    {FEATURE_PAT, 0, 0x277, NULL},
    {FEATURE_MTRR, 0, 0x2FF, NULL},
    {FEATURE_CX8, 0, 0, "0f c7 0d 00 00 03 00"},
    {FEATURE_CMOV, 0, 0, "0f 44 c1"},
    {FEATURE_CLFLUSH, 0, 0, "0f ae 3d 00 00 03 00"},
    {FEATURE_MMX, 0, 0, "0f fc c1"},
    {FEATURE_FXSR, 0, 0, "0f ae 05 00 00 03 00"},
    {FEATURE_POPCNT, 0, 0, "f3 0f b8 c1"},
    {FEATURE_RDTSCP, 0, 0, "0f 01 f9"},
    {FEATURE_SSE, 0, 0, "0f 58 c1"},
    {FEATURE_SSE2, 0, 0, "66 0f 58 c1"},
    {FEATURE_SSE3, 0, 0, "f2 0f 7c c1"},
    {FEATURE_SSSE3, 0, 0, "66 0f 38 00 c1"},
    {FEATURE_SSE4_1, 0, 0, "66 0f 38 14 c1"},
    {FEATURE_SSE4_2, 0, 0, "f2 0f 38 f0 c1"},
    {FEATURE_XSAVE, 0, 0, "0f 01 d0"},
    {FEATURE_XSAVEOPT, 0, 0, "0f ae 35 00 00 03 00"},
};

/* Done, with no fault. */
static bool is_done(const char *choice, const char *given, const char *code) {
    struct row row = {.code = code};
    char text[200];
    struct rig r;
    size_t length;
    snprintf(text, sizeof text, "%s %s", choice, given);
    row.given = text;
    CHECK(case_open(&r, &row, &length));
    bool done = rig_step(&r) == CPU_EXIT_STEPPED && rig_get(&r)->regs.rip == CODE_AT + length;
    rig_close(&r);
    return done;
}

static bool is_kept(const char *choice, const struct promise *p) {
    char given[80];
    if (p->cr4)
        snprintf(given, sizeof given, "eax=%x", p->cr4);
    else if (p->msr)
        snprintf(given, sizeof given, "ecx=%x", p->msr);
    else
        snprintf(given, sizeof given, "cr4=40600 ecx=0");
    return is_done(choice, given, p->cr4 ? "0f 22 e0" : p->msr ? "0f 32" : p->code);
}

static void promises_are_kept(const char *choice) {
    for (unsigned n = 0; n < sizeof promises / sizeof *promises; n++) {
        struct rig r;
        open_with(&r, choice);
        bool says = announced(&r, promises[n].feature), is = is_kept(choice, &promises[n]);
        unit_check(says == is, cpuid_bits[promises[n].feature].name, __FILE__, __LINE__);
        if (says != is)
            fprintf(stderr, "  with '%s' it is %s\n", choice, says ? "announced, and not there" : "there");
        rig_close(&r);
    }
}

int main(void) {
    RUN_ROWS(types_of_memory);
    RUN_ROWS(not_promised);
    for (unsigned n = 0; n < sizeof choices / sizeof *choices; n++) {
        leaves_agree(choices[n]);
        promises_are_kept(choices[n]);
    }
    return unit_end();
}
