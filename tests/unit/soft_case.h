/* One instruction on the built-in CPU as a row of four strings: what it is about,
 * what is given, the instruction's bytes, and what it changes.
 *
 * Rule: what `then` does not name must stay as it was. Each row is made twice; one
 * CPU takes the step, the state of the other is changed by `then`, and all
 * registers and all memory must agree. So a fault row also says that nothing was
 * half done.
 *
 * A string is words, numbers are hexadecimal:
 *
 *   eax=5 ds=30 zf=1 cr0=11    registers (a segment's hidden part comes from its
 *                              descriptor, or from the mode), flags
 *   d:4000=1,2                 memory at 4000: b w d q for 8, 16, 32, 64 bits
 *   gdt:30=base,limit,access,flags   gate:30=selector,offset,access,count
 *   idt:80=selector,offset,access    busy:30=1 (the TSS's bit)
 *   stack=1,2  push=1,2        at the top of the stack; below it, SP moved (16: words)
 *   page:30000=30067           a page-table entry, after `paging`
 *   saved  task=4000           registers into the present TSS; out of that one
 *   inner                      to ring 0's stack, the old one pushed
 *   shutdown                   the step ends so, nothing changed
 *   ring3 vm86 real paging …   see words[] and setters[]
 *   +smep -nx amd              what CPUID is to have, and not
 *   #UD #GP(30) #PF(2,200000)  the exception, taken by its standard handler
 *
 * A program is a row of more than one instruction, and ends with a HLT.
 *
 * EIP goes past the instruction by itself, if `then` holds neither an exception nor
 * a shutdown.
 *
 * The machine: rig_flat()'s, with more descriptors (base_world) and a handler of
 * ring 0 for each exception.
 */
#ifndef MINIKVM_SOFT_CASE_H
#define MINIKVM_SOFT_CASE_H

#include "tests/lockstep/lockstep.c"
#include "unit.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/x86/cpuid.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/mode.h"

enum {
    CASE_RAM = 1 << 20,
    TASK_AT = 0x4000,
    REAL_AT = 0x5000,
    LDT_AT = 0x5800,
    REAL_HANDLERS_AT = 0x6000,
    HANDLERS_AT = 0x12000
};

struct row {
    const char *what, *given, *code, *then;
};

/* Descriptors: 30 a second task (32-bit), 80 a third (16-bit), 38 an LDT; code and
 * data that differ in one thing each from 08 and 10. */
static const char base_world[] =
    "gdt:30=4000,67,89,0 gdt:38=5800,ff,82,0 gdt:40=0,ffff,9b,0 gdt:48=0,ffff,93,0 "
    "gdt:50=0,fffff,9f,c gdt:58=0,fffff,91,c gdt:60=0,fffff,99,c gdt:68=0,1fff,97,4 "
    "gdt:70=0,fffff,13,c gdt:78=0,fffff,1b,c gdt:80=4800,2b,81,0 "
    "gate:90=8,14000,8c,0 gate:98=8,14000,ec,0 gate:a0=8,4444,e4,0 gate:a8=30,0,e5,0 "
    "gdt:b8=0,fff,9b,4 gdt:c0=0,fffff,f1,c "
    "d:4004=1d000,10 d:401c=80000,14000,2,a0,a1,a2,a3,1e000,a5,a6,a7,10,8,10,10,10,10,0 "
    "w:480e=4400,2,b0,b1,b2,b3,e800,b5,b6,b7,48,40,48,48,0";

static const struct {
    const char *name, *text;
} words[] = {
    {"ring3", "cs=1b ss=23 ds=23 es=23 fs=23 gs=23"},
    {"ring1", "gdt:d0=0,fffff,bb,c gdt:d8=0,fffff,b3,c cs=d1 ss=d9"},
    {"vm86", "vm=1 cs=1000 ss=2000 ds=3000 es=3000 fs=3000 gs=3000 eip=100 esp=f00"},
    {"code16", "cs=40 ss=48 eip=5000 esp=f000"},
    {"shutdown", ""},
    {"ring3l", "cs=103 ss=fb ds=fb es=fb fs=fb gs=fb"},
    {"compat", "cs=8"},
    {"compat3", "cs=f3 ss=fb ds=fb es=fb fs=fb gs=fb"},
    {"task3", "d:4048=23,1b,23,23,23,23"},
    {"distinct", "eax=11111111 ecx=22222222 edx=33333333 ebx=44444444 ebp=66666666 "
                 "esi=77777777 edi=88888888"},
};

struct arguments {
    uint64_t key, value[24];
    unsigned count;
};

/* --- registers --- */

#define AT(f) offsetof(struct cpu_state, f)
static const struct {
    const char *name;
    size_t offset, size;
} registers[] = {
    {"eax", AT(regs.rax), 8},
    {"ecx", AT(regs.rcx), 8},
    {"edx", AT(regs.rdx), 8},
    {"ebx", AT(regs.rbx), 8},
    {"esp", AT(regs.rsp), 8},
    {"ebp", AT(regs.rbp), 8},
    {"esi", AT(regs.rsi), 8},
    {"edi", AT(regs.rdi), 8},
    {"r8", AT(regs.r8), 8},
    {"r11", AT(regs.r11), 8},
    {"r12", AT(regs.r12), 8},
    {"r15", AT(regs.r15), 8},
    {"eip", AT(regs.rip), 8},
    {"efl", AT(regs.rflags), 8},
    {"cr0", AT(sregs.cr0), 8},
    {"cr2", AT(sregs.cr2), 8},
    {"cr3", AT(sregs.cr3), 8},
    {"cr4", AT(sregs.cr4), 8},
    {"cr8", AT(sregs.cr8), 8},
    {"efer", AT(sregs.efer), 8},
    {"fsb", AT(sregs.fs.base), 8},
    {"gsb", AT(sregs.gs.base), 8},
    {"dsb", AT(sregs.ds.base), 8},
    {"gdtl", AT(sregs.gdt.limit), 2},
    {"gdtb", AT(sregs.gdt.base), 8},
    {"idtl", AT(sregs.idt.limit), 2},
    {"idtb", AT(sregs.idt.base), 8},
    {"dr0", AT(debugregs.db[0]), 8},
    {"dr1", AT(debugregs.db[1]), 8},
    {"dr2", AT(debugregs.db[2]), 8},
    {"dr3", AT(debugregs.db[3]), 8},
    {"dr6", AT(debugregs.dr6), 8},
    {"dr7", AT(debugregs.dr7), 8},
    {"tsc", AT(msrs.tsc), 8},
    {"scs", AT(msrs.sysenter_cs), 8},
    {"sesp", AT(msrs.sysenter_esp), 8},
    {"seip", AT(msrs.sysenter_eip), 8},
    {"star", AT(msrs.star), 8},
    {"lstar", AT(msrs.lstar), 8},
    {"cstar", AT(msrs.cstar), 8},
    {"fmask", AT(msrs.fmask), 8},
    {"kgsb", AT(msrs.kernel_gs_base), 8},
    {"pat", AT(msrs.pat), 8},
    {"aux", AT(msrs.tsc_aux), 8},
    {"mtrrdef", AT(msrs.mtrr_def_type), 8},
    {"mtrrbase0", AT(msrs.mtrr_phys[0]), 8},
    {"mtrrmask7", AT(msrs.mtrr_phys[15]), 8},
    {"mtrrfix0", AT(msrs.mtrr_fix[0]), 8},
    {"mtrrfix10", AT(msrs.mtrr_fix[10]), 8},
    {"xcr0", AT(xcr0), 8},
    {"fcw", AT_XSAVE(fpu.fcw), 2},
    {"fsw", AT_XSAVE(fpu.fsw), 2},
    {"ftw", AT_XSAVE(fpu.ftw), 1},
    {"fop", AT_XSAVE(fpu.fop), 2},
    {"fip", AT_XSAVE(fpu.fip), 8},
    {"fdp", AT_XSAVE(fpu.fdp), 8},
    {"st0", AT_XSAVE(fpu.st[0]), 8},
    {"st0e", AT_XSAVE(fpu.st[0].w[4]), 2},
    {"st1", AT_XSAVE(fpu.st[1]), 8},
    {"st1e", AT_XSAVE(fpu.st[1].w[4]), 2},
    {"st7", AT_XSAVE(fpu.st[7]), 8},
    {"st7e", AT_XSAVE(fpu.st[7].w[4]), 2},
    {"mxcsr", AT_XSAVE(fpu.mxcsr), 4},
    {"xmm0", AT_XSAVE(fpu.xmm[0]), 8},
    {"xmm0h", AT_XSAVE(fpu.xmm[0].q[1]), 8},
    {"xmm1", AT_XSAVE(fpu.xmm[1]), 8},
    {"xmm1h", AT_XSAVE(fpu.xmm[1].q[1]), 8},
    {"shadow", AT(events.interrupt.shadow), 1},
    {"trap", AT(events.exception.pending), 1},
    {"halted", AT(mp.mp_state), 4},
};

static const struct {
    const char *name;
    size_t offset;
} segment_names[] = {
    {"es", AT(sregs.es)}, {"cs", AT(sregs.cs)}, {"ss", AT(sregs.ss)},   {"ds", AT(sregs.ds)},
    {"fs", AT(sregs.fs)}, {"gs", AT(sregs.gs)}, {"ldt", AT(sregs.ldt)}, {"tr", AT(sregs.tr)},
};

static const struct {
    const char *name;
    unsigned shift, width;
} flag_names[] = {
    {"cf", 0, 1},  {"pf", 2, 1},  {"af", 4, 1},  {"zf", 6, 1},  {"sf", 7, 1},
    {"tf", 8, 1},  {"if", 9, 1},  {"df", 10, 1}, {"of", 11, 1}, {"iopl", 12, 2},
    {"nt", 14, 1}, {"rf", 16, 1}, {"vm", 17, 1}, {"ac", 18, 1}, {"id", 21, 1},
};

static uint64_t case_descriptor(struct rig *r, unsigned selector) {
    const struct kvm_sregs *s = &r->cpu.state.sregs;
    uint64_t raw = 0;
    memory_read(&r->memory, (selector & 4 ? LDT_AT : s->gdt.base) + (selector & ~7u), &raw, 8);
    return raw;
}

/* What loading the register gives: by the tables, or by the mode. */
static struct kvm_segment case_segment(struct rig *r, struct kvm_segment old, unsigned selector,
                                       bool code, bool system) {
    const struct cpu_state *s = &r->cpu.state;
    struct kvm_segment k = old;
    k.selector = (uint16_t)selector;
    if (!(s->sregs.cr0 & CR0_PE)) {
        if (k.unusable)
            k = x86_real_segment((uint16_t)selector, code);
        k.base = selector * 16;
    } else if (s->regs.rflags & FLAG_VM && !system) {
        k = x86_real_segment((uint16_t)selector, code);
        k.dpl = 3;
    } else if (selector & ~3u) {
        k = x86_descriptor((uint16_t)selector, case_descriptor(r, selector));
        k.unusable = 0;
        if (system && s->sregs.efer & EFER_LMA)
            k.base |= case_descriptor(r, selector + 8) << 32;
    } else {
        k = (struct kvm_segment){.selector = (uint16_t)selector, .unusable = 1};
    }
    return k;
}

static struct kvm_segment *segment_number(struct rig *r, size_t n) {
    return (struct kvm_segment *)((char *)&r->cpu.state + segment_names[n].offset);
}

static void load_segment(struct rig *r, size_t n, unsigned selector) {
    struct kvm_segment *k = segment_number(r, n);
    *k = case_segment(r, *k, selector, n == 1, n >= 6);
    if (n == 7)
        k->type |= 2;          /* busy */
    if (n == 2 && k->unusable) /* a new task's; its DPL is where the state holds the CPL */
        k->dpl = r->cpu.state.sregs.cs.selector & 3;
}

/* --- memory --- */

static void put_values(struct rig *r, const struct arguments *a, uint64_t at, unsigned size) {
    for (unsigned n = 0; n < a->count; n++)
        rig_put(r, at + n * size, &a->value[n], size);
}
static void set_b(struct rig *r, const struct arguments *a) {
    put_values(r, a, a->key, 1);
}
static void set_w(struct rig *r, const struct arguments *a) {
    put_values(r, a, a->key, 2);
}
static void set_d(struct rig *r, const struct arguments *a) {
    put_values(r, a, a->key, 4);
}
static void set_q(struct rig *r, const struct arguments *a) {
    put_values(r, a, a->key, 8);
}

static void set_descriptor(struct rig *r, unsigned selector, uint64_t raw) {
    rig_put(r, (selector & 4 ? LDT_AT : GDT_AT) + (selector & ~7u), &raw, 8);
}
static void set_gdt(struct rig *r, const struct arguments *a) {
    set_descriptor(r, (unsigned)a->key,
                   rig_descriptor((uint32_t)a->value[0], (uint32_t)a->value[1],
                                  (unsigned)a->value[2], (unsigned)a->value[3]));
}
static void set_gate(struct rig *r, const struct arguments *a) {
    uint64_t offset = a->value[1];
    set_descriptor(r, (unsigned)a->key,
                   (offset & 0xFFFF) | a->value[0] << 16 | a->value[3] << 32 | a->value[2] << 40 |
                       offset >> 16 << 48);
}
static void set_idt(struct rig *r, const struct arguments *a) {
    rig_gate(r, (unsigned)a->key, (unsigned)a->value[0], (uint32_t)a->value[1],
             (unsigned)a->value[2]);
}
static void set_busy(struct rig *r, const struct arguments *a) {
    uint64_t at = GDT_AT + a->key + 5;
    uint8_t access;
    memory_read(&r->memory, at, &access, 1);
    access = (uint8_t)((access & ~2) | a->value[0] << 1);
    rig_put(r, at, &access, 1);
}

/* --- the stack --- */

static void set_stack_words(struct rig *r, const struct arguments *a) {
    put_values(r, a, r->cpu.state.sregs.ss.base + r->cpu.state.regs.rsp, 4);
}
static void set_stack16(struct rig *r, const struct arguments *a) {
    put_values(r, a, r->cpu.state.sregs.ss.base + r->cpu.state.regs.rsp, 2);
}
static void push_value(struct rig *r, unsigned size, uint64_t value) {
    struct cpu_state *s = &r->cpu.state;
    uint64_t mask = s->sregs.ss.db ? 0xFFFFFFFF : 0xFFFF, sp = (s->regs.rsp - size) & mask;
    rig_put(r, s->sregs.ss.base + sp, &value, size);
    s->regs.rsp = (s->regs.rsp & ~mask) | sp;
}
static void set_push(struct rig *r, const struct arguments *a) {
    for (unsigned n = 0; n < a->count; n++)
        push_value(r, 4, a->value[n]);
}
static void set_push64(struct rig *r, const struct arguments *a) {
    for (unsigned n = 0; n < a->count; n++) {
        r->cpu.state.regs.rsp -= 8;
        rig_put(r, r->cpu.state.regs.rsp, &a->value[n], 8);
    }
}
static void set_stack64(struct rig *r, const struct arguments *a) {
    put_values(r, a, r->cpu.state.regs.rsp, 8);
}
static void set_push16(struct rig *r, const struct arguments *a) {
    for (unsigned n = 0; n < a->count; n++)
        push_value(r, 2, a->value[n]);
}

/* --- modes --- */

static void set_real(struct rig *r, const struct arguments *a) {
    (void)a;
    static const uint8_t nop = 0x90;
    rig_real(r, &nop, 1, REAL_AT);
}
/* Beside rig_long()'s: 110 conforming 64-bit code, 118 code with L and D, 120 an LDT, 130 a
 * TSS, 140 a call gate, 150 one whose upper half has a type, 160 64-bit code that is not
 * present, 168 a 32-bit TSS that is available, 178 a call gate to 32-bit code. IST1 is 1B000. */
static const char long_world[] =
    "gdt:110=0,fffff,9f,a gdt:118=0,fffff,9b,e gdt:120=5800,ff,82,0 q:1128=ffff8000 "
    "gdt:130=4000,67,89,0 q:1138=7fff gate:140=e0,14000,ec,0 q:1148=0 "
    "gate:150=e0,14000,ec,0 q:1158=10000000000 gdt:160=0,fffff,1b,a gdt:168=4000,67,89,0 "
    "q:1170=0 gate:178=8,14000,ec,0 q:1180=0 gate:188=e0,14000,8c,0 q:1190=0 "
    "gate:198=e0,14000,ec,0 q:11a0=8000 gate:1a8=0,14000,ec,0 q:11b0=0 q:3024=1b000 "
    "gate:1b8=110,14000,ec,0 q:11c0=0 gate:1c8=e0,14000,6c,0 q:11d0=0";
static bool apply(struct rig *r, const char *text);
static void set_long(struct rig *r, const struct arguments *a) {
    static const uint8_t nop = 0x90;
    (void)a;
    rig_set(r);
    rig_long(r, &nop, 1);
    for (unsigned n = 0; n < 32; n++)
        rig_gate64(r, n, CODE64, HANDLERS_AT + 16 * n, 0x8E, 0);
    apply(r, long_world);
}
static void set_idt64(struct rig *r, const struct arguments *a) {
    rig_gate64(r, (unsigned)a->key, (unsigned)a->value[0], a->value[1], (unsigned)a->value[2],
               (unsigned)a->value[3]);
}
static void set_paging(struct rig *r, const struct arguments *a) {
    (void)a;
    rig_set(r);
    rig_paging(r, 0x67); /* all rights, accessed and dirty */
}
/* An entry of rig_paging()'s table, by the page's linear address. */
static void set_page(struct rig *r, const struct arguments *a) {
    rig_put32(r, PT_AT + 4 * (uint32_t)(a->key >> 12), (uint32_t)a->value[0]);
}

/* --- tasks: the layouts of figures 7-2 and 7-10 --- */

struct tss {
    unsigned size, ip, segments, ldt;
};
static struct tss tss_of(const struct kvm_segment *tr) {
    return tr->type & 8 ? (struct tss){4, 0x20, 6, 0x60} : (struct tss){2, 0x0E, 4, 0x2A};
}

/* IP, flags, the general registers in the order of their encoding. */
static uint64_t *task_register(struct rig *r, unsigned n) {
    struct kvm_regs *g = &r->cpu.state.regs;
    uint64_t *const order[] = {(uint64_t *)&g->rip, (uint64_t *)&g->rflags, (uint64_t *)&g->rax,
                               (uint64_t *)&g->rcx, (uint64_t *)&g->rdx,    (uint64_t *)&g->rbx,
                               (uint64_t *)&g->rsp, (uint64_t *)&g->rbp,    (uint64_t *)&g->rsi,
                               (uint64_t *)&g->rdi};
    return order[n];
}

static void set_saved(struct rig *r, const struct arguments *a) {
    const struct kvm_segment *tr = &r->cpu.state.sregs.tr;
    struct tss t = tss_of(tr);
    (void)a;
    for (unsigned n = 0; n < 10; n++)
        rig_put(r, tr->base + t.ip + n * t.size, task_register(r, n), t.size);
    for (unsigned n = 0; n < t.segments; n++)
        rig_put(r, tr->base + t.ip + (10 + n) * t.size, &segment_number(r, n)->selector, 2);
}

static void set_task(struct rig *r, const struct arguments *a) {
    struct tss t = tss_of(&r->cpu.state.sregs.tr);
    uint64_t at = a->value[0] + t.ip;
    uint16_t selector[6] = {0};
    for (unsigned n = 0; n < 10; n++) {
        uint64_t *to = task_register(r, n);
        *to = t.size == 2 && n > 1 ? 0xFFFF0000 : 0;
        memory_read(&r->memory, at + n * t.size, to, t.size);
    }
    r->cpu.state.sregs.cr0 |= CR0_TS;
    for (unsigned n = 0; n < t.segments; n++)
        memory_read(&r->memory, at + (10 + n) * t.size, &selector[n], 2);
    for (unsigned n = 0; n < 6; n++)
        load_segment(r, n, selector[n]);
    memory_read(&r->memory, a->value[0] + t.ldt, selector, 2);
    load_segment(r, 6, selector[0]);
}

/* A new task's segments before they are checked: selectors, of no use. */
static void set_unchecked(struct rig *r, const struct arguments *a) {
    for (unsigned n = 0; n < a->count; n++) {
        struct kvm_segment *k = segment_number(r, a->value[n]);
        *k = (struct kvm_segment){.selector = k->selector, .dpl = k->dpl, .unusable = 1};
    }
}

/* --- exceptions --- */

static const char *const exceptions[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR",
                                         "#UD", "#NM", "#DF", "#09", "#TS", "#NP",
                                         "#SS", "#GP", "#PF", "#15", "#MF", "#AC", "#MC", "#XM"};

static void enter_handler_real(struct rig *r, unsigned vector) {
    struct cpu_state *s = &r->cpu.state;
    push_value(r, 2, s->regs.rflags);
    push_value(r, 2, s->sregs.cs.selector);
    push_value(r, 2, s->regs.rip);
    s->regs.rflags &= ~(uint64_t)(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF);
    load_segment(r, 1, 0);
    s->regs.rip = REAL_HANDLERS_AT + 16 * vector;
}

/* Ring 0's stack as rig_flat()'s TSS names it, and what goes onto it first. */
static void enter_ring0(struct rig *r, bool vm86) {
    struct cpu_state *s = &r->cpu.state;
    uint64_t sp = s->regs.rsp, ss = s->sregs.ss.selector;
    const uint16_t data[] = {s->sregs.gs.selector, s->sregs.fs.selector, s->sregs.ds.selector,
                             s->sregs.es.selector};
    uint32_t top[2];
    memory_read(&r->memory, s->sregs.tr.base + 4, top, 8);
    s->regs.rflags &= ~(uint64_t)FLAG_VM;
    load_segment(r, 2, top[1]);
    s->regs.rsp = top[0];
    for (unsigned n = 0; vm86 && n < 4; n++)
        push_value(r, 4, data[n]);
    static const uint8_t all[] = {0, 3, 4, 5};
    for (unsigned n = 0; vm86 && n < 4; n++)
        load_segment(r, all[n], 0);
    push_value(r, 4, ss);
    push_value(r, 4, sp);
}

static void set_inner(struct rig *r, const struct arguments *a) {
    (void)a;
    enter_ring0(r, r->cpu.state.regs.rflags & FLAG_VM);
}

static void enter_handler_long(struct rig *r, unsigned vector, const struct arguments *code) {
    struct cpu_state *s = &r->cpu.state;
    uint64_t flags = s->regs.rflags | (vector == VECTOR_DB || vector == VECTOR_DF ? 0 : FLAG_RF);
    struct arguments frame = {.count = 5, .value = {s->sregs.ss.selector, s->regs.rsp, flags,
                                                    s->sregs.cs.selector, s->regs.rip}};
    if (s->sregs.ss.dpl) {
        memory_read(&r->memory, s->sregs.tr.base + 4, &s->regs.rsp, 8);
        s->sregs.ss = (struct kvm_segment){.unusable = 1};
    }
    s->regs.rsp &= ~15ull;
    if (code->count)
        frame.value[frame.count++] = code->value[0];
    set_push64(r, &frame);
    s->regs.rflags &= ~(uint64_t)(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_IF);
    load_segment(r, 1, CODE64);
    s->regs.rip = HANDLERS_AT + 16 * vector;
    if (vector == VECTOR_PF)
        s->sregs.cr2 = code->value[1];
}

static void enter_handler(struct rig *r, unsigned vector, const struct arguments *code) {
    struct cpu_state *s = &r->cpu.state;
    uint64_t flags = s->regs.rflags | (vector == VECTOR_DB || vector == VECTOR_DF ? 0 : FLAG_RF);
    uint64_t cs = s->sregs.cs.selector;
    bool vm86 = s->regs.rflags & FLAG_VM;
    if (vm86 || s->sregs.ss.dpl)
        enter_ring0(r, vm86);
    push_value(r, 4, flags);
    push_value(r, 4, cs);
    push_value(r, 4, s->regs.rip);
    if (code->count)
        push_value(r, 4, code->value[0]);
    s->regs.rflags &= ~(uint64_t)(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM | FLAG_IF);
    load_segment(r, 1, 8);
    s->regs.rip = HANDLERS_AT + 16 * vector;
    if (vector == VECTOR_PF)
        s->sregs.cr2 = code->value[1];
}

static bool take_exception(struct rig *r, const char *name, const struct arguments *code) {
    for (unsigned n = 0; n < sizeof exceptions / sizeof *exceptions; n++)
        if (!strcmp(name, exceptions[n])) {
            if (r->cpu.state.sregs.efer & EFER_LMA)
                enter_handler_long(r, n, code);
            else if (r->cpu.state.sregs.cr0 & CR0_PE)
                enter_handler(r, n, code);
            else
                enter_handler_real(r, n);
            return true;
        }
    return false;
}

/* --- reading a string --- */

static const struct {
    const char *name;
    void (*set)(struct rig *, const struct arguments *);
} setters[] = {
    {"b", set_b},
    {"w", set_w},
    {"d", set_d},
    {"q", set_q},
    {"gdt", set_gdt},
    {"gate", set_gate},
    {"idt", set_idt},
    {"busy", set_busy},
    {"stack", set_stack_words},
    {"stack16", set_stack16},
    {"push", set_push},
    {"push16", set_push16},
    {"push64", set_push64},
    {"stack64", set_stack64},
    {"long", set_long},
    {"idt64", set_idt64},
    {"real", set_real},
    {"paging", set_paging},
    {"page", set_page},
    {"saved", set_saved},
    {"task", set_task},
    {"unchecked", set_unchecked},
    {"inner", set_inner},
};

static bool apply(struct rig *r, const char *text);

static bool set_plain(struct rig *r, const char *name, const struct arguments *a) {
    struct cpu_state *s = &r->cpu.state;
    for (size_t n = 0; n < sizeof registers / sizeof *registers; n++)
        if (!strcmp(name, registers[n].name)) {
            memcpy((char *)s + registers[n].offset, &a->value[0], registers[n].size);
            return true;
        }
    for (size_t n = 0; n < sizeof segment_names / sizeof *segment_names; n++)
        if (!strcmp(name, segment_names[n].name)) {
            load_segment(r, n, (unsigned)a->value[0]);
            return true;
        }
    for (size_t n = 0; n < sizeof flag_names / sizeof *flag_names; n++)
        if (!strcmp(name, flag_names[n].name)) {
            uint64_t mask = ((1u << flag_names[n].width) - 1) << flag_names[n].shift;
            s->regs.rflags = (s->regs.rflags & ~mask) | a->value[0] << flag_names[n].shift;
            return true;
        }
    return false;
}

/* "+smep", "amd": the CPU has this, too; "-fpu": it has not. */
static bool set_feature(struct rig *r, const char *name) {
    static struct cpuid_choice choice;
    if (!r->cpu.cpuid) /* its first word */
        choice = (struct cpuid_choice){0};
    r->cpu.cpuid = &choice;
    return !cpuid_choose(&choice, name) && !soft_choose_features(&r->cpu);
}

static bool set_named(struct rig *r, const char *name, const struct arguments *a) {
    for (size_t n = 0; n < sizeof words / sizeof *words; n++)
        if (!strcmp(name, words[n].name))
            return apply(r, words[n].text);
    for (size_t n = 0; n < sizeof setters / sizeof *setters; n++)
        if (!strcmp(name, setters[n].name)) {
            setters[n].set(r, a);
            return true;
        }
    if (*name == '+' || *name == '-' || !strcmp(name, "amd") || !strcmp(name, "intel"))
        return set_feature(r, name);
    return *name == '#' ? take_exception(r, name, a) : set_plain(r, name, a);
}

/* NAME, NAME=V,V, NAME:KEY=V,V or NAME(V,V); returns where the next word begins,
 * or NULL. */
static const char *apply_word(struct rig *r, const char *at) {
    struct arguments a = {0};
    char name[16] = "", *end;
    size_t length = strcspn(at, " :=(");
    if (length >= sizeof name)
        return NULL;
    memcpy(name, at, length);
    at += length;
    if (*at == ':')
        a.key = strtoull(at + 1, &end, 16), at = end;
    if (*at == '=' || *at == '(')
        do {
            a.value[a.count++] = strtoull(at + 1, &end, 16);
            at = end;
        } while (*at == ',' && a.count < sizeof a.value / sizeof *a.value);
    at += *at == ')';
    return set_named(r, name, &a) && (!*at || *at == ' ') ? at : NULL;
}

static bool apply(struct rig *r, const char *text) {
    while (text && *(text += strspn(text, " ")))
        text = apply_word(r, text);
    return text;
}

/* --- a row --- */

static size_t read_code(const char *text, uint8_t *code, size_t size) {
    size_t n = 0;
    char *end;
    for (uint8_t byte; n < size; text = end) {
        byte = (uint8_t)strtoul(text, &end, 16);
        if (end == text)
            break;
        code[n++] = byte;
    }
    return n;
}

static void case_handlers(struct rig *r) {
    for (unsigned n = 0; n < 32; n++) {
        rig_gate(r, n, 8, HANDLERS_AT + 16 * n, 0x8E);
        rig_put32(r, n * 4, REAL_HANDLERS_AT + 16 * n); /* selector 0 */
    }
}

/* The row's machine; its code lies at CS:EIP. */
static bool case_open(struct rig *r, const struct row *row, size_t *length) {
    uint8_t code[512];
    rig_open(r, soft_open, CASE_RAM);
    r->cpu.limit = 10000; /* a program that went wrong ends, too */
    rig_flat(r, "", 0);
    case_handlers(r);
    bool ok = apply(r, base_world) && apply(r, row->given);
    const struct cpu_state *s = &r->cpu.state;
    *length = read_code(row->code, code, sizeof code);
    rig_put(r, (uint32_t)(s->sregs.cs.base + s->regs.rip), code, *length);
    rig_set(r);
    return ok;
}

static bool case_then(struct rig *r, const struct row *row, size_t length, const char *also) {
    if (!strchr(row->then, '#') && !strstr(row->then, "shutdown"))
        rig_get(r)->regs.rip += length;
    bool ok = apply(r, row->then) && apply(r, also);
    rig_set(r);
    return ok;
}

static enum cpu_exit_kind case_exit(const struct row *row) {
    return strstr(row->then, "shutdown") ? CPU_EXIT_SHUTDOWN
           : strstr(row->then, "halted") ? CPU_EXIT_HALTED
                                         : CPU_EXIT_STEPPED;
}

/* What the CPU of `row` has become against what it should. */
static void check_row(const struct row *row, enum cpu_exit_kind want_exit,
                      enum cpu_exit_kind (*go)(struct rig *), const char *also) {
    struct lockstep l = {.parts = CPU_ALL, .memory = true};
    struct rig got, want;
    size_t length;
    bool opened = case_open(&got, row, &length);
    opened = case_open(&want, row, &length) && opened; /* both, whatever the first says */
    bool readable = opened && case_then(&want, row, length, also);
    enum cpu_exit_kind kind = go(&got);
    bool same = readable && kind == want_exit && lockstep_same(&l, &got, &want);
    unit_check(same, row->what, __FILE__, __LINE__);
    if (!same)
        fprintf(stderr, "  %s%s (exit %d)\n", readable ? got.exit.text : "no such word", l.why,
                kind);
    rig_close(&got);
    rig_close(&want);
}

static inline void run_row(const struct row *row) {
    check_row(row, case_exit(row), rig_step, "");
}

/* More than one instruction: up to a HLT. */
static inline void run_program(const struct row *row) {
    check_row(row, CPU_EXIT_HALTED, rig_run, "halted=3");
}

#define RUN_ROWS(rows)     RUN_EACH(rows, run_row)
#define RUN_PROGRAMS(rows) RUN_EACH(rows, run_program)
#define RUN_EACH(rows, run)                                                                        \
    do {                                                                                           \
        for (size_t n_ = 0; n_ < sizeof(rows) / sizeof *(rows); n_++)                              \
            run(&(rows)[n_]);                                                                      \
    } while (0)

#endif
