/* The built-in CPU's fast path against its careful one: random programs are run
 * in blocks on one CPU and stepped on the other, in the same virtual time; state
 * and memory must agree whenever both stand at the same count. Watched pages,
 * which close the fast path, must change nothing either. Half of them are 64-bit code.
 * `test_soft_paths [programs] [seed]`.
 */
#include "tests/lockstep/lockstep.h"
#include "tests/lockstep/lockstep.c"
#include "unit.h"
#include "vmm/engines/soft/soft.h"

static uint64_t seed;
static uint32_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16);
}

/* The register and memory operands of all of these: a register, or [ebp + disp8]. */
static size_t put_modrm(uint8_t *out) {
    size_t n = 0;
    out[n++] = (uint8_t)(0x45 | (any() % 6 << 3) | (any() % 2 ? 0x80 : 0));
    if (out[n - 1] & 0x80)
        out[n - 1] = (uint8_t)(0xC0 | (any() & 63));
    else
        out[n++] = (uint8_t)any();
    return n;
}

/* The x87; additions to subtractions, and moves, of all four kinds of SSE operands. */
static size_t put_fpu(uint8_t *out) {
    static const uint8_t sse[] = {0x10, 0x11, 0x28, 0x29, 0x54, 0x58, 0x59, 0x5C, 0x5E, 0x6F, 0xFE, 0x2A};
    static const uint8_t prefixes[] = {0x66, 0xF2, 0xF3};
    size_t n = 0;
    if (any() % 2) {
        out[n++] = (uint8_t)(0xD8 + any() % 8);
    } else {
        if (any() % 4)
            out[n++] = prefixes[any() % sizeof prefixes];
        out[n++] = 0x0F;
        out[n++] = sse[any() % sizeof sse];
    }
    return n + put_modrm(out + n);
}

/* Instructions that mostly go on: arithmetic, memory, stack, short jumps, strings, the FPU. */
static size_t program(uint8_t *out, size_t size, bool code64) {
    static const uint8_t plain[] = {0x40, 0x43, 0x4A, 0x50, 0x51, 0x5A, 0x9C, 0x98, 0x99, 0xF5,
                                    0xFC, 0xA4, 0xAA, 0xAC, 0xA5, 0xC9, 0x60, 0x90, 0xF9, 0x27};
    static const uint8_t modrm[] = {0x01, 0x03, 0x11, 0x29, 0x31, 0x39, 0x85, 0x88,
                                    0x89, 0x8A, 0x8B, 0xD1, 0xD3, 0xF7, 0x87, 0x21};
    size_t n = 0;
    while (n < size - 16) {
        switch (any() % 9) {
        case 0:
        case 1:
            out[n++] = plain[any() % sizeof plain];
            break;
        case 2:
        case 3:
        case 4:
            if (code64 && any() % 2)
                out[n++] = (uint8_t)(0x40 | (any() & 0xE)); /* without REX.B: RBP stays the base */
            out[n++] = modrm[any() % sizeof modrm];
            n += put_modrm(out + n);
            break;
        case 5:
            out[n++] = (uint8_t)(0x70 | any() % 16);
            out[n++] = (uint8_t)any();
            break;
        case 6:
            out[n++] = 0xF3;
            out[n++] = any() % 2 ? 0xA4 : 0xAB;
            break;
        case 7:
            n += put_fpu(out + n);
            break;
        default:
            out[n++] = (uint8_t)any();
            break;
        }
    }
    return n;
}

static uint64_t deadline(void *machine, uint64_t time) {
    struct rig *r = machine;
    if (time % 97 == 0)
        r->cpu.intr = true;
    return time - time % 97 + 97;
}
static int acknowledge(void *machine) {
    struct rig *r = machine;
    r->cpu.intr = false;
    return 0x20 + (int)(r->cpu.ticks % 8);
}

static const struct engine_host asks = {.acknowledge = acknowledge, .deadline = deadline};

/* 4 KiB pages for the first 2 MiB, but for the tables: out of the program's reach, as below. */
static void map64(struct rig *r) {
    enum { PT64_AT = 0x83000 };
    uint64_t table = PT64_AT | 0x67;
    rig_put(r, PD64_AT, &table, 8);
    for (uint64_t n = 0; n < 512; n++) {
        uint64_t entry = n >= PML4_AT >> 12 && n <= PT64_AT >> 12 ? 0 : n << 12 | 0x67;
        rig_put(r, PT64_AT + 8 * n, &entry, 8);
    }
}

/* As in prepare(). An error code is dropped: IRETQ would take it for RIP. */
static void prepare64(struct rig *r, const uint8_t *code, size_t length) {
    static const uint8_t back[] = {0xFF, 0x04, 0x25, 0x00, 0x08, 0x01, 0x00, 0x48, 0xCF};
    static const uint8_t skip[] = {0x48, 0x83, 0xC4, 0x08, 0x48, 0x83, 0x04, 0x24, 0x01, 0x48, 0xCF};
    enum { WITH_CODE = 0x27D00 }; /* #DF, #TS, #NP, #SS, #GP, #PF, #AC */
    rig_long(r, code, length);
    map64(r);
    rig_put(r, 0x12000, back, sizeof back);
    rig_put(r, 0x12100, skip, sizeof skip);
    for (unsigned n = 0; n < 256; n++) {
        bool coded = n < 32 && WITH_CODE >> n & 1;
        rig_gate64(r, n, CODE64, n >= 0x20 && n < 0x28 ? 0x12000 : coded ? 0x12100 : 0x12104, 0x8E, 0);
    }
}

static void prepare(struct rig *r, const uint8_t *code, size_t length, bool paging) {
    static const uint8_t back[] = {0xFF, 0x05, 0x00, 0x08,
                                   0x01, 0x00, 0xCF};             /* inc [10800]; iret */
    static const uint8_t skip[] = {0x83, 0x04, 0x24, 0x01, 0xCF}; /* add dword [esp], 1; iret */
    rig_flat(r, code, length);
    for (unsigned n = 0; n < 256; n++)
        rig_gate(r, n, 8, n >= 0x20 && n < 0x28 ? 0x12000 : 0x12100, 0x8E);
    rig_put(r, 0x12000, back, sizeof back);
    rig_put(r, 0x12100, skip, sizeof skip);
    if (paging) {
        rig_paging(r, 7);
        /* The tables out of the program's reach: how long a stale translation
         * lives is the one thing in which the two paths may differ. */
        rig_put32(r, PT_AT + 4 * (PD_AT >> 12), 0);
        rig_put32(r, PT_AT + 4 * (PT_AT >> 12), 0);
    }
}

static void begin(struct rig *r, bool flat) {
    struct cpu_state *s = rig_get(r);
    s->sregs.cr0 |= CR0_NE;
    s->sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    s->regs.rbp = 0x18000;
    s->regs.rsi = 0x30000;
    s->regs.rdi = 0x31000;
    s->regs.rcx = 40;
    s->regs.rflags |= FLAG_IF;
    if (!flat)
        s->sregs.ds.base = s->sregs.es.base = 0x200;
    rig_set(r);
    r->cpu.host = (struct cpu_host){.context = r, .extra = &asks};
    r->cpu.step_irqs = true;
}

/* A watchpoint's hit is a step, too; of a repeated instruction a part. */
static enum cpu_exit_kind stepped(struct rig *r) {
    enum cpu_exit_kind kind = rig_step(r);
    return kind == CPU_EXIT_WATCHPOINT ? CPU_EXIT_STEPPED : kind;
}

static void open_both(struct rig *fast, struct rig *slow) {
    uint8_t code[1024];
    bool code64 = any() & 1, paging = any() & 1, flat = any() & 1;
    size_t length = program(code, sizeof code, code64);
    uint32_t from = any() % PAGE_SIZE; /* a quarter over two pages */
    struct rig *const both[] = {fast, slow};
    for (unsigned n = 0; n < 2; n++) {
        rig_open(both[n], soft_open, 1 << 20);
        if (code64)
            prepare64(both[n], code, length);
        else
            prepare(both[n], code, length, paging);
        begin(both[n], flat);
        rig_put(both[n], CODE_AT + from, code, length);
        rig_get(both[n])->regs.rip = CODE_AT + from;
        rig_set(both[n]);
    }
}

static bool one_program(struct lockstep *l) {
    struct rig fast, slow;
    bool same = true;
    open_both(&fast, &slow);
    if (any() & 1) {
        breakpoints_add(&slow.breakpoints, BP_WRITE, 0x18FF8, 4);
        breakpoints_add(&slow.breakpoints, BP_SOFT, 0x7FFF0, 1);
    }
    for (unsigned n = 0; same && n < 20; n++) {
        fast.cpu.limit = fast.cpu.ticks + 1 + any() % 400;
        slow.cpu.limit = fast.cpu.limit; /* it may come within a repeated instruction */
        enum cpu_exit_kind kind = rig_run(&fast), step = CPU_EXIT_STEPPED;
        while (slow.cpu.ticks < fast.cpu.ticks && step == CPU_EXIT_STEPPED)
            step = stepped(&slow);
        if (kind != CPU_EXIT_LIMIT && step == CPU_EXIT_STEPPED)
            step = stepped(&slow); /* what ended the other takes no count */
        l->steps = fast.cpu.ticks;
        same = lockstep_same(l, &fast, &slow);
        if (kind != CPU_EXIT_LIMIT) {
            same = same && kind == step;
            break;
        }
    }
    rig_close(&fast);
    rig_close(&slow);
    return same;
}

int main(int argc, char **argv) {
    unsigned programs = argc > 1 ? (unsigned)atoi(argv[1]) : unit_tries(300);
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
    for (unsigned n = 0; n < programs; n++) {
        struct lockstep l = {.parts = CPU_ALL, .memory = true};
        uint64_t began = seed;
        bool same = one_program(&l);
        CHECK(same);
        if (!same)
            fprintf(stderr, "seed %llu: %s\n", (unsigned long long)began, l.why);
    }
    return unit_end();
}
