/* What the built-in CPU announces itself as.
 *
 * Rule: CPUID announces exactly what is built, and what it does not announce does not
 * exist: the bits of control registers, the MSRs and the instructions of a feature that is
 * switched off are #GP and #UD.
 */
#include <string.h>

#include "vmm/engines/soft/access.h"
#include "vmm/engines/soft/handlers.h"

#define CPUID_OSXSAVE (1u << 27) /* of leaf 1, ECX: as CR4 has it */
#define SIGNATURE     0x633 /* family 6; SEP is believed from model 3, stepping 3 */
#define FDP_EXCEPTIONS_ONLY (1u << 6) /* of leaf 7, EBX: see x87.h */
#define ERROR_POINTERS (1u << 2) /* of leaf 80000008, EBX, AMD's alone */
#define CLFLUSH_LINE (8 << 8) /* in leaf 1, EBX: what CLFLUSH takes, in units of 8 bytes */

enum { LEAF_EXTENDED_LAST = 0x80000008 };

/* What a plain x86-64 kernel needs; the rest of what is built is there when it is asked for. */
#define FEATURES_BASIC                                                                             \
    (FEATURE_BIT(FPU) | FEATURE_BIT(DE) | FEATURE_BIT(PSE) | FEATURE_BIT(TSC) | FEATURE_BIT(MSR) | \
     FEATURE_BIT(PAE) | FEATURE_BIT(CX8) | FEATURE_BIT(SEP) | FEATURE_BIT(MTRR) |                  \
     FEATURE_BIT(PGE) | FEATURE_BIT(CMOV) | FEATURE_BIT(PAT) | FEATURE_BIT(CLFLUSH) |              \
     FEATURE_BIT(MMX) | FEATURE_BIT(FXSR) | FEATURE_BIT(SSE) | FEATURE_BIT(SSE2) |                 \
     FEATURE_BIT(CX16) | FEATURE_BIT(SYSCALL) |                                                    \
     FEATURE_BIT(NX) | FEATURE_BIT(PDPE1GB) | FEATURE_BIT(LM) | FEATURE_BIT(LAHF_LM))

#define FEATURES_MORE                                                                              \
    (FEATURE_BIT(PCID) | FEATURE_BIT(FSGSBASE) | FEATURE_BIT(SMEP) | FEATURE_BIT(SMAP) |           \
     FEATURE_BIT(UMIP) | FEATURE_BIT(RDTSCP) | FEATURES_OF_SSE | FEATURES_OF_XSAVE)

#define FEATURES_OF_XSAVE (FEATURE_BIT(XSAVE) | FEATURE_BIT(XSAVEOPT))

/* Their instructions are the host's, so it must have them. */
#define FEATURES_OF_SSE                                                                            \
    (FEATURE_BIT(SSE3) | FEATURE_BIT(SSSE3) | FEATURE_BIT(SSE4_1) | FEATURE_BIT(SSE4_2) |          \
     FEATURE_BIT(POPCNT))

static uint64_t host_has(void) {
    return (__builtin_cpu_supports("sse3") ? FEATURE_BIT(SSE3) : 0) |
           (__builtin_cpu_supports("ssse3") ? FEATURE_BIT(SSSE3) : 0) |
           (__builtin_cpu_supports("sse4.1") ? FEATURE_BIT(SSE4_1) : 0) |
           (__builtin_cpu_supports("sse4.2") ? FEATURE_BIT(SSE4_2) : 0) |
           (__builtin_cpu_supports("popcnt") ? FEATURE_BIT(POPCNT) : 0);
}

static const char brand[48] = "minikvm built-in CPU";

/* What leaf 0 says, in EBX, EDX, ECX. */
static const char vendors[][13] = {[VENDOR_INTEL] = "GenuineIntel", [VENDOR_AMD] = "AuthenticAMD"};

/* One that guests know, or they believe nothing else that CPUID says (glibc); and the host's for
 * a guest that began on KVM. */
static enum cpuid_vendor vendor_unless_chosen(const struct soft *s) {
    return s->cpu->host_features && __builtin_cpu_is("amd") ? VENDOR_AMD : VENDOR_INTEL;
}

/* RstrFpErrPtrs: AMD's that always have them in FXSAVE's area (AMD Vol. 3, E.4.7). A guest that
 * began on KVM has the host's; by itself the built-in CPU is none of those. */
static bool has_error_pointers(const struct soft *s) {
    return !s->amd || (s->cpu->host_features && cpuid_host_word(0x80000008, CPUID_EBX) & ERROR_POINTERS);
}

uint64_t features_choose(struct soft *s) {
    static const struct cpuid_choice nothing;
    const struct cpuid_choice *c = s->cpu->cpuid ? s->cpu->cpuid : &nothing;
    uint64_t built = FEATURES_BASIC | FEATURES_MORE;
    built &= ~FEATURES_OF_SSE | host_has();
    uint64_t on = c->on | (s->cpu->host_features ? FEATURES_OF_SSE | FEATURES_OF_XSAVE : 0);
    uint64_t features = cpuid_closed((FEATURES_BASIC | on) & built & ~c->off);
    if (features != s->features) /* code was decoded by the others */
        cache_flush(s);
    s->features = features;
    s->vendor = c->vendor == VENDOR_DEFAULT ? vendor_unless_chosen(s) : c->vendor;
    s->amd = s->vendor == VENDOR_AMD;
    s->error_pointers = has_error_pointers(s);
    return c->on & ~built;
}

static void set_four(struct soft *s, uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    s->r[R_AX] = a;
    s->r[R_BX] = b;
    s->r[R_CX] = c;
    s->r[R_DX] = d;
}

static uint32_t last_leaf(const struct soft *s) {
    return has_feature(s, FEATURE_XSAVE) ? 0xD : 7;
}

static void set_vendor(struct soft *s) {
    uint32_t word[3];
    memcpy(word, vendors[s->vendor], sizeof word);
    set_four(s, last_leaf(s), word[0], word[2], word[1]);
}

static void set_text(struct soft *s, const char *text) {
    uint32_t word[4];
    memcpy(word, text, 16);
    set_four(s, word[0], word[1], word[2], word[3]);
}

/* The features of a leaf. */
static void set_features(struct soft *s, uint32_t leaf, uint32_t subleaf) {
    uint64_t f = s->features;
    set_four(s, cpuid_word(f, leaf, subleaf, CPUID_EAX), cpuid_word(f, leaf, subleaf, CPUID_EBX),
             cpuid_word(f, leaf, subleaf, CPUID_ECX), cpuid_word(f, leaf, subleaf, CPUID_EDX));
}

static void set_basic(struct soft *s) {
    set_features(s, 1, 0);
    s->r[R_AX] |= SIGNATURE;
    s->r[R_BX] |= has_feature(s, FEATURE_CLFLUSH) ? CLFLUSH_LINE : 0;
    s->r[R_CX] |= s->cr4 & CR4_OSXSAVE ? CPUID_OSXSAVE : 0;
}

static void set_structured(struct soft *s, uint32_t subleaf) {
    set_features(s, 7, subleaf);
    s->r[R_BX] |= has_feature(s, FEATURE_FPU) && !subleaf ? FDP_EXCEPTIONS_ONLY : 0;
}

/* On AMD's CPUs the first leaf's are there, too, where they have the same bits (AMD Vol. 3, E.4.2). */
static void set_extended(struct soft *s) {
    enum { SAME_BITS = 0x0183F3FF };
    set_features(s, 0x80000001, 0);
    if (!s->amd)
        return;
    s->r[R_AX] = SIGNATURE;
    s->r[R_DX] |= cpuid_word(s->features, 1, 0, CPUID_EDX) & SAME_BITS;
}

/* What XCR0 may have and how large an area is, then each component. */
static void set_xstate(struct soft *s, uint32_t subleaf) {
    uint64_t known = xsave_known(s);
    set_features(s, 0xD, subleaf);
    if (subleaf == 0)
        set_four(s, (uint32_t)known, xsave_size(s, s->xcr0), xsave_size(s, known),
                 (uint32_t)(known >> 32));
    else if (subleaf >= XSTATE_FIRST && subleaf < XSTATES && known >> subleaf & 1)
        set_four(s, s->xstate[subleaf].size, s->xstate[subleaf].offset, 0, 0);
}

static bool leaf_exists(const struct soft *s, uint32_t leaf) {
    return leaf <= (leaf < 0x80000000 ? last_leaf(s) : LEAF_EXTENDED_LAST);
}

/* A leaf beyond the last is answered as the last basic one by Intel's CPUs (Vol. 2A, CPUID), by
 * AMD's with zeros. */
const struct op *cpuid(struct soft *s, const struct op *op) {
    uint32_t leaf = (uint32_t)s->r[R_AX], subleaf = (uint32_t)s->r[R_CX];
    bool exists = leaf_exists(s, leaf);
    if (!exists)
        leaf = last_leaf(s);
    if (!exists && s->amd)
        set_four(s, 0, 0, 0, 0);
    else if (leaf == 0)
        set_vendor(s);
    else if (leaf == 1)
        set_basic(s);
    else if (leaf == 7)
        set_structured(s, subleaf);
    else if (leaf == 0xD)
        set_xstate(s, subleaf);
    else if (leaf == 0x80000000)
        set_four(s, LEAF_EXTENDED_LAST, 0, 0, 0);
    else if (leaf >= 0x80000002 && leaf <= 0x80000004)
        set_text(s, brand + (leaf - 0x80000002) * 16);
    else if (leaf == 0x80000001)
        set_extended(s);
    else if (leaf == 0x80000008)
        set_four(s, (has_feature(s, FEATURE_LM) ? 48 : 32) << 8 | PHYS_BITS,
                 s->amd && s->error_pointers ? ERROR_POINTERS : 0, 0, 0);
    else
        set_features(s, leaf, 0);
    return op + 1;
}
