/* User-level instructions of 64-bit code on the built-in CPU and on the host's own, with the
 * same registers, flags and memory; all of them compared after each. As test_soft_native does
 * it for 32-bit code; here the child process calls the code where it lies, below 2 GiB.
 * `test_soft_native64 [cases] [seed]`.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/lockstep/rig.h"
#include "tests/lockstep/undefined.h"
#include "native64.h"
#include "native_rows.h"
#include "unit.h"
#include "vmm/engines/soft/soft.h"

/* The two stubs know these: keep them in step. */
#define LOW   0x100000
#define CODE  0x100400
#define FRAME 0x100800 /* what goes in: flags, then the registers in the order of their encoding */
#define OUT   0x100900 /* what comes out */
#define SAVED 0x100A00
enum { DATA = LOW + 0x3000, DATA_SIZE = 512, LOW_SIZE = 0x10000, BATCH = 2000 };
enum { AX, CX, DX, BX, SP, BP, SI, DI, R8, R12 = 12, R13, R14 };

enum { FLAGS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF | FLAG_DF };

struct registers {
    uint64_t flags, r[16];
};

struct test {
    uint8_t code[24], length;
    struct registers in, out;
    uint8_t data[DATA_SIZE];
    bool faulted;
};

static uint64_t seed;
static uint64_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed >> 16 | seed << 48;
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

NATIVE64("", "cld")

static volatile sig_atomic_t faulted;

static void on_fault(int signal_number, siginfo_t *info, void *context) {
    ucontext_t *c = context;
    uint64_t ip = (uint64_t)c->uc_mcontext.gregs[REG_RIP];
    (void)signal_number, (void)info;
    if (ip < CODE || ip >= CODE + 64)
        _exit(76); /* not by the instruction under test */
    faulted = 1;
    c->uc_mcontext.gregs[REG_RIP] = (greg_t)host_leave;
}

static void put(uint64_t at, const void *bytes, size_t length) {
    memcpy((void *)(uintptr_t)at, bytes, length);
}

/* jmp *[rip]: host_leave */
static void host_run(struct test *t) {
    static const uint8_t jump[] = {0xFF, 0x25, 0, 0, 0, 0};
    uint64_t leave = (uint64_t)host_leave, code = CODE;
    put(CODE, t->code, t->length);
    put(CODE + t->length, jump, sizeof jump);
    put(CODE + t->length + sizeof jump, &leave, 8);
    put(SAVED + 8, &code, 8);
    put(FRAME, &t->in, sizeof t->in);
    put(DATA, t->data, DATA_SIZE);
    faulted = 0;
    host_enter();
    memcpy(&t->out, (void *)(uintptr_t)OUT, sizeof t->out);
    memcpy(t->data, (void *)(uintptr_t)DATA, DATA_SIZE);
    t->faulted = faulted;
}

static void host_child(struct test *tests) {
    static uint8_t stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    static const int signals[] = {SIGFPE, SIGSEGV, SIGILL, SIGBUS};
    alarm(20);
    sigaltstack(&alternate, NULL);
    for (unsigned n = 0; n < sizeof signals / sizeof *signals; n++)
        sigaction(signals[n], &action, NULL);
    if (mmap((void *)(uintptr_t)LOW, LOW_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
        _exit(77);
    for (unsigned n = 0; n < BATCH; n++)
        host_run(&tests[n]);
    _exit(0);
}

static int host_batch(struct test *tests) {
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        host_child(tests);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* --- on the built-in CPU --- */

static __u64 *kvm_register(struct kvm_regs *r, unsigned n) {
    __u64 *const all[16] = {&r->rax, &r->rcx, &r->rdx, &r->rbx, &r->rsp, &r->rbp,
                               &r->rsi, &r->rdi, &r->r8,  &r->r9,  &r->r10, &r->r11,
                               &r->r12, &r->r13, &r->r14, &r->r15};
    return all[n];
}

static void soft_test(struct rig *r, struct test *t) {
    rig_put(r, DATA, t->data, DATA_SIZE);
    rig_put(r, CODE, t->code, sizeof t->code);
    struct cpu_state *s = rig_get(r);
    s->regs = (struct kvm_regs){.rip = CODE, .rflags = t->in.flags};
    for (unsigned n = 0; n < 16; n++)
        *kvm_register(&s->regs, n) = t->in.r[n];
    s->sregs.idt.limit = 0; /* any fault is a triple one */
    rig_set(r);
    t->faulted = rig_step(r) == CPU_EXIT_SHUTDOWN;
    s = rig_get(r);
    t->out.flags = s->regs.rflags;
    for (unsigned n = 0; n < 16; n++)
        t->out.r[n] = *kvm_register(&s->regs, n);
    memory_read(&r->memory, DATA, t->data, DATA_SIZE);
}

static bool same(struct rig *r, const struct test *host, const struct test *soft) {
    struct registers a = host->out, b = soft->out;
    struct insn in;
    insn_read(&r->memory, rig_get(r), CODE, &in);
    uint32_t flags = FLAGS & ~undefined_flags(&in, host->in.r[CX]);
    if (undefined_result(&in, host->in.r[CX]))
        return host->faulted == soft->faulted;
    if (host->faulted || soft->faulted)
        return host->faulted == soft->faulted && !memcmp(host->data, soft->data, DATA_SIZE);
    a.flags &= flags;
    b.flags &= flags;
    return !memcmp(&a, &b, sizeof a) && !memcmp(host->data, soft->data, DATA_SIZE);
}

static void show(const char *who, const struct registers *r) {
    static const char *const names[] = {"ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
    fprintf(stderr, "  %s flags=%04x", who, (unsigned)r->flags & FLAGS);
    for (unsigned n = 0; n < 16; n++)
        fprintf(stderr, " %s=%llx", names[n], (unsigned long long)r->r[n]);
    fputc('\n', stderr);
}

static void explain(const struct test *in, const struct test *host, const struct test *soft) {
    for (unsigned n = 0; n < in->length; n++)
        fprintf(stderr, "%02x ", in->code[n]);
    fprintf(stderr, "%s%s%s\n", host->faulted ? "host faulted " : "",
            soft->faulted ? "soft faulted" : "",
            memcmp(host->data, soft->data, DATA_SIZE) ? "memory differs" : "");
    show("in  ", &in->in);
    show("host", &host->out);
    show("soft", &soft->out);
}

/* false: the host has no memory there. */
static bool batch(struct rig *r, struct test *host, unsigned *shown) {
    struct test *soft = malloc(BATCH * sizeof *soft), *in = malloc(BATCH * sizeof *in);
    for (unsigned n = 0; n < BATCH; n++)
        make(&host[n]);
    memcpy(soft, host, BATCH * sizeof *soft);
    memcpy(in, host, BATCH * sizeof *in);
    int status = host_batch(host);
    CHECK(status == 0 || status == 77);
    for (unsigned n = 0; status == 0 && n < BATCH; n++) {
        soft_test(r, &soft[n]);
        bool ok = same(r, &host[n], &soft[n]);
        CHECK(ok);
        if (!ok && (*shown)++ < 12)
            explain(&in[n], &host[n], &soft[n]);
    }
    free(soft);
    free(in);
    return status != 77;
}

int main(int argc, char **argv) {
    unsigned batches = (argc > 1 ? (unsigned)atoi(argv[1]) : 40000) / BATCH + 1, shown = 0;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
    struct test *host =
        mmap(NULL, BATCH * sizeof *host, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rig r;
    rig_open(&r, soft_open, 4 << 20);
    rig_long(&r, "", 0);
    while (batches--)
        if (!batch(&r, host, &shown)) {
            puts("no memory below 2 GiB to be had here; skipped");
            break;
        }
    rig_close(&r);
    return unit_end();
}
