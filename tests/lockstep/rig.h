/* A CPU in a test: memory, no devices, and a program put in by hand.
 *
 * The rig is engine-neutral: open it with soft_open() or with anything else
 * that sets cpu->engine. Flat protected mode has this GDT at GDT_AT:
 * 08 code, 10 data, 1B code of ring 3, 23 data of ring 3, 28 TSS.
 */
#ifndef MINIKVM_RIG_H
#define MINIKVM_RIG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/cpu/breakpoints.h"
#include "vmm/cpu/engine.h"
#include "vmm/memory/layout.h"
#include "vmm/memory/memory.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/x86.h"

enum { GDT_AT = 0x1000, IDT_AT = 0x2000, TSS_AT = 0x3000, CODE_AT = 0x10000, STACK_AT = 0x20000 };

struct rig {
    struct memory memory;
    struct breakpoints breakpoints;
    struct cpu cpu;
    struct cpu_exit exit;
};

static inline void rig_open(struct rig *r, int (*open)(struct cpu *), uint64_t ram) {
    memset(r, 0, sizeof *r);
    if (memory_open(&r->memory, ram))
        abort();
    r->cpu.memory = &r->memory;
    r->cpu.breakpoints = &r->breakpoints;
    if (open(&r->cpu))
        abort();
}

static inline void rig_close(struct rig *r) {
    r->cpu.engine->close(&r->cpu);
    breakpoints_clear(&r->breakpoints);
    memory_close(&r->memory);
}

static inline struct cpu_state *rig_get(struct rig *r) {
    r->cpu.ops->fetch(&r->cpu, CPU_ALL);
    return &r->cpu.state;
}
static inline void rig_set(struct rig *r) {
    r->cpu.ops->store(&r->cpu, CPU_ALL);
}

static inline void rig_put(struct rig *r, uint64_t at, const void *bytes, size_t length) {
    memory_write(&r->memory, at, bytes, length);
    if (r->cpu.engine->memory_changed)
        r->cpu.engine->memory_changed(&r->cpu, at, length);
}

static inline void rig_put32(struct rig *r, uint64_t at, uint32_t value) {
    rig_put(r, at, &value, 4);
}
static inline uint32_t rig_get32(struct rig *r, uint64_t at) {
    uint32_t value;
    memory_read(&r->memory, at, &value, 4);
    return value;
}

/* access: the descriptor's byte 5; flags: its G, D and AVL, 0xC for flat 32-bit. */
static inline uint64_t rig_descriptor(uint32_t base, uint32_t limit, unsigned access,
                                      unsigned flags) {
    return (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 |
           (uint64_t)(base >> 24) << 56;
}

static inline void rig_gdt(struct rig *r, unsigned selector, uint64_t descriptor) {
    rig_put(r, GDT_AT + (selector & ~7u), &descriptor, 8);
}

/* type: 0x8E interrupt gate, 0x8F trap gate, 0xEE for ring 3, 0x85 task gate. */
static inline void rig_gate(struct rig *r, unsigned vector, unsigned selector, uint32_t offset,
                            unsigned type) {
    uint64_t gate = (offset & 0xFFFF) | (uint64_t)selector << 16 | (uint64_t)type << 40 |
                    (uint64_t)(offset >> 16) << 48;
    rig_put(r, IDT_AT + vector * 8, &gate, 8);
}

static inline void rig_real(struct rig *r, const void *code, size_t length, uint32_t at) {
    struct cpu_state *s = rig_get(r);
    struct kvm_segment data = x86_real_segment(0, false);
    rig_put(r, at, code, length);
    s->sregs.cr0 = CR0_ET;
    s->sregs.ds = s->sregs.es = s->sregs.fs = s->sregs.gs = s->sregs.ss = data;
    s->sregs.cs = x86_real_segment(0, true);
    s->sregs.idt.limit = 0x3FF;
    s->sregs.idt.base = 0;
    s->regs = (struct kvm_regs){.rip = at, .rflags = 2, .rsp = 0xF000};
    rig_set(r);
}

static inline void rig_flat(struct rig *r, const void *code, size_t length) {
    struct cpu_state *s = rig_get(r);
    uint64_t code0 = rig_descriptor(0, 0xFFFFF, 0x9B, 0xC),
             data0 = rig_descriptor(0, 0xFFFFF, 0x93, 0xC);
    uint64_t tss = rig_descriptor(TSS_AT, 0x67, 0x8B, 0);
    rig_gdt(r, 0x08, code0);
    rig_gdt(r, 0x10, data0);
    rig_gdt(r, 0x18, rig_descriptor(0, 0xFFFFF, 0xFB, 0xC));
    rig_gdt(r, 0x20, rig_descriptor(0, 0xFFFFF, 0xF3, 0xC));
    rig_gdt(r, 0x28, tss);
    rig_put32(r, TSS_AT + 4, STACK_AT - 0x1000);
    rig_put32(r, TSS_AT + 8, 0x10);
    rig_put(r, CODE_AT, code, length);
    s->sregs.cr0 = CR0_PE | CR0_ET;
    s->sregs.cs = x86_descriptor(0x08, code0);
    s->sregs.ds = s->sregs.es = s->sregs.fs = s->sregs.gs = s->sregs.ss =
        x86_descriptor(0x10, data0);
    s->sregs.tr = x86_descriptor(0x28, tss);
    s->sregs.gdt.base = GDT_AT;
    s->sregs.gdt.limit = 0xFFF;
    s->sregs.idt.base = IDT_AT;
    s->sregs.idt.limit = 0x7FF;
    s->regs = (struct kvm_regs){.rip = CODE_AT, .rflags = 2, .rsp = STACK_AT};
    rig_set(r);
}

static inline enum cpu_exit_kind rig_run(struct rig *r) {
    r->cpu.ops->run(&r->cpu, &r->exit);
    return r->exit.kind;
}
static inline enum cpu_exit_kind rig_step(struct rig *r) {
    r->cpu.engine->step(&r->cpu, &r->exit);
    return r->exit.kind;
}

/* Long mode, ring 0: 64-bit code at E0 of the GDT, its data at E8, and of ring 3 32-bit code,
 * data, 64-bit code, data from F0 on, as SYSRET and SYSEXIT want them; 28 is a 64-bit TSS. The
 * first GiB is mapped one to one by pages of 2 MiB that have been used. Gates are 16 bytes
 * each. */
enum { PML4_AT = 0x80000, PDPT_AT = 0x81000, PD64_AT = 0x82000, PAGE64_RIGHTS = 0x67 };
enum { CODE64 = 0xE0, DATA64 = 0xE8, USER32 = 0xF0, USER_DATA = 0xF8, USER64 = 0x100 };

static inline void rig_gate64(struct rig *r, unsigned vector, unsigned selector, uint64_t offset,
                              unsigned type, unsigned ist) {
    uint64_t gate[2] = {(offset & 0xFFFF) | (uint64_t)selector << 16 | (uint64_t)ist << 32 |
                            (uint64_t)type << 40 | (offset >> 16 & 0xFFFF) << 48,
                        offset >> 32};
    rig_put(r, IDT_AT + vector * 16, gate, 16);
}

static inline void rig_tables64(struct rig *r) {
    uint64_t pml4 = PDPT_AT | PAGE64_RIGHTS, pdpt = PD64_AT | PAGE64_RIGHTS;
    rig_put(r, PML4_AT, &pml4, 8);
    rig_put(r, PDPT_AT, &pdpt, 8);
    for (uint64_t n = 0; n < 512; n++) {
        uint64_t pde = n << 21 | 0x80 | PAGE64_RIGHTS;
        rig_put(r, PD64_AT + 8 * n, &pde, 8);
    }
}

static inline void rig_gdt64(struct rig *r) {
    static const uint8_t access[] = {0x9B, 0x93, 0xFB, 0xF3, 0xFB, 0xF3},
                         flags[] = {0xA, 0xC, 0xC, 0xC, 0xA, 0xC};
    uint64_t rsp0 = STACK_AT - 0x1000;
    for (unsigned n = 0; n < sizeof access; n++)
        rig_gdt(r, CODE64 + 8 * n, rig_descriptor(0, 0xFFFFF, access[n], flags[n]));
    rig_gdt(r, 0x30, 0); /* the upper half of the TSS's descriptor */
    rig_put(r, TSS_AT + 4, &rsp0, 8);
}

static inline void rig_long(struct rig *r, const void *code, size_t length) {
    rig_flat(r, code, length);
    rig_gdt64(r);
    rig_tables64(r);
    struct cpu_state *s = rig_get(r);
    s->sregs.cs = x86_descriptor(CODE64, rig_descriptor(0, 0xFFFFF, 0x9B, 0xA));
    s->sregs.cr0 |= CR0_PG;
    s->sregs.cr3 = PML4_AT;
    s->sregs.cr4 |= CR4_PAE;
    s->sregs.efer = EFER_LME | EFER_LMA | EFER_SCE | EFER_NX;
    s->sregs.idt.limit = 0xFFF;
    rig_set(r);
}

/* Identity-maps the RAM's first 4 MiB with 4 KiB pages: directory at PD, table
 * at PT, and turns paging on in the state. */
enum { PD_AT = 0x80000, PT_AT = 0x81000 };
static inline void rig_paging(struct rig *r, uint32_t rights) {
    rig_put32(r, PD_AT, PT_AT | rights);
    for (uint32_t n = 0; n < 1024; n++)
        rig_put32(r, PT_AT + 4 * n, n << 12 | rights);
    struct cpu_state *s = rig_get(r);
    s->sregs.cr3 = PD_AT;
    s->sregs.cr0 |= CR0_PG;
    rig_set(r);
}

#endif
