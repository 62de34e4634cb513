/* Descriptor tables, vectors, the TSS, and the segment registers. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/x86/descriptor.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"
#include "vmm/inspect/fill.h"

void fill_row(const struct table_sink *sink, const char *format, ...) {
    char text[TABLE_COLUMNS * CELL];
    struct table_row row = {0};
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *at = text;
    for (int i = 0; i < TABLE_COLUMNS && at; i++) {
        size_t n = strcspn(at, "\t");
        snprintf(row.cell[i], CELL, "%.*s", (int)n, at);
        at = at[n] ? at + n + 1 : NULL;
    }
    sink->row(sink->context, &row);
}

/* --- words --------------------------------------------------------------------------- */

/* System descriptors (3.5, table 3-2): outside long mode, and in it. */
static const char *const system_types[16] = {
    "reserved", "tss16",     "ldt",      "tss16 busy", "call gate16", "task gate",
    "int gate16", "trap gate16", "reserved", "tss32",    "reserved",    "tss32 busy",
    "call gate32", "reserved", "int gate32", "trap gate32"};
static const char *const system_types64[16] = {
    [2] = "ldt", [9] = "tss64", [11] = "tss64 busy", [12] = "call gate64", [14] = "int gate64",
    [15] = "trap gate64"};

static const char *system_type(unsigned type, bool wide) {
    const char *name = wide ? system_types64[type] : system_types[type];
    return name ? name : system_types[0];
}

const char *descriptor_type(const struct kvm_segment *s, bool wide) {
    if (!s->s)
        return system_type(s->type, wide);
    if (!(s->type & 8))
        return s->db ? "data32" : "data16";
    return s->l ? "code64" : s->db ? "code32" : "code16";
}

const char *descriptor_access(const struct kvm_segment *s) {
    static const char *const names[16] = {
        "R",        "R accessed",  "RW",      "RW accessed", "R down",    "R down accessed",
        "RW down",  "RW down accessed", "X",  "X accessed",  "RX",        "RX accessed",
        "X conforming", "X conforming accessed", "RX conforming", "RX conforming accessed"};
    return s->s ? names[s->type] : "";
}

static const char *const vectors[] = {
    "#DE divide error", "#DB debug", "NMI", "#BP int3", "#OF into", "#BR bound",
    "#UD invalid opcode", "#NM no FPU", "#DF double fault", "", "#TS invalid TSS",
    "#NP not present", "#SS stack fault", "#GP protection", "#PF page fault", "",
    "#MF x87", "#AC alignment", "#MC machine check", "#XM SIMD"};

const char *vector_name(unsigned vector) {
    return vector < sizeof vectors / sizeof *vectors ? vectors[vector] : "";
}

/* --- GDT and LDT ------------------------------------------------------------------------ */

static void descriptor_row(const struct table_sink *sink, uint16_t selector, const uint64_t raw[2],
                           bool wide) {
    struct kvm_segment s = x86_descriptor(selector, raw[0]);
    s.base |= raw[1] << 32;
    if (!s.present) {
        fill_row(sink, "0x%02x\t\t\t\tnot present\t0x%016" PRIx64, selector, raw[0]);
        return;
    }
    fill_row(sink, "0x%02x\t0x%08llx\t0x%08x\t%u\t%s\t%s", selector, s.base, s.limit, s.dpl,
             descriptor_type(&s, wide), descriptor_access(&s));
}

/* In long mode a system descriptor takes two slots (7.2.3). */
static void descriptors(struct machine *m, const struct table_sink *sink, uint64_t base,
                        uint32_t limit, uint16_t table_bit) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    bool lma = s->efer & EFER_LMA;
    for (uint32_t at = 0; at + 7 <= limit && at < 65536; at += 8) {
        uint64_t raw[2] = {0, 0};
        if (x86_read(&m->memory, s, base + at, raw, 8) != 8)
            return;
        bool wide = lma && raw[0] >> 47 & 1 && !(raw[0] >> 44 & 1);
        if (wide)
            x86_read(&m->memory, s, base + at + 8, &raw[1], 8);
        if (raw[0])
            descriptor_row(sink, at | table_bit, raw, wide);
        at += wide ? 8 : 0;
    }
}

/* The GDTR of power-on (base 0, limit FFFF) is no table that somebody has made. */
void fill_gdt(struct machine *m, const struct table_sink *sink) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    if (s->gdt.base || s->gdt.limit != 0xffff)
        descriptors(m, sink, s->gdt.base, s->gdt.limit, 0);
}

void fill_ldt(struct machine *m, const struct table_sink *sink) {
    const struct kvm_segment *ldt = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs.ldt;
    if (ldt->present && !ldt->unusable && ldt->selector)
        descriptors(m, sink, ldt->base, ldt->limit, 4);
}

/* --- vectors ---------------------------------------------------------------------------- */

static void real_vectors(struct machine *m, const struct table_sink *sink) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    for (unsigned v = 0; v < 256 && v * 4 + 3 <= s->idt.limit; v++) {
        uint16_t far[2];
        if (x86_read(&m->memory, s, s->idt.base + v * 4, far, 4) != 4)
            return;
        if (far[0] | far[1])
            fill_row(sink, "0x%02x\t%s\t0x%04x\t0x%04x\t0x%05x\t\treal mode", v, vector_name(v),
                     far[1], far[0], far[1] * 16 + far[0]);
    }
}

static void gate_row(struct machine *m, const struct table_sink *sink, unsigned v,
                     const uint64_t raw[2]) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    uint64_t linear = 0, offset = (raw[0] & 0xffff) | (raw[0] >> 32 & 0xffff0000) | raw[1] << 32;
    bool goes = x86_handler(&m->memory, s, v, &linear);
    fill_row(sink, "0x%02x\t%s\t0x%02x\t0x%08" PRIx64 "\t%s%0*" PRIx64 "\t%u\t%s%s", v,
             vector_name(v), (unsigned)(raw[0] >> 16 & 0xffff), offset, goes ? "0x" : "",
             goes ? 8 : 0, goes ? linear : 0, (unsigned)(raw[0] >> 45 & 3),
             system_type(raw[0] >> 40 & 15, s->efer & EFER_LMA), raw[0] >> 47 & 1 ? "" : ", not present");
}

void fill_idt(struct machine *m, const struct table_sink *sink) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    unsigned size = s->efer & EFER_LMA ? 16 : 8;
    if (!(s->cr0 & CR0_PE)) {
        real_vectors(m, sink);
        return;
    }
    for (unsigned v = 0; v < 256 && v * size + size - 1 <= s->idt.limit; v++) {
        uint64_t raw[2] = {0, 0};
        if (x86_read(&m->memory, s, s->idt.base + v * size, raw, size) != size)
            return;
        if (raw[0])
            gate_row(m, sink, v, raw);
    }
}

/* --- the TSS (7.2.1, 7.7) ---------------------------------------------------------------- */

struct tss_field {
    const char *name;
    unsigned offset, size;
};
static const struct tss_field tss32[] = {
    {"previous task", 0, 2}, {"ESP0", 4, 4},   {"SS0", 8, 2},   {"ESP1", 12, 4}, {"SS1", 16, 2},
    {"ESP2", 20, 4},         {"SS2", 24, 2},   {"CR3", 28, 4},  {"EIP", 32, 4},  {"EFLAGS", 36, 4},
    {"ESP", 56, 4},          {"CS", 76, 2},    {"SS", 80, 2},   {"LDT", 96, 2},
    {"I/O map at", 102, 2},  {NULL, 0, 0}};
static const struct tss_field tss16[] = {
    {"previous task", 0, 2}, {"SP0", 2, 2}, {"SS0", 4, 2}, {"SP1", 6, 2}, {"SS1", 8, 2},
    {"SP2", 10, 2}, {"SS2", 12, 2}, {"IP", 14, 2}, {"FLAGS", 16, 2}, {NULL, 0, 0}};
static const struct tss_field tss64[] = {
    {"RSP0", 4, 8}, {"RSP1", 12, 8}, {"RSP2", 20, 8}, {"IST1", 36, 8}, {"IST2", 44, 8},
    {"IST3", 52, 8}, {"IST4", 60, 8}, {"IST5", 68, 8}, {"IST6", 76, 8}, {"IST7", 84, 8},
    {"I/O map at", 102, 2}, {NULL, 0, 0}};

void fill_tss(struct machine *m, const struct table_sink *sink) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    bool wide = s->efer & EFER_LMA;
    if (!s->tr.selector || s->tr.unusable)
        return;
    const struct tss_field *f = wide ? tss64 : s->tr.type & 8 ? tss32 : tss16;
    fill_row(sink, "TR\t0x%02x (%s)", s->tr.selector, descriptor_type(&s->tr, wide));
    for (; f->name; f++) {
        uint64_t value = 0;
        if (f->offset + f->size - 1 <= s->tr.limit &&
            x86_read(&m->memory, s, s->tr.base + f->offset, &value, f->size) == f->size)
            fill_row(sink, "%s\t0x%0*" PRIx64, f->name, (int)(2 * f->size), value);
    }
}

/* --- segment registers ---------------------------------------------------------------------- */

void fill_segments(struct machine *m, const struct table_sink *sink) {
    const struct kvm_sregs *s = &cpu_read(&shown_vcpu(m)->cpu, CPU_SREGS)->sregs;
    const struct {
        const char *name;
        const struct kvm_segment *seg;
    } rows[] = {{"cs", &s->cs}, {"ss", &s->ss}, {"ds", &s->ds},     {"es", &s->es},
                {"fs", &s->fs}, {"gs", &s->gs}, {"ldtr", &s->ldt}, {"tr", &s->tr}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct kvm_segment *g = rows[i].seg;
        bool none = g->unusable || !g->present;
        fill_row(sink, "%s\t0x%04x\t0x%08llx\t0x%08x\t%u\t%s\t%s", rows[i].name, g->selector,
                 g->base, g->limit, g->dpl,
                 none ? "unusable" : descriptor_type(g, s->efer & EFER_LMA),
                 none ? "" : descriptor_access(g));
    }
}
