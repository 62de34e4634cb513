/* The CPUID that a user wants, on KVM: what it offers, with features taken out or put in. */
#include "vmm/engines/kvm/debug/debug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "vmm/x86/cpuid.h"

enum { ENTRIES = 256 };

static uint32_t *entry_word(struct kvm_cpuid2 *cpuid, const struct cpuid_bit *b) {
    for (unsigned i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *e = &cpuid->entries[i];
        uint32_t *const words[] = {&e->eax, &e->ebx, &e->ecx, &e->edx};
        if (e->function == b->leaf && e->index == 0)
            return words[b->reg];
    }
    return NULL;
}

/* Returns the features wanted that this KVM does not offer. */
static uint64_t change(struct kvm_cpuid2 *cpuid, const struct cpuid_choice *c) {
    uint64_t missing = 0;
    for (unsigned f = 0; f < FEATURES; f++) {
        uint32_t *word = entry_word(cpuid, &cpuid_bits[f]), bit = 1u << cpuid_bits[f].bit;
        if (c->on >> f & 1 && !(word && *word & bit))
            missing |= 1ull << f;
        if (c->off >> f & 1 && word)
            *word &= ~bit;
    }
    return missing;
}

static int give_cpuid(struct kvm_vcpu *v, struct kvm_cpuid2 *cpuid, const struct cpuid_choice *c,
                      char *error, size_t size) {
    char names[200];
    cpuid->nent = ENTRIES;
    if (ioctl(v->fd, KVM_GET_CPUID2, cpuid) < 0) {
        snprintf(error, size, "--cpuid: KVM does not tell what the CPU is; use --cpu=soft");
        return -ENOTSUP;
    }
    uint64_t missing = change(cpuid, c);
    cpuid_names(missing, names, sizeof names);
    if (missing)
        snprintf(error, size, "--cpuid: this KVM does not offer %s; use --cpu=soft", names);
    else if (ioctl(v->fd, KVM_SET_CPUID2, cpuid) < 0)
        snprintf(error, size, "--cpuid: KVM does not take it; use --cpu=soft");
    else
        return 0;
    return -ENOTSUP;
}

int cpuid_apply(struct cpu *cpu, struct kvm_vcpu *v, char *error, size_t size) {
    const struct cpuid_choice *c = cpu->cpuid;
    if (!c || !(c->on | c->off | c->vendor))
        return 0;
    if (c->vendor) {
        snprintf(error, size, "--cpuid: KVM's CPU is the host's, of its vendor; use --cpu=soft");
        return -ENOTSUP;
    }
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + ENTRIES * sizeof(struct kvm_cpuid_entry2));
    int err = cpuid ? give_cpuid(v, cpuid, c, error, size) : -ENOMEM;
    free(cpuid);
    return err;
}
