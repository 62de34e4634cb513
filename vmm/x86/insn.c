/* A look at an instruction; see insn.h. */
#include "vmm/x86/insn.h"

#include "vmm/x86/mode.h"
#include "vmm/x86/page_walk.h"
#include "vmm/x86/x86.h"

static bool take_prefix(struct insn *in, unsigned bits, uint8_t b) {
    switch (b) {
    case 0x66:
        in->data16 = true;
        return true;
    case 0x67:
        in->address = bits == 32 ? 2 : 4;
        return true;
    case 0xf2: case 0xf3:
        in->rep = true;
        return true;
    case 0xf0:
        return true;
    case 0x26: case 0x2e: case 0x36: case 0x3e:
        in->segment = b >> 3 & 3;
        return true;
    case 0x64: case 0x65:
        in->segment = b & 7;
        return true;
    }
    return false;
}

static unsigned operand_size(const struct insn *in, unsigned bits) {
    if (in->rex & 8)
        return 8;
    return in->data16 == (bits == 16) ? 4 : 2;
}

/* REX counts only right before the opcode. */
static bool take_any_prefix(struct insn *in, unsigned bits, uint8_t b) {
    bool rex = bits == 64 && (b & 0xf0) == 0x40;
    if (!rex && !take_prefix(in, bits, b))
        return false;
    in->rex = rex ? b : 0;
    return true;
}

void insn_read(const struct memory *m, const struct cpu_state *s, uint64_t pc, struct insn *in) {
    unsigned bits = x86_mode_bits(x86_mode(&s->sregs, s->regs.rflags));
    *in = (struct insn){.pc = pc, .segment = -1, .address = bits / 8};
    in->there = x86_read(m, &s->sregs, pc, in->bytes, INSN_MAX);
    while (in->prefixes < in->there && take_any_prefix(in, bits, in->bytes[in->prefixes]))
        in->prefixes++;
    in->operand = operand_size(in, bits);
    in->opcode = insn_byte(in, 0);
    in->second = in->opcode == 0x0f ? insn_byte(in, 1) : 0;
}

uint8_t insn_byte(const struct insn *in, unsigned i) {
    return in->prefixes + i < in->there ? in->bytes[in->prefixes + i] : 0;
}

static unsigned modrm_at(const struct insn *in) { return in->opcode == 0x0f ? 2 : 1; }

uint8_t insn_modrm(const struct insn *in) { return insn_byte(in, modrm_at(in)); }

uint64_t insn_immediate(const struct insn *in, unsigned at, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)insn_byte(in, at + i) << (8 * i);
    return value;
}

/* Volume 2, tables 2-1 to 2-3. */
unsigned insn_modrm_length(const struct insn *in) {
    uint8_t modrm = insn_modrm(in), mod = modrm >> 6, rm = modrm & 7;
    if (mod == 3)
        return 1;
    if (in->address == 2)
        return 1 + (mod == 0 ? (rm == 6 ? 2 : 0) : mod);
    unsigned sib = rm == 4;
    uint8_t base = sib ? insn_byte(in, modrm_at(in) + 1) & 7 : rm;
    return 1 + sib + (mod == 1 ? 1 : mod == 2 || base == 5 ? 4 : 0);
}

bool insn_in(const struct insn *in, struct insn_span span) {
    uint16_t op = in->opcode == 0x0f ? 0x0f00 | in->second : in->opcode;
    return op >= span.first && op <= span.last;
}

bool insn_in_any(const struct insn *in, const struct insn_span *spans, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (insn_in(in, spans[i]))
            return true;
    return false;
}

/* Volume 2, tables. */
bool insn_has_modrm(const struct insn *in) {
    static const struct insn_span with[] = {{0x62, 0x63}, {0x69, 0x69}, {0x6b, 0x6b}, {0x80, 0x8f},
                                            {0xc0, 0xc1}, {0xc4, 0xc7}, {0xd0, 0xd3}, {0xd8, 0xdf},
                                            {0xf6, 0xf7}, {0xfe, 0xff}};
    static const struct insn_span without[] = {
        {0x0f05, 0x0f09}, {0x0f0b, 0x0f0b}, {0x0f0e, 0x0f0e}, {0x0f30, 0x0f37}, {0x0f77, 0x0f77},
        {0x0f80, 0x0f8f}, {0x0fa0, 0x0fa2}, {0x0fa8, 0x0faa}, {0x0fc8, 0x0fcf}};
    if (in->opcode == 0x0f)
        return !insn_in_any(in, without, sizeof without / sizeof *without);
    return in->opcode < 0x40 ? (in->opcode & 7) < 4
                             : insn_in_any(in, with, sizeof with / sizeof *with);
}

bool insn_is_string(const struct insn *in) {
    uint8_t op = in->opcode;
    return (op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf);
}

uint64_t insn_register(const struct cpu_state *s, unsigned number) {
    const struct kvm_regs *r = &s->regs;
    const uint64_t all[16] = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi,
                              r->r8,  r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15};
    return all[number & 15];
}

static int64_t displacement(const struct insn *in, unsigned at, unsigned size) {
    uint64_t raw = insn_immediate(in, at, size);
    unsigned shift = 64 - 8 * size;
    return size ? (int64_t)(raw << shift) >> shift : 0;
}

/* 16-bit forms: BX+SI BX+DI BP+SI BP+DI SI DI BP BX. */
static uint64_t offset16(const struct insn *in, const struct cpu_state *s, bool *stack) {
    const struct kvm_regs *r = &s->regs;
    uint8_t modrm = insn_modrm(in), mod = modrm >> 6, rm = modrm & 7;
    const uint64_t base[8] = {r->rbx + r->rsi, r->rbx + r->rdi, r->rbp + r->rsi, r->rbp + r->rdi,
                              r->rsi, r->rdi, r->rbp, r->rbx};
    bool direct = mod == 0 && rm == 6;
    unsigned size = direct ? 2 : mod;
    *stack = !direct && (rm == 2 || rm == 3 || rm == 6);
    return (uint16_t)((direct ? 0 : base[rm]) + displacement(in, modrm_at(in) + 1, size));
}

static uint64_t scaled_index(const struct insn *in, const struct cpu_state *s, uint8_t sib) {
    unsigned index = (sib >> 3 & 7) | (in->rex & 2) << 2;
    return index == 4 ? 0 : insn_register(s, index) << (sib >> 6);
}

/* Those whose ModRM operand is followed by an immediate of one byte, or of the operand size. */
static const struct insn_span with_byte[] = {
    {0x6b, 0x6b}, {0x80, 0x80}, {0x82, 0x83}, {0xc0, 0xc1}, {0xc6, 0xc6}, {0x0f70, 0x0f73},
    {0x0fa4, 0x0fa4}, {0x0fac, 0x0fac}, {0x0fba, 0x0fba}, {0x0fc2, 0x0fc2}, {0x0fc4, 0x0fc6},
};
static const struct insn_span with_number[] = {{0x69, 0x69}, {0x81, 0x81}, {0xc7, 0xc7}};

static unsigned immediate_length(const struct insn *in) {
    unsigned number = in->operand == 2 ? 2 : 4;
    if (in->opcode == 0xf6 || in->opcode == 0xf7) /* of the group only TEST has one */
        return insn_modrm(in) >> 4 & 3 ? 0 : in->opcode == 0xf6 ? 1 : number;
    if (insn_in_any(in, with_byte, sizeof with_byte / sizeof *with_byte))
        return 1;
    return insn_in_any(in, with_number, sizeof with_number / sizeof *with_number) ? number : 0;
}

static uint64_t offset32(const struct insn *in, const struct cpu_state *s, bool *stack) {
    unsigned at = modrm_at(in);
    uint8_t modrm = insn_modrm(in), mod = modrm >> 6, rm = modrm & 7;
    uint8_t sib = rm == 4 ? insn_byte(in, at + 1) : 0, base = rm == 4 ? sib & 7 : rm;
    unsigned disp_at = at + 1 + (rm == 4);
    bool none = mod == 0 && base == 5;
    bool relative = none && rm == 5 && in->address == 8; /* RIP-relative */
    int64_t disp = displacement(in, disp_at, mod == 1 ? 1 : mod == 2 || none ? 4 : 0);
    uint64_t offset = disp + (rm == 4 ? scaled_index(in, s, sib) : 0);
    if (relative)
        offset += in->pc + in->prefixes + disp_at + 4 + immediate_length(in);
    else if (!none)
        offset += insn_register(s, base | (in->rex & 1) << 3);
    *stack = !none && (base == 4 || base == 5) && !(in->rex & 1);
    return in->address == 8 ? offset : (uint32_t)offset;
}

static const struct kvm_segment *segment_by(const struct cpu_state *s, unsigned number) {
    const struct kvm_segment *const all[6] = {&s->sregs.es, &s->sregs.cs, &s->sregs.ss,
                                              &s->sregs.ds, &s->sregs.fs, &s->sregs.gs};
    return all[number];
}

const char *insn_segment_name(const struct cpu_state *s, const struct kvm_segment *segment) {
    static const char *const names[6] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    for (unsigned i = 0; i < 6; i++)
        if (segment_by(s, i) == segment)
            return names[i];
    return "?";
}

struct insn_place insn_operand(const struct insn *in, const struct cpu_state *s) {
    enum { SS = 2, DS = 3 };
    uint8_t modrm = insn_modrm(in);
    struct insn_place p = {.number = (modrm & 7) | (in->rex & 1) << 3};
    bool stack;
    if (modrm >> 6 == 3)
        return p;
    p.memory = true;
    p.offset = in->address == 2 ? offset16(in, s, &stack) : offset32(in, s, &stack);
    p.segment = segment_by(s, in->segment >= 0 ? (unsigned)in->segment : stack ? SS : DS);
    p.linear = x86_linear(&s->sregs, s->regs.rflags, p.segment, p.offset);
    return p;
}

static struct insn_place place_at(const struct insn *in, const struct cpu_state *s, unsigned segment,
                                  uint64_t offset) {
    struct insn_place p = {.memory = true, .segment = segment_by(s, segment)};
    p.offset = in->address == 2 ? (uint16_t)offset : in->address == 4 ? (uint32_t)offset : offset;
    p.linear = x86_linear(&s->sregs, s->regs.rflags, p.segment, p.offset);
    return p;
}

static unsigned data_segment(const struct insn *in) {
    enum { DS = 3 };
    return in->segment >= 0 ? (unsigned)in->segment : DS;
}

unsigned insn_string(const struct insn *in, const struct cpu_state *s, struct insn_place place[2]) {
    enum { ES = 0 };
    unsigned count = 0;
    if (!insn_is_string(in))
        return 0;
    uint8_t op = in->opcode & ~1;
    if (op == 0xa4 || op == 0xa6 || op == 0xac || op == 0x6e) /* MOVS CMPS LODS OUTS */
        place[count++] = place_at(in, s, data_segment(in), s->regs.rsi);
    if (op != 0xac && op != 0x6e)
        place[count++] = place_at(in, s, ES, s->regs.rdi);
    return count;
}

bool insn_moffs(const struct insn *in, const struct cpu_state *s, struct insn_place *p) {
    if (in->opcode < 0xa0 || in->opcode > 0xa3)
        return false;
    *p = place_at(in, s, data_segment(in), insn_immediate(in, 1, in->address));
    return true;
}
