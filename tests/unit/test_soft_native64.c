/* User-level instructions of 64-bit code on the built-in CPU and on the host's own, with the
 * same registers, flags and memory; all of them compared after each. As test_soft_native does
 * it for 32-bit code; here the child process calls the code where it lies, below 2 GiB.
 * `test_soft_native64 [cases] [seed]`.
 */
#include "native64.h"
#include "native_rows.h"

enum { DATA_SIZE = 512 };
enum { AX, CX, DX, BX, SP, BP, SI, DI, R8, R12 = 12, R13, R14 };

struct registers {
    uint64_t flags, r[16];
};

struct test {
    uint8_t code[24], length;
    struct registers in, out;
    uint8_t data[DATA_SIZE];
    bool faulted;
};

/* xchg al, [DATA], twice */
static const uint8_t lead[] = {0x86, 0x04, 0x25, 0x00, 0x30, 0x10, 0x00,
                               0x86, 0x04, 0x25, 0x00, 0x30, 0x10, 0x00};

#include "native_integer.h"

static uint64_t count_register(const struct test *t) { return t->in.r[CX]; }

static uint64_t any(void) {
    uint64_t n = next_random();
    return n >> 16 | n << 48;
}

/* --- making one --- */

static void emit(struct test *t, uint64_t byte) {
    t->code[t->length++] = (uint8_t)byte;
}

static void emit_value(struct test *t, uint64_t value, unsigned size) {
    for (unsigned n = 0; n < size; n++)
        emit(t, value >> 8 * n);
}

/* What was chosen of an instruction's form. */
struct form {
    const struct native_row *row;
    bool data16, address32;
    uint8_t rex;
    unsigned immediate; /* bytes of it that follow */
    uint64_t number;    /* bytes from DATA of an operand that is addressed absolutely */
};

/* [base + index * scale + disp8]: base is one of those that point into the data. */
static void emit_sib(struct test *t, struct form *f, unsigned reg) {
    bool index = f->rex && any() % 2;
    unsigned base = f->rex & 1 ? 4 + any() % 2 : 5 + any() % 3; /* r12, r13; rbp, rsi, rdi */
    f->rex = index ? f->rex | 2 : f->rex & (uint8_t)~2;
    emit(t, 0x44 | reg << 3);
    emit(t, (index ? any() % 3 << 6 | 6 << 3 : 4 << 3) | base); /* r14, or none */
    emit(t, any() % 64);
}

static void emit_memory(struct test *t, struct form *f, unsigned reg) {
    f->number = f->row->form & ALIGN ? any() % 16 * 16 : any() % (DATA_SIZE - 16);
    switch (f->row->form & ALIGN ? any() % 2 : any() % 4) {
    case 0: /* RIP-relative: patched when the length is known */
        emit(t, 0x05 | reg << 3);
        emit_value(t, 0, 4);
        t->code[t->length - 4] = 1;
        break;
    case 1: /* absolute, by SIB without a base */
        emit(t, 0x04 | reg << 3);
        emit(t, 0x25);
        f->rex &= (uint8_t)~2;
        emit_value(t, DATA + f->number, 4);
        break;
    default: emit_sib(t, f, reg); break;
    }
}

static void emit_modrm(struct test *t, struct form *f) {
    const struct native_row *row = f->row;
    unsigned reg = row->reg >= 0 ? (unsigned)row->reg : any() % 8;
    if (row->form & MEM_ONLY || (!(row->form & BIT) && any() % 2))
        emit_memory(t, f, reg);
    else
        emit(t, 0xC0 | reg << 3 | any() % 8);
}

static uint64_t value(void) {
    static const uint64_t edges[] = {
        0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
        0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF, 0x1F, 0x20, 0x3F, 0x40};
    return any() % 3 ? any() : edges[any() % (sizeof edges / sizeof *edges)];
}

/* Registers that point into the data have anything above 4 GiB where 67 cuts that off. */
static void make_registers(struct test *t, const struct form *f) {
    uint64_t above = f->address32 ? any() << 32 : 0;
    t->in.flags = (any() & FLAGS) | 0x202;
    for (unsigned n = 0; n < 16; n++)
        t->in.r[n] = value();
    t->in.r[SI] = (DATA + 64 + any() % 64) | above;
    t->in.r[DI] = (DATA + 192 + any() % 64) | above;
    t->in.r[BP] = DATA + 288 + any() % 32;
    t->in.r[R12] = (DATA + 128 + any() % 32) | above;
    t->in.r[R13] = (DATA + 160 + any() % 32) | above;
    t->in.r[R14] = any() % 16 | above;
    t->in.r[SP] = DATA + 256 + 8 * (any() % 16);
    if (f->row->form & REP)
        t->in.r[CX] = any() % 9 | above;
    if (f->row->first == 0xD7)
        t->in.r[BX] = DATA | above;
}

static unsigned immediate_size(const struct form *f) {
    unsigned wide = f->rex & 8 ? 8 : f->data16 ? 2 : 4;
    if (f->row->form & I8)
        return 1;
    if (f->row->form & IQ)
        return wide;
    return f->row->form & IV ? (f->data16 && wide != 8 ? 2 : 4) : 0;
}

static void patch_rip(struct test *t, const struct form *f, unsigned modrm) {
    if (!(f->row->form & MODRM) || (t->code[modrm] & 0xC7) != 5)
        return;
    int32_t distance = (int32_t)(DATA + f->number - (CODE + t->length));
    memcpy(t->code + modrm + 1, &distance, 4);
}

static void choose(struct form *f) {
    do
        f->row = &native_rows[any() % (sizeof native_rows / sizeof *native_rows)];
    while (f->row->form & ONLY32);
    f->data16 = any() % 4 == 0;
    f->address32 = any() % 5 == 0;
    if (any() % 3)
        f->rex = (uint8_t)(0x40 | any() % 16);
    if (f->row->form & ALIGN)
        f->rex |= 0x48;
}

static void make(struct test *t) {
    struct form f = {0};
    memset(t, 0, sizeof *t);
    choose(&f);
    if (f.data16)
        emit(t, 0x66);
    if (f.address32)
        emit(t, 0x67);
    if (any() % 16 == 0)
        emit(t, 0x26 + any() % 4 * 8); /* a segment that 64-bit code ignores */
    if (f.row->form & REP && any() % 3)
        emit(t, any() % 2 ? 0xF2 : 0xF3);
    if (any() % 32 == 0 && f.rex)
        emit(t, 0x48), emit(t, 0x3E); /* this REX does not count */
    unsigned rex = t->length;
    if (f.rex)
        emit(t, 0);
    if (f.row->form & F0)
        emit(t, 0x0F);
    emit(t, f.row->first + any() % (f.row->last - f.row->first + 1u));
    unsigned modrm = t->length;
    if (f.row->form & MODRM)
        emit_modrm(t, &f);
    if (f.rex)
        t->code[rex] = f.rex;
    if (f.row->form & MOFF)
        emit_value(t, DATA + any() % (DATA_SIZE - 16), f.address32 ? 4 : 8);
    emit_value(t, any(), immediate_size(&f));
    if (f.row->form & W)
        emit(t, any() % 32), emit(t, 0), emit(t, any() % 4);
    patch_rip(t, &f, modrm);
    make_registers(t, &f);
    for (unsigned n = 0; n < DATA_SIZE; n++)
        t->data[n] = (uint8_t)any();
}

/* --- on the host --- */

NATIVE64("", "cld");

static void host_run(struct test *t) {
    put_code64(t->code, t->length);
    put(FRAME, &t->in, sizeof t->in);
    put(DATA, t->data, DATA_SIZE);
    faulted = 0;
    host_enter();
    memcpy(&t->out, (void *)(uintptr_t)OUT, sizeof t->out);
    memcpy(t->data, (void *)(uintptr_t)DATA, DATA_SIZE);
    t->faulted = faulted;
}

static void host_child(struct test *tests) {
    host_prepare();
    for (unsigned n = 0; n < BATCH; n++)
        host_run(&tests[n]);
    _exit(0);
}

/* --- on the built-in CPU --- */

static void soft_put(struct cpu_state *s, const struct test *t) {
    s->regs = (struct kvm_regs){.rflags = t->in.flags};
    for (unsigned n = 0; n < 16; n++)
        *kvm_register(&s->regs, n) = t->in.r[n];
}

static void soft_take(struct test *t, const struct cpu_state *s) {
    struct kvm_regs regs = s->regs;
    t->out.flags = regs.rflags;
    for (unsigned n = 0; n < 16; n++)
        t->out.r[n] = *kvm_register(&regs, n);
}

static void show(const char *who, const struct test *t, bool after) {
    const struct registers *r = after ? &t->out : &t->in;
    static const char *const names[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
    fprintf(stderr, "  %s flags=%04x", who, (unsigned)r->flags & FLAGS);
    for (unsigned n = 0; n < 16; n++)
        fprintf(stderr, " %s=%llx", names[n], (unsigned long long)r->r[n]);
    fputc('\n', stderr);
}

int main(int argc, char **argv) {
    return native_integer(argc, argv, rig_long);
}
