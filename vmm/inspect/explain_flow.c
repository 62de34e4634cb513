/* `monitor explain`, where control goes: far transfers, interrupts and faults.
 *
 * Rule: of the next instruction the trial tells where it leads, with all that the
 * CPU checks on the way. Of another one it is read off the tables, and less is said.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/registers.h"
#include "vmm/inspect/explain.h"
#include "vmm/inspect/inspect.h"
#include "vmm/x86/descriptor.h"

/* --- where the trial came out -------------------------------------------------------- */

static bool was_done(const struct scene *c) { return c->trial.outcome == DRY_RUN_DONE; }

static void say_new_place(const struct scene *c) {
    const struct trial *t = &c->trial;
    const struct kvm_segment *cs = &t->sregs.cs;
    enum cpu_mode mode = x86_mode(&t->sregs, t->regs.rflags);
    uint64_t linear = x86_pc(&t->regs, &t->sregs);
    if (mode == MODE_REAL || mode == MODE_VM86) {
        bool enters = mode == MODE_VM86 && scene_protected(c);
        text_print(c->t, "Goes to %04x:%04llx, linear 0x%05" PRIx64 "%s. ", cs->selector,
                   t->regs.rip, linear, enters ? ", in virtual-8086 mode" : "");
        return;
    }
    scene_say_descriptor(c, "CS becomes", cs);
    text_print(c->t, "Goes on at linear 0x%08" PRIx64 " in %u-bit code, ring %u. ", linear,
               x86_mode_bits(mode), x86_cpl(&t->sregs));
}

/* In long mode an interrupt may change stacks without a change of SS (6.14.5). */
static bool is_elsewhere(const struct scene *c) {
    enum { FRAME = 6 * 8 + 15 }; /* the most that is pushed, and RSP is aligned */
    uint64_t down = c->s->regs.rsp - c->trial.regs.rsp;
    return c->s->sregs.efer & EFER_LMA && c->s->sregs.cs.l && down > FRAME && -down > FRAME;
}

static void say_new_stack(const struct scene *c) {
    const struct trial *t = &c->trial;
    const struct kvm_sregs *old = &c->s->sregs;
    if (t->sregs.ss.selector != old->ss.selector || is_elsewhere(c) ||
        (x86_cpl(&t->sregs) != x86_cpl(old) && t->regs.rsp != c->s->regs.rsp))
        text_print(c->t, "The stack becomes %04x:%08llx. ", t->sregs.ss.selector, t->regs.rsp);
    if (t->sregs.tr.selector != old->tr.selector)
        text_print(c->t, "That is another task, of the TSS 0x%x. ", t->sregs.tr.selector);
}

static void say_landing(const struct scene *c) {
    say_new_place(c);
    say_new_stack(c);
}

/* --- faults ---------------------------------------------------------------------------- */

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
    say_landing(c);
}

/* --- far transfers ------------------------------------------------------------------------ */

static void say_gate_kind(const struct scene *c, uint16_t selector) {
    struct kvm_segment d;
    if (scene_protected(c) && scene_descriptor(c, selector, &d) && !d.s)
        text_print(c->t, "Goes through a %s. ", descriptor_type(&d, c->s->sregs.efer & EFER_LMA));
}

/* Without the checks, which are the trial's: what the tables say now. */
static void say_target(const struct scene *c, uint16_t selector, uint64_t offset) {
    struct kvm_segment d;
    bool wide = c->s->sregs.efer & EFER_LMA;
    if (!scene_protected(c)) {
        text_print(c->t, "Goes to %04x:%04" PRIx64 ", linear 0x%05" PRIx64 ". ", selector, offset,
                   selector * 16u + offset);
        return;
    }
    if (!scene_descriptor(c, selector, &d) || !d.s)
        return;
    scene_say_descriptor(c, "CS becomes", &d);
    if (!(d.type & 8))
        text_print(c->t, "That is no code segment: #GP. ");
    else
        text_print(c->t, "Goes on at linear 0x%08" PRIx64 " in %u-bit code, ring %u. ",
                   (uint64_t)((d.l ? 0 : d.base) + offset), d.l && wide ? 64 : d.db ? 32 : 16,
                   d.type & 4 ? x86_cpl(&c->s->sregs) : d.dpl);
}

static void explain_transfer(const struct scene *c, uint16_t selector, uint64_t offset) {
    say_gate_kind(c, selector);
    if (was_done(c))
        say_landing(c);
    else
        say_target(c, selector, offset);
}

void explain_far(const struct scene *c) {
    unsigned size = c->in.operand;
    explain_transfer(c, insn_immediate(&c->in, 1 + size, 2), insn_immediate(&c->in, 1, size));
}

void explain_far_indirect(const struct scene *c) {
    struct insn_place p = insn_operand(&c->in, c->s);
    uint64_t offset = 0;
    uint16_t selector;
    if (p.memory && scene_read(c, p.linear, &offset, c->in.operand) &&
        scene_read(c, p.linear + c->in.operand, &selector, 2))
        explain_transfer(c, selector, offset);
}

/* --- returns --------------------------------------------------------------------------------- */

/* What lies on the stack: ip, cs, flags, and sp, ss when the ring changes. */
static bool frame(const struct scene *c, uint64_t *slot, unsigned count) {
    const struct cpu_state *s = c->s;
    bool wide = x86_mode(&s->sregs, s->regs.rflags) == MODE_LONG;
    for (unsigned i = 0; i < count; i++) {
        uint64_t sp = s->regs.rsp + i * c->in.operand;
        sp = wide ? sp : s->sregs.ss.db ? (uint32_t)sp : (uint16_t)sp;
        slot[i] = 0;
        if (!scene_read(c, x86_linear(&s->sregs, s->regs.rflags, &s->sregs.ss, sp), &slot[i],
                        c->in.operand))
            return false;
    }
    return true;
}

static void say_return(const struct scene *c, const uint64_t *f) {
    const struct kvm_sregs *s = &c->s->sregs;
    uint64_t all[5];
    if (was_done(c)) {
        say_landing(c);
        return;
    }
    say_target(c, f[1], f[0]);
    if ((s->efer & EFER_LMA || (scene_protected(c) && (f[1] & 3) > x86_cpl(s))) &&
        c->in.opcode == 0xcf && frame(c, all, 5))
        text_print(c->t, "The stack becomes %04x:%08" PRIx64 ". ", (unsigned)all[4] & 0xffff,
                   all[3]);
}

void explain_iret(const struct scene *c) {
    uint64_t f[3];
    char flags[96];
    if (scene_protected(c) && c->s->regs.rflags & FLAG_NT && !(c->s->sregs.efer & EFER_LMA)) {
        text_print(c->t, "NT is set, so it returns to the task before. ");
        if (was_done(c))
            say_landing(c);
    } else if (!frame(c, f, 3)) {
        text_print(c->t, "The stack at SS:SP cannot be read. ");
    } else {
        register_flags(register_type(register_layout(32), "i386_eflags"), f[2], flags,
                       sizeof flags);
        text_print(c->t, "Pops %04x:%08" PRIx64 " and flags %s. ", (unsigned)f[1] & 0xffff, f[0],
                   flags);
        say_return(c, f);
    }
}

void explain_retf(const struct scene *c) {
    uint64_t f[2];
    if (frame(c, f, 2))
        say_return(c, f);
}

/* --- interrupts ------------------------------------------------------------------------------ */

/* 20.1.4 */
static void say_real_vector(const struct scene *c, unsigned vector) {
    uint32_t entry = 0;
    if (scene_read(c, c->s->sregs.idt.base + vector * 4, &entry, 4) && entry == 0)
        text_print(c->t, "It is empty (0000:0000): no handler has been set%s. ",
                   c->m->memory.rom ? "" : ", and there is no BIOS in this machine");
    if (was_done(c))
        say_landing(c);
    else
        text_print(c->t, "Goes to %04x:%04x. ", entry >> 16, entry & 0xffff);
}

/* 6.11: the kinds of gate, by the type in its descriptor. */
static void say_gate(const struct scene *c, unsigned vector) {
    const struct kvm_sregs *s = &c->s->sregs;
    uint64_t gate = 0;
    if (!scene_read(c, s->idt.base + vector * (s->efer & EFER_LMA ? 16 : 8), &gate, 8))
        return;
    unsigned type = gate >> 40 & 15, dpl = gate >> 45 & 3, ist = gate >> 32 & 7;
    if (!was_done(c) && dpl < x86_cpl(s))
        text_print(c->t, "But the gate's DPL is %u and this is ring %u: #GP instead. ", dpl,
                   x86_cpl(s));
    text_print(c->t, type == 5 ? "A task gate. " : type & 1 ? "A trap gate: IF stays. "
                                                           : "An interrupt gate: IF is cleared. ");
    if (s->efer & EFER_LMA && ist)
        text_print(c->t, "It asks for the stack IST%u of the TSS. ", ist);
}

static void explain_vector(const struct scene *c, unsigned vector) {
    uint64_t linear;
    text_print(c->t, "Vector 0x%02x. ", vector);
    if (!(c->s->sregs.cr0 & CR0_PE)) {
        say_real_vector(c, vector);
    } else if (!x86_handler(&c->m->memory, &c->s->sregs, vector, &linear)) {
        text_print(c->t, "It has no usable gate in the IDT: #GP or worse. ");
    } else if (was_done(c)) {
        say_landing(c);
        say_gate(c, vector);
    } else {
        text_print(c->t, "The handler is at linear 0x%08" PRIx64 ". ", linear);
        say_gate(c, vector);
    }
}

/* With the registers of now, so only for the instruction that is next. */
static void say_bios_call(const struct scene *c, unsigned vector) {
    char words[BIOS_WORDS];
    bool next = c->in.pc == x86_pc(&c->s->regs, &c->s->sregs);
    if (next && !scene_protected(c) && bios_explain(&c->m->bios, vector, words, sizeof words))
        text_print(c->t, "It asks the BIOS: %s. ", words);
    else if (next && !scene_protected(c) && c->m->options->rom)
        text_print(c->t, "What it asks is not said: %s. ", inspect_no_bios(c->m));
}

void explain_int(const struct scene *c) {
    explain_vector(c, insn_byte(&c->in, 1));
    say_bios_call(c, insn_byte(&c->in, 1));
}
void explain_int3(const struct scene *c) { explain_vector(c, VECTOR_BP); }

void explain_into(const struct scene *c) {
    if (c->s->regs.rflags & FLAG_OF)
        explain_vector(c, VECTOR_OF);
    else
        text_print(c->t, "OF is 0: does nothing. ");
}

/* SYSENTER, SYSEXIT, SYSCALL, SYSRET: by MSRs or registers, no table (5.8.7, 5.8.8). */
void explain_fast_call(const struct scene *c) {
    enum { SYSCALL = 0x05 };
    const struct kvm_regs *after = &c->trial.regs;
    if (!was_done(c))
        return;
    say_landing(c);
    if (c->in.second == SYSCALL)
        text_print(c->t, "RCX keeps the address to return to, 0x%llx, and R11 the flags; RSP stays 0x%llx. ",
                   after->rcx, after->rsp);
}

void explain_swapgs(const struct scene *c) {
    if (was_done(c))
        text_print(c->t, "The base of GS becomes 0x%llx, and the MSR KERNEL_GS_BASE keeps 0x%llx. ",
                   c->trial.sregs.gs.base, c->s->sregs.gs.base);
}
