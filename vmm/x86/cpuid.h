/* Features of a CPU, by the names that Linux and QEMU give them, and where CPUID says them
 * (Vol. 2A, CPUID). */
#ifndef MINIKVM_CPUID_H
#define MINIKVM_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cpuid_feature {
    FEATURE_FPU, FEATURE_DE, FEATURE_PSE, FEATURE_TSC, FEATURE_MSR, FEATURE_PAE, FEATURE_CX8,
    FEATURE_SEP, FEATURE_MTRR, FEATURE_PGE, FEATURE_CMOV, FEATURE_PAT, FEATURE_CLFLUSH,
    FEATURE_MMX, FEATURE_FXSR, FEATURE_SSE, FEATURE_SSE2, FEATURE_SSE3, FEATURE_SSSE3,
    FEATURE_SSE4_1, FEATURE_SSE4_2,
    FEATURE_POPCNT, FEATURE_CX16, FEATURE_PCID, FEATURE_FSGSBASE, FEATURE_SMEP,
    FEATURE_SMAP, FEATURE_UMIP, FEATURE_SYSCALL, FEATURE_NX, FEATURE_PDPE1GB, FEATURE_RDTSCP,
    FEATURE_LM, FEATURE_LAHF_LM, FEATURE_XSAVE, FEATURE_XSAVEOPT, FEATURE_AVX, FEATURES,
};

enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

struct cpuid_bit {
    const char *name;
    uint32_t leaf;
    enum cpuid_register reg;
    unsigned bit;
    uint32_t subleaf;
};
extern const struct cpuid_bit cpuid_bits[FEATURES];

#define FEATURE_BIT(f) (1ull << FEATURE_##f)

/* Where CPUs differ, one does as this vendor's; and says that it is of this vendor. */
enum cpuid_vendor { VENDOR_DEFAULT, VENDOR_INTEL, VENDOR_AMD };

/* What a user wants other than an engine gives by itself. */
struct cpuid_choice {
    uint64_t on, off; /* bitmaps of features */
    enum cpuid_vendor vendor;
};
/* "+smep,-pcid,amd", onto what is chosen already. Returns the first word that names
 * nothing, or NULL. */
const char *cpuid_choose(struct cpuid_choice *, const char *text);
/* Without those that need one which is not there. */
uint64_t cpuid_closed(uint64_t features);
/* All that there are, for a message: "fpu fxsr ...". */
void cpuid_names(uint64_t features, char *out, size_t size);

/* The bits of one register of a leaf that a set of features has. */
uint32_t cpuid_word(uint64_t features, uint32_t leaf, uint32_t subleaf, enum cpuid_register);
/* The feature of this name; FEATURES: there is none. */
enum cpuid_feature cpuid_find(const char *name, size_t length);

/* Where the host's XSAVE has a component of its state, in the standard format, as KVM gives and
 * takes it; size 0: it has none, or not within KVM's area. */
struct cpuid_xstate {
    uint16_t offset, size;
};
struct cpuid_xstate cpuid_xstate(unsigned component);

/* A register of a leaf, as the host's processor has it; 0: no such leaf. */
uint32_t cpuid_host_word(uint32_t leaf, enum cpuid_register);

/* The host's processor: "GenuineIntel family 6 model 85". */
enum { CPUID_HOST_SIZE = 48 };
void cpuid_host(char out[CPUID_HOST_SIZE]);

#endif
