/* `monitor explain`, of an instruction that ends in a fault: which, why, and where its handler is. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/inspect/explain.h"
#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"

/* 4.7 */
static void say_page_fault(const struct scene *c, unsigned code) {
    bool fetch = code & 16 || c->trial.sregs.cr2 - c->in.pc < INSN_MAX;
    const char *why = !(code & 1)       ? "where no page is present"
                      : code & 8        ? "by an entry with reserved bits set"
                      : (code & 20) == 20 ? "of a page that holds no code, or is the kernel's"
                                        : "to a page that does not allow it";
    text_print(c->t, ", %s in %s mode %s", code & 2 ? "a write" : fetch ? "a fetch" : "a read",
               code & 4 ? "user" : "kernel", why);
}

/* 6.13: which descriptor it is about. */
static void say_error_code(const struct scene *c, unsigned code) {
    if (code & 2)
        text_print(c->t, ", about vector 0x%02x in the IDT", code >> 3 & 0xff);
    else if (code & ~1u)
        text_print(c->t, ", about selector 0x%x in the %s", code & 0xfffc,
                   code & 4 ? "LDT" : "GDT");
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
    case 0x06: case 0x07: case 0x08: case 0x09: /* CLTS SYSRET INVD WBINVD */
    case 0x35:                                  /* SYSEXIT */
    case 0x20: case 0x21: case 0x22: case 0x23: /* MOV CR, DR */
    case 0x30: case 0x32: return true;          /* WRMSR RDMSR */
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
        text_print(c->t, ": ring %u is outside IOPL %u, and the TSS's I/O map does not allow "
                         "the port", cpl, iopl);
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

static void say_why(const struct scene *c) {
    const char *text = dry_run_first_fault(&c->trial), *number = strchr(text, '(');
    unsigned code = number ? strtoul(number + 1, NULL, 0) : 0;
    if (!strncmp(text, "#PF", 3))
        say_page_fault(c, code);
    else if (code)
        say_error_code(c, code);
    else if ((!strncmp(text, "#GP", 3) || !strncmp(text, "#SS", 3)) && !say_rights(c))
        say_segment(c);
}

void explain_fault(const struct scene *c) {
    if (c->trial.outcome == DRY_RUN_SHUTDOWN) {
        text_print(c->t, "It ends in a triple fault: %s. ", c->trial.text);
        return;
    }
    text_print(c->t, "It raises %s", c->trial.text);
    say_why(c);
    text_print(c->t, ". Its handler: ");
    scene_say_landing(c);
}
