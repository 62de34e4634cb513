/* A CPU without an engine behind it: its state is what a test puts there. */
#ifndef MINIKVM_FAKE_CPU_H
#define MINIKVM_FAKE_CPU_H

#include <string.h>

#include "vmm/cpu/engine.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/x86.h"

static inline int fake_fetch(struct cpu *cpu, unsigned parts) {
    cpu->valid |= parts; /* what lies in state is the truth already */
    return 0;
}

static inline int fake_store(struct cpu *cpu, unsigned parts) {
    cpu->dirty &= ~parts;
    return 0;
}

static const struct engine fake_engine = {.name = "fake",
                                          .ops = {.fetch = fake_fetch, .store = fake_store}};

static inline void fake_cpu_open(struct cpu *cpu, struct memory *memory) {
    *cpu = (struct cpu){.memory = memory, .valid = CPU_ALL};
    cpu_set_engine(cpu, &fake_engine);
}

static inline void fake_real_mode(struct cpu *cpu) {
    struct kvm_sregs *s = &cpu->state.sregs;
    *s = (struct kvm_sregs){.cr0 = CR0_ET, .idt = {.limit = 0x3ff}};
    s->cs = x86_real_segment(0, true);
    s->ss = s->ds = s->es = s->fs = s->gs = x86_real_segment(0, false);
}

/* Flat 32-bit protected mode. */
static inline void fake_protected_mode(struct cpu *cpu) {
    struct kvm_sregs *s = &cpu->state.sregs;
    *s = (struct kvm_sregs){.cr0 = CR0_ET | CR0_PE};
    s->cs = x86_descriptor(0x08, 0x00cf9b000000ffff);
    s->ss = s->ds = s->es = s->fs = s->gs = x86_descriptor(0x10, 0x00cf93000000ffff);
}

static inline void fake_long_mode(struct cpu *cpu) {
    fake_protected_mode(cpu);
    cpu->state.sregs.cr0 |= CR0_PG;
    cpu->state.sregs.cr4 = CR4_PAE;
    cpu->state.sregs.efer = EFER_LME | EFER_LMA;
    cpu->state.sregs.cs = x86_descriptor(0x18, 0x00af9b000000ffff);
}

#endif
