/* `monitor explain`: what the instruction at an address will do, in words, with
 * the CPU's values of now.
 *
 * Rule: silence about plain arithmetic is fine; wrong words are not. An
 * explainer that cannot be sure says less.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/x86/mode.h"
#include "vmm/x86/registers.h"
#include "vmm/machine/runaway.h"
#include "vmm/inspect/explain.h"
#include "vmm/x86/descriptor.h"
#include "vmm/x86/msr.h"
#include "vmm/x86/page_walk.h"

bool scene_protected(const struct scene *c) {
    return c->s->sregs.cr0 & CR0_PE && !(c->s->regs.rflags & FLAG_VM);
}

bool scene_read(const struct scene *c, uint64_t linear, void *to, size_t n) {
    return x86_read(&c->m->memory, &c->s->sregs, linear, to, n) == n;
}

/* --- control registers --------------------------------------------------------------- */

static const char *cr_type(unsigned n) {
    return n == 0 ? "x86_cr0" : n == 3 ? "x86_cr3" : "x86_cr4";
}

static void say_bits(const struct scene *c, const char *word, unsigned cr, uint64_t bits) {
    char text[128];
    if (!bits)
        return;
    register_flags(register_type(register_layout(32), cr_type(cr)), bits, text, sizeof text);
    text_print(c->t, "%s %s. ", word, text);
}

/* The fetch after paging is turned on goes through the new tables at once. */
static void say_next_fetch(const struct scene *c, uint64_t cr0, unsigned length) {
    struct kvm_sregs after = c->s->sregs;
    struct page_walk w;
    uint64_t next = c->in.pc + length;
    after.cr0 = cr0;
    if (after.efer & EFER_LME) /* 9.8.5: PG with LME set activates long mode */
        after.efer |= EFER_LMA;
    if (x86_walk(&c->m->memory, &after, next, &w))
        text_print(c->t, "Paging goes on: the next instruction, at linear 0x%08" PRIx64
                   ", is then fetched from physical 0x%08" PRIx64 ". ", next, w.phys);
    else
        text_print(c->t, "Paging goes on, and the next instruction, at linear 0x%08" PRIx64
                   ", is not mapped: its fetch will fault (#PF). ", next);
    if (after.efer & EFER_LME)
        text_print(c->t, "EFER.LME is set, so this enters long mode; until a far jump loads a "
                         "64-bit CS it runs in compatibility mode. ");
}

static void explain_cr0(const struct scene *c, uint64_t new, unsigned length) {
    uint64_t old = c->s->sregs.cr0, on = new & ~old, off = old & ~new;
    say_bits(c, "CR0: sets", 0, on);
    say_bits(c, "CR0: clears", 0, off);
    if (on & CR0_PE)
        text_print(c->t, "Protected mode begins, but CS keeps its hidden base and its 16-bit "
                         "default: the next instructions are still 16-bit code, until a far jump "
                         "loads CS from the GDT. ");
    if (off & CR0_PE)
        text_print(c->t, "Back to real mode; CS keeps its hidden base and limit until a far "
                         "jump. ");
    if (on & CR0_PG)
        say_next_fetch(c, new, length);
    if (off & CR0_PG)
        text_print(c->t, "Paging goes off: the next instruction is fetched from physical 0x%08"
                   PRIx64 ". ", c->in.pc + length);
    if (!on && !off)
        text_print(c->t, "CR0 already has this value. ");
}

static void explain_mov_cr(const struct scene *c) {
    uint8_t modrm = insn_modrm(&c->in);
    unsigned cr = (modrm >> 3 & 7) | (c->in.rex & 4) << 1, length = c->in.prefixes + 3;
    uint64_t new = insn_register(c->s, (modrm & 7) | (c->in.rex & 1) << 3);
    if (cr == 0) {
        explain_cr0(c, new, length);
    } else if (cr == 3) {
        text_print(c->t, "CR3 becomes 0x%08" PRIx64 ": the page tables are at physical 0x%08" PRIx64
                   "%s. ", new, new & ~(uint64_t)0xfff, c->s->sregs.cr0 & CR0_PG
                   ? ", from the next access on; the TLB forgets all but global pages"
                   : ", once paging is on");
    } else if (cr == 4) {
        say_bits(c, "CR4: sets", 4, new & ~c->s->sregs.cr4);
        say_bits(c, "CR4: clears", 4, c->s->sregs.cr4 & ~new);
    }
}

/* --- tables ---------------------------------------------------------------------------- */

static void print_new_gdt(const struct scene *c, uint64_t base, uint16_t limit) {
    for (uint32_t at = 0; at + 7 <= limit && at < 8 * 8; at += 8) {
        uint64_t raw;
        if (!scene_read(c, base + at, &raw, 8))
            return;
        struct kvm_segment s = x86_descriptor(at, raw);
        if (raw)
            text_print(c->t, "\n  0x%02x  base 0x%08llx  limit 0x%08x  DPL %u  %s %s%s", at, s.base,
                       s.limit, s.dpl, descriptor_type(&s, false), descriptor_access(&s),
                       s.present ? "" : " (not present)");
    }
    text_print(c->t, "\n");
}

/* A 16-bit lgdt without an operand-size prefix loads 24 bits of base only. */
static void explain_table(const struct scene *c, bool gdt) {
    struct insn_place p = insn_operand(&c->in, c->s);
    bool wide = x86_mode(&c->s->sregs, c->s->regs.rflags) == MODE_LONG;
    uint16_t limit;
    uint64_t base = 0;
    if (!p.memory || !scene_read(c, p.linear, &limit, 2) ||
        !scene_read(c, p.linear + 2, &base, wide ? 8 : 4)) {
        text_print(c->t, "Its operand cannot be read. ");
        return;
    }
    bool cut = c->in.operand == 2 && base >> 24;
    base &= c->in.operand == 2 ? 0xffffff : UINT64_MAX;
    text_print(c->t, "%s: base 0x%08" PRIx64 ", limit 0x%04x (%u bytes)%s.", gdt ? "GDTR" : "IDTR",
               base, limit, limit + 1u,
               cut ? "; without an operand-size prefix only 24 bits of the base are loaded" : "");
    if (gdt)
        print_new_gdt(c, base, limit);
}

bool scene_descriptor(const struct scene *c, uint16_t selector, struct kvm_segment *out) {
    const struct kvm_sregs *s = &c->s->sregs;
    uint64_t raw, base = selector & 4 ? s->ldt.base : s->gdt.base;
    uint32_t limit = selector & 4 ? s->ldt.limit : s->gdt.limit;
    if (!(selector & ~3u)) {
        text_print(c->t, "Selector 0x%x is null. ", selector);
        return false;
    }
    if ((selector | 7u) > limit || !scene_read(c, base + (selector & ~7u), &raw, 8)) {
        text_print(c->t, "Selector 0x%x lies behind the limit of the %s (0x%x): #GP. ", selector,
                   selector & 4 ? "LDT" : "GDT", limit);
        return false;
    }
    *out = x86_descriptor(selector, raw);
    if (!out->s && s->efer & EFER_LMA && scene_read(c, base + (selector & ~7u) + 8, &raw, 8))
        out->base |= raw << 32; /* 7.2.3: a system descriptor of 16 bytes */
    if (!out->present)
        text_print(c->t, "The descriptor of selector 0x%x is not present: #NP. ", selector);
    return out->present;
}

void scene_say_descriptor(const struct scene *c, const char *what, const struct kvm_segment *d) {
    const char *access = descriptor_access(d); /* "" for a system segment */
    text_print(c->t, "%s 0x%x: %s%s%s, base 0x%08llx, limit 0x%08x, DPL %u. ", what, d->selector,
               descriptor_type(d, c->s->sregs.efer & EFER_LMA), *access ? " " : "", access, d->base,
               d->limit, d->dpl);
}

static void explain_system_selector(const struct scene *c) {
    struct insn_place p = insn_operand(&c->in, c->s);
    bool ltr = (insn_modrm(&c->in) >> 3 & 7) == 3;
    uint16_t selector = p.memory ? 0 : insn_register(c->s, p.number);
    struct kvm_segment d;
    if (p.memory && !scene_read(c, p.linear, &selector, 2))
        return;
    if (scene_descriptor(c, selector, &d))
        scene_say_descriptor(c, ltr ? "TR becomes" : "LDTR becomes", &d);
    if (ltr)
        text_print(c->t, "The TSS is where the stacks for interrupts from ring 3 come from. ");
}

/* --- the rest ------------------------------------------------------------------------------ */

static void explain_sreg(const struct scene *c) {
    static const char *const names[8] = {"ES", "CS", "SS", "DS", "FS", "GS", "?", "?"};
    struct insn_place p = insn_operand(&c->in, c->s);
    const char *name = names[insn_modrm(&c->in) >> 3 & 7];
    uint16_t selector = p.memory ? 0 : insn_register(c->s, p.number);
    struct kvm_segment d;
    char what[16];
    if (p.memory && !scene_read(c, p.linear, &selector, 2))
        return;
    if (!scene_protected(c)) {
        text_print(c->t, "%s becomes 0x%04x: base 0x%05x. ", name, selector, selector * 16u);
        return;
    }
    snprintf(what, sizeof what, "%s becomes", name);
    if (scene_descriptor(c, selector, &d))
        scene_say_descriptor(c, what, &d);
}

static void explain_sti(const struct scene *c) {
    text_print(c->t, c->s->regs.rflags & FLAG_IF ? "IF is set already. "
               : "IF is set; interrupts may enter after the next instruction. ");
}

static void explain_cli(const struct scene *c) {
    text_print(c->t, c->s->regs.rflags & FLAG_IF ? "IF is cleared: no interrupts from here on. "
                                                 : "IF is clear already. ");
}

static void explain_hlt(const struct scene *c) {
    text_print(c->t, !c->m->irqchip ? "Sleeps for ever: this machine has no interrupts. "
               : c->s->regs.rflags & FLAG_IF ? "Sleeps until an interrupt comes. "
               : "Sleeps for ever: interrupts are off (IF = 0). ");
}

static const char *device_at(const struct scene *c, uint16_t port, bool out) {
    const struct bus *bus = &c->m->board.bus;
    for (unsigned i = 0; i < bus->count; i++)
        if (port >= bus->range[i].first && port <= bus->range[i].last)
            return bus->range[i].name;
    return out ? "no device: dropped" : "no device: all ones";
}

static void explain_port(const struct scene *c) {
    uint8_t op = c->in.opcode;
    bool by_dx = op >= 0xec, out = op & 2;
    uint16_t port = by_dx ? c->s->regs.rdx : insn_byte(&c->in, 1);
    unsigned size = op & 1 ? c->in.operand : 1;
    uint64_t value = c->s->regs.rax & ((1ull << 8 * size) - 1);
    if (out)
        text_print(c->t, "Writes 0x%" PRIx64 " to port 0x%x (%s). ", value, port,
                   device_at(c, port, out));
    else
        text_print(c->t, "Reads %u byte%s from port 0x%x (%s). ", size, size > 1 ? "s" : "", port,
                   device_at(c, port, out));
}

static const char *msr_words(uint32_t index) {
    static const struct {
        uint32_t index;
        const char *words;
    } known[] = {
        {MSR_SYSENTER_CS, "SYSENTER_CS"}, {MSR_SYSENTER_ESP, "SYSENTER_ESP"}, {MSR_SYSENTER_EIP, "SYSENTER_EIP"},
        {MSR_EFER, "EFER"}, {MSR_PAT, "PAT: the memory types of pages"},
        {MSR_STAR, "STAR: the selectors of SYSCALL and SYSRET"},
        {MSR_LSTAR, "LSTAR: where SYSCALL goes from 64-bit code"},
        {MSR_CSTAR, "CSTAR: where SYSCALL goes from compatibility mode"},
        {MSR_FMASK, "FMASK: the flags that SYSCALL clears"},
        {MSR_FS_BASE, "FS_BASE"}, {MSR_GS_BASE, "GS_BASE"},
        {MSR_KERNEL_GS_BASE, "KERNEL_GS_BASE: what SWAPGS exchanges with the base of GS"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].index == index)
            return known[i].words;
    return NULL;
}

static void explain_wrmsr(const struct scene *c) {
    const struct kvm_regs *r = &c->s->regs;
    uint64_t value = (uint32_t)r->rax | r->rdx << 32;
    const char *words = msr_words((uint32_t)r->rcx);
    text_print(c->t, "MSR 0x%x%s%s%s becomes 0x%016" PRIx64 ". ", (unsigned)r->rcx, words ? " (" : "",
               words ? words : "", words ? ")" : "", value);
    if ((uint32_t)r->rcx == MSR_EFER && value & EFER_LME && !(c->s->sregs.efer & EFER_LME))
        text_print(c->t, "EFER.LME: long mode begins when paging is turned on. ");
}

static void explain_group_0f01(const struct scene *c) {
    enum { SWAPGS = 0xf8 };
    unsigned n = insn_modrm(&c->in) >> 3 & 7;
    struct insn_place p = insn_operand(&c->in, c->s);
    if (insn_modrm(&c->in) == SWAPGS)
        explain_swapgs(c);
    else if (p.memory && (n == 2 || n == 3))
        explain_table(c, n == 2);
    else if (n == 7 && p.memory)
        text_print(c->t, "The TLB forgets linear 0x%08" PRIx64 ". ", p.linear);
    else if (n == 6 && !p.memory)
        explain_cr0(c, (c->s->sregs.cr0 & ~0xfull) | (insn_register(c->s, p.number) & 0xf) |
                           (c->s->sregs.cr0 & CR0_PE), c->in.prefixes + 3);
}

static void explain_group_0f00(const struct scene *c) {
    unsigned n = insn_modrm(&c->in) >> 3 & 7;
    if (n == 2 || n == 3)
        explain_system_selector(c);
}

static void explain_group_ff(const struct scene *c) {
    unsigned n = insn_modrm(&c->in) >> 3 & 7;
    if (n == 3 || n == 5)
        explain_far_indirect(c);
}

/* --- the table -------------------------------------------------------------------------------- */

static const struct explanation {
    struct insn_span opcodes;
    bool protected_only;
    explainer *explain;
} explanations[] = {
    {{0x0f00, 0x0f00}, true, explain_group_0f00},
    {{0x0f01, 0x0f01}, false, explain_group_0f01},
    {{0x0f05, 0x0f05}, true, explain_fast_call},
    {{0x0f07, 0x0f07}, true, explain_fast_call},
    {{0x0f22, 0x0f22}, false, explain_mov_cr},
    {{0x0f30, 0x0f30}, false, explain_wrmsr},
    {{0x0f34, 0x0f35}, false, explain_fast_call},
    {{0x8e, 0x8e}, false, explain_sreg},
    {{0x9a, 0x9a}, false, explain_far},
    {{0xca, 0xcb}, false, explain_retf},
    {{0xcc, 0xcc}, false, explain_int3},
    {{0xcd, 0xcd}, false, explain_int},
    {{0xce, 0xce}, false, explain_into},
    {{0xcf, 0xcf}, false, explain_iret},
    {{0xe4, 0xe7}, false, explain_port},
    {{0xea, 0xea}, false, explain_far},
    {{0xec, 0xef}, false, explain_port},
    {{0xf4, 0xf4}, false, explain_hlt},
    {{0xfa, 0xfa}, false, explain_cli},
    {{0xfb, 0xfb}, false, explain_sti},
    {{0xff, 0xff}, false, explain_group_ff},
};

/* Opcodes whose ModRM operand is an access to memory: not LEA, nor a bit string, which
 * may be far from its operand. */
static const struct insn_span accesses[] = {
    {0x00, 0x03}, {0x08, 0x0b}, {0x10, 0x13}, {0x18, 0x1b}, {0x20, 0x23}, {0x28, 0x2b},
    {0x30, 0x33}, {0x38, 0x3b}, {0x62, 0x62}, {0x69, 0x69}, {0x6b, 0x6b}, {0x80, 0x8c},
    {0x8e, 0x8f}, {0xc0, 0xc1}, {0xc4, 0xc7}, {0xd0, 0xd3}, {0xf6, 0xf7}, {0xfe, 0xff},
    {0xd8, 0xdf}, {0x0f10, 0x0f17}, {0x0f28, 0x0f2f}, {0x0f40, 0x0f4f}, {0x0f51, 0x0f76},
    {0x0f7c, 0x0f7f}, {0x0f90, 0x0f9f}, {0x0fa4, 0x0fa5}, {0x0fac, 0x0fb2}, {0x0fb4, 0x0fb7},
    {0x0fba, 0x0fba}, {0x0fbc, 0x0fc7}, {0x0fd0, 0x0ffe},
};

/* Where it lies, and what paging makes of it (4.6). Of an instruction that was tried
 * the fault is told behind this. */
static void say_place(const struct scene *c, const char *what, const struct insn_place *p) {
    bool tried = c->trial.outcome != DRY_RUN_UNKNOWN;
    struct page_walk w;
    text_print(c->t, "%s at %s:0x%" PRIx64 ", linear 0x%08" PRIx64, what,
               insn_segment_name(c->s, p->segment), p->offset, p->linear);
    if (!(c->s->sregs.cr0 & CR0_PG))
        text_print(c->t, ". ");
    else if (c->s->sregs.efer & EFER_LMA && !x86_is_canonical(p->linear))
        text_print(c->t, ", which is not canonical%s. ", tried ? "" : ": #GP, by the stack #SS");
    else if (!x86_walk(&c->m->memory, &c->s->sregs, p->linear, &w))
        text_print(c->t, ", which is not mapped%s. ", tried ? "" : ": #PF");
    else if (x86_cpl(&c->s->sregs) == 3 && !w.user)
        text_print(c->t, ", a kernel page, and this is ring 3%s. ", tried ? "" : ": #PF");
    else
        text_print(c->t, ", physical 0x%08" PRIx64 " (%s, %s). ", w.phys,
                   w.writable ? "writable" : "read-only", w.user ? "user" : "kernel");
}

unsigned scene_places(const struct scene *c, struct insn_place place[2]) {
    unsigned count = insn_string(&c->in, c->s, place);
    if (count)
        return count;
    if (insn_moffs(&c->in, c->s, place))
        return 1;
    if (!insn_in_any(&c->in, accesses, sizeof accesses / sizeof *accesses))
        return 0;
    place[0] = insn_operand(&c->in, c->s);
    return place[0].memory;
}

static void explain_places(const struct scene *c) {
    struct insn_place place[2];
    unsigned count = scene_places(c, place);
    if (count == 1)
        say_place(c, "Its operand is", &place[0]);
    if (count < 2)
        return;
    say_place(c, "Its source is", &place[0]);
    say_place(c, "Its destination is", &place[1]);
}

/* Passes text on, and knows whether there was any. */
struct counted {
    const struct text *to;
    bool any;
};

static void put_counted(void *context, const char *text) {
    struct counted *c = context;
    c->any = true;
    c->to->put(c->to->context, text);
}

static void explain_by_table(const struct scene *c) {
    for (size_t i = 0; i < sizeof explanations / sizeof *explanations; i++) {
        const struct explanation *e = &explanations[i];
        if (insn_in(&c->in, e->opcodes) && (!e->protected_only || scene_protected(c)))
            e->explain(c);
    }
}

static bool ends_in_fault(const struct trial *t) {
    return t->outcome == DRY_RUN_FAULT || t->outcome == DRY_RUN_SHUTDOWN;
}

/* What has no effect, and where there is no code: what a PC does in silence. */
static void explain_nothing(const struct scene *c) {
    const struct trial *t = &c->trial;
    const char *here = runaway_ground(c->m, &c->s->sregs, c->in.pc), *there = NULL;
    uint64_t next = x86_pc(&t->regs, &t->sregs);
    char outcome[96];
    if (here)
        text_print(c->t, "This is no code: here %s. ", here);
    if ((t->outcome == DRY_RUN_DONE || t->outcome == DRY_RUN_FAULT) && !here && c->in.opcode != 0xf4)
        there = runaway_ground(c->m, &t->sregs, next);
    if (there)
        text_print(c->t, "At linear 0x%08" PRIx64 ", where it goes on, %s. ", next, there);
    if (t->device)
        text_print(c->t, "It %s physical 0x%08" PRIx64 ", where the device %s is. ",
                   t->access == CPU_WRITE ? "writes to" : "reads", t->phys, t->device);
    if (t->unassigned && unassigned_outcome(&c->m->memory, t->phys, t->access == CPU_WRITE, outcome,
                                            sizeof outcome))
        text_print(c->t, "It %s physical 0x%08" PRIx64 ", %s. ",
                   t->access == CPU_WRITE ? "writes to"
                   : t->access == CPU_READ ? "reads" : "goes by page tables at",
                   t->phys, outcome);
}

/* Behind an INT: what the BIOS has answered. */
static void explain_last_call(const struct scene *c) {
    const struct bios_call *k = bios_last_call(&c->m->bios);
    uint64_t pc = x86_pc(&c->s->regs, &c->s->sregs);
    if (k && c->in.pc == pc && pc == k->cs * 16u + (uint16_t)(k->ip + 2) && !scene_protected(c))
        text_print(c->t, "Before it was %s. ", k->text);
}

void inspect_explain(struct machine *m, uint64_t linear, const struct text *t) {
    struct cpu *cpu = &shown_vcpu(m)->cpu;
    struct counted counted = {.to = t};
    struct text through = {put_counted, &counted};
    struct scene c = {.m = m, .s = cpu_read(cpu, CPU_REGS | CPU_SREGS), .t = &through};
    struct page_walk w;
    insn_read(&m->memory, c.s, linear, &c.in);
    if (linear == x86_pc(&c.s->regs, &c.s->sregs))
        dry_run(cpu, &c.trial);
    text_print(t, "0x%08" PRIx64 ": ", linear);
    if (c.in.there == 0)
        text_print(&through, x86_walk(&m->memory, &c.s->sregs, linear, &w)
                                 ? "No memory is there. "
                                 : "Not mapped: nothing can be fetched from there. ");
    else if (!ends_in_fault(&c.trial))
        explain_by_table(&c);
    if (c.in.there)
        explain_places(&c);
    if (ends_in_fault(&c.trial))
        explain_fault(&c);
    if (c.in.there)
        explain_nothing(&c);
    explain_last_call(&c);
    text_print(t, counted.any ? "\n" : "nothing that needs explaining\n");
}
