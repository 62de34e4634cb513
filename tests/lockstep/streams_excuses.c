/* What the two CPUs may differ in, and why: the whole of it is in three tables.
 *
 * Rule: a row needs a reason that is not ours: the manual leaves it open, the
 * built-in CPU announces (by CPUID) that it has no such thing, or this kind of
 * KVM departs from the manual.
 */
#include "streams.h"

#include "undefined.h"
#include "vmm/x86/fpu.h"
#include "vmm/x86/insn.h"
#include "vmm/x86/mode.h"

enum { ANY_REP = 1 };

/* A group of instructions: opcodes of one map, and what of ModRM they need. */
struct pattern {
    bool two_bytes;
    uint8_t first, last;
    uint8_t regs;      /* bitmap of the reg field; 0: any */
    uint8_t rep;       /* with this prefix only, or ANY_REP; 0: with or without */
    enum { ANY_FORM, REGISTER, MEMORY } form;
    bool every;        /* all instructions */
    bool traced;       /* only with TF set */
    bool locked;       /* only with LOCK */
};

static bool rep_matches(const struct pattern *p, const struct instruction *i) {
    return !p->rep || (p->rep == ANY_REP ? i->last_rep != 0 : p->rep == i->last_rep);
}

static bool opcode_matches(const struct pattern *p, const struct instruction *i) {
    unsigned reg = i->modrm >> 3 & 7;
    return p->two_bytes == i->two_bytes && i->opcode >= p->first && i->opcode <= p->last &&
           (!p->regs || p->regs >> reg & 1) &&
           (p->form == ANY_FORM || (p->form == REGISTER) == (i->modrm >= 0xC0));
}

static bool matches(const struct pattern *p, const struct trial *t) {
    if ((p->locked && !t->i.lock) || (p->traced && !(t->before.regs.rflags & FLAG_TF)))
        return false;
    return p->every || (opcode_matches(p, &t->i) && rep_matches(p, &t->i));
}

#define ONE(from, to) .first = from, .last = to
#define TWO(from, to) .two_bytes = true, .first = from, .last = to
#define EVERY         {.every = true}

/* Rows for one kind of KVM name the trait that it lacks: */
#define INTERPRETER KVM_PAGING /* KVM's own interpreter, on a machine without hardware for it */
#define QEMU        KVM_LIMITS /* QEMU's CPU below the KVM */

static bool concerns(unsigned lacking, const struct trial *t) {
    return !lacking || lacking & ~t->traits;
}

/* --- what cannot be compared --- */

/* Vol. 3A 5.3: whether an access beyond 4 GiB faults or goes on at 0 is not said. */
static bool at_4gib(const struct kvm_segment *k, uint32_t offset) {
    return k->limit == 0xFFFFFFFF && (offset >= 0xFFFFFFF0 || offset < 16);
}

/* BT and its like reach as far as their register says. */
static uint64_t bit_offset(const struct insn *in, const struct cpu_state *s) {
    bool bits = in->opcode == 0x0F && (in->second & 0xE7) == 0xA3;
    uint64_t bit = insn_register(s, insn_modrm(in) >> 3 & 7);
    int64_t far = in->operand == 2 ? (int16_t)bit : (int32_t)bit;
    return bits ? (uint64_t)(far >> 3) : 0;
}

static struct insn look(const struct trial *t) {
    struct insn in;
    insn_read(t->soft_memory, &t->before, x86_pc(&t->before.regs, &t->before.sregs), &in);
    return in;
}

/* Does the instruction use an address that `is`? Operands, strings, frames. */
static bool uses(const struct trial *t, bool (*is)(const struct kvm_segment *, uint32_t offset)) {
    const struct kvm_regs *r = &t->before.regs;
    const struct kvm_sregs *s = &t->before.sregs;
    struct insn in = look(t);
    struct insn_place place = insn_operand(&in, &t->before);
    place.offset += bit_offset(&in, &t->before);
    bool frame = in.opcode == 0xC8 || in.opcode == 0xC9;
    return (place.memory && is(place.segment, (uint32_t)place.offset)) ||
           (frame && is(&s->ss, (uint32_t)r->rbp)) ||
           (insn_is_string(&in) && (is(&s->ds, (uint32_t)r->rsi) || is(&s->es, (uint32_t)r->rdi)));
}

static bool touches_4gib(const struct trial *t) { return uses(t, at_4gib); }

static bool beyond_memory(const struct kvm_segment *k, uint32_t offset) {
    return (uint32_t)(k->base + offset) >= RAM_SIZE - 64;
}

static bool leaves_memory(const struct trial *t) { return uses(t, beyond_memory); }

static uint64_t stack_top(const struct cpu_state *s) {
    if (is_code64(s))
        return s->regs.rsp;
    uint64_t sp = s->sregs.ss.db ? (uint32_t)s->regs.rsp : s->regs.rsp & 0xFFFF;
    return (uint32_t)(s->sregs.ss.base + sp);
}

/* The vector of the handler at whose `hlt` it has come to an end, or -1. */
static int ended_in(const struct cpu_state *s) {
    uint64_t at = x86_pc(&s->regs, &s->sregs) - HANDLERS_AT;
    return at < HLT_AT - HANDLERS_AT && at % 16 == 1 ? (int)(at / 16) : -1;
}

/* Where its handler's frame begins, behind the error code. */
static uint64_t frame_at(const struct cpu_state *s) {
    static const uint32_t with_code = 1u << VECTOR_DF | 1u << VECTOR_TS | 1u << VECTOR_NP |
                                      1u << VECTOR_SS | 1u << VECTOR_GP | 1u << VECTOR_PF |
                                      1u << VECTOR_AC;
    int vector = ended_in(s);
    bool code = s->sregs.cr0 & CR0_PE && vector >= 0 && vector < 32 && with_code >> vector & 1;
    return stack_top(s) + (!code ? 0 : is_long(s) ? 8 : 4);
}

static uint16_t error_code(const struct cpu_state *s, const struct memory *m) {
    uint16_t code = 0;
    memory_read(m, stack_top(s), &code, sizeof code);
    return code;
}

/* The fault of the instruction itself, or -1. */
static int fault_of(const struct trial *t, const struct cpu_state *s, const struct memory *m) {
    uint16_t ip = 0;
    memory_read(m, frame_at(s), &ip, sizeof ip);
    return ip == (uint16_t)t->before.regs.rip ? ended_in(s) : -1;
}

/* No KVM can push to where there is no memory while it delivers something. */
static bool stack_is_memory(const struct cpu_state *s) {
    uint64_t linear = stack_top(s);
    return linear >= 64 && linear < RAM_SIZE - 64;
}

static bool no_stack(const struct trial *t) {
    return !stack_is_memory(&t->before) || !stack_is_memory(&t->soft);
}

static bool stack16_with_more(const struct trial *t) {
    return t->before.sregs.cr0 & CR0_PE && !t->before.sregs.ss.db && !is_code64(&t->before) &&
           (t->before.regs.rsp >> 16 || (uint16_t)t->soft.regs.rsp >= 0xFFC0);
}

/* Where the instruction's own flags are when something has been delivered. */
static uint64_t flags_in_frame(const struct trial *t) {
    return frame_at(&t->soft) + (is_long(&t->soft) ? 16 : t->soft.sregs.cr0 & CR0_PE ? 8 : 4);
}

/* The instruction sets TF, and is not traced; the `hlt` behind it is. */
static bool traced_hlt(const struct trial *t) {
    uint16_t flags = 0;
    memory_read(t->soft_memory, flags_in_frame(t), &flags, sizeof flags);
    return !(t->before.regs.rflags & FLAG_TF) && ended_in(&t->soft) == VECTOR_DB && flags & FLAG_TF;
}

static bool in_ring3(const struct trial *t) { return x86_cpl(&t->before.sregs) == 3; }

static bool odd_enter(const struct trial *t) {
    return t->i.operand16 == (bool)t->before.sregs.ss.db;
}

static bool page_fault(const struct trial *t) { return ended_in(&t->soft) == VECTOR_PF; }
static bool refused(const struct trial *t) { return ended_in(&t->soft) == VECTOR_GP; }
static bool task_switched(const struct trial *t) { return t->before.sregs.cr0 & CR0_TS; }
static bool no_result(const struct trial *t) {
    struct insn in = look(t);
    return undefined_result(&in, t->before.regs.rcx);
}
static bool misaligned_vm86(const struct trial *t) {
    return t->before.regs.rflags & FLAG_VM && ended_in(&t->soft) == VECTOR_AC;
}
static bool misaligned(const struct trial *t) { return ended_in(&t->soft) == VECTOR_AC; }
static bool in_real(const struct trial *t) { return !(t->before.sregs.cr0 & CR0_PE); }

static bool not_code64(const struct trial *t) { return !is_code64(&t->before); }

static bool no_fpu(const struct trial *t) { return !has_fpu(&t->before); }
/* Opcodes that no x87 has: does EM matter then? */
static bool absent_x87(const struct trial *t) {
    static const uint8_t absent[8] = {0, 0x02, 0, 0x50, 0, 0x20, 0, 0}; /* by /reg, of memory */
    return t->i.modrm >= 0xC0 || absent[t->i.opcode & 7] >> (t->i.modrm >> 3 & 7) & 1;
}
static bool no_x87(const struct trial *t) { return no_fpu(t) && absent_x87(t); }
static bool fpu_memory_fault(const struct trial *t) {
    return has_fpu(&t->before) && fault_of(t, &t->soft, t->soft_memory) >= 0;
}
static bool undefined_sse(const struct trial *t) {
    return has_fpu(&t->before) && ended_in(&t->soft) == VECTOR_UD;
}

/* Reads it to write it back: the interpreter looks at the page before it looks at the rights
 * of a code segment. */
static bool writes_code(const struct trial *t) {
    return is_long(&t->before) && look(t).segment == 1 && ended_in(&t->soft) == VECTOR_GP;
}
static bool in_long(const struct trial *t) { return is_long(&t->before); }
/* Vol. 2A §2.2.1: CS, DS, ES and SS cannot be chosen in 64-bit code (so seen on an Intel
 * processor: #SS is of RSP and RBP, whatever the prefix). */
static bool vain_prefix(const struct trial *t) {
    int segment = look(t).segment;
    return is_code64(&t->before) && segment >= 0 && segment <= 3;
}
static bool second_page(const struct trial *t) {
    return is_long(&t->soft) && page_fault(t) && !(t->soft.sregs.cr2 & 0xFFF);
}
static bool native(const struct trial *t) { return has_fpu(&t->before) && is_long(&t->before); }
static bool native_control(const struct trial *t) {
    const uint64_t both = CR4_OSFXSR | CR4_OSXMMEXCPT;
    bool unaligned = t->before.regs.rflags & FLAG_AC && !(t->before.sregs.cr0 & CR0_AM);
    return native(t) && (t->before.sregs.cr0 & CR0_TS || (t->before.sregs.cr4 & both) != both || unaligned);
}
/* Of these some need no MMX register; but then there is one of the same kind that has. */
static bool is_mmx(const struct trial *t) {
    static const struct insn_span mmx[] = {{0x0f2a, 0x0f2a}, {0x0f2c, 0x0f2d}, {0x0f60, 0x0f7f},
                                           {0x0fc4, 0x0fc5}, {0x0fd0, 0x0ffe}};
    struct insn in = look(t);
    bool moves = in.second == 0xd6 && in.rep; /* MOVDQ2Q, MOVQ2DQ */
    bool converts = in.second < 0x30 && !in.rep;
    return has_fpu(&t->before) && (moves || converts || (!in.data16 && !in.rep)) &&
           in.opcode == 0x0f && insn_in_any(&in, mmx, sizeof mmx / sizeof *mmx);
}
/* One that the next x87 instruction raises. */
static bool pending(const struct trial *t) {
    return has_fpu(&t->before) && (fpu_in(&t->before)->fsw | fpu_in(&t->soft)->fsw) & FSW_ES;
}
static bool simd_exception(const struct trial *t) {
    return has_fpu(&t->before) && ended_in(&t->soft) == VECTOR_XM;
}
static bool mmx_page_fault(const struct trial *t) {
    return is_mmx(t) && ended_in(&t->soft) == VECTOR_PF;
}
/* The handler has a null SS then. */
static bool back_from_ring3(const struct trial *t) {
    return no_fpu(t) && is_long(&t->soft) && ended_in(&t->soft) >= 0 && t->soft.sregs.ss.selector < 4 &&
           (t->before.sregs.ss.selector >= 4 || t->i.opcode == 0xCF);
}
static bool branch16(const struct trial *t) {
    static const struct insn_span branches[] = {
        {0x70, 0x7F}, {0xC2, 0xC3}, {0xE0, 0xE3}, {0xE8, 0xEB}, {0xFF, 0xFF}, {0x0F80, 0x0F8F}};
    struct insn in = look(t);
    return is_code64(&t->before) && in.data16 &&
           insn_in_any(&in, branches, sizeof branches / sizeof *branches);
}
static bool wide_rex(const struct trial *t) { return t->i.rex & 8; }
static bool in_code64(const struct trial *t) { return is_code64(&t->before); }
static bool refused_long(const struct trial *t) { return in_long(t) && refused(t); }
static bool rex_r(const struct trial *t) { return t->i.rex & 4; }
static bool not_64(const struct trial *t) { return in_long(t) && !(t->i.rex & 8); }

static bool no_times(const struct trial *t) { return !t->before.regs.rcx; }

static bool wide_real(const struct trial *t) {
    return !t->i.operand16 && in_real(t);
}

static const struct {
    struct pattern of;
    unsigned lacking; /* 0: every KVM */
    const char *why;
    bool (*when)(const struct trial *); /* NULL: always */
} skips[] = {
    /* The host's CPU has these, the built-in one's CPUID denies them, and CR0.EM
     * does not forbid them. */
    {{TWO(0x01, 0x01), .form = REGISTER}, 0, "VMX, SVM, MONITOR, XGETBV, SMAP", NULL},
    {{TWO(0x0D, 0x0F)}, 0, "3DNow!", NULL},
    {{TWO(0x33, 0x33)}, 0, "RDPMC", NULL},
    {{TWO(0x37, 0x3B)}, 0, "GETSEC, MOVBE, CRC32, ADX", NULL},
    {{TWO(0xAE, 0xAE), .regs = 0xF3}, 0, "FXSR, CLFLUSH, fences", NULL},
    {{TWO(0xAE, 0xAE), .form = REGISTER}, 0, "FSGSBASE, fences", NULL},
    {{TWO(0xB8, 0xB8), .rep = 0xF3}, 0, "POPCNT", NULL},
    {{TWO(0xBC, 0xBD), .rep = 0xF3}, 0, "TZCNT, LZCNT", NULL},
    {{TWO(0xC3, 0xC3)}, 0, "MOVNTI", NULL},
    {{TWO(0xC7, 0xC7), .regs = 0xFC}, 0, "RDRAND, RDSEED, VMX, XSAVES", NULL},
    /* The manual leaves these open. */
    {EVERY, 0, "an access over the end of 4 GiB", touches_4gib},
    {{TWO(0xA4, 0xA5)}, 0, "a 16-bit SHLD by more than 16", no_result},
    {{TWO(0xAC, 0xAD)}, 0, "a 16-bit SHRD by more than 16", no_result},
    {{TWO(0xC8, 0xCF)}, 0, "a 16-bit BSWAP", no_result},
    {{ONE(0xD9, 0xDF)}, 0, "an opcode that no x87 has, with EM", no_x87},
    /* Every KVM. */
    {{TWO(0x05, 0x05)}, 0, "SYSCALL: who has it outside 64-bit code", not_code64},
    {{TWO(0x07, 0x07)}, 0, "SYSRET: likewise", not_code64},
    {EVERY, 0, "no memory at the stack", no_stack},
    {EVERY, 0, "no memory at the operand: the kernel interprets, and not all", leaves_memory},
    {EVERY, 0, "a hlt with TF: halted or not yet, when the trap comes", traced_hlt},
    {{ONE(0x6C, 0x6F), .traced = true}, 0, "I/O with TF: the trap gets lost", NULL},
    {{ONE(0xE4, 0xE7), .traced = true}, 0, "likewise", NULL},
    {{ONE(0xEC, 0xEF), .traced = true}, 0, "likewise", NULL},
    {EVERY, 0, "#AC in virtual-8086 mode: no rig has it (Vol. 3A 6.15 does)", misaligned_vm86},
    /* KVM's interpreter. */
    {EVERY, INTERPRETER, "a write to code: it reads first", writes_code},
    {{ONE(0xCF, 0xCF)}, INTERPRETER, "IRET of long mode: it knows IRETQ alone", not_64},
    {EVERY, INTERPRETER, "a segment's prefix in 64-bit code: it chooses #SS or #GP", vain_prefix},
    {EVERY, INTERPRETER, "a write over two pages: it writes the first before it looks at the second",
     second_page},
    {{ONE(0x8C, 0x8C), .form = MEMORY}, INTERPRETER,
     "MOV from a segment register: it stores as much as REX.W says", wide_rex},
    {{TWO(0x00, 0x01), .form = MEMORY, .regs = 0x13}, INTERPRETER,
     "SLDT, STR, SMSW to memory: it stores as much as REX.W says", in_code64},
    {{TWO(0x01, 0x01), .form = MEMORY, .regs = 0x0C}, INTERPRETER,
     "LGDT, LIDT: it takes a base that is not canonical", refused_long},
    {{TWO(0xB0, 0xB1), .form = REGISTER}, INTERPRETER,
     "CMPXCHG: it writes the register in any case", in_code64},
    {EVERY, INTERPRETER, "by way of ring 3 of long mode, which is native: IOPL gets lost",
     back_from_ring3},
    {EVERY, INTERPRETER, "ring 3 of long mode, which is native: TS, AM, OSFXSR and OSXMMEXCPT are the host's",
     native_control},
    {EVERY, 0, "MMX: whether TOP is 0 already when memory faults", mmx_page_fault},
    {{ONE(0xF4, 0xF4), .traced = true}, 0, "a hlt with TF", in_long},
    {{ONE(0xCF, 0xCF)}, INTERPRETER, "IRETQ: it looks at SS before CS", refused_long},
    {{TWO(0x07, 0x07)}, INTERPRETER, "SYSRET: ring 3 is not its own", NULL},
    {{ONE(0x8C, 0x8E)}, INTERPRETER, "segment registers: it takes REX.R for theirs", rex_r},
    {{ONE(0x8C, 0x8C), .regs = 0xC0}, INTERPRETER,
     "no such segment: it looks at memory first", NULL},
    {{ONE(0x8E, 0x8E), .regs = 0xC2}, INTERPRETER, "likewise", NULL},
    {{TWO(0x20, 0x23), .regs = 0xF2}, INTERPRETER,
     "no such register: it looks at the ring first", in_ring3},
    {EVERY, INTERPRETER, "delivery to a 16-bit stack: it takes all of ESP", stack16_with_more},
    {{TWO(0x19, 0x1D)}, INTERPRETER, "hints: it takes their 16-bit addresses for longer", NULL},
    {{ONE(0xCC, 0xCE), .traced = true}, INTERPRETER, "INT with TF: it traps, too", NULL},
    {EVERY, INTERPRETER, "it knows no #AC", misaligned},
    {{ONE(0xC8, 0xC8)}, INTERPRETER, "ENTER: it pushes as wide as the stack is", odd_enter},
    {{ONE(0xCD, 0xCD)}, INTERPRETER, "INT n in real mode: now and then it never returns", in_real},
    {{ONE(0xCC, 0xCE)}, INTERPRETER, "INT in real mode: it pushes 32 bits for 66", wide_real},
    {{ONE(0xE4, 0xE5), .rep = ANY_REP}, INTERPRETER, "REP IN: it reads more than once", NULL},
    {{ONE(0xEC, 0xED), .rep = ANY_REP}, INTERPRETER, "likewise", NULL},
    {{ONE(0x6C, 0x6F), .rep = ANY_REP}, INTERPRETER,
     "REP INS, 0 times: it looks at the port's rights", no_times},
    {{ONE(0xA4, 0xAF), .rep = ANY_REP, .traced = true}, INTERPRETER,
     "REP with TF: it traps at the end", NULL},
    /* QEMU's CPU. */
    {{.every = true, .locked = true}, QEMU, "it lets LOCK pass with more than it should", NULL},
    {EVERY, QEMU, "it knows no #AC", misaligned},
    {{TWO(0x20, 0x23), .regs = 0xF2}, QEMU, "no such register: it looks at the ring first",
     in_ring3},
    {{ONE(0x8F, 0x8F), .regs = 0xFE}, QEMU, "it takes these for POP", NULL},
    {{ONE(0xC6, 0xC7), .regs = 0xFE}, QEMU, "it takes these for MOV", NULL},
    {{ONE(0x86, 0x87), .form = MEMORY}, QEMU, "XCHG: it may lose the flags", NULL},
    {{TWO(0xA4, 0xA4), .form = MEMORY}, QEMU, "SHLD, relative to RIP: it forgets the immediate", in_code64},
    {{TWO(0xAC, 0xAC), .form = MEMORY}, QEMU, "SHRD: likewise", in_code64},
    {{TWO(0xB2, 0xB5)}, QEMU, "LSS and its kind: AMD's have no REX.W", wide_rex},
    {{ONE(0xFF, 0xFF)}, QEMU, "far JMP and CALL: likewise", wide_rex},
    {EVERY, QEMU, "a branch with 66: AMD's are shorter", branch16},
    {{ONE(0x6C, 0x6F), .rep = ANY_REP}, QEMU,
     "REP INS, 0 times: it looks at the port's rights", no_times},
    {{ONE(0xFB, 0xFB), .traced = true}, QEMU, "STI with TF: the trap gets lost", NULL},
    {{TWO(0x2A, 0x2D)}, QEMU, "MMX, SSE: it forgets EM", no_fpu},
    {{TWO(0xD6, 0xD6), .rep = ANY_REP}, QEMU, "likewise", no_fpu},
    {{TWO(0x77, 0x79)}, QEMU, "likewise", no_fpu},
    {{TWO(0x18, 0x18), .form = REGISTER}, QEMU, "no hint, but #UD", NULL},
    {{ONE(0xA6, 0xA7)}, QEMU, "CMPS of two pages: which it looks at first", page_fault},
    {{ONE(0xCA, 0xCF)}, QEMU, "RETF, IRET: they pop with the system's rights", page_fault},
    {{ONE(0xF1, 0xF1)}, QEMU, "INT1: it is #UD", NULL},
    {{ONE(0xF6, 0xF7), .regs = 0x02}, QEMU, "the other TEST: it is #UD", NULL},
    {{ONE(0x70, 0x7F)}, QEMU, "jumps beyond the limit: they fault at their target", refused},
    {{ONE(0xC2, 0xC3)}, QEMU, "likewise", refused},
    {{ONE(0xE0, 0xEB)}, QEMU, "likewise", refused},
    {{ONE(0xFF, 0xFF), .regs = 0x14}, QEMU, "likewise", refused},
    {{TWO(0x80, 0x8F)}, QEMU, "likewise", refused},
    {EVERY, QEMU, "MMX: its registers are not the x87's by way of TOP, and pending exceptions do not matter",
     is_mmx},
    {{ONE(0xD8, 0xDF)}, QEMU, "x87 that memory keeps from its end: it has changed the registers already",
     fpu_memory_fault},
    {{ONE(0xD8, 0xDF)}, QEMU, "an opcode that no x87 has: TS goes before that", undefined_sse},
    {EVERY, QEMU, "SSE with a prefix that makes it #UD: it looks at few of them", undefined_sse},
    {{TWO(0x52, 0x53)}, QEMU, "RSQRTPS, RCPPS: approximations are each processor's own", NULL},
    {{ONE(0xD8, 0xDF)}, QEMU, "an x87 exception: FWAIT alone raises it, and a store is done", pending},
    {EVERY, QEMU, "SIMD exceptions: it raises none", simd_exception},
    {{ONE(0xDD, 0xDD), .form = MEMORY, .regs = 0x10}, QEMU,
     "FRSTOR: it differs from a processor, too, once in a while", NULL},
    {{ONE(0xD9, 0xD9), .form = MEMORY, .regs = 0x40}, QEMU, "FNSTENV: pointers are the last ones", NULL},
    {{ONE(0xDD, 0xDD), .form = MEMORY, .regs = 0x40}, QEMU, "FNSAVE: likewise", NULL},
    {{TWO(0x10, 0x7F)}, QEMU, "MMX, SSE: it looks at TS before EM", task_switched},
    {{TWO(0xC2, 0xFE)}, QEMU, "likewise", task_switched},
};

const char *excuse_skips(const struct trial *t) {
    for (unsigned n = 0; n < sizeof skips / sizeof *skips; n++)
        if (matches(&skips[n].of, t) && concerns(skips[n].lacking, t) &&
            (!skips[n].when || skips[n].when(t)))
            return skips[n].why;
    return NULL;
}

/* What KVM's interpreter does not know is #UD in ring 3, and the end of the machine
 * in ring 0. A CPU without checks of segments goes on where others fault. */
bool excuse_gives_up(const struct trial *t) {
    int ours = fault_of(t, &t->soft, t->soft_memory), theirs = fault_of(t, &t->kvm, t->kvm_memory);
    if (t->kvm_exit == CPU_EXIT_CANNOT)
        return true;
    if (theirs == VECTOR_DB && ours != theirs && t->before.regs.rflags & FLAG_TF)
        return true; /* the kernel came in between: it traps before the instruction */
    if (!(t->traits & KVM_PAGING) && in_ring3(t))
        return t->kvm_exit == CPU_EXIT_HALTED && theirs == VECTOR_UD && ours != theirs;
    if (t->soft_exit == CPU_EXIT_SHUTDOWN) /* by what fault, nobody can see any more */
        return !(t->traits & KVM_LIMITS) && t->kvm_exit != t->soft_exit;
    return !(t->traits & KVM_LIMITS) && (ours == VECTOR_GP || ours == VECTOR_SS) &&
           (ours != theirs || error_code(&t->soft, t->soft_memory) !=
                                  error_code(&t->kvm, t->kvm_memory));
}

/* --- what may differ afterwards --- */

static bool in_handler(const struct trial *t) { return ended_in(&t->soft) >= 0; }
static bool always(const struct trial *t) {
    (void)t;
    return true;
}

static bool ends_in_real(const struct trial *t) { return !(t->soft.sregs.cr0 & CR0_PE); }

static bool delivered_real(const struct trial *t) {
    return in_handler(t) && !(t->soft.sregs.cr0 & CR0_PE);
}

static bool delivered_protected(const struct trial *t) {
    return in_handler(t) && t->soft.sregs.cr0 & CR0_PE;
}

static void copy_memory(struct trial *t, uint64_t at, uint32_t mask) {
    uint32_t theirs = 0, ours = 0;
    if (at + 4 > RAM_SIZE)
        return;
    memory_read(t->kvm_memory, at, &theirs, 4);
    memory_read(t->soft_memory, at, &ours, 4);
    ours = (ours & ~mask) | (theirs & mask);
    memory_write(t->soft_memory, at, &ours, 4);
}

static void copy_flags(struct trial *t, uint64_t flags) {
    t->soft.regs.rflags = (t->soft.regs.rflags & ~flags) | (t->kvm.regs.rflags & flags);
    if (in_handler(t))
        copy_memory(t, flags_in_frame(t), (uint32_t)flags);
}

static void fix_undefined(struct trial *t) {
    struct insn in = look(t);
    copy_flags(t, undefined_flags(&in, t->before.regs.rcx));
}
/* Bus locks and transactions (Vol. 3B 17.3.3, 17.2.3): who has them can clear these. */
static void fix_dr6(struct trial *t) {
    const uint64_t optional = 1u << 11 | 1u << 16;
    t->soft.debugregs.dr6 &= ~optional;
    t->soft.debugregs.dr6 |= t->kvm.debugregs.dr6 & optional;
}
static void fix_time(struct trial *t) {
    t->soft.regs.rax = t->kvm.regs.rax;
    t->soft.regs.rdx = t->kvm.regs.rdx;
}
/* Vol. 3A 20.1.1: real mode has none. */
static void fix_code_type(struct trial *t) { t->soft.sregs.cs.type = t->kvm.sregs.cs.type; }
static void fix_cpuid(struct trial *t) {
    fix_time(t);
    t->soft.regs.rbx = t->kvm.regs.rbx;
    t->soft.regs.rcx = t->kvm.regs.rcx;
}
/* Vol. 2B, PUSH: the upper half is zero or what was there. */
static void fix_pushed(struct trial *t) {
    copy_memory(t, stack_top(&t->before) - 4, 0xFFFF0000);
}
static void fix_code(struct trial *t) { copy_memory(t, stack_top(&t->soft), 0xFFFFFFFF); }
static void fix_adjust(struct trial *t) { copy_flags(t, FLAG_SF | FLAG_ZF | FLAG_PF); }
static void fix_resume(struct trial *t) { copy_memory(t, flags_in_frame(t), FLAG_RF); }
static void fix_write(struct trial *t) { copy_memory(t, stack_top(&t->soft), 2 | 4); }
static void fix_accessed(struct trial *t) {
    for (unsigned n = 0; n < RAM_SIZE >> 12; n++)
        copy_memory(t, TABLE_AT + 4 * n, 0x20);
}
static void fix_accessed64(struct trial *t) {
    for (unsigned n = 0; n < RAM_SIZE >> 12; n++)
        copy_memory(t, TABLE64_AT + 8 * n, 0x20);
}
static void fix_dirty64(struct trial *t) {
    for (unsigned n = 0; n < RAM_SIZE >> 12; n++)
        copy_memory(t, TABLE64_AT + 8 * n, 0x60);
}
static void fix_arithmetic(struct trial *t) { copy_flags(t, UNDEFINED_ALL | FLAG_DF); }
static void fix_compared(struct trial *t) {
    copy_flags(t, FLAG_OF | FLAG_SF | FLAG_AF);
}
static void fix_virtual(struct trial *t) { copy_flags(t, FLAG_VIF | FLAG_VIP); }
static void fix_code_size(struct trial *t) { t->soft.sregs.cs.db = t->kvm.sregs.cs.db; }
static void fix_null_stack(struct trial *t) { t->soft.sregs.ss = t->kvm.sregs.ss; }
static bool handler_long(const struct trial *t) {
    return is_long(&t->soft) && in_handler(t);
}
static bool page_fault_long(const struct trial *t) {
    return is_long(&t->soft) && ended_in(&t->soft) == VECTOR_PF;
}
static void fix_iopl(struct trial *t) { copy_flags(t, FLAG_IOPL | FLAG_NT); }
/* Which instructions leave them, and what is left of selectors, is each processor's own (Vol. 1
 * 8.1.8); tests/unit/native_fpu.h compares them with the host's. */
static void fix_fpu_pointers(struct trial *t) {
    struct fpu_image *to = fpu_of(&t->soft);
    const struct fpu_image *from = fpu_in(&t->kvm);
    memcpy(&to->fop, &from->fop, offsetof(struct fpu_image, mxcsr) - offsetof(struct fpu_image, fop));
}
static void fix_cr2(struct trial *t) { t->soft.sregs.cr2 = t->kvm.sregs.cr2; }
static void fix_ac(struct trial *t) {
    t->soft.regs.rflags &= ~(uint64_t)FLAG_AC;
    t->soft.regs.rflags |= t->kvm.regs.rflags & FLAG_AC;
}
static void fix_busy(struct trial *t) { t->kvm.sregs.tr.type |= t->soft.sregs.tr.type & 2; }
static void fix_ports(struct trial *t) { t->ignore_ports = true; }
static void fix_sp(struct trial *t) {
    t->soft.regs.rsp = (t->soft.regs.rsp & 0xFFFF) | (t->kvm.regs.rsp & ~0xFFFFull);
}

static const struct {
    struct pattern of;
    unsigned lacking; /* 0: every KVM */
    bool (*when)(const struct trial *);
    void (*fix)(struct trial *);
} fixes[] = {
    {EVERY, 0, always, fix_undefined},
    {{TWO(0x23, 0x23)}, 0, always, fix_dr6},
    {EVERY, 0, ends_in_real, fix_code_type},
    {{TWO(0x31, 0x31)}, 0, always, fix_time},
    {{TWO(0xA2, 0xA2)}, 0, always, fix_cpuid},
    {{ONE(0x06, 0x06)}, 0, always, fix_pushed},
    {{ONE(0x0E, 0x0E)}, 0, always, fix_pushed},
    {{ONE(0x16, 0x16)}, 0, always, fix_pushed},
    {{ONE(0x1E, 0x1E)}, 0, always, fix_pushed},
    {{TWO(0xA0, 0xA0)}, 0, always, fix_pushed},
    {{TWO(0xA8, 0xA8)}, 0, always, fix_pushed},
    /* INS to where it may not write: whether the port has been read is not said. */
    {{ONE(0x6C, 0x6D)}, 0, in_handler, fix_ports},
    /* KVM's interpreter (seen in 6.18), against Vol. 2A, AAM and AAD: flags of AX. */
    {{ONE(0xD4, 0xD5)}, INTERPRETER, always, fix_adjust},
    /* The same, LTR of a selector in the LDT: #GP of the selector (Vol. 2A). */
    {{TWO(0x00, 0x00), .regs = 0x08}, INTERPRETER, delivered_protected, fix_code},
    /* The same, delivering: protected mode leaves AC alone (Vol. 2A, INT n), a
     * 16-bit stack the upper half of ESP (Vol. 3A 6.8.3). */
    {EVERY, INTERPRETER, delivered_protected, fix_ac},
    {EVERY, INTERPRETER, delivered_real, fix_sp},
    /* The same: what it writes back it has read before, as a read. */
    {EVERY, INTERPRETER, page_fault_long, fix_accessed64},
    /* What such a KVM runs on the processor itself, ring 3 of long mode: shadow page tables, in
     * which accesses leave no mark, and a frame without IOPL and NT. */
    {EVERY, INTERPRETER, native, fix_dirty64},
    {EVERY, INTERPRETER, native, fix_iopl},
    {EVERY, 0, always, fix_fpu_pointers},
    /* QEMU's CPU: see hand_over(). */
    {EVERY, QEMU, always, fix_busy},
    /* …faults push no RF (Vol. 3A 17.3.1.1: they do). */
    {EVERY, QEMU, in_handler, fix_resume},
    /* …what reads and writes a place faults as a read, and has read it; a far call
     * in virtual-8086 mode as the system's; PUSHA begins below. */
    {EVERY, QEMU, page_fault, fix_write},
    {EVERY, QEMU, in_handler, fix_accessed},
    {EVERY, QEMU, handler_long, fix_accessed64},
    /* …ARPL writes in any case; SYSCALL loses the arithmetic flags. */
    {{ONE(0x63, 0x63)}, QEMU, in_long, fix_dirty64},
    {{TWO(0x05, 0x05)}, QEMU, in_long, fix_arithmetic},
    /* …SYSRET does not bring VIF and VIP (Vol. 2B: it does). */
    {{TWO(0x07, 0x07)}, QEMU, in_long, fix_virtual},
    /* …SYSENTER loads a CS with both L and D; an IST brings a null SS in any ring. */
    {{TWO(0x34, 0x34)}, QEMU, in_long, fix_code_size},
    {{ONE(0xCD, 0xCD)}, QEMU, handler_long, fix_null_stack},
    {{ONE(0x60, 0x60)}, QEMU, page_fault, fix_cr2},
    /* …FCOMI and its kind leave OF, SF and AF (Vol. 2A: they clear them). */
    {{ONE(0xDB, 0xDB), .form = REGISTER, .regs = 0x60}, QEMU, always, fix_compared},
    {{ONE(0xDF, 0xDF), .form = REGISTER, .regs = 0x60}, QEMU, always, fix_compared},
};

void excuse_apply(struct trial *t) {
    for (unsigned n = 0; n < sizeof fixes / sizeof *fixes; n++)
        if (matches(&fixes[n].of, t) && concerns(fixes[n].lacking, t) &&
            fixes[n].when(t))
            fixes[n].fix(t);
}
