/* User-level instructions on the built-in CPU and on the host's own, with the
 * same registers, flags and memory; all of them compared after each.
 *
 * The host runs them in a child process, as 32-bit code. `test_soft_native [cases] [seed]`.
 */
#include "native32.h"
#include "native_rows.h"

enum { DATA_SIZE = 256 };

struct test {
    uint8_t code[16], length;
    struct pushed in, out;
    uint8_t data[DATA_SIZE];
    bool faulted;
};

/* xchg al, [DATA], twice */
static const uint8_t lead[] = {0x86, 0x05, 0x00, 0x30, 0x10, 0x00, 0x86, 0x05, 0x00, 0x30, 0x10, 0x00};

#include "native_integer.h"

static uint64_t count_register(const struct test *t) { return t->in.cx; }

static uint32_t any(void) { return (uint32_t)(next_random() >> 16); }

/* --- the instructions --- */

static void emit(struct test *t, unsigned byte) {
    t->code[t->length++] = (uint8_t)byte;
}

/* Memory operands are [esi + disp8] or an absolute address in DATA. */
static void emit_modrm(struct test *t, const struct native_row *row) {
    unsigned reg = row->reg >= 0 ? (unsigned)row->reg : any() % 8;
    bool bits = row->form & BIT; /* of a register: it must not reach far */
    if (row->form & MEM_ONLY || (!bits && any() % 2)) {
        if (any() % 2) {
            emit(t, 0x46 | reg << 3);
            emit(t, any() % 64);
        } else {
            emit(t, 0x05 | reg << 3);
            uint32_t at = DATA + any() % (DATA_SIZE - 8);
            for (int n = 0; n < 4; n++)
                emit(t, at >> 8 * n);
        }
    } else {
        emit(t, 0xC0 | reg << 3 | any() % 8);
    }
}

static uint32_t value(void) {
    static const uint32_t edges[] = {0,      1,      0x7F,       0x80,       0xFF,       0x7FFF,
                                     0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10,
                                     0x1F,   0x20,   9,          0x99};
    return any() % 3 ? any() : edges[any() % (sizeof edges / sizeof *edges)];
}

static void make(struct test *t) {
    const struct native_row *row;
    do
        row = &native_rows[any() % (sizeof native_rows / sizeof *native_rows)];
    while (row->form & ONLY64);
    memset(t, 0, sizeof *t);
    bool small = any() % 3 == 0;
    if (small)
        emit(t, 0x66);
    if (row->form & REP && any() % 3)
        emit(t, any() % 2 ? 0xF2 : 0xF3);
    if (row->form & F0)
        emit(t, 0x0F);
    emit(t, row->first + any() % (row->last - row->first + 1u));
    if (row->form & MODRM)
        emit_modrm(t, row);
    unsigned immediate = row->form & I8 ? 1 : row->form & (IV | IQ) ? (small ? 2 : 4) : 0;
    for (unsigned n = 0; n < immediate; n++)
        emit(t, any());
    if (row->form & W) {
        emit(t, any() % 32);
        emit(t, 0);
        emit(t, any() % 4);
    }
    t->in = (struct pushed){.flags = (any() & FLAGS) | 0x202,
                               .ax = value(),
                               .bx = value(),
                               .cx = row->form & REP ? any() % 9 : value(),
                               .dx = value(),
                               .si = DATA + 64 + any() % 32,
                               .di = DATA + 128 + any() % 32,
                               .bp = DATA + 160 + any() % 32,
                               .sp = DATA + 128 + 4 * (any() % 16)};
    if (t->code[t->length - 1] == 0xD7 || t->code[0] == 0xD7)
        t->in.bx = DATA;
    for (unsigned n = 0; n < DATA_SIZE; n++)
        t->data[n] = (uint8_t)any();
}

/* --- on the host --- */

/* mov esp, FRAME; popf; popa; mov esp, [sp of the frame]; jmp CODE. After the
 * instruction, EXIT: keep esp, save the rest in a second frame, return far. */
static void host_stubs(void) {
    static const uint8_t stub[] = {0xBC, 0x00, 0x08, 0x10, 0x00, 0x9D, 0x61, 0x8B, 0x25,
                                   0x10, 0x08, 0x10, 0x00, 0xE9, 0xEE, 0x03, 0x00, 0x00};
    static const uint8_t leave[] = {
        0x89, 0x25, 0x80, 0x08, 0x10, 0x00,       /* mov [FRAME+0x80], esp */
        0xBC, 0x64, 0x08, 0x10, 0x00, 0x60, 0x9C, /* mov esp, FRAME+0x64; pusha; pushf */
        0xFC, 0xBC, 0xF8, 0x17, 0x10, 0x00, 0xCB  /* cld; mov esp, STACKS-8; retf */
    };
    put(LOW, stub, sizeof stub);
    put(EXIT, leave, sizeof leave);
    put_bridge();
}

static void host_run(struct test *t) {
    put_code32(t->code, t->length);
    put(FRAME, &t->in, sizeof t->in);
    put(DATA, t->data, DATA_SIZE);
    faulted = 0;
    run_bridge();
    memcpy(&t->out, (void *)(uintptr_t)(FRAME + 0x40), sizeof t->out);
    memcpy(&t->out.sp, (void *)(uintptr_t)(FRAME + 0x80), 4);
    memcpy(t->data, (void *)(uintptr_t)DATA, DATA_SIZE);
    t->faulted = faulted;
}

static void host_child(struct test *tests) {
    host_prepare();
    host_stubs();
    for (unsigned n = 0; n < BATCH; n++)
        host_run(&tests[n]);
    _exit(0);
}

/* --- on the built-in CPU --- */

static void soft_put(struct cpu_state *s, const struct test *t) {
    s->regs = (struct kvm_regs){.rax = t->in.ax,
                                .rbx = t->in.bx,
                                .rcx = t->in.cx,
                                .rdx = t->in.dx,
                                .rsi = t->in.si,
                                .rdi = t->in.di,
                                .rbp = t->in.bp,
                                .rsp = t->in.sp,
                                .rflags = t->in.flags};
}

static void soft_take(struct test *t, const struct cpu_state *s) {
    t->out = (struct pushed){.ax = (uint32_t)s->regs.rax,
                                .bx = (uint32_t)s->regs.rbx,
                                .cx = (uint32_t)s->regs.rcx,
                                .dx = (uint32_t)s->regs.rdx,
                                .si = (uint32_t)s->regs.rsi,
                                .di = (uint32_t)s->regs.rdi,
                                .bp = (uint32_t)s->regs.rbp,
                                .sp = (uint32_t)s->regs.rsp,
                                .flags = (uint32_t)s->regs.rflags};
}

static void show(const char *who, const struct test *t, bool after) {
    const struct pushed *r = after ? &t->out : &t->in;
    fprintf(stderr,
            "  %s ax=%08x bx=%08x cx=%08x dx=%08x si=%08x di=%08x bp=%08x sp=%08x flags=%04x\n",
            who, r->ax, r->bx, r->cx, r->dx, r->si, r->di, r->bp, r->sp, r->flags & FLAGS);
}

int main(int argc, char **argv) {
    return native_integer(argc, argv, rig_flat);
}
