/* The register table; see registers.h. */
#include "vmm/x86/registers.h"

#include <stdio.h>
#include <string.h>

#include "vmm/x86/fpu.h"
#include "vmm/x86/x86.h"

static uint64_t load_little_endian(const uint8_t *value, unsigned bytes) {
    uint64_t n = 0;
    memcpy(&n, value, bytes);
    return n;
}

/* --- flat addresses ---------------------------------------------------------------- */

enum flat { FLAT_IP, FLAT_SP, FLAT_BP };

static const struct kvm_segment *flat_segment(const struct cpu_state *s, unsigned which) {
    return which == FLAT_IP ? &s->sregs.cs : &s->sregs.ss;
}

static const __u64 *flat_raw(const struct cpu_state *s, unsigned which) {
    return which == FLAT_IP ? &s->regs.rip : which == FLAT_SP ? &s->regs.rsp : &s->regs.rbp;
}

static uint64_t flat_base(const struct cpu_state *s, unsigned which) {
    bool wide = x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG;
    return wide ? 0 : flat_segment(s, which)->base;
}

/* A 16-bit stack uses SP and BP only; the upper halves are kept as they are. */
static uint64_t flat_mask(const struct cpu_state *s, unsigned which) {
    if (x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG)
        return UINT64_MAX;
    return which != FLAT_IP && !s->sregs.ss.db ? 0xffff : 0xffffffff;
}

static void get_flat(const struct cpu_state *s, unsigned which, uint8_t *value) {
    uint64_t raw = *flat_raw(s, which) & flat_mask(s, which);
    uint64_t linear = flat_base(s, which) + raw;
    bool wide = x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG;
    linear = wide ? linear : (uint32_t)linear;
    memcpy(value, &linear, sizeof linear);
}

static void set_flat(struct cpu_state *s, unsigned which, const uint8_t *value) {
    uint64_t mask = flat_mask(s, which), linear = load_little_endian(value, 8);
    __u64 *raw = (__u64 *)flat_raw(s, which);
    *raw = (*raw & ~mask) | ((linear - flat_base(s, which)) & mask);
}

/* --- segments ---------------------------------------------------------------------- */

enum { SEG_CS, SEG_SS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR };

static const struct kvm_segment *segment(const struct cpu_state *s, unsigned i) {
    const struct kvm_segment *const all[] = {&s->sregs.cs, &s->sregs.ss, &s->sregs.ds,
                                             &s->sregs.es, &s->sregs.fs, &s->sregs.gs,
                                             &s->sregs.ldt, &s->sregs.tr};
    return all[i];
}

static void get_selector(const struct cpu_state *s, unsigned i, uint8_t *value) {
    uint32_t selector = segment(s, i)->selector;
    memcpy(value, &selector, 4);
}

/* In real mode a new selector is a new base, as a mov to the register would be;
 * in protected mode the hidden part stays (it is in cs_cache and its like). */
static void set_selector(struct cpu_state *s, unsigned i, const uint8_t *value) {
    struct kvm_segment *seg = (struct kvm_segment *)segment(s, i);
    uint16_t selector = load_little_endian(value, 2);
    bool real = !(s->sregs.cr0 & CR0_PE) || s->regs.rflags & FLAG_VM;
    if (real && selector != seg->selector && i < SEG_LDTR)
        seg->base = selector * 16u;
    seg->selector = selector;
}

/* Bits of `attr`, as in a descriptor's second word from bit 8 on (3.4.5). */
static uint32_t attributes(const struct kvm_segment *g) {
    return g->type | g->s << 4 | g->dpl << 5 | g->present << 7 | g->avl << 8 | g->l << 9 |
           g->db << 10 | g->g << 11 | g->unusable << 12;
}

static void get_cache(const struct cpu_state *s, unsigned i, uint8_t *value, unsigned base_size) {
    const struct kvm_segment *g = segment(s, i);
    uint32_t selector = g->selector, attr = attributes(g);
    memcpy(value, &selector, 4);
    memcpy(value + 4, &g->base, base_size);
    memcpy(value + 4 + base_size, &g->limit, 4);
    memcpy(value + 8 + base_size, &attr, 4);
}

static void set_cache(struct cpu_state *s, unsigned i, const uint8_t *value, unsigned base_size) {
    uint32_t a = load_little_endian(value + 8 + base_size, 4);
    *(struct kvm_segment *)segment(s, i) = (struct kvm_segment){
        .selector = load_little_endian(value, 2), .base = load_little_endian(value + 4, base_size),
        .limit = load_little_endian(value + 4 + base_size, 4), .type = a & 15, .s = a >> 4 & 1,
        .dpl = a >> 5 & 3, .present = a >> 7 & 1, .avl = a >> 8 & 1, .l = a >> 9 & 1,
        .db = a >> 10 & 1, .g = a >> 11 & 1, .unusable = a >> 12 & 1,
    };
}

static void get_cache32(const struct cpu_state *s, unsigned i, uint8_t *v) { get_cache(s, i, v, 4); }
static void set_cache32(struct cpu_state *s, unsigned i, const uint8_t *v) { set_cache(s, i, v, 4); }
static void get_cache64(const struct cpu_state *s, unsigned i, uint8_t *v) { get_cache(s, i, v, 8); }
static void set_cache64(struct cpu_state *s, unsigned i, const uint8_t *v) { set_cache(s, i, v, 8); }

static const struct kvm_dtable *table(const struct cpu_state *s, unsigned i) {
    return i == 0 ? &s->sregs.gdt : &s->sregs.idt;
}

static void get_table(const struct cpu_state *s, unsigned i, uint8_t *value, unsigned base_size) {
    uint32_t limit = table(s, i)->limit;
    memcpy(value, &table(s, i)->base, base_size);
    memcpy(value + base_size, &limit, 4);
}

static void set_table(struct cpu_state *s, unsigned i, const uint8_t *value, unsigned base_size) {
    struct kvm_dtable *t = (struct kvm_dtable *)table(s, i);
    t->base = load_little_endian(value, base_size);
    t->limit = load_little_endian(value + base_size, 2);
}

static void get_table32(const struct cpu_state *s, unsigned i, uint8_t *v) { get_table(s, i, v, 4); }
static void set_table32(struct cpu_state *s, unsigned i, const uint8_t *v) { set_table(s, i, v, 4); }
static void get_table64(const struct cpu_state *s, unsigned i, uint8_t *v) { get_table(s, i, v, 8); }
static void set_table64(struct cpu_state *s, unsigned i, const uint8_t *v) { set_table(s, i, v, 8); }

/* --- the mode ------------------------------------------------------------------------ */

static void get_mode(const struct cpu_state *s, unsigned i, uint8_t *value) {
    (void)i;
    uint32_t mode = x86_mode(&s->sregs, s->regs.rflags);
    memcpy(value, &mode, 4);
}

/* --- x87 (gdb's eight control registers; FXSAVE, 10.5.1) -------------------------------- */

/* The full tag word from the abridged one: 00 valid, 01 zero, 10 special, 11 empty. */
static uint32_t full_tag(const struct fpu_image *f) {
    uint32_t tags = 0;
    unsigned top = f->fsw >> 11 & 7;
    for (unsigned physical = 0; physical < 8; physical++) {
        const uint8_t *st = f->st[(physical - top) & 7].b;
        unsigned exponent = (st[8] | st[9] << 8) & 0x7fff;
        uint64_t mantissa = load_little_endian(st, 8);
        unsigned tag = 0;
        if (!(f->ftw >> physical & 1))
            tag = 3;
        else if (exponent == 0 && mantissa == 0)
            tag = 1;
        else if (exponent == 0x7fff || exponent == 0 || !(mantissa >> 63))
            tag = 2;
        tags |= tag << (2 * physical);
    }
    return tags;
}

static void get_fctl(const struct cpu_state *s, unsigned i, uint8_t *value) {
    const struct fpu_image *f = fpu_in(s);
    const uint32_t all[8] = {f->fcw, f->fsw, full_tag(f), f->fcs, f->fip, f->fds, f->fdp, f->fop};
    memcpy(value, &all[i], 4);
}

static void set_tag(struct fpu_image *f, uint32_t tags) {
    f->ftw = 0;
    for (unsigned n = 0; n < 8; n++)
        f->ftw |= ((tags >> (2 * n) & 3) != 3) << n;
}

/* A selector as it is written: the pointer has 48 bits then. */
static void set_fctl(struct cpu_state *s, unsigned i, const uint8_t *value) {
    struct fpu_image *f = fpu_of(s);
    uint32_t v = load_little_endian(value, 4);
    switch (i) {
    case 0: f->fcw = v; break;
    case 1: f->fsw = v; break;
    case 2: set_tag(f, v); break;
    case 3: f->fcs = v, f->fip_high = v >> 16; break;
    case 4: f->fip = v; break;
    case 5: f->fds = v, f->fdp_high = v >> 16; break;
    case 6: f->fdp = v; break;
    case 7: f->fop = v; break;
    }
}

/* --- types ------------------------------------------------------------------------------ */

static const struct reg_field eflags_bits[] = {
    {"CF", 0, 0, NULL},   {"", 1, 1, NULL},     {"PF", 2, 2, NULL},   {"AF", 4, 4, NULL},
    {"ZF", 6, 6, NULL},   {"SF", 7, 7, NULL},   {"TF", 8, 8, NULL},   {"IF", 9, 9, NULL},
    {"DF", 10, 10, NULL}, {"OF", 11, 11, NULL}, {"IOPL", 12, 13, "uint32"},
    {"NT", 14, 14, NULL}, {"RF", 16, 16, NULL}, {"VM", 17, 17, NULL}, {"AC", 18, 18, NULL},
    {"VIF", 19, 19, NULL}, {"VIP", 20, 20, NULL}, {"ID", 21, 21, NULL}, {0}};
static const struct reg_field cr0_bits[] = {
    {"PE", 0, 0, NULL},   {"MP", 1, 1, NULL},   {"EM", 2, 2, NULL},   {"TS", 3, 3, NULL},
    {"ET", 4, 4, NULL},   {"NE", 5, 5, NULL},   {"WP", 16, 16, NULL}, {"AM", 18, 18, NULL},
    {"NW", 29, 29, NULL}, {"CD", 30, 30, NULL}, {"PG", 31, 31, NULL}, {0}};
static const struct reg_field cr3_bits[] = {
    {"PWT", 3, 3, NULL}, {"PCD", 4, 4, NULL}, {"PDBR", 12, 31, "uint32"}, {0}};
static const struct reg_field cr4_bits[] = {
    {"VME", 0, 0, NULL},  {"PVI", 1, 1, NULL},    {"TSD", 2, 2, NULL},
    {"DE", 3, 3, NULL},   {"PSE", 4, 4, NULL},    {"PAE", 5, 5, NULL},
    {"MCE", 6, 6, NULL},  {"PGE", 7, 7, NULL},    {"PCE", 8, 8, NULL},
    {"OSFXSR", 9, 9, NULL}, {"OSXMMEXCPT", 10, 10, NULL}, {"UMIP", 11, 11, NULL},
    {"LA57", 12, 12, NULL}, {"VMXE", 13, 13, NULL}, {"FSGSBASE", 16, 16, NULL},
    {"PCIDE", 17, 17, NULL}, {"OSXSAVE", 18, 18, NULL}, {"SMEP", 20, 20, NULL},
    {"SMAP", 21, 21, NULL}, {"PKE", 22, 22, NULL}, {0}};
static const struct reg_field efer_bits[] = {
    {"SCE", 0, 0, NULL}, {"LME", 8, 8, NULL}, {"LMA", 10, 10, NULL}, {"NXE", 11, 11, NULL},
    {"SVME", 12, 12, NULL}, {0}};
static const struct reg_field attr_bits[] = {
    {"type", 0, 3, "uint32"}, {"S", 4, 4, NULL}, {"DPL", 5, 6, "uint32"}, {"P", 7, 7, NULL},
    {"AVL", 8, 8, NULL},      {"L", 9, 9, NULL}, {"DB", 10, 10, NULL},    {"G", 11, 11, NULL},
    {"unusable", 12, 12, NULL}, {0}};
static const struct reg_field dr6_bits[] = {
    {"B0", 0, 0, NULL},   {"B1", 1, 1, NULL},   {"B2", 2, 2, NULL},  {"B3", 3, 3, NULL},
    {"BD", 13, 13, NULL}, {"BS", 14, 14, NULL}, {"BT", 15, 15, NULL}, {0}};
static const struct reg_field dr7_bits[] = {
    {"L0", 0, 0, NULL}, {"G0", 1, 1, NULL}, {"L1", 2, 2, NULL}, {"G1", 3, 3, NULL},
    {"L2", 4, 4, NULL}, {"G2", 5, 5, NULL}, {"L3", 6, 6, NULL}, {"G3", 7, 7, NULL},
    {"LE", 8, 8, NULL}, {"GE", 9, 9, NULL}, {"GD", 13, 13, NULL},
    {"RW0", 16, 17, "uint32"}, {"LEN0", 18, 19, "uint32"}, {"RW1", 20, 21, "uint32"},
    {"LEN1", 22, 23, "uint32"}, {"RW2", 24, 25, "uint32"}, {"LEN2", 26, 27, "uint32"},
    {"RW3", 28, 29, "uint32"}, {"LEN3", 30, 31, "uint32"}, {0}};
static const struct reg_field table_fields[] = {
    {"base", -1, 0, "data_ptr"}, {"limit", -1, 0, "uint32"}, {0}};
static const struct reg_field cache_fields[] = {{"sel", -1, 0, "uint32"},
                                                {"base", -1, 0, "data_ptr"},
                                                {"limit", -1, 0, "uint32"},
                                                {"attr", -1, 0, "x86_attr"}, {0}};
static const struct reg_field mode_values[] = {
    {"REAL16", MODE_REAL, 0, NULL},         {"VM86", MODE_VM86, 0, NULL},
    {"PROT16", MODE_PROT16, 0, NULL},       {"PROT32", MODE_PROT32, 0, NULL},
    {"COMPAT16", MODE_COMPAT16, 0, NULL},   {"COMPAT32", MODE_COMPAT32, 0, NULL},
    {"LONG64", MODE_LONG, 0, NULL},         {0}};
static const struct reg_field mxcsr_bits[] = {
    {"IE", 0, 0, NULL},   {"DE", 1, 1, NULL},   {"ZE", 2, 2, NULL},   {"OE", 3, 3, NULL},
    {"UE", 4, 4, NULL},   {"PE", 5, 5, NULL},   {"DAZ", 6, 6, NULL},  {"IM", 7, 7, NULL},
    {"DM", 8, 8, NULL},   {"ZM", 9, 9, NULL},   {"OM", 10, 10, NULL}, {"UM", 11, 11, NULL},
    {"PM", 12, 12, NULL}, {"FZ", 15, 15, NULL}, {0}};
static const struct reg_field xmm_views[] = {
    {"v4_float", -1, 0, "v4f"}, {"v2_double", -1, 0, "v2d"}, {"v16_int8", -1, 0, "v16i8"},
    {"v8_int16", -1, 0, "v8i16"}, {"v4_int32", -1, 0, "v4i32"}, {"v2_int64", -1, 0, "v2i64"},
    {"uint128", -1, 0, "uint128"}, {0}};

static const struct reg_type types[] = {
    {REG_FLAGS, "i386_eflags", 4, NULL, eflags_bits},
    {REG_VECTOR, "v4f", 4, "ieee_single", NULL},
    {REG_VECTOR, "v2d", 2, "ieee_double", NULL},
    {REG_VECTOR, "v16i8", 16, "int8", NULL},
    {REG_VECTOR, "v8i16", 8, "int16", NULL},
    {REG_VECTOR, "v4i32", 4, "int32", NULL},
    {REG_VECTOR, "v2i64", 2, "int64", NULL},
    {REG_UNION, "vec128", 16, NULL, xmm_views},
    {REG_FLAGS, "i386_mxcsr", 4, NULL, mxcsr_bits},
    {REG_FLAGS, "x86_cr0", 4, NULL, cr0_bits},
    {REG_FLAGS, "x86_cr3", 4, NULL, cr3_bits},
    {REG_FLAGS, "x86_cr4", 4, NULL, cr4_bits},
    {REG_FLAGS, "x86_efer", 4, NULL, efer_bits},
    {REG_FLAGS, "x86_attr", 4, NULL, attr_bits},
    {REG_FLAGS, "x86_dr6", 4, NULL, dr6_bits},
    {REG_FLAGS, "x86_dr7", 4, NULL, dr7_bits},
    {REG_STRUCT, "x86_table", 0, NULL, table_fields},
    {REG_STRUCT, "x86_segment", 0, NULL, cache_fields},
    {REG_ENUM, "x86_mode", 4, NULL, mode_values},
    {REG_FLAGS, NULL, 0, NULL, NULL}};

/* --- the tables --------------------------------------------------------------------------- */

#define CORE "org.gnu.gdb.i386.core"
#define SSE "org.gnu.gdb.i386.sse"
#define SYSTEM "org.minikvm.x86.system"
#define VALUES "org.minikvm.x86.values"
#define AT(member) offsetof(struct cpu_state, member)
#define FLAT (CPU_REGS | CPU_SREGS)

/* Rows of one kind. A GPR is as wide as the layout. */
#define GPR(n, w, reg)                                                                             \
    {.name = n, .bits = w, .type = w == 64 ? "int64" : "int32", .feature = CORE,                   \
     .group = "general", .core = true, .parts = CPU_REGS, .offset = AT(regs.reg), .size = w / 8}
#define POINTER(n, w, t, which, raw_parts)                                                         \
    {.name = n, .bits = w, .type = t, .feature = CORE, .group = "general", .core = true,           \
     .expedite = true, .parts = raw_parts, .get = get_flat, .set = set_flat, .index = which}
#define SELECTOR(n, i)                                                                             \
    {.name = n, .bits = 32, .type = "int32", .feature = CORE, .group = "general", .core = true,    \
     .parts = CPU_SREGS | CPU_REGS, .get = get_selector, .set = set_selector, .index = i}
#define EFLAGS                                                                                     \
    {.name = "eflags", .bits = 32, .type = "i386_eflags", .feature = CORE, .group = "general",     \
     .core = true, .parts = CPU_REGS, .offset = AT(regs.rflags), .size = 4}
#define SEGMENTS                                                                                   \
    SELECTOR("cs", SEG_CS), SELECTOR("ss", SEG_SS), SELECTOR("ds", SEG_DS),                        \
        SELECTOR("es", SEG_ES), SELECTOR("fs", SEG_FS), SELECTOR("gs", SEG_GS)
#define ST(n)                                                                                      \
    {.name = "st" #n, .bits = 80, .type = "i387_ext", .feature = CORE, .group = "float",           \
     .core = true, .parts = CPU_FPU, .offset = AT_XSAVE(fpu.st[n]), .size = 10}
#define FCTL(n, i)                                                                                 \
    {.name = n, .bits = 32, .type = "int", .feature = CORE, .group = "float", .core = true,        \
     .parts = CPU_FPU, .get = get_fctl, .set = set_fctl, .index = i}
#define X87                                                                                        \
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7), FCTL("fctrl", 0), FCTL("fstat", 1),    \
        FCTL("ftag", 2), FCTL("fiseg", 3), FCTL("fioff", 4), FCTL("foseg", 5), FCTL("fooff", 6),   \
        FCTL("fop", 7)
#define XMM(n)                                                                                     \
    {.name = "xmm" #n, .bits = 128, .type = "vec128", .feature = SSE, .group = "vector",           \
     .core = true, .parts = CPU_FPU, .offset = AT_XSAVE(fpu.xmm[n]), .size = 16}
#define XMM_LOW XMM(0), XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7)
#define XMM_HIGH XMM(8), XMM(9), XMM(10), XMM(11), XMM(12), XMM(13), XMM(14), XMM(15)
#define MXCSR                                                                                      \
    {.name = "mxcsr", .bits = 32, .type = "i386_mxcsr", .feature = SSE, .group = "vector",         \
     .core = true, .parts = CPU_FPU, .offset = AT_XSAVE(fpu.mxcsr), .size = 4}
#define SYS(n, w, t, p, member)                                                                    \
    {.name = n, .bits = w, .type = t, .feature = SYSTEM, .group = "system", .parts = p,            \
     .offset = AT(member), .size = (w) / 8}
#define TABLE(n, w, i)                                                                             \
    {.name = n, .bits = w + 32, .type = "x86_table", .feature = SYSTEM, .group = "system",         \
     .parts = CPU_SREGS, .get = get_table##w, .set = set_table##w, .index = i}
#define CACHE(n, w, i)                                                                             \
    {.name = n, .bits = w + 96, .type = "x86_segment", .feature = SYSTEM, .group = "system",       \
     .parts = CPU_SREGS, .get = get_cache##w, .set = set_cache##w, .index = i}
#define SYSTEM_ROWS(w)                                                                             \
    SYS("cr0", 32, "x86_cr0", CPU_SREGS, sregs.cr0),                                               \
        SYS("cr2", w, "data_ptr", CPU_SREGS, sregs.cr2),                                           \
        SYS("cr3", 32, "x86_cr3", CPU_SREGS, sregs.cr3),                                           \
        SYS("cr4", 32, "x86_cr4", CPU_SREGS, sregs.cr4),                                           \
        SYS("efer", 32, "x86_efer", CPU_SREGS, sregs.efer), TABLE("gdtr", w, 0),                   \
        TABLE("idtr", w, 1), CACHE("ldtr", w, SEG_LDTR), CACHE("tr", w, SEG_TR),                   \
        CACHE("cs_cache", w, SEG_CS), CACHE("ss_cache", w, SEG_SS), CACHE("ds_cache", w, SEG_DS),  \
        CACHE("es_cache", w, SEG_ES), CACHE("fs_cache", w, SEG_FS), CACHE("gs_cache", w, SEG_GS),  \
        SYS("dr0", w, "data_ptr", CPU_DEBUGREGS, debugregs.db[0]),                                 \
        SYS("dr1", w, "data_ptr", CPU_DEBUGREGS, debugregs.db[1]),                                 \
        SYS("dr2", w, "data_ptr", CPU_DEBUGREGS, debugregs.db[2]),                                 \
        SYS("dr3", w, "data_ptr", CPU_DEBUGREGS, debugregs.db[3]),                                 \
        SYS("dr6", 32, "x86_dr6", CPU_DEBUGREGS, debugregs.dr6),                                   \
        SYS("dr7", 32, "x86_dr7", CPU_DEBUGREGS, debugregs.dr7),                                   \
        SYS("raw_ip", w, "uint" #w, CPU_REGS | CPU_MP, regs.rip),                                  \
        SYS("raw_sp", w, "uint" #w, CPU_REGS, regs.rsp),                                           \
        SYS("raw_bp", w, "uint" #w, CPU_REGS, regs.rbp), {                                         \
        .name = "cpumode", .bits = 32, .type = "x86_mode", .feature = SYSTEM, .group = "system",   \
        .parts = FLAT, .get = get_mode                                                             \
    }

/* Plain integers, which gdb's compiler of conditions takes where it refuses the register
 * itself: flags, enums and structs. Parts of a plain one need no row: a cast does,
 * (char)$eax. gdb lists every row in `info registers`, so there are no more than these. */
#define VALUE(n, w, p)                                                                             \
    .name = n, .bits = w, .type = "uint" #w, .feature = VALUES, .group = "values", .view = true,   \
    .parts = p
#define FLAGS_VALUE(n, p, at)                                                                      \
    {VALUE(n "_value", 32, p), .offset = (at), .size = 4}
#define BASE(n, w, member) {VALUE(n "_base", w, CPU_SREGS), .offset = AT(member.base), .size = w / 8}
#define VALUE_ROWS(w)                                                                              \
    FLAGS_VALUE("eflags", CPU_REGS, AT(regs.rflags)), FLAGS_VALUE("mxcsr", CPU_FPU, AT_XSAVE(fpu.mxcsr)), \
        FLAGS_VALUE("cr0", CPU_SREGS, AT(sregs.cr0)), FLAGS_VALUE("cr3", CPU_SREGS, AT(sregs.cr3)),\
        FLAGS_VALUE("cr4", CPU_SREGS, AT(sregs.cr4)), FLAGS_VALUE("efer", CPU_SREGS, AT(sregs.efer)),\
        FLAGS_VALUE("dr6", CPU_DEBUGREGS, AT(debugregs.dr6)),                                      \
        FLAGS_VALUE("dr7", CPU_DEBUGREGS, AT(debugregs.dr7)),                                      \
        {VALUE("cpumode_value", 32, FLAT), .get = get_mode},                                       \
        BASE("cs", w, sregs.cs), BASE("ss", w, sregs.ss), BASE("ds", w, sregs.ds),                 \
        BASE("es", w, sregs.es), BASE("fs", w, sregs.fs), BASE("gs", w, sregs.gs)

static const struct reg regs32[] = {
    GPR("eax", 32, rax), GPR("ecx", 32, rcx), GPR("edx", 32, rdx), GPR("ebx", 32, rbx),
    POINTER("esp", 32, "data_ptr", FLAT_SP, FLAT), POINTER("ebp", 32, "data_ptr", FLAT_BP, FLAT),
    GPR("esi", 32, rsi), GPR("edi", 32, rdi),
    POINTER("eip", 32, "code_ptr", FLAT_IP, FLAT | CPU_MP), EFLAGS, SEGMENTS, X87, XMM_LOW, MXCSR,
    SYSTEM_ROWS(32), VALUE_ROWS(32)};

static const struct reg regs64[] = {
    GPR("rax", 64, rax), GPR("rbx", 64, rbx), GPR("rcx", 64, rcx), GPR("rdx", 64, rdx),
    GPR("rsi", 64, rsi), GPR("rdi", 64, rdi),
    POINTER("rbp", 64, "data_ptr", FLAT_BP, FLAT), POINTER("rsp", 64, "data_ptr", FLAT_SP, FLAT),
    GPR("r8", 64, r8), GPR("r9", 64, r9), GPR("r10", 64, r10), GPR("r11", 64, r11),
    GPR("r12", 64, r12), GPR("r13", 64, r13), GPR("r14", 64, r14), GPR("r15", 64, r15),
    POINTER("rip", 64, "code_ptr", FLAT_IP, FLAT | CPU_MP), EFLAGS, SEGMENTS, X87, XMM_LOW,
    XMM_HIGH, MXCSR, SYSTEM_ROWS(64), VALUE_ROWS(64)};

static const struct reg_layout layouts[] = {
    {regs32, sizeof regs32 / sizeof *regs32, types, 32},
    {regs64, sizeof regs64 / sizeof *regs64, types, 64},
};

const struct reg_layout *register_layout(unsigned bits) { return &layouts[bits == 64]; }

/* --- access ---------------------------------------------------------------------------------- */

bool register_is_flat(const struct reg *r) { return r->get == get_flat; }

/* Flat addresses as a debugger has them: 32-bit ones where they are shifted. */
static void move(const struct reg *r, uint64_t shift, uint8_t *value) {
    if (!register_is_flat(r) || !shift)
        return;
    uint64_t moved = (uint32_t)(load_little_endian(value, 8) + shift);
    memcpy(value, &moved, 8);
}

void register_get(const struct cpu_state *s, const struct reg *r, uint64_t shift, uint8_t *value) {
    uint8_t whole[64] = {0};
    if (r->size)
        memcpy(whole, (const char *)s + r->offset, r->size);
    else
        r->get(s, r->index, whole);
    move(r, -shift, whole);
    memcpy(value, whole, (r->bits + 7) / 8);
}

bool register_is_writable(const struct reg *r) { return r->size || r->set; }

void register_set(struct cpu_state *s, const struct reg *r, uint64_t shift, const uint8_t *value) {
    uint8_t whole[64] = {0};
    memcpy(whole, value, (r->bits + 7) / 8);
    move(r, shift, whole);
    if (r->size)
        memcpy((char *)s + r->offset, whole, r->size);
    else
        r->set(s, r->index, whole);
}

const struct reg *register_find(const struct reg_layout *layout, const char *name) {
    for (unsigned i = 0; i < layout->count; i++)
        if (!strcmp(layout->regs[i].name, name))
            return &layout->regs[i];
    return NULL;
}

const struct reg_type *register_type(const struct reg_layout *layout, const char *id) {
    for (const struct reg_type *t = layout->types; t->id; t++)
        if (!strcmp(t->id, id))
            return t;
    return NULL;
}

void register_flags(const struct reg_type *type, uint64_t value, char *out, size_t size) {
    size_t n = snprintf(out, size, "[");
    for (const struct reg_field *f = type->fields; f->name && n < size; f++) {
        uint64_t bits = value >> f->start & ((2ull << (f->end - f->start)) - 1);
        if (!bits || !*f->name)
            continue;
        if (f->end > f->start)
            n += snprintf(out + n, size - n, " %s=%llu", f->name, (unsigned long long)bits);
        else
            n += snprintf(out + n, size - n, " %s", f->name);
    }
    if (n < size)
        snprintf(out + n, size - n, " ]");
}
