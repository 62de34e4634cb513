/* One of two machines that run the same guest, with the real loader and the real devices. */
#ifndef MINIKVM_SIDE_H
#define MINIKVM_SIDE_H

#include "lockstep.h"
#include "undefined.h"
#include "vmm/machine/engines.h"
#include "vmm/x86/insn.h"

enum { OUTPUT = 4096 };

struct side {
    struct machine machine;
    struct machine_options options;
    struct cpu_exit exit;
    char output[OUTPUT];
    size_t length;
};

static inline void keep(void *context, unsigned number, const char *text, size_t length) {
    struct side *s = context;
    (void)number;
    if (length > OUTPUT - s->length)
        length = OUTPUT - s->length;
    memcpy(s->output + s->length, text, length);
    s->length += length;
}
static inline void ignore(void *context) { (void)context; }
static inline void hear(void *context, unsigned number, const char *text) {
    (void)context, (void)number, (void)text;
}

static inline bool open_side(struct side *s, const char *path, enum engine_choice engine,
                      enum irqchip_choice chips, char *error, size_t size) {
    struct machine_owner owner = {s, keep, ignore, hear};
    s->options = (struct machine_options){.engine = engine, .irqchip = chips, .debugged = true};
    if (machine_open(&s->machine, 1, path, &s->options, &owner, error, size) < 0)
        return false;
    machine_end_input(&s->machine);
    return true;
}

static inline struct cpu *cpu_of(struct side *s) { return &s->machine.vcpu[0].cpu; }

static inline void step(struct side *s) {
    s->exit = (struct cpu_exit){0};
    cpu_of(s)->engine->step(cpu_of(s), &s->exit);
}

static inline bool same_memory(const struct side *a, const struct side *b) {
    const struct memory *m = &a->machine.memory;
    return !memcmp(m->ram, b->machine.memory.ram, m->ram_size);
}

/* One KVM's far jump marks no descriptor as accessed, as the built-in CPU's does (3.4.5.1). */
static inline bool is_accessed_bit(const struct side *s, uint64_t at) {
    const struct kvm_sregs *r = &s->machine.vcpu[0].cpu.state.sregs;
    return r->cr0 & CR0_PE && at - r->gdt.base <= r->gdt.limit && (at - r->gdt.base) % 8 == 5;
}

/* The first byte of memory that differs but for that, or the end of it. */
static inline uint64_t first_difference(const struct side *a, const struct side *b) {
    const struct memory *m = &a->machine.memory;
    const uint8_t *other = b->machine.memory.ram;
    for (uint64_t at = 0; at < m->ram_size; at++)
        if (m->ram[at] != other[at] && !((m->ram[at] ^ other[at]) == 1 && is_accessed_bit(b, at)))
            return at;
    return m->ram_size;
}

static inline bool alike_memory(const struct side *a, const struct side *b) {
    return first_difference(a, b) == a->machine.memory.ram_size;
}

/* Flags that the next instruction leaves undefined; the guest must not care. */
static inline uint64_t unsure_flags(struct machine *m) {
    const struct cpu_state *s = cpu_read(&m->vcpu[0].cpu, CPU_REGS | CPU_SREGS);
    struct insn i;
    insn_read(&m->memory, s, x86_pc(&s->regs, &s->sregs), &i);
    return undefined_flags(&i, s->regs.rcx);
}

/* What is undefined goes on as the KVM has it, so that later pushes agree. */
static inline void take_flags(struct side *from, struct side *to, uint64_t flags) {
    uint64_t have = cpu_read(&from->machine.vcpu[0].cpu, CPU_REGS)->regs.rflags;
    __u64 *own = &cpu_write(&to->machine.vcpu[0].cpu, CPU_REGS)->regs.rflags;
    *own = (*own & ~flags) | (have & flags);
}

/* At the same instruction, with as much on the same stack. */
static inline bool same_place(struct side *a, struct side *b) {
    const struct cpu_state *s = cpu_read(&a->machine.vcpu[0].cpu, CPU_REGS | CPU_SREGS);
    const struct cpu_state *o = cpu_read(&b->machine.vcpu[0].cpu, CPU_REGS | CPU_SREGS);
    return s->regs.rip == o->regs.rip && s->sregs.cs.selector == o->sregs.cs.selector &&
           s->regs.rsp == o->regs.rsp && s->sregs.ss.selector == o->sregs.ss.selector;
}

#endif
