/* The CPUID that a user wants, on KVM: what it offers, with features taken out or put in. */
#include "vmm/engines/kvm/debug/debug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "vmm/x86/cpuid.h"

enum { ENTRIES = 256 };

static uint32_t *entry_word(struct kvm_cpuid2 *cpuid, uint32_t leaf, uint32_t subleaf,
                            enum cpuid_register reg) {
    for (unsigned i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entries[i];
        uint32_t *const words[] = {&e->eax, &e->ebx, &e->ecx, &e->edx};
        if (e->function == leaf && e->index == subleaf)
            return words[reg];
    }
    return NULL;
}

/* What goes with AVX and has no name of its own here: all that has a VEX, EVEX or XOP prefix, and
 * AMX, whose state is next to it. */
static const struct {
    uint32_t leaf, subleaf;
    enum cpuid_register reg;
    uint32_t bits;
} with_avx[] = {
    {1, 0, CPUID_ECX, 1u << 12 | 1u << 29},                      /* FMA, F16C */
    {7, 0, CPUID_EBX, 1u << 3 | 1u << 5 | 1u << 8 | 0xdc230000}, /* BMI, AVX2, BMI2, AVX-512 */
    {7, 0, CPUID_ECX, 0x00005e42},                               /* AVX-512, VAES, VPCLMULQDQ */
    {7, 0, CPUID_EDX, 0x03c0010c},                               /* AVX-512, AMX */
    {7, 1, CPUID_EAX, 0x00a000b7}, /* AVX-VNNI, AVX-IFMA, SHA512, CMPccXADD and their like */
    {7, 1, CPUID_EDX, 0x00080530}, /* AVX-VNNI-INT8 and their like, AVX10 */
    {0x80000001, 0, CPUID_ECX, 0x00210800}, /* XOP, FMA4, TBM */
};

/* Of leaf 0Dh x87 and SSE remain. */
static void trim_xstate(struct kvm_cpuid_entry2 *e) {
    enum { X87_AND_SSE = 3, FIRST = 2, SUPERVISOR = 1, SIZE = 576 };
    if (e->index == 0)
        e->eax &= X87_AND_SSE, e->ecx = SIZE, e->edx = 0;
    else if (e->index >= FIRST && !(e->ecx & SUPERVISOR))
        e->eax = e->ebx = e->ecx = e->edx = 0;
}

static void take_avx(struct kvm_cpuid2 *cpuid) {
    for (unsigned n = 0; n < sizeof with_avx / sizeof *with_avx; n++) {
        uint32_t *word = entry_word(cpuid, with_avx[n].leaf, with_avx[n].subleaf, with_avx[n].reg);
        if (word)
            *word &= ~with_avx[n].bits;
    }
    for (unsigned i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == 0xd)
            trim_xstate(&cpuid->entries[i]);
}

/* A leaf 0Dh without XSAVE would promise what CR4 does not take. */
static void take_xsave(struct kvm_cpuid2 *cpuid) {
    for (unsigned i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entries[i];
        if (e->function == 0xd)
            e->eax = e->ebx = e->ecx = e->edx = 0;
    }
}

/* A fifth level of page tables: Linux turns it on where CPUID has it, and neither the built-in CPU nor
 * a walk for the debugger goes through it. */
static void take_la57(struct kvm_cpuid2 *cpuid) {
    enum { LEAF = 7, ECX_LA57 = 1 << 16 };
    for (unsigned i = 0; i < cpuid->nent; i++)
        if (cpuid->entries[i].function == LEAF && cpuid->entries[i].index == 0)
            cpuid->entries[i].ecx &= ~(uint32_t)ECX_LA57;
}

/* Returns the features wanted that this KVM does not offer. */
static uint64_t change(struct kvm_cpuid2 *cpuid, const struct cpuid_choice *c) {
    uint64_t missing = 0, off = ~cpuid_closed(~c->off);
    for (unsigned f = 0; f < FEATURES; f++) {
        const struct cpuid_bit *b = &cpuid_bits[f];
        uint32_t *word = entry_word(cpuid, b->leaf, b->subleaf, b->reg), bit = 1u << b->bit;
        if (c->on >> f & 1 && !(word && *word & bit))
            missing |= 1ull << f;
        if (off >> f & 1 && word)
            *word &= ~bit;
    }
    if (off & FEATURE_BIT(AVX))
        take_avx(cpuid);
    if (off & FEATURE_BIT(XSAVE))
        take_xsave(cpuid);
    return missing;
}

/* A partial KVM takes every CPUID and gives the guest what its host has (kvm-quirks 23): what is
 * off, and there all the same. */
static uint64_t still_there(const struct kvm_vcpu *v, struct kvm_cpuid2 *cpuid, uint64_t off) {
    uint64_t there = 0;
    cpuid->nent = ENTRIES;
    if (!off || ioctl(v->fd, KVM_GET_CPUID2, cpuid) < 0)
        return 0;
    for (unsigned f = 0; f < FEATURES; f++) {
        const struct cpuid_bit *b = &cpuid_bits[f];
        const uint32_t *word = entry_word(cpuid, b->leaf, b->subleaf, b->reg);
        if (off >> f & 1 && word && *word >> b->bit & 1)
            there |= 1ull << f;
    }
    return there;
}

static int none_left(const struct kvm_vcpu *v, struct kvm_cpuid2 *cpuid, uint64_t off, char *error,
                     size_t size) {
    char names[200];
    uint64_t there = still_there(v, cpuid, off);
    if (!there)
        return 0;
    cpuid_names(there, names, sizeof names);
    snprintf(error, size, "--cpuid: this KVM shows the guest %s all the same; use --cpu=soft",
             names);
    return -ENOTSUP;
}

static int give_cpuid(struct kvm_vcpu *v, struct kvm_cpuid2 *cpuid, const struct cpuid_choice *c,
                      char *error, size_t size) {
    char names[200];
    bool chosen = c->on | c->off;
    cpuid->nent = ENTRIES;
    if (ioctl(v->fd, KVM_GET_CPUID2, cpuid) < 0) {
        if (!chosen)
            return 0;
        snprintf(error, size, "--cpuid: KVM does not tell what the CPU is; use --cpu=soft");
        return -ENOTSUP;
    }
    uint64_t missing = change(cpuid, c);
    take_la57(cpuid);
    cpuid_names(missing, names, sizeof names);
    if (missing)
        snprintf(error, size, "--cpuid: this KVM does not offer %s; use --cpu=soft", names);
    else if (ioctl(v->fd, KVM_SET_CPUID2, cpuid) < 0 && chosen)
        snprintf(error, size, "--cpuid: KVM does not take it; use --cpu=soft");
    else
        return none_left(v, cpuid, c->off, error, size);
    return -ENOTSUP;
}

int cpuid_apply(struct cpu *cpu, struct kvm_vcpu *v, char *error, size_t size) {
    static const struct cpuid_choice nothing;
    const struct cpuid_choice *c = cpu->cpuid ? cpu->cpuid : &nothing;
    if (c->vendor) {
        snprintf(error, size, "--cpuid: KVM's CPU is the host's, of its vendor; use --cpu=soft");
        return -ENOTSUP;
    }
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES * sizeof(struct kvm_cpuid_entry2));
    int err = cpuid ? give_cpuid(v, cpuid, c, error, size) : -ENOMEM;
    free(cpuid);
    return err;
}
