/* See lockstep.h. The tables below are the state: one row, one thing compared. */
#include "lockstep.h"

#include <stddef.h>

#include "vmm/x86/fpu.h"

struct field {
    const char *name;
    enum cpu_part part;
    size_t offset, size;
};

#define REGS(f)                                                                                    \
    { #f, CPU_REGS, offsetof(struct cpu_state, regs.f), 8 }
#define SREGS(f)                                                                                   \
    { #f, CPU_SREGS, offsetof(struct cpu_state, sregs.f), sizeof((struct kvm_sregs *)0)->f }
#define DREGS(f)                                                                                   \
    { #f, CPU_DEBUGREGS, offsetof(struct cpu_state, debugregs.f), 8 }
#define MSRS(f)                                                                                    \
    { #f, CPU_MSRS, offsetof(struct cpu_state, msrs.f), 8 }

#define EVENTS(f)                                                                                  \
    { #f, CPU_EVENTS, offsetof(struct cpu_state, events.f), 1 }

#define FPU(f, size)                                                                               \
    { #f, CPU_FPU, AT_XSAVE(fpu.f), size }

static const struct field fields[] = {
    REGS(rip),
    REGS(rax),
    REGS(rcx),
    REGS(rdx),
    REGS(rbx),
    REGS(rsp),
    REGS(rbp),
    REGS(rsi),
    REGS(rdi),
    REGS(r8),
    REGS(r9),
    REGS(r10),
    REGS(r11),
    REGS(r12),
    REGS(r13),
    REGS(r14),
    REGS(r15),
    REGS(rflags),
    SREGS(cr0),
    SREGS(cr2),
    SREGS(cr3),
    SREGS(cr4),
    SREGS(efer),
    SREGS(cr8),
    SREGS(gdt.base),
    SREGS(gdt.limit),
    SREGS(idt.base),
    SREGS(idt.limit),
    DREGS(db[0]),
    DREGS(db[1]),
    DREGS(db[2]),
    DREGS(db[3]),
    DREGS(dr6),
    DREGS(dr7),
    MSRS(sysenter_cs),
    MSRS(sysenter_esp),
    MSRS(sysenter_eip),
    MSRS(star),
    MSRS(lstar),
    MSRS(cstar),
    MSRS(fmask),
    MSRS(kernel_gs_base),
    MSRS(pat),
    MSRS(tsc_aux),
    MSRS(mtrr_def_type),
    MSRS(mtrr_fix[0]),
    MSRS(mtrr_fix[10]),
    MSRS(mtrr_phys[0]),
    MSRS(mtrr_phys[15]),
    {"xcr0", CPU_FPU, offsetof(struct cpu_state, xcr0), 8},
    FPU(fcw, 2),
    FPU(fsw, 2),
    FPU(ftw, 1),
    FPU(fop, 2),
    FPU(fip, 8),
    FPU(fdp, 8),
    FPU(mxcsr, 4),
    {"shadow", CPU_EVENTS, offsetof(struct cpu_state, events.interrupt.shadow), 1},
    EVENTS(exception.injected),
    EVENTS(exception.pending),
    EVENTS(interrupt.injected),
    EVENTS(nmi.injected),
    EVENTS(nmi.pending),
    EVENTS(nmi.masked),
    {"mp_state", CPU_MP, offsetof(struct cpu_state, mp.mp_state), 4},
};

#define SEGMENT(f)                                                                                 \
    { #f, offsetof(struct cpu_state, sregs.f) }
static const struct {
    const char *name;
    size_t offset;
} segments[] = {SEGMENT(es), SEGMENT(cs), SEGMENT(ss),  SEGMENT(ds),
                SEGMENT(fs), SEGMENT(gs), SEGMENT(ldt), SEGMENT(tr)};

static uint64_t value_of(const struct cpu_state *s, const struct field *f) {
    uint64_t value = 0;
    memcpy(&value, (const char *)s + f->offset, f->size);
    return value;
}

static bool differs(struct lockstep *l, const char *what, uint64_t a, uint64_t b) {
    if (a == b)
        return false;
    snprintf(l->why, sizeof l->why, "after %llu steps %s is %#llx and %#llx",
             (unsigned long long)l->steps, what, (unsigned long long)a, (unsigned long long)b);
    return true;
}

static bool fields_differ(struct lockstep *l, const struct cpu_state *a,
                          const struct cpu_state *b) {
    for (size_t n = 0; n < sizeof fields / sizeof *fields; n++) {
        const struct field *f = &fields[n];
        uint64_t ignore = strcmp(f->name, "rflags") ? 0 : l->ignore_flags;
        if (f->part & l->parts &&
            differs(l, f->name, value_of(a, f) & ~ignore, value_of(b, f) & ~ignore))
            return true;
    }
    return false;
}

/* A CS that was loaded in real mode is data on Intel's parts (volume 3A, table 9-1),
 * and nobody can tell; loaded in protected mode it is always code. */
static unsigned type_bits(const struct lockstep *l, const char *name, const struct kvm_segment *a,
                          const struct kvm_segment *b) {
    enum { ACCESSED = 1, CODE = 8 };
    bool from_real = !strcmp(name, "cs") && !(a->type & b->type & CODE);
    return 15u & ~(l->ignore_accessed ? ACCESSED : 0u) & ~(from_real ? CODE : 0u);
}

/* Of an unusable register only the selector means anything. */
static bool segment_differs(struct lockstep *l, const char *name, const struct kvm_segment *a,
                            const struct kvm_segment *b) {
    char what[16];
    unsigned types = type_bits(l, name, a, b);
    snprintf(what, sizeof what, "%s", name);
    if (differs(l, what, a->selector, b->selector))
        return true;
    if (l->ignore_null && a->selector < 4 && (a->unusable || b->unusable))
        return false;
    if (differs(l, what, a->unusable, b->unusable))
        return true;
    if (a->unusable)
        return false;
    return differs(l, what, a->base, b->base) || differs(l, what, a->limit, b->limit) ||
           differs(l, what, a->type & types, b->type & types) || differs(l, what, a->dpl, b->dpl) ||
           differs(l, what, a->db, b->db) || differs(l, what, a->s, b->s) ||
           differs(l, what, a->l, b->l) ||
           differs(l, what, a->present, b->present);
}

static bool segments_differ(struct lockstep *l, const struct cpu_state *a,
                            const struct cpu_state *b) {
    for (size_t n = 0; l->parts & CPU_SREGS && n < sizeof segments / sizeof *segments; n++)
        if (segment_differs(l, segments[n].name,
                            (const void *)((const char *)a + segments[n].offset),
                            (const void *)((const char *)b + segments[n].offset)))
            return true;
    return false;
}

static bool vectors_differ(struct lockstep *l, const struct fpu_image *a, const struct fpu_image *b) {
    char what[16];
    for (unsigned n = 0; n < 8; n++) {
        snprintf(what, sizeof what, "st%u", n);
        if (differs(l, what, a->st[n].q[0], b->st[n].q[0]) ||
            differs(l, what, a->st[n].w[4], b->st[n].w[4]))
            return true;
    }
    for (unsigned n = 0; n < 16; n++) {
        snprintf(what, sizeof what, "xmm%u", n);
        if (differs(l, what, a->xmm[n].q[0], b->xmm[n].q[0]) ||
            differs(l, what, a->xmm[n].q[1], b->xmm[n].q[1]))
            return true;
    }
    return false;
}

bool lockstep_same_memory(struct lockstep *l, const struct memory *a, const struct memory *b) {
    if (!l->memory || !memcmp(a->ram, b->ram, a->ram_size))
        return true;
    uint64_t at = 0;
    while (a->ram[at] == b->ram[at])
        at++;
    char what[40];
    snprintf(what, sizeof what, "memory at %#llx", (unsigned long long)at);
    return !differs(l, what, a->ram[at], b->ram[at]);
}

bool lockstep_same_state(struct lockstep *l, const struct cpu_state *a,
                         const struct cpu_state *b) {
    return !fields_differ(l, a, b) && !segments_differ(l, a, b) &&
           !(l->parts & CPU_FPU && vectors_differ(l, fpu_in(a), fpu_in(b)));
}

bool lockstep_same(struct lockstep *l, struct rig *a, struct rig *b) {
    return lockstep_same_state(l, rig_get(a), rig_get(b)) &&
           lockstep_same_memory(l, &a->memory, &b->memory);
}

bool lockstep(struct lockstep *l, struct rig *a, struct rig *b, uint64_t limit) {
    while (l->steps < limit) {
        enum cpu_exit_kind one = rig_step(a), other = rig_step(b);
        l->steps++;
        if (differs(l, "the exit", one, other) || !lockstep_same(l, a, b))
            return false;
        if (one != CPU_EXIT_STEPPED)
            return true;
    }
    return true;
}
