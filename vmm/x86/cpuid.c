/* Features of a CPU; see cpuid.h. */
#include "vmm/x86/cpuid.h"

#include <stdio.h>
#include <cpuid.h>
#include <linux/kvm.h>
#include <string.h>

/* clang-format off */
const struct cpuid_bit cpuid_bits[FEATURES] = {
    [FEATURE_FPU]      = {"fpu",      1, CPUID_EDX, 0},
    [FEATURE_DE]       = {"de",       1, CPUID_EDX, 2},
    [FEATURE_PSE]      = {"pse",      1, CPUID_EDX, 3},
    [FEATURE_TSC]      = {"tsc",      1, CPUID_EDX, 4},
    [FEATURE_MSR]      = {"msr",      1, CPUID_EDX, 5},
    [FEATURE_PAE]      = {"pae",      1, CPUID_EDX, 6},
    [FEATURE_CX8]      = {"cx8",      1, CPUID_EDX, 8},
    [FEATURE_SEP]      = {"sep",      1, CPUID_EDX, 11},
    [FEATURE_MTRR]     = {"mtrr",     1, CPUID_EDX, 12},
    [FEATURE_PGE]      = {"pge",      1, CPUID_EDX, 13},
    [FEATURE_CMOV]     = {"cmov",     1, CPUID_EDX, 15},
    [FEATURE_PAT]      = {"pat",      1, CPUID_EDX, 16},
    [FEATURE_CLFLUSH]  = {"clflush",  1, CPUID_EDX, 19},
    [FEATURE_MMX]      = {"mmx",      1, CPUID_EDX, 23},
    [FEATURE_FXSR]     = {"fxsr",     1, CPUID_EDX, 24},
    [FEATURE_SSE]      = {"sse",      1, CPUID_EDX, 25},
    [FEATURE_SSE2]     = {"sse2",     1, CPUID_EDX, 26},
    [FEATURE_SSE3]     = {"sse3",     1, CPUID_ECX, 0},
    [FEATURE_SSSE3]    = {"ssse3",    1, CPUID_ECX, 9},
    [FEATURE_SSE4_1]   = {"sse4_1",   1, CPUID_ECX, 19},
    [FEATURE_SSE4_2]   = {"sse4_2",   1, CPUID_ECX, 20},
    [FEATURE_POPCNT]   = {"popcnt",   1, CPUID_ECX, 23},
    [FEATURE_CX16]     = {"cx16",     1, CPUID_ECX, 13},
    [FEATURE_PCID]     = {"pcid",     1, CPUID_ECX, 17},
    [FEATURE_FSGSBASE] = {"fsgsbase", 7, CPUID_EBX, 0},
    [FEATURE_SMEP]     = {"smep",     7, CPUID_EBX, 7},
    [FEATURE_SMAP]     = {"smap",     7, CPUID_EBX, 20},
    [FEATURE_UMIP]     = {"umip",     7, CPUID_ECX, 2},
    [FEATURE_SYSCALL]  = {"syscall",  0x80000001, CPUID_EDX, 11},
    [FEATURE_NX]       = {"nx",       0x80000001, CPUID_EDX, 20},
    [FEATURE_PDPE1GB]  = {"pdpe1gb",  0x80000001, CPUID_EDX, 26},
    [FEATURE_RDTSCP]   = {"rdtscp",   0x80000001, CPUID_EDX, 27},
    [FEATURE_LM]       = {"lm",       0x80000001, CPUID_EDX, 29},
    [FEATURE_LAHF_LM]  = {"lahf_lm",  0x80000001, CPUID_ECX, 0},
    [FEATURE_XSAVE]    = {"xsave",    1, CPUID_ECX, 26},
    [FEATURE_XSAVEOPT] = {"xsaveopt", 0xD, CPUID_EAX, 0, .subleaf = 1},
    [FEATURE_AVX]      = {"avx",      1, CPUID_ECX, 28},
};
/* clang-format on */

static bool is_in(const struct cpuid_bit *b, uint32_t leaf, uint32_t subleaf,
                  enum cpuid_register reg) {
    return b->leaf == leaf && b->subleaf == subleaf && b->reg == reg;
}

uint32_t cpuid_word(uint64_t features, uint32_t leaf, uint32_t subleaf, enum cpuid_register reg) {
    uint32_t word = 0;
    for (unsigned f = 0; f < FEATURES; f++)
        if (features >> f & 1 && is_in(&cpuid_bits[f], leaf, subleaf, reg))
            word |= 1u << cpuid_bits[f].bit;
    return word;
}

enum cpuid_feature cpuid_find(const char *name, size_t length) {
    unsigned f = 0;
    while (f < FEATURES &&
           (strlen(cpuid_bits[f].name) != length || memcmp(cpuid_bits[f].name, name, length)))
        f++;
    return f;
}

/* --- choosing --- */

/* What is nothing without another, in the order of the chains (Vol. 1, 11.6.2, 12 and 13.2). */
static const struct {
    uint8_t feature, without;
} needs[] = {
    {FEATURE_SSE, FEATURE_FXSR},      {FEATURE_SSE2, FEATURE_SSE},     {FEATURE_SSE3, FEATURE_SSE2},
    {FEATURE_SSSE3, FEATURE_SSE3},    {FEATURE_SSE4_1, FEATURE_SSSE3}, {FEATURE_SSE4_2, FEATURE_SSE4_1},
    {FEATURE_XSAVEOPT, FEATURE_XSAVE}, {FEATURE_AVX, FEATURE_XSAVE},   {FEATURE_PDPE1GB, FEATURE_LM},
    {FEATURE_LAHF_LM, FEATURE_LM},    {FEATURE_FSGSBASE, FEATURE_LM},
};
enum { NEEDS = sizeof needs / sizeof *needs };

uint64_t cpuid_closed(uint64_t features) {
    for (unsigned n = 0; n < NEEDS; n++)
        if (!(features >> needs[n].without & 1))
            features &= ~(1ull << needs[n].feature);
    return features;
}

/* Chains are walked from their other end. */
static uint64_t with_what_it_needs(uint64_t features) {
    for (unsigned n = NEEDS; n-- > 0;)
        if (features >> needs[n].feature & 1)
            features |= 1ull << needs[n].without;
    return features;
}

static bool choose_one(struct cpuid_choice *c, const char *word, size_t length) {
    bool feature = length && (*word == '+' || *word == '-');
    enum cpuid_feature f = feature ? cpuid_find(word + 1, length - 1) : FEATURES;
    uint64_t bit = f < FEATURES ? 1ull << f : 0;
    if (length == 5 && !memcmp(word, "intel", 5))
        c->vendor = VENDOR_INTEL;
    else if (length == 3 && !memcmp(word, "amd", 3))
        c->vendor = VENDOR_AMD;
    else if (!bit)
        return false;
    uint64_t on = *word == '+' ? with_what_it_needs(bit) : 0;
    c->on = (c->on & ~bit) | on;
    c->off = ((c->off & ~on) | (*word == '-' ? bit : 0));
    return true;
}

const char *cpuid_choose(struct cpuid_choice *c, const char *text) {
    for (;; text++) {
        size_t length = strcspn(text, ",");
        if (!choose_one(c, text, length))
            return text;
        text += length;
        if (!*text)
            return NULL;
    }
}

void cpuid_names(uint64_t features, char *out, size_t size) {
    size_t at = 0;
    *out = '\0';
    for (unsigned f = 0; f < FEATURES && at < size; f++)
        if (features >> f & 1)
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? " " : "", cpuid_bits[f].name);
}

struct cpuid_xstate cpuid_xstate(unsigned component) {
    unsigned size = 0, offset = 0, c = 0, d = 0;
    if (!__get_cpuid_count(0xD, component, &size, &offset, &c, &d) ||
        offset + size > sizeof(struct kvm_xsave))
        return (struct cpuid_xstate){0};
    return (struct cpuid_xstate){(uint16_t)offset, (uint16_t)size};
}

uint32_t cpuid_host_word(uint32_t leaf, enum cpuid_register reg) {
    unsigned word[4] = {0};
    __get_cpuid(leaf, &word[CPUID_EAX], &word[CPUID_EBX], &word[CPUID_ECX], &word[CPUID_EDX]);
    return word[reg];
}

/* Vol. 2A, CPUID, leaf 1: the extended fields count in families 6 and 15 only. */
void cpuid_host(char out[CPUID_HOST_SIZE]) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    char vendor[13] = "";
    __get_cpuid(0, &a, &b, &c, &d);
    memcpy(vendor, (unsigned[]){b, d, c}, 12);
    __get_cpuid(1, &a, &b, &c, &d);
    unsigned family = a >> 8 & 15, model = a >> 4 & 15;
    if (family == 6 || family == 15)
        model |= a >> 12 & 0xF0;
    if (family == 15)
        family += a >> 20 & 0xFF;
    snprintf(out, CPUID_HOST_SIZE, "%s family %u model %u", vendor, family, model);
}
