/* User-level instructions on the built-in CPU and on the host's own, with the
 * same registers, flags and memory; all of them compared after each.
 *
 * The host runs them in a child process, as 32-bit code: the kernel's user code
 * segment 0x23 is reached by a far call from a page below 4 GiB, where code and
 * data lie at the addresses which the guest sees too. `test_soft_native [cases] [seed]`.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/lockstep/rig.h"
#include "tests/lockstep/undefined.h"
#include "native_rows.h"
#include "unit.h"
#include "vmm/engines/soft/soft.h"

enum {
    LOW = 0x100000,
    STUB = LOW,
    CODE = LOW + 0x400,
    EXIT = LOW + 0x600,
    FRAME = LOW + 0x800,
    BRIDGE = LOW + 0xC00,
    STACKS = LOW + 0x1800,
    DATA = LOW + 0x3000,
    DATA_SIZE = 256,
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
    struct registers in, out;
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
    t->in = (struct registers){.flags = (any() & FLAGS) | 0x202,
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
    /* 64-bit: keep rsp in r12, far call by the pointer at BRIDGE+0x40 on a low stack */
    static const uint8_t bridge[] = {
        0x41, 0x54, 0x53, 0x55, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, /* push r12 rbx rbp r13-15 */
        0x49, 0x89, 0xE4,                                           /* mov r12, rsp */
        0xBC, 0x00, 0x18, 0x10, 0x00,                               /* mov esp, STACKS */
        0xFF, 0x1C, 0x25, 0x40, 0x0C, 0x10, 0x00,                   /* lcall [BRIDGE+0x40] */
        0x4C, 0x89, 0xE4,                                           /* mov rsp, r12 */
        0x41, 0x5F, 0x41, 0x5E, 0x41, 0x5D, 0x5D, 0x5B, 0x41, 0x5C, 0xC3};
    static const uint8_t pointer[] = {0x00, 0x00, 0x10, 0x00, 0x23, 0x00};
    put(STUB, stub, sizeof stub);
    put(EXIT, leave, sizeof leave);
    put(BRIDGE, bridge, sizeof bridge);
    put(BRIDGE + 0x40, pointer, sizeof pointer);
}

static void host_run(struct test *t) {
    uint8_t jump[5] = {0xE9};
    int32_t distance = EXIT - (CODE + t->length + 5);
    memcpy(jump + 1, &distance, 4);
    put(CODE, t->code, t->length);
    put(CODE + t->length, jump, 5);
    put(FRAME, &t->in, sizeof t->in);
    put(DATA, t->data, DATA_SIZE);
    faulted = 0;
    ((void (*)(void))(uintptr_t)BRIDGE)();
    memcpy(&t->out, (void *)(uintptr_t)(FRAME + 0x40), sizeof t->out);
    memcpy(&t->out.sp, (void *)(uintptr_t)(FRAME + 0x80), 4);
    memcpy(t->data, (void *)(uintptr_t)DATA, DATA_SIZE);
    t->faulted = faulted;
}

static void host_child(struct test *tests) {
    static uint8_t stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    alarm(10);
    sigaltstack(&alternate, NULL);
    sigaction(SIGFPE, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGILL, &action, NULL);
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

static void soft_test(struct rig *r, struct test *t) {
    rig_put(r, DATA, t->data, DATA_SIZE);
    rig_put(r, CODE, t->code, sizeof t->code);
    struct cpu_state *s = rig_get(r);
    s->regs = (struct kvm_regs){.rax = t->in.ax,
                                .rbx = t->in.bx,
                                .rcx = t->in.cx,
                                .rdx = t->in.dx,
                                .rsi = t->in.si,
                                .rdi = t->in.di,
                                .rbp = t->in.bp,
                                .rsp = t->in.sp,
                                .rip = CODE,
                                .rflags = t->in.flags};
    s->sregs.idt.limit = 0; /* any fault is a triple one */
    rig_set(r);
    t->faulted = rig_step(r) == CPU_EXIT_SHUTDOWN;
    s = rig_get(r);
    t->out = (struct registers){.ax = (uint32_t)s->regs.rax,
                                .bx = (uint32_t)s->regs.rbx,
                                .cx = (uint32_t)s->regs.rcx,
                                .dx = (uint32_t)s->regs.rdx,
                                .si = (uint32_t)s->regs.rsi,
                                .di = (uint32_t)s->regs.rdi,
                                .bp = (uint32_t)s->regs.rbp,
                                .sp = (uint32_t)s->regs.rsp,
                                .flags = (uint32_t)s->regs.rflags};
    memory_read(&r->memory, DATA, t->data, DATA_SIZE);
}

/* As it stands in the guest's memory, where the last one has been run. */
static struct insn instruction(struct rig *r) {
    struct insn in;
    insn_read(&r->memory, rig_get(r), CODE, &in);
    return in;
}

static bool same(struct rig *r, const struct test *host, const struct test *soft) {
    struct registers a = host->out, b = soft->out;
    struct insn in = instruction(r);
    uint32_t flags = FLAGS & ~undefined_flags(&in, host->in.cx);
    if (undefined_result(&in, host->in.cx))
        return host->faulted == soft->faulted;
    if (host->faulted || soft->faulted)
        return host->faulted == soft->faulted && !memcmp(host->data, soft->data, DATA_SIZE);
    a.flags &= flags;
    b.flags &= flags;
    return !memcmp(&a, &b, sizeof a) && !memcmp(host->data, soft->data, DATA_SIZE);
}

static void show(const char *who, const struct registers *r) {
    fprintf(stderr,
            "  %s ax=%08x bx=%08x cx=%08x dx=%08x si=%08x di=%08x bp=%08x sp=%08x flags=%04x\n",
            who, r->ax, r->bx, r->cx, r->dx, r->si, r->di, r->bp, r->sp, r->flags & FLAGS);
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

int main(int argc, char **argv) {
    unsigned batches = (argc > 1 ? (unsigned)atoi(argv[1]) : 40000) / BATCH + 1, shown = 0;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
    struct test *host =
        mmap(NULL, BATCH * sizeof *host, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct rig r;
    rig_open(&r, soft_open, 4 << 20);
    rig_flat(&r, "", 0);
    while (batches--) {
        for (unsigned n = 0; n < BATCH; n++)
            make(&host[n]);
        struct test *soft = malloc(BATCH * sizeof *soft), *in = malloc(BATCH * sizeof *in);
        memcpy(soft, host, BATCH * sizeof *soft);
        memcpy(in, host, BATCH * sizeof *in);
        int status = host_batch(host);
        if (status == 77) {
            puts("no memory below 4 GiB to be had here; skipped");
            return unit_end();
        }
        CHECK(status == 0);
        for (unsigned n = 0; status == 0 && n < BATCH; n++) {
            soft_test(&r, &soft[n]);
            bool ok = same(&r, &host[n], &soft[n]);
            CHECK(ok);
            if (!ok && shown++ < 12)
                explain(&in[n], &host[n], &soft[n]);
        }
        free(soft);
        free(in);
    }
    rig_close(&r);
    return unit_end();
}
