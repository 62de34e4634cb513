/* x87, MMX and SSE instructions on the built-in CPU and on the host's own: all registers,
 * status and control words, tags and memory are compared after each, and whether it faulted.
 *
 * As test_soft_native.c, the host runs them as 32-bit code in a child process. Opcodes are
 * random, so what is no instruction is met as well; operands are mostly edges of their formats.
 * `test_soft_native_fpu [cases] [seed] [coverage]`.
 */
#include <cpuid.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/lockstep/rig.h"
#include "unit.h"
#include "vmm/engines/soft/fpu_image.h"
#include "vmm/engines/soft/soft.h"
#include "vmm/engines/soft/state.h"

enum {
    LOW = 0x100000,
    STUB = LOW,
    CODE = LOW + 0x400,
    EXIT = LOW + 0x600,
    FRAME = LOW + 0x800,
    BRIDGE = LOW + 0xC00,
    STACKS = LOW + 0x1800,
    FPU_IN = LOW + 0x2000,
    FPU_OUT = LOW + 0x2200,
    HOST_MXCSR = LOW + 0x2400,
    DATA = LOW + 0x3000,
    DATA_SIZE = 512,
    LOW_SIZE = 0x10000,
    BATCH = 2000
};

enum { FLAGS = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF | FLAG_DF };

/* As PUSHA and PUSHF leave them, going up. */
struct registers {
    uint32_t flags, di, si, bp, sp, bx, dx, cx, ax;
};

struct test {
    uint8_t code[16], length;
    uint8_t sse_opcode;
    bool in_data; /* it has a memory operand there, at: */
    uint32_t operand;
    struct registers in, out;
    struct fpu_image fpu;
    uint8_t data[DATA_SIZE];
    bool faulted;
};

static uint64_t seed;
static uint32_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}
static bool one_in(unsigned n) { return any() % n == 0; }
static uint64_t any64(void) { return (uint64_t)any() << 32 | any(); }

/* --- operands: numbers at the edges of a format of `exponent` and `fraction` bits --- */

static uint64_t edge(unsigned exponent, unsigned fraction) {
    uint64_t all = (1ull << exponent) - 1, bias = all / 2, one = 1;
    uint64_t sign = (uint64_t)one_in(2) << (exponent + fraction), f = any64() & ((one << fraction) - 1);
    if (one_in(3))
        f = one_in(2) ? 0 : one_in(2) ? (one << fraction) - 1 : one << any() % fraction;
    switch (any() % 10) {
    case 0: return sign;                                     /* zero */
    case 1: return sign | f;                                 /* denormal */
    case 2: return sign | all << fraction;                   /* infinity */
    case 3: return sign | all << fraction | f;               /* NaN */
    case 4: return sign | (all - any() % 3) << fraction | f; /* the largest */
    case 5: return sign | (one + any() % 3) << fraction | f;   /* the smallest */
    case 6: return sign | (bias + any() % 70) << fraction | f;
    case 7: return sign | (bias - 2 + any() % 4) << fraction | f;
    case 8: return sign | (bias / 2 + any() % 64) << fraction | f; /* whose product is tiny */
    default: return any64();
    }
}

static void put_extended(uint8_t *to) {
    static const uint16_t exponents[] = {0, 1, 0x7FFF, 0x7FFE, 0x3FFF, 0x3FFE, 0x4000, 0x403E,
                                         0x403D, 0x3F80, 0x407F, 0x3C00, 0x43FF};
    uint64_t f = one_in(4) ? (one_in(2) ? 0 : 1ull << any() % 64) : any64();
    uint16_t e = exponents[any() % (sizeof exponents / sizeof *exponents)];
    if (one_in(4))
        e = (uint16_t)(0x3FF0 + any() % 0x60);
    if (one_in(30))
        e = (uint16_t)any();
    if (!one_in(12)) /* else an unnormal, a pseudo-denormal … */
        f = (e & 0x7FFF) ? f | 1ull << 63 : f & ~(1ull << 63);
    if (one_in(2))
        e |= 0x8000;
    memcpy(to, &f, 8);
    memcpy(to + 8, &e, 2);
}

static void put_packed_decimal(uint8_t *to) {
    for (unsigned n = 0; n < 9; n++)
        to[n] = (uint8_t)(any() % 10 | any() % 10 << 4);
    to[9] = one_in(2) ? 0x80 : 0;
}

static void fill(uint8_t *to, unsigned size) {
    for (unsigned n = 0; n < size; n += 8) {
        uint64_t q = one_in(2) ? edge(11, 52) : (uint64_t)(uint32_t)edge(8, 23) << 32 | (uint32_t)edge(8, 23);
        if (one_in(6))
            q = any64();
        if (one_in(8))
            q = (uint64_t)(int64_t)(int8_t)any();
        memcpy(to + n, &q, 8);
    }
}

/* --- the registers --- */

static bool plain_x87; /* nothing is pending: for instructions of SSE */

static void make_x87(struct fpu_image *f) {
    static const uint8_t tags[] = {0xFF, 0xFF, 0, 0x7F, 0xFE};
    f->fcw = (uint16_t)(0x40 | (any() & 0xF00) | (one_in(2) ? 0x3F : any() & 0x3F));
    f->fsw = (uint16_t)(any() & 0x7F7F);
    if (plain_x87 || !one_in(4))
        f->fsw &= (uint16_t)~(~f->fcw & 0x3F);
    if (f->fsw & ~f->fcw & 0x3F)
        f->fsw |= FSW_ES | FSW_B;
    f->ftw = one_in(3) ? (uint8_t)any() : tags[any() % sizeof tags];
    f->fop = any() & 0x7FF;
    f->fip = any();
    f->fdp = any();
    for (unsigned n = 0; n < 8; n++)
        put_extended(f->st[n].b);
}

static void make_sse(struct fpu_image *f) {
    f->mxcsr = (one_in(3) ? any() & 0x1F80 : 0x1F80) | (any() & 0xE040) | (any() & any() & 0x3F);
    f->mxcsr &= one_in(2) ? ~0x8040u : ~0u;
    for (unsigned n = 0; n < 8; n++)
        fill(f->xmm[n].b, 16);
}

/* --- instructions --- */

static void emit(struct test *t, unsigned byte) {
    t->code[t->length++] = (uint8_t)byte;
}

/* Memory operands are [esi + disp8] or an absolute address in DATA; most are aligned. */
static void emit_modrm(struct test *t, unsigned reg, bool memory) {
    uint32_t at = DATA + any() % (DATA_SIZE - 128);
    if (!memory) {
        emit(t, 0xC0 | reg << 3 | any() % 8);
        return;
    }
    at &= one_in(8) ? ~0u : ~15u;
    t->in_data = true;
    t->operand = at;
    if (one_in(2)) {
        uint32_t distance = any() % 64;
        t->in.si = at - distance;
        emit(t, 0x46 | reg << 3);
        emit(t, distance);
    } else {
        emit(t, 0x05 | reg << 3);
        for (int n = 0; n < 4; n++)
            emit(t, at >> 8 * n);
    }
}

static bool only_x87, only_sse;

static void make_x87_instruction(struct test *t) {
    if (one_in(10))
        emit(t, 0x66);
    if (one_in(60)) {
        emit(t, 0x9B);
        return;
    }
    emit(t, 0xD8 + any() % 8);
    emit_modrm(t, any() % 8, one_in(2));
    if (t->in_data)
        for (unsigned n = 0; n < 2; n++)
            one_in(2) ? put_extended(t->data + (t->operand - DATA)) :
                        put_packed_decimal(t->data + (t->operand - DATA));
}

/* Of all three maps, with any prefix or none: many are no instruction. */
static void make_sse_instruction(struct test *t) {
    static const uint8_t prefixes[] = {0, 0x66, 0xF3, 0xF2};
    static const struct {
        uint8_t first, last;
    } spans[] = {{0x10, 0x17}, {0x28, 0x2F}, {0x50, 0x7F}, {0xC2, 0xC6}, {0xD0, 0xFE}};
    uint8_t prefix = prefixes[any() % 4];
    unsigned map = any() % 8, span = any() % 8;
    span = span < 5 ? span : span < 6 ? 2 : 4;
    if (one_in(40) && prefix)
        emit(t, 0x66);
    if (prefix)
        emit(t, prefix);
    emit(t, 0x0F);
    if (map == 0) {
        emit(t, 0x38);
        emit(t, one_in(20) && prefix == 0xF2 ? 0xF0 | any() % 2 : any() % 0x48);
    } else if (map == 1) {
        emit(t, 0x3A);
        emit(t, one_in(2) ? 0x08 + any() % 0x10 : one_in(2) ? 0x20 + any() % 4 : 0x40 + any() % 0x24);
        if (t->code[t->length - 1] == 0x44) /* PCLMULQDQ is not built */
            t->code[t->length - 1] = 0x42;
    } else if (one_in(100)) {
        emit(t, 0xB8);
    } else {
        emit(t, spans[span].first + any() % (spans[span].last - spans[span].first + 1u));
    }
    bool no_modrm = map > 1 && t->code[t->length - 1] == 0x77;
    t->sse_opcode = t->code[t->length - 1];
    if (!no_modrm)
        emit_modrm(t, any() % 8, one_in(2));
    uint8_t opcode = t->sse_opcode;
    if (map == 1 || (map > 1 && ((opcode >= 0x70 && opcode <= 0x73) || opcode == 0xC2 ||
                                 (opcode >= 0xC4 && opcode <= 0xC6))))
        emit(t, any());
}

static void make(struct test *t) {
    memset(t, 0, sizeof *t);
    fill(t->data, DATA_SIZE);
    t->in = (struct registers){.flags = (any() & FLAGS) | 0x202, .ax = any(), .bx = any(),
                               .cx = any(), .dx = any(), .si = DATA, .di = DATA + 128,
                               .bp = any(), .sp = DATA + 128 + 4 * (any() % 16)};
    plain_x87 = one_in(2);
    if (only_x87 || (!only_sse && one_in(3)))
        make_x87_instruction(t), plain_x87 = false;
    else
        make_sse_instruction(t);
    make_x87(&t->fpu);
    make_sse(&t->fpu);
}

/* --- on the host --- */

static volatile sig_atomic_t faulted;

static void on_fault(int signal_number, siginfo_t *info, void *context) {
    ucontext_t *c = context;
    (void)signal_number, (void)info;
    if ((c->uc_mcontext.gregs[REG_CSGSFS] & 0xFFFF) != 0x23)
        _exit(76); /* not by the instruction under test */
    faulted = 1;
    c->uc_mcontext.gregs[REG_RIP] = EXIT;
}

static void put(uint32_t at, const void *bytes, size_t length) {
    memcpy((void *)(uintptr_t)at, bytes, length);
}

/* Machine code with a distance or an address behind it. */
static uint32_t put_code(uint32_t at, const char *bytes, size_t length, uint32_t value) {
    put(at, bytes, length);
    put(at + (uint32_t)length, &value, 4);
    return at + (uint32_t)length + 4;
}
#define CODE32(at, bytes, value) put_code(at, bytes, sizeof bytes - 1, value)

/* fxrstor; mov esp, FRAME; popf; popa; mov esp, [sp of the frame]; jmp CODE. After the
 * instruction, EXIT: keep esp, save the rest in a second frame, fxsave, return far. */
static void host_stubs(void) {
    /* 64-bit: keep rsp in r12, far call by the pointer at BRIDGE+0x40 on a low stack */
    static const uint8_t bridge[] = {
        0x41, 0x54, 0x53, 0x55, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, /* push r12 rbx rbp r13-15 */
        0x49, 0x89, 0xE4,                                           /* mov r12, rsp */
        0xBC, 0x00, 0x18, 0x10, 0x00,                               /* mov esp, STACKS */
        0xFF, 0x1C, 0x25, 0x40, 0x0C, 0x10, 0x00,                   /* lcall [BRIDGE+0x40] */
        0x4C, 0x89, 0xE4,                                           /* mov rsp, r12 */
        0x41, 0x5F, 0x41, 0x5E, 0x41, 0x5D, 0x5D, 0x5B, 0x41, 0x5C, 0xC3};
    static const uint8_t pointer[] = {0x00, 0x00, 0x10, 0x00, 0x23, 0x00};
    const uint32_t mxcsr = 0x1F80;
    uint32_t at = CODE32(STUB, "\x0F\xAE\x0D", FPU_IN);
    at = CODE32(at, "\xBC", FRAME);
    at = CODE32(at, "\x9D\x61\x8B\x25", FRAME + 0x10);
    CODE32(at, "\xE9", CODE - (at + 5));
    at = CODE32(EXIT, "\x89\x25", FRAME + 0x80);
    at = CODE32(at, "\xBC", FRAME + 0x64);
    at = CODE32(at, "\x60\x9C\x0F\xAE\x05", FPU_OUT);
    at = CODE32(at, "\xDB\xE3\x0F\xAE\x15", HOST_MXCSR);
    CODE32(at, "\xFC\xBC", STACKS - 8);
    put(at + 6, "\xCB", 1);
    put(BRIDGE, bridge, sizeof bridge);
    put(BRIDGE + 0x40, pointer, sizeof pointer);
    put(HOST_MXCSR, &mxcsr, 4);
}

static void host_run(struct test *t) {
    uint8_t jump[5] = {0xE9};
    int32_t distance = EXIT - (CODE + t->length + 5);
    memcpy(jump + 1, &distance, 4);
    put(CODE, t->code, t->length);
    put(CODE + t->length, jump, 5);
    put(FRAME, &t->in, sizeof t->in);
    put(DATA, t->data, DATA_SIZE);
    put(FPU_IN, &t->fpu, sizeof t->fpu);
    faulted = 0;
    ((void (*)(void))(uintptr_t)BRIDGE)();
    memcpy(&t->out, (void *)(uintptr_t)(FRAME + 0x40), sizeof t->out);
    memcpy(&t->out.sp, (void *)(uintptr_t)(FRAME + 0x80), 4);
    memcpy(t->data, (void *)(uintptr_t)DATA, DATA_SIZE);
    memcpy(&t->fpu, (void *)(uintptr_t)FPU_OUT, sizeof t->fpu);
    t->faulted = faulted;
}

static void host_child(struct test *tests) {
    static uint8_t stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    alarm(20);
    sigaltstack(&alternate, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    if (mmap((void *)(uintptr_t)LOW, LOW_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED)
        _exit(77);
    /* 64-bit code has null DS and ES; the 32-bit needs the user's data segment. */
    __asm__ volatile("mov %0, %%ds\n mov %0, %%es" : : "r"(0x2B));
    host_stubs();
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

static void fpu_in(struct kvm_fpu *to, const struct fpu_image *from) {
    *to = (struct kvm_fpu){.fcw = from->fcw, .fsw = from->fsw, .ftwx = from->ftw,
                           .last_opcode = from->fop, .last_ip = from->fip, .last_dp = from->fdp,
                           .mxcsr = from->mxcsr};
    memcpy(to->fpr, from->st, sizeof to->fpr);
    memcpy(to->xmm, from->xmm, sizeof to->xmm);
}

static void fpu_out(struct fpu_image *to, const struct kvm_fpu *from) {
    to->fcw = from->fcw;
    to->fsw = from->fsw;
    to->ftw = from->ftwx;
    to->fop = from->last_opcode;
    to->fip = (uint32_t)from->last_ip;
    to->fdp = (uint32_t)from->last_dp;
    to->mxcsr = from->mxcsr;
    memcpy(to->st, from->fpr, sizeof from->fpr);
    memcpy(to->xmm, from->xmm, sizeof from->xmm);
}

static void soft_test(struct rig *r, struct test *t) {
    rig_put(r, DATA, t->data, DATA_SIZE);
    rig_put(r, CODE, t->code, sizeof t->code);
    struct cpu_state *s = rig_get(r);
    s->regs = (struct kvm_regs){.rax = t->in.ax, .rbx = t->in.bx, .rcx = t->in.cx,
                                .rdx = t->in.dx, .rsi = t->in.si, .rdi = t->in.di,
                                .rbp = t->in.bp, .rsp = t->in.sp, .rip = CODE,
                                .rflags = t->in.flags};
    s->sregs.idt.limit = 0; /* any fault is a triple one */
    s->sregs.cr0 |= CR0_NE;
    s->sregs.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    fpu_in(&s->fpu, &t->fpu);
    rig_set(r);
    t->faulted = rig_step(r) == CPU_EXIT_SHUTDOWN;
    s = rig_get(r);
    t->out = (struct registers){.ax = (uint32_t)s->regs.rax, .bx = (uint32_t)s->regs.rbx,
                                .cx = (uint32_t)s->regs.rcx, .dx = (uint32_t)s->regs.rdx,
                                .si = (uint32_t)s->regs.rsi, .di = (uint32_t)s->regs.rdi,
                                .bp = (uint32_t)s->regs.rbp, .sp = (uint32_t)s->regs.rsp,
                                .flags = (uint32_t)s->regs.rflags};
    fpu_out(&t->fpu, &s->fpu);
    memory_read(&r->memory, DATA, t->data, DATA_SIZE);
}

/* --- what is not the same, and need not be --- */

/* The host's FCS and FDS are always 0, where the built-in CPU has selectors; so they are in
 * what FNSTENV and FNSAVE write. */
static void drop_selectors(struct test *t, const struct test *in) {
    unsigned opcode = in->code[0] == 0x66 ? 1 : 0, wide = opcode ? 2 : 4;
    bool stores = in->in_data && (in->code[opcode] & 0xFB) == 0xD9 && (in->code[opcode + 1] >> 3 & 7) == 6;
    if (!stores || t->faulted)
        return;
    uint8_t *environment = t->data + (in->operand - DATA);
    memset(environment + 4 * wide, 0, 2);
    memset(environment + 6 * wide, 0, 2);
}

static bool host_keeps_fdp; /* FDP is that of the last exception only */

static void drop_what_differs(struct test *t, const struct test *in) {
    t->fpu.fcs = t->fpu.fds = t->fpu.fip_high = t->fpu.fdp_high = 0;
    t->fpu.mxcsr_mask = 0;
    memset(t->fpu.xmm + 8, 0, sizeof t->fpu.xmm - 8 * sizeof *t->fpu.xmm + sizeof t->fpu.unused);
    if (!host_keeps_fdp)
        t->fpu.fdp = 0;
    t->out.flags &= FLAGS;
    if (t->faulted)
        memset(&t->out, 0, sizeof t->out);
    drop_selectors(t, in);
}

static bool same(struct test *host, struct test *soft, const struct test *in) {
    drop_what_differs(host, in);
    drop_what_differs(soft, in);
    return host->faulted == soft->faulted && !memcmp(&host->out, &soft->out, sizeof host->out) &&
           !memcmp(&host->fpu, &soft->fpu, sizeof host->fpu) &&
           !memcmp(host->data, soft->data, DATA_SIZE);
}

static void show_bytes(const char *what, const void *bytes, unsigned size) {
    const uint8_t *b = bytes;
    fprintf(stderr, " %s=", what);
    for (unsigned n = size; n--;)
        fprintf(stderr, "%02x", b[n]);
}

static void show(const char *who, const struct test *t, const struct test *in) {
    const struct fpu_image *f = &t->fpu;
    fprintf(stderr, "  %s%s ax=%08x flags=%04x fcw=%04x fsw=%04x ftw=%02x fop=%03x fip=%08x fdp=%08x mxcsr=%04x\n   ", who,
            t->faulted ? " FAULT" : "", t->out.ax, t->out.flags & FLAGS, f->fcw, f->fsw, f->ftw,
            f->fop, f->fip, f->fdp, f->mxcsr);
    for (unsigned n = 0; n < 8; n++)
        if (memcmp(&t->fpu.st[n], &in->fpu.st[n], 10) || t == in)
            fprintf(stderr, " st%u", n), show_bytes("", f->st[n].b, 10);
    for (unsigned n = 0; n < 8; n++)
        if (memcmp(&t->fpu.xmm[n], &in->fpu.xmm[n], 16) || t == in)
            fprintf(stderr, "\n    xmm%u", n), show_bytes("", f->xmm[n].b, 16);
    if (in->in_data)
        show_bytes("\n    memory", t->data + (in->operand - DATA), 32);
    fprintf(stderr, "\n");
}

static void explain(const struct test *in, const struct test *host, const struct test *soft) {
    for (unsigned n = 0; n < in->length; n++)
        fprintf(stderr, "%02x ", in->code[n]);
    fprintf(stderr, "\n");
    show("in  ", in, in);
    show("host", host, in);
    show("soft", soft, in);
}

static bool compare_batch(struct rig *r, struct test *host) {
    static struct test soft[BATCH], in[BATCH];
    static unsigned shown;
    for (unsigned n = 0; n < BATCH; n++)
        make(&host[n]);
    memcpy(soft, host, sizeof soft);
    memcpy(in, host, sizeof in);
    int status = host_batch(host);
    if (status == 77)
        return false;
    CHECK(status == 0);
    for (unsigned n = 0; status == 0 && n < BATCH; n++) {
        soft_test(r, &soft[n]);
        bool ok = same(&host[n], &soft[n], &in[n]);
        CHECK(ok);
        if (!ok && shown++ < 12)
            explain(&in[n], &host[n], &soft[n]);
    }
    return true;
}

static void ask_host(void) {
    unsigned a, b, c, d;
    host_keeps_fdp = __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & 1 << 6;
}

int main(int argc, char **argv) {
    unsigned batches = (argc > 1 ? (unsigned)atoi(argv[1]) : 40000) / BATCH + 1;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
    struct test *host =
        mmap(NULL, BATCH * sizeof *host, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rig r;
    ask_host();
    only_x87 = argc > 3 && argv[3][0] == 'x';
    only_sse = argc > 3 && argv[3][0] == 's';
    rig_open(&r, soft_open, 4 << 20);
    rig_flat(&r, "", 0);
    ((struct soft *)r.cpu.priv)->features = ~0ull;
    while (batches--)
        if (!compare_batch(&r, host)) {
            puts("no memory below 4 GiB to be had here; skipped");
            break;
        }
    rig_close(&r);
    return unit_end();
}
