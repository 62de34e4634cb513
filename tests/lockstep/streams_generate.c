/* Random instructions over both opcode maps, all prefixes and all forms of an
 * address, with operands that mostly land where something is.
 *
 * Rule: how long an instruction is follows from the maps below, which are the
 * test's own; a decoder that reads more or less runs on elsewhere, and is found.
 */
#include "streams.h"

/* What follows each opcode (Vol. 2D, appendix A):
 *   m ModRM   r likewise, of registers   b byte   v word or doubleword   M V both
 *   j J a jump's distance   3 ModRM, and b or v if its reg field is 0 or 1   w word   e word, byte
 *   o an address   f far pointer   p prefix   x the other map   . nothing */
static const char one_byte[] = "mmmmbv..mmmmbv.x" /* 00 */
                               "mmmmbv..mmmmbv.." /* 10 */
                               "mmmmbvp.mmmmbvp." /* 20 */
                               "mmmmbvp.mmmmbvp." /* 30 */
                               "................" /* 40 */
                               "................" /* 50 */
                               "..mmppppvVbM...." /* 60 */
                               "jjjjjjjjjjjjjjjj" /* 70 */
                               "MVMMmmmmmmmmmmmm" /* 80 */
                               "..........f....." /* 90 */
                               "oooo....bv......" /* A0 */
                               "bbbbbbbbvvvvvvvv" /* B0 */
                               "MMw.mmMVe.w..b.." /* C0 */
                               "mmmmbb..mmmmmmmm" /* D0 */
                               "jjjjbbbbJJfj...." /* E0 */
                               "p.pp..33......mm" /* F0 */;
static const char two_bytes[] = "mmmm.........m.M" /* 00 */
                                "mmmmmmmmmmmmmmmm" /* 10 */
                                "rrrr....mmmmmmmm" /* 20 */
                                "........m.M....." /* 30 */
                                "mmmmmmmmmmmmmmmm" /* 40 */
                                "mmmmmmmmmmmmmmmm" /* 50 */
                                "mmmmmmmmmmmmmmmm" /* 60 */
                                "MMMMmmm.mm..mmmm" /* 70 */
                                "JJJJJJJJJJJJJJJJ" /* 80 */
                                "mmmmmmmmmmmmmmmm" /* 90 */
                                "...mMm.....mMmmm" /* A0 */
                                "mmmmmmmmmmMmmmmm" /* B0 */
                                "mmMmMMMm........" /* C0 */
                                "mmmmmmmmmmmmmmmm" /* D0 */
                                "mmmmmmmmmmmmmmmm" /* E0 */
                                "mmmmmmmmmmmmmmmm" /* F0 */;

struct maker {
    struct instruction *i;
    struct cpu_state *s;
    struct rig *r;
    struct chance *c;
    unsigned at;  /* bytes so far */
    bool address32, address64, steered;
    unsigned rip_at; /* where the displacement from RIP is, and where it is to lead */
    uint32_t rip_to;
    int segment;  /* of an override, or -1 */
};

struct kvm_segment *state_segment(struct cpu_state *s, unsigned number) {
    struct kvm_segment *const all[6] = {&s->sregs.es, &s->sregs.cs, &s->sregs.ss,
                                        &s->sregs.ds, &s->sregs.fs, &s->sregs.gs};
    return all[number];
}

__u64 *state_register(struct cpu_state *s, unsigned number) {
    struct kvm_regs *r = &s->regs;
    __u64 *const all[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
                            &r->rsi, &r->rdi, &r->r8,  &r->r9,  &r->r10, &r->r11,
                            &r->r12, &r->r13, &r->r14, &r->r15};
    return all[number & 15];
}

enum { AX, CX, DX, BX, SP, BP, SI, DI };
enum { ES, CS, SS, DS };

static void emit(struct maker *m, uint64_t value, unsigned size) {
    for (unsigned n = 0; n < size && m->at < sizeof m->i->bytes; n++)
        m->i->bytes[m->at++] = (uint8_t)(value >> 8 * n);
}

/* --- prefixes --- */

static void prefix(struct maker *m) {
    static const uint8_t bytes[] = {0x66, 0x66, 0x67, 0x67, 0xF2, 0xF3, 0xF0,
                                    0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65};
    bool big = (m->s->sregs.cs.db || is_code64(m->s)) && !(m->s->regs.rflags & FLAG_VM);
    uint8_t byte = bytes[below(m->c, sizeof bytes)];
    emit(m, byte, 1);
    m->i->prefixes++;
    if (byte == 0x66)
        m->i->operand16 = big;
    else if (byte == 0x67 && is_code64(m->s))
        m->address64 = false, m->address32 = true;
    else if (byte == 0x67)
        m->address32 = !big;
    else if (byte == 0xF0)
        m->i->lock = true;
    else if (byte >= 0xF2)
        m->i->last_rep = byte;
    else if (byte >= 0x64 || !is_code64(m->s))
        m->segment = byte >= 0x64 ? byte - 0x60 : byte >> 3 & 3;
}

static void prefixes(struct maker *m) {
    m->address64 = is_code64(m->s);
    m->address32 = m->s->sregs.cs.db;
    m->i->operand16 = !m->s->sregs.cs.db && !m->address64;
    m->segment = -1;
    unsigned count = one_in(m->c, 64) ? below(m->c, 9) : one_in(m->c, 2) ? 0 : below(m->c, 3);
    while (count--)
        prefix(m);
    if (!is_code64(m->s) || one_in(m->c, 3))
        return;
    m->i->rex = (uint8_t)(0x40 | below(m->c, 16));
    emit(m, m->i->rex, 1);
    m->i->prefixes++;
}

/* A register's number with the bit that REX has for it: B, X or R. */
static unsigned rex_number(const struct maker *m, unsigned number, unsigned bit) {
    return number | (m->i->rex & bit ? 8 : 0);
}
static bool rex_w(const struct maker *m) { return m->i->rex & 8; }

/* --- memory operands: the registers are set so that they land --- */

/* Where an operand shall be: in the data, at the end of a segment, or a stack. */
static uint32_t landing(struct maker *m, const struct kvm_segment *k) {
    uint32_t offset = DATA_AT + below(m->c, DATA_SIZE) - (uint32_t)k->base;
    if (one_in(m->c, 4))
        offset &= ~7u;
    if (has_fpu(m->s) && !one_in(m->c, 4))
        offset &= ~15u;
    if (one_in(m->c, 12) && k->limit != 0xFFFFFFFF)
        offset = k->limit - 9 + below(m->c, 16);
    return offset;
}

/* Half of what is there is a pointer to somewhere: for far jumps and the like. */
static void leave_pointer(struct maker *m, const struct kvm_segment *k, uint32_t offset) {
    uint64_t linear = (uint32_t)(k->base + offset);
    uint64_t pointer = HLT_AT + below(m->c, DATA_AT - HLT_AT);
    bool data = linear >= DATA_AT && linear < RING0_AT - 8;
    if (!data || one_in(m->c, 2))
        return;
    if (rex_w(m)) {
        uint16_t selector = any_selector(m->c);
        pointer |= one_in(m->c, 16) ? 1ull << 47 : 0;
        rig_put(m->r, linear, &pointer, 8);
        rig_put(m->r, linear + 8, &selector, linear < RING0_AT - 10 ? 2 : 0);
        return;
    }
    pointer |= (uint64_t)any_selector(m->c) << (m->i->operand16 ? 16 : 32);
    rig_put(m->r, linear, &pointer, m->i->operand16 ? 4 : 6);
}

static struct kvm_segment *operand_segment(struct maker *m, unsigned base) {
    unsigned usual = base == BP || base == SP ? SS : DS;
    return state_segment(m->s, m->segment >= 0 ? (unsigned)m->segment : usual);
}

static void set_low(__u64 *reg, uint32_t value) { *reg = (*reg & ~0xFFFFull) | (value & 0xFFFF); }

static uint32_t any_displacement(struct maker *m, unsigned size) {
    return size == 1 ? (uint32_t)(int8_t)any(m->c) : size ? any(m->c) & 0x3FF : 0;
}

static void address16(struct maker *m, unsigned mod, unsigned rm) {
    static const uint8_t first[8] = {BX, BX, BP, BP, SI, DI, BP, BX};
    static const uint8_t second[4] = {SI, DI, SI, DI};
    bool direct = mod == 0 && rm == 6;
    unsigned base = direct ? AX : first[rm], size = direct ? 2 : mod;
    struct kvm_segment *k = operand_segment(m, base);
    uint32_t offset = landing(m, k), disp = direct ? offset : any_displacement(m, size);
    emit(m, disp, size);
    if (m->steered && rm < 4)
        set_low(state_register(m->s, second[rm]), below(m->c, 64));
    if (m->steered && !direct)
        set_low(state_register(m->s, base),
                offset - disp - (rm < 4 ? (uint32_t)*state_register(m->s, second[rm]) : 0));
    if (m->steered)
        leave_pointer(m, k, offset);
}

/* In 64-bit code, once in a while, not canonical; and what 67 cuts off is anything. */
static void steer(struct maker *m, unsigned reg, uint64_t value) {
    if (m->address64 && one_in(m->c, 24))
        value ^= 1ull << (47 + below(m->c, 17));
    else if (is_code64(m->s) && !m->address64)
        value = (uint32_t)value | (uint64_t)any(m->c) << 32;
    else if (!m->address64)
        value = (uint32_t)value;
    *state_register(m->s, reg) = value;
}

static void address_wide(struct maker *m, unsigned mod, unsigned rm) {
    unsigned base = rex_number(m, rm, 1), index = SP, scale = 0;
    if (rm == SP) {
        unsigned sib = below(m->c, 256);
        emit(m, sib, 1);
        base = rex_number(m, sib & 7, 1);
        index = rex_number(m, sib >> 3 & 7, 2);
        scale = sib >> 6;
    }
    bool direct = mod == 0 && (base & 7) == BP;
    struct kvm_segment *k = operand_segment(m, direct ? (unsigned)AX : base);
    uint32_t offset = landing(m, k);
    uint64_t scaled = 0;
    if (m->steered && index != SP)
        *state_register(m->s, index) = below(m->c, 64);
    if (index != SP)
        scaled = *state_register(m->s, index) << scale;
    uint32_t disp = direct ? offset - (uint32_t)scaled
                           : any_displacement(m, mod == 1 ? 1 : mod ? 4 : 0);
    if (direct && rm != SP && is_code64(m->s))
        m->rip_at = m->at, m->rip_to = offset;
    emit(m, disp, direct ? 4 : mod == 1 ? 1 : mod ? 4 : 0);
    if (m->steered && !direct && base != SP)
        steer(m, base, offset - (uint64_t)(int32_t)disp - scaled);
    if (m->steered && base != SP)
        leave_pointer(m, k, offset);
}

static void modrm(struct maker *m, char kind) {
    unsigned mod = one_in(m->c, 3) ? 3 : below(m->c, 3), rm = below(m->c, 8);
    unsigned reg = below(m->c, 8);
    if (kind == 'r') { /* whatever mod says */
        emit(m, m->i->modrm = (uint8_t)any(m->c), 1);
        return;
    }
    m->i->modrm = (uint8_t)(mod << 6 | reg << 3 | rm);
    emit(m, m->i->modrm, 1);
    if (mod == 3)
        return;
    if (m->address32 || m->address64)
        address_wide(m, mod, rm);
    else
        address16(m, mod, rm);
}

/* --- immediates --- */

static void immediate(struct maker *m, char kind) {
    unsigned wide = m->i->operand16 && !rex_w(m) ? 2 : 4, branch = is_code64(m->s) ? 4 : wide;
    bool full = rex_w(m) && !m->i->two_bytes && (m->i->opcode & 0xF8) == 0xB8;
    bool near = !one_in(m->c, 16);
    switch (kind) {
    case 'b': case 'M': emit(m, any(m->c), 1); break;
    case 'v': case 'V':
        emit(m, any_value(m->c), wide);
        emit(m, any(m->c), full ? 4 : 0);
        break;
    case 'w': emit(m, below(m->c, 64), 2); break;
    case 'e': emit(m, below(m->c, 128) | below(m->c, 6) << 16, 3); break;
    case 'j': emit(m, any(m->c), 1); break;
    case 'J': emit(m, near ? below(m->c, 0x600) - 0x400 : any(m->c), branch); break;
    case 'o':
        emit(m, landing(m, operand_segment(m, AX)), m->address64 ? 8 : m->address32 ? 4 : 2);
        break;
    case 'f':
        emit(m, HLT_AT + below(m->c, 0x1000), wide);
        emit(m, any_selector(m->c), 2);
        break;
    }
}

static void operands(struct maker *m, char kind) {
    if (strchr("mrMV3", kind))
        modrm(m, kind);
    if (kind == '3')
        kind = m->i->modrm & 0x30 ? '.' : m->i->opcode & 1 ? 'v' : 'b';
    immediate(m, kind);
}

/* --- what some instructions need to get anywhere --- */

/* A frame to return by, at the top of the stack. TF stays clear: what a `hlt` that
 * is traced does, and when, is another matter. */
static unsigned frame_size(const struct maker *m) {
    bool near = m->i->opcode == 0xC2 || m->i->opcode == 0xC3, popf = m->i->opcode == 0x9D;
    unsigned wide = rex_w(m) ? 8 : m->i->operand16 ? 2 : 4;
    return !is_code64(m->s) ? wide : near ? 8 : popf && wide == 4 ? 8 : wide;
}

static void need_frame(struct maker *m) {
    uint64_t frame[9] = {HLT_AT + below(m->c, 0x1000), any_selector(m->c),
                         (any(m->c) & (0x247FD7 & ~FLAG_TF)) | 2,  RING0_TOP - 0x800,
                         any_selector(m->c)};
    unsigned size = frame_size(m);
    uint64_t sp = m->s->sregs.ss.db || is_code64(m->s) ? m->s->regs.rsp : m->s->regs.rsp & 0xFFFF;
    bool popf = m->i->opcode == 0x9D;
    if (one_in(m->c, 3)) /* to where we are */
        frame[1] = m->s->sregs.cs.selector, frame[4] = m->s->sregs.ss.selector;
    if (one_in(m->c, 8) && !is_long(m->s)) { /* to virtual-8086 mode */
        frame[1] = frame[4] = 0;
        frame[2] |= FLAG_VM;
    }
    if (one_in(m->c, 16))
        frame[0] |= 1ull << 47; /* not canonical */
    for (unsigned n = 0; n < 9; n++)
        rig_put(m->r, (uint32_t)(m->s->sregs.ss.base + sp + n * size), &frame[popf ? 2 : n], size);
}

static void need_string(struct maker *m) {
    struct kvm_segment *from = operand_segment(m, AX);
    m->s->regs.rsi = landing(m, from);
    m->s->regs.rdi = landing(m, &m->s->sregs.es);
    m->s->regs.rcx = one_in(m->c, 16) ? below(m->c, 0x1000) : below(m->c, 24);
}

static void need_msr_long(struct maker *m) {
    static const uint32_t msrs[] = {0xC0000081, 0xC0000082, 0xC0000083, 0xC0000100, 0xC0000101,
                                    0xC0000102, 0x175, 0x176};
    m->s->regs.rcx = msrs[below(m->c, sizeof msrs / sizeof *msrs)];
    bool sysenter = m->s->regs.rcx < 0x200; /* where KVM makes it canonical */
    m->s->regs.rdx = one_in(m->c, 4) && !sysenter ? any(m->c)
                     : one_in(m->c, 2) ? 0xFFFF8000 : 0x7000;
}

static void need_msr(struct maker *m) {
    if (is_long(m->s) && one_in(m->c, 2)) {
        need_msr_long(m);
        return;
    }
    m->s->regs.rcx = one_in(m->c, 8) ? 0x8BADF00D : 0x174 + below(m->c, 3);
    m->s->regs.rdx = 0; /* the built-in CPU keeps 32 bits of them, AMD 16 of the first */
    if (m->s->regs.rcx == 0x174)
        m->s->regs.rax &= 0xFFFF;
}

/* Control registers change by one bit that both CPUs know, or by one that is
 * reserved; debug registers enable nothing. */
static void need_control(struct maker *m) {
    static const uint32_t cr0[] = {CR0_PE, CR0_MP, CR0_TS, CR0_WP, CR0_AM, CR0_CD, CR0_NW};
    static const uint32_t cr4[] = {CR4_TSD, CR4_DE, CR4_PSE, CR4_PGE, 1u << 30};
    unsigned reg = rex_number(m, m->i->modrm >> 3 & 7, 4);
    __u64 *value = state_register(m->s, rex_number(m, m->i->modrm & 7, 1));
    if (m->i->opcode == 0x23)
        *value = reg >= 4 ? any(m->c) & 0xFFFF0000 : any_value(m->c);
    else if (reg == 0)
        *value = m->s->sregs.cr0 ^ cr0[below(m->c, sizeof cr0 / sizeof *cr0)];
    else if (reg == 4)
        *value = m->s->sregs.cr4 ^ cr4[below(m->c, sizeof cr4 / sizeof *cr4)];
    else if (reg == 3)
        *value = DIRECTORY_AT;
    else if (reg == 8)
        *value = below(m->c, 20);
    if (is_long(m->s) && one_in(m->c, 8))
        *value |= 1ull << (32 + below(m->c, 32));
}

static const struct {
    bool two_bytes;
    uint8_t first, last;
    void (*need)(struct maker *);
} needs[] = {
    {false, 0x6C, 0x6F, need_string}, {false, 0xA4, 0xA7, need_string},
    {false, 0xAA, 0xAF, need_string}, {false, 0x9D, 0x9D, need_frame},
    {false, 0xC2, 0xC3, need_frame},  {false, 0xCA, 0xCB, need_frame},
    {false, 0xCF, 0xCF, need_frame},  {true, 0x22, 0x23, need_control},
    {true, 0x30, 0x30, need_msr},     {true, 0x32, 0x32, need_msr},
};

/* These are met in any case: a repeat count or a control register at random leads
 * nowhere. */
static void meet_needs(struct maker *m) {
    for (unsigned n = 0; n < sizeof needs / sizeof *needs; n++)
        if (m->i->two_bytes == needs[n].two_bytes && m->i->opcode >= needs[n].first &&
            m->i->opcode <= needs[n].last)
            needs[n].need(m);
}

/* --- all of it --- */

/* REX, EVEX, VEX. */
static bool is_prefix64(uint8_t byte) {
    return (byte & 0xF0) == 0x40 || byte == 0x62 || byte == 0xC4 || byte == 0xC5;
}

/* Of the 0F map what is MMX and SSE up to SSE3, and EMMS; VMX, AMD's and the longer maps are not. */
static const struct {
    uint8_t first, last;
} fpu_opcodes[] = {{0x10, 0x17}, {0x28, 0x2F}, {0x50, 0x77}, {0x7C, 0x7F}, {0xAE, 0xAE},
                   {0xC2, 0xC2}, {0xC4, 0xC6}, {0xD0, 0xFE}};

static void fpu_opcode(struct maker *m) {
    unsigned row = below(m->c, sizeof fpu_opcodes / sizeof *fpu_opcodes);
    uint8_t first = fpu_opcodes[row].first, last = fpu_opcodes[row].last;
    m->i->two_bytes = !one_in(m->c, 3);
    if (m->i->two_bytes)
        emit(m, 0x0F, 1);
    m->i->opcode = (uint8_t)(m->i->two_bytes    ? first + below(m->c, last - first + 1u)
                             : one_in(m->c, 32) ? 0x9B
                                                : 0xD8 + below(m->c, 8));
    emit(m, m->i->opcode, 1);
}

static void opcode(struct maker *m) {
    if (has_fpu(m->s)) {
        fpu_opcode(m);
        return;
    }
    do
        m->i->opcode = (uint8_t)any(m->c);
    while (one_byte[m->i->opcode] == 'p' || (is_code64(m->s) && is_prefix64(m->i->opcode)));
    if (one_in(m->c, 3))
        m->i->opcode = 0x0F;
    emit(m, m->i->opcode, 1);
    m->i->two_bytes = m->i->opcode == 0x0F;
    if (m->i->two_bytes)
        emit(m, m->i->opcode = (uint8_t)any(m->c), 1);
}

void instruction_make(struct rig *r, struct instruction *i, struct chance *c) {
    struct maker m = {.i = i, .s = rig_get(r), .r = r, .c = c, .steered = !one_in(c, 8)};
    uint32_t at = SLOT_AT + below(c, 0x800);
    *i = (struct instruction){0};
    prefixes(&m);
    opcode(&m);
    operands(&m, (i->two_bytes ? two_bytes : one_byte)[i->opcode]);
    meet_needs(&m);
    i->length = m.at;
    if (m.rip_at && m.rip_at + 4 <= sizeof i->bytes) {
        uint32_t disp = m.rip_to - (at + m.at);
        memcpy(i->bytes + m.rip_at, &disp, 4);
    }
    m.s->regs.rip = at - m.s->sregs.cs.base;
    m.s->mp.mp_state = KVM_MP_STATE_RUNNABLE;
    rig_put(r, at, i->bytes, i->length);
    rig_set(r);
}
