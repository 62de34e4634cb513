/* The handlers that the built-in CPU has for one instruction against each other: those for
 * each size and place of its operand (family.h) against the slow one, which alone is used
 * where a page is watched; and those for a comparison with its jump (branch.h) against both
 * done by steps. All registers, flags and memory must agree.
 */
#include "tests/lockstep/lockstep.c"
#include "unit.h"
#include "vmm/engines/soft/soft.h"

enum { DATA_AT = 0x30000, TOP_AT = 0x3F800, TOP16_AT = TOP_AT & 0xFFFF };
enum { WATCHED = 0xF00 }; /* in each page, never touched */
enum { PREFIX_16 = 0x66, PREFIX_FS = 0x64, REX_W = 0x48 };

struct setting {
    const char *name;
    bool long_mode, flat, fs;
    uint16_t stack_bits;
};
static const struct setting settings[] = {
    {"flat", .flat = true, .stack_bits = 32},
    {"not flat", .stack_bits = 32},
    {"not flat, SP of 16 bits", .stack_bits = 16},
    {"64-bit code", .long_mode = true, .flat = true},
    {"64-bit code, FS", .long_mode = true, .flat = true, .fs = true},
};

struct program {
    uint8_t bytes[3072];
    size_t length;
};
static void emit(struct program *p, const void *bytes, size_t length) {
    memcpy(p->bytes + p->length, bytes, length);
    p->length += length;
}
static void emit1(struct program *p, unsigned byte) {
    emit(p, &(uint8_t){(uint8_t)byte}, 1);
}
static void emit_mov(struct program *p, unsigned reg, uint32_t value) {
    emit1(p, 0xB8 + reg);
    emit(p, &value, 4);
}

static void open_rig(struct rig *r, const struct program *p, const struct setting *how) {
    static const uint8_t hlt = 0xF4;
    rig_open(r, soft_open, 1 << 20);
    if (how->long_mode)
        rig_long(r, p->bytes, p->length);
    else
        rig_flat(r, p->bytes, p->length);
    for (unsigned vector = 0; vector < 32 && !how->long_mode; vector++)
        rig_gate(r, vector, 8, 0x12000, 0x8E);
    rig_put(r, 0x12000, &hlt, 1);
    for (uint32_t n = 0; n < 64; n++)
        rig_put32(r, DATA_AT + 4 * n, 0x81234567u * (n + 1) ^ n << 28);
    struct cpu_state *s = rig_get(r);
    s->regs.rsp = TOP_AT;
    s->regs.rax = 0x1182;
    s->regs.rcx = 0x9F5577F3;
    s->regs.rbx = 0x123456789ABCDEF0;
    s->regs.rsi = DATA_AT + 16;
    if (!how->flat)
        s->sregs.es.base = 0x200;
    if (how->stack_bits == 16)
        s->sregs.ss.db = 0;
    s->sregs.fs.base = 0;
    rig_set(r);
    r->cpu.limit = 100000;
}

static void watch(struct rig *r) {
    breakpoints_add(&r->breakpoints, BP_WRITE, DATA_AT + WATCHED, 1);
    breakpoints_add(&r->breakpoints, BP_WRITE, (TOP_AT & ~0xFFF) + WATCHED, 1);
    breakpoints_add(&r->breakpoints, BP_WRITE, (TOP16_AT & ~0xFFF) + WATCHED, 1);
}

/* --- an operand's places --------------------------------------------------------------- */

static void places_agree(const struct program *p, const struct setting *how, const char *what,
                         unsigned opcode) {
    struct lockstep l = {.parts = CPU_ALL, .memory = true};
    struct rig fast, slow;
    open_rig(&fast, p, how);
    open_rig(&slow, p, how);
    watch(&slow);
    enum cpu_exit_kind kind = rig_run(&fast), watched = rig_run(&slow);
    bool same = kind == watched && fast.cpu.ticks == slow.cpu.ticks &&
                lockstep_same(&l, &fast, &slow);
    CHECK(same);
    if (!same)
        fprintf(stderr, "%s %x, %s: exits %d, %d; %s\n", what, opcode, how->name, kind, watched, l.why);
    rig_close(&fast);
    rig_close(&slow);
}

static bool takes_immediate(unsigned opcode, unsigned reg, unsigned *size) {
    bool byte = !(opcode & 1), group3 = opcode == 0xF6 || opcode == 0xF7;
    *size = byte || opcode == 0x83 || opcode == 0xC0 || opcode == 0xC1 || opcode == 0x6B ? 1 : 4;
    return (opcode >= 0x80 && opcode <= 0x83) || opcode == 0xC0 || opcode == 0xC1 ||
           opcode == 0xC6 || opcode == 0xC7 || opcode == 0x69 || opcode == 0x6B ||
           (group3 && reg < 2);
}

/* Each value of the reg field, on memory that [edi] points to; the flags go to the stack. */
static void add_instruction(struct program *p, const struct setting *how, unsigned prefix,
                            unsigned opcode, unsigned reg) {
    unsigned size;
    emit_mov(p, 7, DATA_AT + 8 * reg);
    emit_mov(p, 4, TOP_AT - 64 * reg);
    emit_mov(p, 2, 0);
    if (how->fs)
        emit1(p, PREFIX_FS);
    if (prefix)
        emit1(p, prefix);
    if (opcode >> 8)
        emit1(p, 0x0F);
    emit1(p, opcode);
    emit1(p, reg << 3 | 7);
    if (takes_immediate(opcode, reg, &size))
        emit(p, "\x85\x13\x57\x79", prefix == PREFIX_16 && size == 4 ? 2 : size);
    emit1(p, 0x9C); /* pushf */
}

static void test_places(void) {
    static const uint16_t opcodes[] = {
        0x00, 0x01, 0x02, 0x03, 0x08, 0x09, 0x0A, 0x0B, 0x10, 0x11, 0x12, 0x13, 0x18, 0x19,
        0x1A, 0x1B, 0x20, 0x21, 0x22, 0x23, 0x28, 0x29, 0x2A, 0x2B, 0x30, 0x31, 0x32, 0x33,
        0x38, 0x39, 0x3A, 0x3B, 0x69, 0x6B, 0x80, 0x81, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88,
        0x89, 0x8A, 0x8B, 0xC0, 0xC1, 0xD0, 0xD1, 0xD2, 0xD3, 0xF6, 0xF7, 0x1AF, 0x1B0, 0x1B1,
        0x1B6, 0x1B7, 0x1BE, 0x1BF, 0x1C0, 0x1C1};
    static const uint8_t prefixes[] = {0, PREFIX_16, REX_W};
    for (size_t n = 0; n < sizeof opcodes / sizeof *opcodes; n++)
        for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
            for (size_t k = 0; k < (settings[i].long_mode ? 3 : 2); k++) {
                struct program p = {.length = 0};
                emit(&p, "\x90\x88\x4e\x40\x89\x0c\x24", settings[i].long_mode ? 4 : 7); /* pages are met */
                for (unsigned reg = 0; reg < 8; reg++)
                    add_instruction(&p, &settings[i], prefixes[k], opcodes[n], reg);
                emit1(&p, 0xF4);
                places_agree(&p, &settings[i], "opcode", opcodes[n]);
            }
}

/* What has one form of the reg field: MOV, INC, DEC, PUSH, POP, jumps and calls. */
struct fragment {
    const char *name, *bytes;
    size_t length;
};
#define FRAGMENT(name, bytes) {name, bytes, sizeof(bytes) - 1}
static const struct fragment fragments[] = {
    FRAGMENT("mov byte", "\xc6\x07\x5a"), FRAGMENT("mov word", "\x66\xc7\x07\x5a\xa5"),
    FRAGMENT("mov", "\xc7\x07\x5a\xa5\x5a\xa5"), FRAGMENT("inc byte", "\xfe\x07"),
    FRAGMENT("inc", "\xff\x07"), FRAGMENT("inc word", "\x66\xff\x07"),
    FRAGMENT("dec byte", "\xfe\x0f"), FRAGMENT("dec", "\xff\x0f"),
    FRAGMENT("dec word", "\x66\xff\x0f"), FRAGMENT("push, pop", "\x53\x5a"),
    FRAGMENT("push, pop of 16 bits", "\x66\x53\x66\x5a"), FRAGMENT("push 5", "\x6a\x05"),
    FRAGMENT("push word 5", "\x66\x6a\x05"), FRAGMENT("push, pop of memory", "\xff\x37\x8f\x47\x08"),
    FRAGMENT("call, ret 8", "\xe8\x02\x00\x00\x00\xeb\x03\xc2\x08\x00"),
    FRAGMENT("call, ret", "\xe8\x02\x00\x00\x00\xeb\x01\xc3"),
    FRAGMENT("call eax", "\xe8\x00\x00\x00\x00\x58\x83\xc0\x07\xff\xd0\xeb\x01\xc3"),
};
static const struct fragment fragments64[] = {
    FRAGMENT("mov qword", "\x48\xc7\x07\x5a\xa5\x5a\xa5"), FRAGMENT("inc qword", "\x48\xff\x07"),
    FRAGMENT("dec qword", "\x48\xff\x0f"), FRAGMENT("movzx", "\x48\x0f\xb6\x0f"),
    FRAGMENT("mov qword fs", "\x64\x48\xc7\x07\x5a\xa5\x5a\xa5"),
    FRAGMENT("inc qword fs", "\x64\x48\xff\x07"), FRAGMENT("dec qword fs", "\x64\x48\xff\x0f"),
};

static void fragment_agrees(const struct fragment *f, const struct setting *how) {
    struct program p = {.length = 0};
    emit1(&p, 0x90);
    emit_mov(&p, 7, DATA_AT);
    emit(&p, "\x88\x4f\x40\x50\x58", 5); /* mov [edi+64], cl; push; pop: the pages are met */
    for (int n = 0; n < 3; n++)
        emit(&p, f->bytes, f->length);
    emit1(&p, 0xF4);
    places_agree(&p, how, f->name, 0);
}

static void test_fragments(void) {
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        for (size_t n = 0; n < sizeof fragments / sizeof *fragments; n++)
            fragment_agrees(&fragments[n], &settings[i]);
        for (size_t n = 0; settings[i].long_mode && n < sizeof fragments64 / sizeof *fragments64; n++)
            fragment_agrees(&fragments64[n], &settings[i]);
    }
}

/* --- pairs ----------------------------------------------------------------------------- */

/* Of EAX and ECX, by bytes, 16, 32 and 64 bits. */
static const struct {
    const char *name;
    uint8_t bytes[4], wide[4]; /* the instruction, its length first */
} comparisons[] = {
    {"cmp", {2, 0x38, 0xC8}, {2, 0x39, 0xC8}},
    {"cmp 1", {3, 0x80, 0xF8, 0x01}, {3, 0x83, 0xF8, 0x01}},
    {"test", {2, 0x84, 0xC8}, {2, 0x85, 0xC8}},
    {"test 1", {3, 0xF6, 0xC0, 0x01}, {0}},
    {"inc", {2, 0xFE, 0xC0}, {2, 0xFF, 0xC0}},
    {"dec", {2, 0xFE, 0xC8}, {2, 0xFF, 0xC8}},
};
enum { COMPARISONS = sizeof comparisons / sizeof *comparisons };

static void add_comparison(struct program *p, unsigned kind, unsigned size) {
    const uint8_t *of = size == 1 ? comparisons[kind].bytes : comparisons[kind].wide;
    if (size == 2)
        emit1(p, PREFIX_16);
    if (size == 8)
        emit1(p, REX_W);
    if (!of[0])
        emit(p, "\xf7\xc0\x01\x00\x00\x00", size == 2 ? 4 : 6); /* test eax, 1 */
    emit(p, of + 1, of[0]);
}

/* Jumps over a MOV that notes, for each condition, that it does not hold. */
static void pair_agrees(unsigned kind, unsigned size, uint32_t a, uint32_t b) {
    const struct setting *how = &settings[size == 8 ? 3 : 0];
    struct lockstep l = {.parts = CPU_ALL, .memory = true};
    struct program p = {.length = 0};
    struct rig pair, steps;
    emit_mov(&p, 7, DATA_AT);
    for (unsigned cc = 0; cc < 16; cc++) {
        emit_mov(&p, 0, a);
        emit_mov(&p, 1, b);
        add_comparison(&p, kind, size);
        emit(&p, &(uint8_t[]){(uint8_t)(0x70 | cc), 4, 0xC6, 0x47, (uint8_t)cc, 1}, 6);
    }
    emit1(&p, 0xF4);
    open_rig(&pair, &p, how);
    open_rig(&steps, &p, how);
    enum cpu_exit_kind kind_of_exit = rig_run(&pair);
    while (rig_step(&steps) == CPU_EXIT_STEPPED)
        continue;
    bool same = kind_of_exit == CPU_EXIT_HALTED && lockstep_same(&l, &pair, &steps);
    CHECK(same);
    if (!same)
        fprintf(stderr, "%s of %u bytes, %x and %x: %s\n", comparisons[kind].name, size, a, b, l.why);
    rig_close(&pair);
    rig_close(&steps);
}

static void test_pairs(void) {
    static const uint32_t values[][2] = {
        {0, 0}, {1, 2}, {2, 1}, {0x80808080, 1}, {1, 0x80808080}, {0xFFFFFFFF, 1},
        {0x7F7F7F7F, 0x7FFFFF7F}, {0x7FFFFFFF, 3}, {0x80000000, 0x80000000}};
    for (unsigned kind = 0; kind < COMPARISONS; kind++)
        for (unsigned size = 1; size <= 8; size *= 2)
            for (size_t n = 0; n < sizeof values / sizeof *values; n++)
                pair_agrees(kind, size, values[n][0], values[n][1]);
}

int main(void) {
    test_places();
    test_fragments();
    test_pairs();
    return unit_end();
}
