/* A machine in a random state of one mode; see streams.h for its memory. */
#include "streams.h"
#include "vmm/memory/layout.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/msr.h"

const struct stream_mode stream_modes[] = {
    {.name = "real"},
    {.name = "prot16", .protected = true, .code16 = true},
    {.name = "prot32", .protected = true},
    {.name = "segments", .needs = KVM_LIMITS, .protected = true, .odd_segments = true},
    {.name = "ring3", .protected = true, .user = true},
    {.name = "ring3-segments", .needs = KVM_LIMITS, .protected = true, .user = true,
     .odd_segments = true},
    {.name = "vm86", .needs = KVM_VM86, .protected = true, .user = true, .vm86 = true},
    {.name = "paging", .needs = KVM_PAGING, .protected = true, .paging = true},
    {.name = "ring3-paging", .needs = KVM_PAGING, .protected = true, .user = true, .paging = true},
    {.name = "vm86-paging", .needs = KVM_VM86 | KVM_PAGING, .protected = true, .user = true,
     .vm86 = true, .paging = true},
    {.name = "long", .protected = true, .paging = true, .long_mode = true},
    {.name = "compat", .protected = true, .paging = true, .long_mode = true, .compat = true},
    {.name = "ring3-long", .needs = KVM_PAGING, .protected = true, .user = true, .paging = true,
     .long_mode = true},
    {.name = "ring3-fpu", .needs = KVM_PAGING, .protected = true, .user = true, .fpu = true},
    {.name = "ring3-long-fpu", .protected = true, .user = true, .paging = true, .long_mode = true,
     .fpu = true},
};
const unsigned stream_mode_count = sizeof stream_modes / sizeof *stream_modes;

/* --- chance --- */

/* SplitMix64: neighbouring seeds give unlike numbers. */
uint32_t any(struct chance *c) {
    uint64_t z = c->state += 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return (uint32_t)(z ^ z >> 31);
}

void chance_start(struct chance *c, uint64_t seed) {
    c->state = seed * 0xD1342543DE82EF95;
    any(c);
}

uint32_t below(struct chance *c, uint32_t limit) { return any(c) % limit; }

uint16_t any_selector(struct chance *c) {
    if (one_in(c, 16))
        return (uint16_t)any(c);
    if (one_in(c, 8))
        return (uint16_t)(below(c, 5) * 8 | 4 | below(c, 4)); /* LDT */
    return (uint16_t)(below(c, 32) * 8 | (one_in(c, 2) ? below(c, 4) : 0));
}

uint32_t any_value(struct chance *c) {
    static const uint32_t edges[] = {0,      1,      2,          0x7F,       0x80,       0xFF,
                                     0x7FFF, 0x8000, 0xFFFF,     0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
                                     0x10,   0x1F,   0x20,       0x99,       9};
    switch (below(c, 12)) {
    case 0: case 1: return edges[below(c, sizeof edges / sizeof *edges)];
    case 2: return DATA_AT + below(c, DATA_SIZE);
    case 3: return any_selector(c);
    case 4: return HLT_AT + below(c, DATA_AT - HLT_AT);
    case 5: return below(c, 64);
    default: return any(c);
    }
}

/* --- descriptor tables --- */

static uint64_t gate(unsigned selector, uint32_t offset, unsigned type, unsigned parameters) {
    return (offset & 0xFFFF) | (uint64_t)selector << 16 | (uint64_t)parameters << 32 |
           (uint64_t)type << 40 | (uint64_t)(offset >> 16) << 48;
}

/* One of each kind. access is the descriptor's byte 5, flags its G, D and AVL.
 * The rig's five selectors come first. */
static const struct {
    uint32_t base, limit;
    uint8_t access, flags;
} segments[] = {
    {0, 0, 0, 0},
    {0, 0xFFFFF, 0x9B, 0xC},       /* 08 code */
    {0, 0xFFFFF, 0x93, 0xC},       /* 10 data */
    {0, 0xFFFFF, 0xFB, 0xC},       /* 18 code of ring 3 */
    {0, 0xFFFFF, 0xF3, 0xC},       /* 20 data of ring 3 */
    {TSS_AT, 0xFF, 0x8B, 0},       /* 28 the task */
    {0, 0xFFFF, 0x9B, 0},          /* 30 16-bit code */
    {0, 0xFFFF, 0x93, 0},          /* 38 data for a 16-bit stack */
    {0, 0xFFFFF, 0x91, 0xC},       /* 40 read-only */
    {DATA_AT, 0xFF, 0x93, 4},      /* 48 small */
    {0, 0x8FFF, 0x97, 4},          /* 50 expand-down */
    {0, 0x8FFF, 0x97, 0},          /* 58 expand-down, to 64 KiB */
    {0, 0xFFFFF, 0x9F, 0xC},       /* 60 conforming code */
    {0, 0xFFFFF, 0x99, 0xC},       /* 68 execute-only code */
    {0, 0xFFFFF, 0x13, 0xC},       /* 70 data, not present */
    {0, 0xFFFFF, 0x1B, 0xC},       /* 78 code, not present */
    {LDT_AT, 0x2F, 0x82, 0},       /* 80 the LDT */
    {TSS2_AT, 0x67, 0x89, 0},      /* 88 another task */
    {TSS16_AT, 0x2B, 0x81, 0},     /* 90 a 16-bit one */
    {0, 0, 0, 0},                  /* 98 to A8, D8 to E8: gates, below */
    {0, 0, 0, 0},
    {0, 0, 0, 0},
    {DATA_AT, 0xFFF, 0xF3, 4},     /* B0 small, of ring 3 */
    {0, 0xFFFF, 0xFB, 0},          /* B8 16-bit code of ring 3 */
    {0, 0xFFFFF, 0x92, 0xC},       /* C0 not accessed yet */
    {0, 0xFFFFF, 0x9A, 0xC},       /* C8 likewise, code */
    {0, 0xFFFFF, 0xF1, 0xC},       /* D0 read-only, of ring 3 */
    {0, 0, 0, 0},
    {0, 0, 0, 0},
    {0, 0, 0, 0},
    {0x10, 0xFFFF, 0xF3, 0},       /* F0 with a base */
    {0, 0xFFFFF, 0x88, 0xC},       /* F8 a reserved type */
};

/* In long mode there are others in their places; descriptors of the system have 16 bytes. */
static const struct {
    uint8_t at;
    uint32_t base, limit;
    uint8_t access, flags;
} segments_long[] = {
    {0x08, 0, 0xFFFFF, 0x9B, 0xA},     /* 64-bit code */
    {0x18, 0, 0xFFFFF, 0xFB, 0xA},     /* of ring 3 */
    {0x30, 0, 0, 0, 0},                /* the upper half of 28 */
    {0x38, 0, 0xFFFFF, 0x9B, 0xC},     /* code of compatibility mode */
    {0x60, 0, 0xFFFFF, 0x9F, 0xA},     /* conforming */
    {0x68, 0, 0xFFFFF, 0x99, 0xE},     /* L and D */
    {0x78, 0, 0xFFFFF, 0x1B, 0xA},     /* not present */
    {0x88, 0, 0, 0, 0},                /* the upper half of 80 */
    {0x90, TSS2_AT, 0x67, 0x89, 0},    /* another TSS */
    {0x98, 0, 0, 0, 0},
    {0xB8, 0, 0xFFFFF, 0xFB, 0xC},     /* compatibility mode of ring 3 */
    {0xC8, 0, 0xFFFFF, 0x9A, 0xA},     /* not accessed yet */
};
/* Call gates, each with an upper half. */
static const struct {
    uint8_t at, selector, access;
    uint32_t upper, type;
} gates_long[] = {
    {0xA0, 0x08, 0xEC, 0, 0},      {0xD8, 0x08, 0x6C, 0, 0}, /* not present */
    {0xE8, 0x38, 0xEC, 0, 0},      /* to compatibility mode */
};

static const struct {
    uint16_t at, selector;
    uint8_t access, parameters;
} gates[] = {
    {0x98, 0x08, 0xEC, 0}, /* a call gate */
    {0xA0, 0x08, 0xE4, 0}, /* a 16-bit one */
    {0xA8, 0x88, 0xE5, 0}, /* a task gate */
    {0xD8, 0x08, 0x6C, 0}, /* not present */
    {0xE0, 0x08, 0xEC, 2}, /* with parameters */
    {0xE8, 0x08, 0xEE, 0}, /* no gate for calls */
};

static uint64_t segment_raw(unsigned n) {
    return rig_descriptor(segments[n].base, segments[n].limit, segments[n].access,
                          segments[n].flags);
}

static uint64_t raw_in(const struct stream_mode *m, unsigned selector) {
    uint64_t raw = segment_raw(selector / 8);
    for (unsigned n = 0; m->long_mode && n < sizeof segments_long / sizeof *segments_long; n++)
        if (segments_long[n].at == (selector & ~7u))
            raw = rig_descriptor(segments_long[n].base, segments_long[n].limit,
                                 segments_long[n].access, segments_long[n].flags);
    return raw;
}

static void make_gdt_long(struct rig *r, const struct stream_mode *m) {
    for (unsigned n = 0; n < sizeof segments_long / sizeof *segments_long; n++)
        rig_gdt(r, segments_long[n].at, raw_in(m, segments_long[n].at));
    for (unsigned n = 0; n < sizeof gates_long / sizeof *gates_long; n++) {
        rig_gdt(r, gates_long[n].at, gate(gates_long[n].selector, HLT_AT + 16 * n,
                                          gates_long[n].access, 0));
        rig_gdt(r, gates_long[n].at + 8, gates_long[n].upper);
    }
}

static void make_vectors_long(struct rig *r) {
    static const uint8_t types[8] = {0x8E, 0xEE, 0x8F, 0xEF, 0xE6, 0xE7, 0x6E, 0x8C};
    for (unsigned n = 0; n < 256; n++) {
        unsigned type = n == VECTOR_BP || n == VECTOR_OF ? 0xEE : n < 32 ? 0x8E : types[n % 8];
        rig_gate64(r, n, 0x08, HANDLERS_AT + 16 * n, type, n >= 32 && n % 16 == 0);
    }
    uint64_t rsp0 = RING0_TOP, ist1 = RING0_TOP - 0x200;
    rig_put(r, TSS_AT + 4, &rsp0, 8);
    rig_put(r, TSS_AT + 0x24, &ist1, 8);
}

static void make_gdt(struct rig *r) {
    static const uint8_t local[] = {1, 1, 2, 4, 3, 0xB0 / 8};
    for (unsigned n = 0; n < sizeof segments / sizeof *segments; n++)
        rig_gdt(r, n * 8, segment_raw(n));
    for (unsigned n = 0; n < sizeof gates / sizeof *gates; n++)
        rig_gdt(r, gates[n].at, gate(gates[n].selector, HLT_AT + 16 * n, gates[n].access,
                                     gates[n].parameters));
    for (unsigned n = 0; n < sizeof local; n++) {
        uint64_t raw = segment_raw(local[n]);
        rig_put(r, LDT_AT + 8 * n, &raw, 8);
    }
}

/* Exceptions have 32-bit interrupt gates; above them is one of each kind. */
static void make_vectors(struct rig *r) {
    static const uint8_t types[8] = {0x8E, 0xEE, 0x8F, 0xEF, 0xE6, 0xE7, 0x6E, 0x8C};
    for (unsigned n = 0; n < 256; n++) {
        uint32_t entry = HANDLERS_AT + 16 * n;
        unsigned type = n == VECTOR_BP || n == VECTOR_OF ? 0xEE : n < 32 ? 0x8E : types[n % 8];
        rig_gate(r, n, 0x08, entry, type);
        rig_put32(r, 4 * n, entry);
    }
}

/* Task n's state: it would go on at a `hlt` with the flat segments. */
static void make_tasks(struct rig *r) {
    rig_put32(r, TSS_AT + 4, RING0_TOP);
    rig_put32(r, TSS_AT + 8, 0x10);
    rig_put32(r, TSS_AT + 0x64, 0x68u << 16); /* the I/O bitmap follows */
    rig_put32(r, TSS2_AT + 0x1C, DIRECTORY_AT);
    rig_put32(r, TSS2_AT + 0x20, HLT_AT + 0x100);
    rig_put32(r, TSS2_AT + 0x24, 2);
    rig_put32(r, TSS2_AT + 0x38, RING0_TOP - 0x400);
    for (unsigned at = 0x48; at <= 0x5C; at += 4)
        rig_put32(r, TSS2_AT + at, at == 0x4C ? 0x08 : 0x10);
    rig_put32(r, TSS16_AT + 0x0E, HLT_AT + 0x180);
    rig_put32(r, TSS16_AT + 0x10, 2);
    rig_put32(r, TSS16_AT + 0x1A, RING0_TOP - 0x600);
    rig_put32(r, TSS16_AT + 0x22, 0x00080010);
    rig_put32(r, TSS16_AT + 0x26, 0x00100010);
}

/* Identity, with some of the data's pages missing, read-only or the system's. */
static void make_pages(struct rig *r, struct chance *c) {
    rig_put32(r, DIRECTORY_AT, TABLE_AT | 7);
    for (uint32_t n = 0; n < 1024; n++) {
        bool data = n >= DATA_AT >> 12 && n < RING0_AT >> 12;
        unsigned rights = data && one_in(c, 3) ? below(c, 8) : 7;
        rig_put32(r, TABLE_AT + 4 * n, n << 12 | rights);
    }
}

static void make_pages_long(struct rig *r, struct chance *c) {
    uint64_t tables[3] = {DIRECTORY_AT + 0x1000, DIRECTORY_AT + 0x2000, TABLE64_AT};
    for (unsigned n = 0; n < 3; n++) {
        tables[n] |= 7;
        rig_put(r, DIRECTORY_AT + 0x1000 * n, &tables[n], 8);
    }
    for (uint64_t n = 0; n < 512; n++) {
        bool data = n >= DATA_AT >> 12 && n < RING0_AT >> 12;
        uint64_t entry = n << 12 | (data && one_in(c, 3) ? below(c, 8) : 7);
        entry |= one_in(c, 4) && data ? 1ull << 63 : 0;
        rig_put(r, TABLE64_AT + 8 * n, &entry, 8);
    }
}

/* --- what the instructions work on --- */

static void make_data(struct rig *r, struct chance *c) {
    static uint32_t words[(RING0_AT - DATA_AT) / 4];
    for (unsigned n = 0; n < sizeof words / sizeof *words; n++)
        words[n] = one_in(c, 4) ? any_value(c) : any(c);
    rig_put(r, DATA_AT, words, sizeof words);
    for (unsigned n = 0; n < 0x98 / 4; n++) /* the I/O bitmap */
        rig_put32(r, TSS_AT + 0x68 + 4 * n, one_in(c, 2) ? 0 : any(c));
}

static void make_memory(struct rig *r, const struct stream_mode *m, struct chance *c) {
    static uint8_t halts[DATA_AT - HANDLERS_AT];
    memory_clear(&r->memory);
    memset(halts, 0xF4, sizeof halts);
    rig_put(r, HANDLERS_AT, halts, sizeof halts);
    make_gdt(r);
    make_vectors(r);
    make_tasks(r);
    make_data(r, c);
    if (m->long_mode) {
        make_gdt_long(r, m);
        make_vectors_long(r);
        make_pages_long(r, c);
    } else if (m->paging) {
        make_pages(r, c);
    }
    if (r->cpu.engine->memory_changed)
        r->cpu.engine->memory_changed(&r->cpu, 0, RAM_SIZE);
    if (r->cpu.engine->flush)
        r->cpu.engine->flush(&r->cpu);
}

/* --- state --- */

static struct kvm_segment by_selector(const struct stream_mode *m, unsigned selector) {
    return x86_descriptor((uint16_t)selector, raw_in(m, selector));
}

static void real_segments(struct cpu_state *s, struct chance *c, bool vm86) {
    for (unsigned n = 0; n < 6; n++) {
        bool zero = n == 1 || n == 2 || one_in(c, 2);
        struct kvm_segment *k = state_segment(s, n);
        *k = x86_real_segment(zero ? 0 : (uint16_t)below(c, 0x1000), n == 1 && !vm86);
        if (vm86)
            k->dpl = 3;
    }
}

static unsigned data_selector(const struct stream_mode *m, struct chance *c) {
    static const uint8_t odd[2][8] = {{0x10, 0x38, 0x40, 0x48, 0x50, 0x58, 0xF0, 0x10},
                                      {0x20, 0xB0, 0xD0, 0xF0, 0x20, 0xB0, 0xD0, 0xF0}};
    unsigned rpl = m->user ? 3 : 0;
    return (m->odd_segments ? odd[m->user][below(c, 8)] : m->user ? 0x20 : 0x10) | rpl;
}

static void protected_segments(struct cpu_state *s, const struct stream_mode *m,
                               struct chance *c) {
    bool small = m->code16 || (m->odd_segments && one_in(c, 3));
    unsigned code = m->user ? (small ? 0xBB : 0x1B) : small ? 0x30 : 0x08;
    unsigned stack = m->user ? 0x23 : small ? 0x38 : 0x10;
    code = m->compat ? 0x38 : code;
    for (unsigned n = 0; n < 6; n++)
        *state_segment(s, n) = by_selector(m, n == 1 ? code : n == 2 ? stack : data_selector(m, c));
    if (m->odd_segments && one_in(c, 4))
        s->sregs.fs = (struct kvm_segment){.unusable = 1}; /* a null selector */
}

static void make_system(struct cpu_state *s, const struct stream_mode *m, struct chance *c) {
    s->sregs.tr = by_selector(m, 0x28);
    s->sregs.ldt = by_selector(m, 0x80);
    s->sregs.gdt = (struct kvm_dtable){
        .base = GDT_AT, .limit = sizeof segments / sizeof *segments * 8 - 1};
    s->sregs.idt = (struct kvm_dtable){.base = m->protected ? IDT_AT : 0,
                                       .limit = m->long_mode   ? 0xFFF
                                                : m->protected ? 0x7FF
                                                               : 0x3FF};
    s->sregs.efer = m->long_mode ? EFER_LME | EFER_LMA | EFER_SCE | EFER_NX : 0;
    /* EM: x87 is #NM and SSE #UD; modes of their own have them. */
    s->sregs.cr0 = CR0_ET | CR0_NE | (m->protected ? CR0_PE : 0) | (m->fpu ? 0 : CR0_EM);
    s->sregs.cr0 |= one_in(c, 4) ? CR0_WP : 0;
    s->sregs.cr0 |= one_in(c, 4) ? CR0_AM : 0;
    s->sregs.cr0 |= one_in(c, m->fpu ? 32 : 8) ? CR0_MP | CR0_TS : 0;
    s->sregs.cr0 |= m->paging ? CR0_PG : 0;
    s->sregs.cr3 = m->paging ? DIRECTORY_AT : 0;
    s->sregs.cr4 = (one_in(c, 8) ? CR4_TSD : 0) | (one_in(c, 8) ? CR4_DE : 0);
    s->sregs.cr4 |= m->long_mode ? CR4_PAE : 0;
    if (m->fpu)
        s->sregs.cr4 |= (one_in(c, 16) ? 0 : CR4_OSFXSR) | (one_in(c, 8) ? 0 : CR4_OSXMMEXCPT);
    s->sregs.cr8 = 0;
    s->sregs.cr2 = any(c);
    s->msrs = (struct cpu_msrs){.sysenter_cs = one_in(c, 4) ? 0 : 0x08,
                                .sysenter_esp = RING0_TOP, .sysenter_eip = HLT_AT + 0x200,
                                .star = 0x0018000800000000 /* SYSCALL to 08, SYSRET to 18 on */,
                                .lstar = HLT_AT + 0x300, .cstar = HLT_AT + 0x340,
                                .fmask = FLAG_TF | FLAG_IF, .kernel_gs_base = any(c), .pat = PAT_RESET};
    s->debugregs = (struct kvm_debugregs){.dr6 = 0xFFFF0FF0, .dr7 = 0x400};
    for (unsigned n = 0; n < 4; n++)
        s->debugregs.db[n] = any_value(c);
}

static void make_registers(struct cpu_state *s, const struct stream_mode *m, struct chance *c) {
    uint64_t flags = (any(c) & (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)) | 2;
    flags |= one_in(c, 3) ? FLAG_DF : 0;
    flags |= one_in(c, 3) ? FLAG_IF : 0;
    flags |= one_in(c, 3) ? below(c, 4) << 12 : m->vm86 && one_in(c, 2) ? FLAG_IOPL : 0;
    flags |= one_in(c, 16) ? FLAG_TF : 0;
    flags |= one_in(c, 16) ? FLAG_NT : 0;
    flags |= one_in(c, 8) ? FLAG_AC : 0;
    flags |= m->vm86 ? FLAG_VM : 0;
    s->regs = (struct kvm_regs){.rflags = flags};
    for (unsigned n = 0; n < (m->long_mode ? 16 : 8); n++)
        *state_register(s, n) = m->long_mode && !m->compat && one_in(c, 2)
                                    ? any_value(c) | (uint64_t)any(c) << 32 : any_value(c);
    s->regs.rsp = (one_in(c, 2) ? 0 : any(c) & (s->sregs.ss.db ? 0 : 0xFFFF0000)) |
                  (STACK3_AT + 0x400 + below(c, 0x1800));
}

/* --- x87, MMX, SSE --- */

static uint64_t any64(struct chance *c) { return any(c) | (uint64_t)any(c) << 32; }

/* Numbers near 1, edges of the format, integers, and anything. */
static void make_st(union st *st, struct chance *c) {
    static const uint16_t exponents[] = {0, 1, 0x3FFF, 0x403E, 0x43FE, 0x7FFE, 0x7FFF};
    st->q[0] = one_in(c, 4) ? 1ull << 63 : any64(c) | 1ull << 63;
    st->w[4] = (uint16_t)(0x3FE0 + below(c, 64));
    if (one_in(c, 4))
        st->w[4] = exponents[below(c, sizeof exponents / sizeof *exponents)];
    if (one_in(c, 12))
        st->q[0] = any64(c);
    if (st->w[4] == 0)
        st->q[0] &= one_in(c, 2) ? 0 : ~(1ull << 63);
    st->w[4] |= one_in(c, 2) ? 0x8000 : 0;
}

static void make_xmm(union xmm *xmm, struct chance *c) {
    static const uint32_t edges[] = {0, 0x80000000, 1, 0x7F800000, 0xFFC00000, 0x3F800000, 0x00800000};
    bool doubles = one_in(c, 2);
    for (unsigned n = 0; n < 4; n++) {
        uint32_t near = doubles ? 0x3FE00000 + below(c, 0x400000) : 0x3D000000 + below(c, 0x4000000);
        xmm->d[n] = doubles && !(n & 1) ? any(c) : near | (one_in(c, 2) ? 1u << 31 : 0);
        if (one_in(c, 6))
            xmm->d[n] = one_in(c, 2) ? any(c) : edges[below(c, sizeof edges / sizeof *edges)];
    }
}

/* Most of the time nothing is pending and everything is masked. */
static void make_fpu(struct cpu_state *s, struct chance *c) {
    struct fpu_image *f = fpu_of(s);
    *f = fpu_reset;
    f->fcw = one_in(c, 4) ? (uint16_t)((any(c) & 0xF7F) | 0x40) : 0x37F;
    f->fsw = (uint16_t)(any(c) & (one_in(c, 4) ? 0x7F7F & ~FSW_ES : 0x7F00));
    if (f->fsw & ~f->fcw & FCW_MASKS)
        f->fsw |= FSW_ES | FSW_B;
    f->ftw = one_in(c, 2) ? 0xFF : (uint8_t)any(c);
    f->mxcsr = one_in(c, 4) ? (any(c) & 0xE03F) | (one_in(c, 4) ? any(c) & 0x1F80 : 0x1F80) : 0x1F80;
    for (unsigned n = 0; n < 8; n++)
        make_st(&f->st[n], c);
    for (unsigned n = 0; n < (is_long(s) ? 16 : 8); n++)
        make_xmm(&f->xmm[n], c);
    xsave_of(s)->present = XSTATE_X87 | XSTATE_SSE;
}

void machine_make(struct rig *r, const struct stream_mode *m, struct chance *c) {
    struct cpu_state *s = rig_get(r);
    make_memory(r, m, c);
    make_system(s, m, c);
    if (!m->protected || m->vm86)
        real_segments(s, c, m->vm86);
    else
        protected_segments(s, m, c);
    make_registers(s, m, c);
    if (m->fpu)
        make_fpu(s, c);
    s->events = (struct kvm_vcpu_events){0};
    s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    rig_set(r);
}
