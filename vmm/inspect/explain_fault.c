/* `monitor explain`, of an instruction that ends in a fault: which, why, and where its handler is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/inspect/explain.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

/* --- which ------------------------------------------------------------------------------ */

/* One of the trial's faults, as its text names it: "#PF(0x2) for 0x1234", "int 0x63". */
struct raised {
    char name[64];
    int vector; /* -1: an interrupt */
    unsigned code;
    uint64_t address; /* of #PF */
};

/* A fault, one that its delivery ended in, and so on to the triple one. */
enum { CHAIN = 8 };

static int vector_named(const char *name) {
    for (int n = 0; n < 32; n++) {
        const char *known = vector_name((unsigned)n);
        if (*known == '#' && !strncmp(known, name, 3))
            return n;
    }
    return -1;
}

static struct raised read_fault(const char *text, size_t length) {
    struct raised f = {.vector = vector_named(text)};
    const char *number, *address;
    snprintf(f.name, sizeof f.name, "%.*s", (int)length, text);
    number = strchr(f.name, '(');
    address = strstr(f.name, " for ");
    f.code = number ? (unsigned)strtoul(number + 1, NULL, 0) : 0;
    f.address = address ? strtoull(address + 5, NULL, 0) : 0;
    return f;
}

/* In the order in which they came; the text has the last one first. */
static unsigned read_chain(const char *text, struct raised chain[CHAIN]) {
    static const char between[] = " while delivering ";
    struct raised latest[CHAIN];
    unsigned count = 0;
    for (const char *at = text; at && count < CHAIN; count++) {
        const char *end = strstr(at, between);
        latest[count] = read_fault(at, end ? (size_t)(end - at) : strlen(at));
        at = end ? end + sizeof between - 1 : NULL;
    }
    for (unsigned n = 0; n < count; n++)
        chain[n] = latest[count - 1 - n];
    return count;
}

/* --- why ------------------------------------------------------------------------------- */

/* 4.7 */
static void say_page_fault(const struct scene *c, const struct raised *f) {
    unsigned code = f->code;
    bool fetch = code & 16 || f->address - c->in.pc < INSN_MAX;
    const char *why = !(code & 1)         ? "where no page is present"
                      : code & 8          ? "by an entry with reserved bits set"
                      : (code & 20) == 20 ? "of a page that holds no code, or is the kernel's"
                                          : "to a page that does not allow it";
    text_print(c->t, ", %s in %s mode %s",
               code & 2 ? "a write"
               : fetch  ? "a fetch"
                        : "a read",
               code & 4 ? "user" : "kernel", why);
}

static unsigned gate_size(const struct scene *c) {
    const struct kvm_sregs *s = &c->s->sregs;
    return !(s->cr0 & CR0_PE) ? 4 : s->efer & EFER_LMA ? 16 : 8;
}

/* 6.12.1, 6.14.1 */
static void say_gate_trouble(const struct scene *c, unsigned vector, bool by_int) {
    const struct kvm_sregs *s = &c->s->sregs;
    unsigned size = gate_size(c), last = vector * size + size - 1;
    uint64_t gate = 0;
    if (last > s->idt.limit) {
        text_print(c->t, ", whose limit is 0x%x (0x%x is needed)", s->idt.limit, last);
        return;
    }
    if (size == 4 || !scene_read(c, s->idt.base + vector * size, &gate, 8))
        return;
    unsigned type = x86_bits(gate, 40, 5), dpl = x86_bits(gate, 45, 2), cpl = x86_cpl(s);
    bool known = type == 14 || type == 15 || (size == 8 && (type == 5 || type == 6 || type == 7));
    if (!gate)
        text_print(c->t, ", which is empty");
    else if (!known)
        text_print(c->t, ", where no gate is (type 0x%x)", type);
    else if (by_int && dpl < cpl)
        text_print(c->t, ", whose gate is for ring %u, and here is ring %u", dpl, cpl);
    else if (!x86_bits(gate, 47, 1))
        text_print(c->t, ", whose gate is not present");
}

/* What a descriptor must be, or it is #GP. */
enum asked { ANYTHING, CODE, CODE_OR_GATE };

static bool is_wrong_kind(const struct kvm_segment *d, enum asked asked) {
    enum {
        TSS_AND_CALL_OR_TASK_GATES = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12
    };
    bool code = d->s && d->type & 8, gate = !d->s && TSS_AND_CALL_OR_TASK_GATES >> d->type & 1;
    return asked != ANYTHING && !code && !(asked == CODE_OR_GATE && gate);
}

/* Not present is #NP, or #SS of the stack; for #GP something else is wrong before that. */
static void say_selector_trouble(const struct scene *c, int fault, unsigned selector,
                                 enum asked asked) {
    const struct kvm_sregs *s = &c->s->sregs;
    const struct kvm_dtable ldt = {.base = s->ldt.base, .limit = (uint16_t)s->ldt.limit};
    const struct kvm_dtable *table = selector & 4 ? &ldt : &s->gdt;
    uint64_t raw = 0;
    if ((selector | 7) > table->limit) {
        text_print(c->t, ", which lies behind its limit (0x%x)", table->limit);
        return;
    }
    if (!scene_read(c, table->base + (selector & ~7u), &raw, 8))
        return;
    struct kvm_segment d = x86_descriptor((uint16_t)selector, raw);
    if (!raw)
        text_print(c->t, ", which is empty");
    else if (is_wrong_kind(&d, asked))
        text_print(c->t, ", which is no code segment");
    else if (!d.present && fault != VECTOR_GP)
        text_print(c->t, ", which is not present");
}

/* 6.13: which descriptor it is about. */
static void say_error_code(const struct scene *c, const struct raised *f, bool by_int,
                           enum asked asked) {
    unsigned code = f->code;
    if (code & 2) {
        text_print(c->t, ", about vector 0x%02x in the IDT", code >> 3 & 0xff);
        say_gate_trouble(c, code >> 3 & 0xff, by_int);
    } else if (code & ~1u) {
        text_print(c->t, ", about selector 0x%x in the %s", code & 0xfffc,
                   code & 4 ? "LDT" : "GDT");
        say_selector_trouble(c, f->vector, code & 0xfffc, asked);
    }
}

/* What only ring 0 may do (5.9). */
static bool is_privileged(const struct insn *in) {
    enum { XSETBV = 0xd1, SWAPGS = 0xf8 };
    uint8_t modrm = insn_modrm(in);
    unsigned group = modrm >> 3 & 7;
    switch (in->opcode) {
    case 0xf4: return true; /* HLT */
    case 0x0f: break;
    default: return false;
    }
    switch (in->second) {
    case 0x00: return group == 2 || group == 3; /* LLDT LTR */
    case 0x01:                                  /* LGDT LIDT LMSW INVLPG */
        return modrm < 0xc0 || group == 6 ? (group & 2) != 0 : modrm == XSETBV || modrm == SWAPGS;
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x09: /* CLTS SYSRET INVD WBINVD */
    case 0x35: /* SYSEXIT */
    case 0x20:
    case 0x21:
    case 0x22:
    case 0x23: /* MOV CR, DR */
    case 0x30:
    case 0x32: return true; /* WRMSR RDMSR */
    default: return false;
    }
}

/* What depends on IOPL (volume 1, 18.5): ports, and the interrupt flag. */
static bool say_rights(const struct scene *c) {
    uint8_t op = c->in.opcode;
    unsigned cpl = x86_cpl(&c->s->sregs), iopl = c->s->regs.rflags >> 12 & 3;
    bool port = (op & ~0x0b) == 0xe4 || (op & ~3) == 0x6c; /* IN OUT, INS OUTS */
    bool vm86 = c->s->regs.rflags & FLAG_VM; /* there INT PUSHF POPF IRET, too (20.2.8) */
    bool flag = op == 0xfa || op == 0xfb ||
                (vm86 && (op == 0xcd || op == 0x9c || op == 0x9d || op == 0xcf));
    if (cpl > 0 && is_privileged(&c->in))
        text_print(c->t, ": it is for ring 0 only, and here is ring %u", cpl);
    else if (cpl > iopl && flag)
        text_print(c->t, ": ring %u is outside IOPL %u", cpl, iopl);
    else if (cpl > iopl && port)
        text_print(c->t,
                   ": ring %u is outside IOPL %u, and the TSS's I/O map does not allow "
                   "the port",
                   cpl, iopl);
    else
        return false;
    return true;
}

/* What the address must be a multiple of, or the instruction may raise #GP(0): of SSE operands of
 * 16 bytes, CMPXCHG16B, FXSAVE, XSAVE (Vol. 1, 4.1.1, 10.5, 13.4). */
static unsigned alignment_asked(const struct insn *in) {
    static const struct insn_span by_16[] = {
        {0x0f28, 0x0f2b}, {0x0f51, 0x0f7f}, {0x0fc2, 0x0fc7}, {0x0fd0, 0x0ffe}};
    static const uint8_t group_0fae[8] = {16, 16, 1, 1, 64, 64, 64, 1};
    if (insn_in(in, (struct insn_span){0x0fae, 0x0fae}))
        return group_0fae[insn_modrm(in) >> 3 & 7];
    return insn_in_any(in, by_16, sizeof by_16 / sizeof *by_16) ? 16 : 1;
}

static void say_alignment(const struct scene *c, uint64_t linear) {
    unsigned asked = alignment_asked(&c->in);
    if (linear % asked)
        text_print(c->t, ": linear 0x%08" PRIx64 " is no multiple of %u", linear, asked);
}

/* 5.3: segments that grow down have their limit at the other end; in 64-bit code there are no
 * limits. */
static void say_segment(const struct scene *c) {
    struct insn_place place[2];
    bool wide = x86_mode(&c->s->sregs, c->s->regs.rflags) == MODE_LONG;
    for (unsigned i = 0, count = scene_places(c, place); i < count; i++) {
        const struct kvm_segment *k = place[i].segment;
        const char *name = insn_segment_name(c->s, k);
        if (wide && !x86_is_canonical(place[i].linear))
            text_print(c->t, ": linear 0x%016" PRIx64 " is not canonical (bits 63 to 47 differ)",
                       place[i].linear);
        else if (wide)
            say_alignment(c, place[i].linear);
        if (wide)
            continue;
        bool grows_down = !(k->type & 8) && k->type & 4;
        if (k->unusable)
            text_print(c->t, ": %s is null", name);
        else if (!grows_down && place[i].offset > k->limit)
            text_print(c->t, ": the limit of %s is 0x%x", name, k->limit);
        else {
            say_alignment(c, place[i].linear);
            continue;
        }
        return;
    }
}

static bool is_far(const struct insn *in) {
    static const struct insn_span transfers[] = {{0x9a, 0x9a}, {0xca, 0xcb}, {0xea, 0xea}};
    unsigned group = insn_modrm(in) >> 3 & 7;
    return insn_in_any(in, transfers, sizeof transfers / sizeof *transfers) ||
           (in->opcode == 0xff && (group == 3 || group == 5));
}

static void say_why(const struct scene *c, const struct raised *f) {
    if (f->vector == VECTOR_PF)
        say_page_fault(c, f);
    else if (f->code)
        say_error_code(c, f, false, is_far(&c->in) ? CODE_OR_GATE : ANYTHING);
    else if ((f->vector == VECTOR_GP || f->vector == VECTOR_SS) && !say_rights(c))
        say_segment(c);
}

/* --- why a handler cannot be entered ----------------------------------------------------- */

static bool is_within(uint64_t address, uint64_t base, uint64_t limit) {
    return address - base <= limit;
}

/* What the CPU reads and writes on the way to a handler. */
static void say_page_on_the_way(const struct scene *c, const struct raised *f) {
    const struct kvm_sregs *s = &c->s->sregs;
    const char *what = is_within(f->address, s->idt.base, s->idt.limit)   ? "the IDT"
                       : is_within(f->address, s->gdt.base, s->gdt.limit) ? "the GDT"
                       : is_within(f->address, s->tr.base, s->tr.limit)   ? "the TSS"
                                                                          : "its stack";
    text_print(c->t, ", %s %s, %s", f->code & 2 ? "a write to" : "a read of", what,
               f->code & 1 ? "whose page does not allow it" : "where no page is present");
}

/* Without an error code: what the gate leads to, or where the frame goes. */
static void say_gate_leads(const struct scene *c, const struct raised *delivered) {
    const struct kvm_sregs *s = &c->s->sregs;
    uint64_t gate = 0;
    unsigned size = gate_size(c), vector = (unsigned)delivered->vector;
    if (size == 4 || delivered->vector < 0 || !scene_read(c, s->idt.base + vector * size, &gate, 8))
        return;
    const char *why = !(x86_bits(gate, 16, 16) & ~3u) ? ": the selector in its gate is null"
                      : size == 16                    ? ": the address in its gate is not canonical"
                                                      : ": its gate leads outside the code segment";
    text_print(c->t, "%s", why);
}

static void say_delivery(const struct scene *c, const struct raised *delivered,
                         const struct raised *f) {
    if (f->vector == VECTOR_PF)
        say_page_on_the_way(c, f);
    else if (f->code & ~1u)
        say_error_code(c, f, delivered->vector < 0, f->vector == VECTOR_GP ? CODE : ANYTHING);
    else if (f->vector == VECTOR_GP)
        say_gate_leads(c, delivered);
    else if (f->vector == VECTOR_SS)
        text_print(c->t, ": the frame does not fit the stack, whose pointer is 0x%llx",
                   c->s->regs.rsp);
}

static void say_next_fault(const struct scene *c, const struct raised *delivered,
                           const struct raised *f) {
    if (f->vector == VECTOR_DF) {
        text_print(c->t, ". These two are a double fault, %s", f->name);
        return;
    }
    text_print(c->t, ". %.3s has no handler that can be entered: %s", delivered->name, f->name);
    say_delivery(c, delivered, f);
}

/* Of an INT what comes instead, else the instruction's own fault. Returns how many are told. */
static unsigned say_first_fault(const struct scene *c, const struct raised *chain, unsigned count) {
    if (chain[0].vector < 0 && count > 1) {
        text_print(c->t, "It raises %s while delivering %s", chain[1].name, chain[0].name);
        say_delivery(c, &chain[0], &chain[1]);
        return 2;
    }
    text_print(c->t, "It raises %s", chain[0].name);
    say_why(c, &chain[0]);
    return 1;
}

void explain_fault(const struct scene *c) {
    struct raised chain[CHAIN];
    bool ends = c->trial.outcome == DRY_RUN_SHUTDOWN;
    unsigned count = read_chain(c->trial.text, chain);
    text_print(c->t, "%s", ends ? "It ends in a triple fault. " : "");
    for (unsigned n = say_first_fault(c, chain, count); n < count; n++)
        say_next_fault(c, &chain[n - 1], &chain[n]);
    text_print(c->t, ends ? ". " : ". Its handler: ");
    if (!ends)
        scene_say_landing(c);
}
