/* How fast the built-in CPU is: millions of guest instructions a second of CPU time, best of
 * three, and what a breakpoint or watchpoint that is never hit costs. `bench_soft N INSTRUCTIONS`
 * runs the N-th of bench_loops.S once, for a profiler. */
#include <time.h>

#include "rig.h"
#include "vmm/engines/soft/soft.h"

/* bench_loops.S */
struct bench_loop {
    const char *text;
    const uint8_t *code;
    uint64_t length;
    uint32_t bits, instructions;
};
extern const struct bench_loop bench_loops[], bench_loops_end[];

/* rep movsd of 4 KiB, over and over */
static const uint8_t copy[] = {
    0xBB, 0x00, 0x00, 0x10, 0x00,                   /* mov ebx, 0x100000 */
    0xBE, 0x00, 0x00, 0x04, 0x00,                   /* 1: mov esi, 0x40000 */
    0xBF, 0x00, 0x00, 0x05, 0x00,                   /* mov edi, 0x50000 */
    0xB9, 0x00, 0x04, 0x00, 0x00,                   /* mov ecx, 0x400 */
    0xF3, 0xA5,                                     /* rep movsd */
    0x4B, 0x75, 0xEC,                               /* dec ebx; jnz 1 */
    0xF4,
};

/* mark the multiples of edx up to 64 Ki, byte by byte, through a call */
static const uint8_t sieve[] = {
    0xBD, 0x00, 0x10, 0x00, 0x00,                   /* mov ebp, 0x1000 */
    0xBA, 0x02, 0x00, 0x00, 0x00,                   /* 1: mov edx, 2 */
    0x89, 0xD6,                                     /* 2: mov esi, edx */
    0xE8, 0x10, 0x00, 0x00, 0x00,                   /* 3: call mark */
    0x01, 0xD6,                                     /* add esi, edx */
    0x81, 0xFE, 0x00, 0x00, 0x01, 0x00,             /* cmp esi, 0x10000 */
    0x72, 0xF1,                                     /* jb 3 */
    0x42,                                           /* inc edx */
    0xEB, 0xEC,                                     /* jmp 2 */
    0x90, 0x90, 0x90,
    0xC6, 0x86, 0x00, 0x00, 0x10, 0x00, 0x01,       /* mark: mov byte [esi+0x100000], 1 */
    0xC3,
};

/* read one word of each of 1024 pages */
static const uint8_t pages[] = {
    0x31, 0xF6,                                     /* 1: xor esi, esi */
    0x8B, 0x06,                                     /* 2: mov eax, [esi] */
    0x01, 0xC3,                                     /* add ebx, eax */
    0x81, 0xC6, 0x00, 0x10, 0x00, 0x00,             /* add esi, 0x1000 */
    0x81, 0xFE, 0x00, 0x00, 0x40, 0x00,             /* cmp esi, 0x400000 */
    0x72, 0xEE,                                     /* jb 2 */
    0xEB, 0xEA,                                     /* jmp 1 */
};

/* a store into the page that the code is in */
static const uint8_t beside[] = {
    0xFF, 0x05, 0x00, 0x08, 0x01, 0x00,             /* 1: inc dword [0x10800] */
    0x40, 0x43, 0x42,                               /* inc eax; inc ebx; inc edx */
    0xEB, 0xF5,                                     /* jmp 1 */
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

enum extra { PLAIN, BREAKPOINT, WATCHPOINT };

enum mode { FLAT, PAGED, LONG };

enum { INSTRUCTIONS = 100000000 };

static void prepare(struct rig *r, const uint8_t *code, size_t length, enum mode mode) {
    rig_open(r, soft_open, 8 << 20);
    if (mode == LONG)
        rig_long(r, code, length);
    else
        rig_flat(r, code, length);
    rig_get(r)->sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    r->cpu.state.regs.rcx = 0x8000000;
    rig_set(r);
    if (mode == PAGED)
        rig_paging(r, 7);
    r->cpu.limit = INSTRUCTIONS;
}

static double once(const uint8_t *code, size_t length, enum mode mode, enum extra extra) {
    struct rig r;
    prepare(&r, code, length, mode);
    if (extra == BREAKPOINT)
        breakpoints_add(&r.breakpoints, BP_SOFT, CODE_AT + length + 16, 1);
    if (extra == WATCHPOINT)
        breakpoints_add(&r.breakpoints, BP_WRITE, 0x38000, 4);
    double start = seconds();
    rig_run(&r);
    double mips = (double)r.cpu.ticks / (seconds() - start) / 1e6;
    rig_close(&r);
    return mips;
}

static double measure(const uint8_t *code, size_t length, enum mode mode, enum extra extra) {
    double best = 0;
    for (int n = 0; n < 3; n++) {
        double mips = once(code, length, mode, extra);
        best = mips > best ? mips : best;
    }
    return best;
}

static double measure_loop(const struct bench_loop *l, enum extra extra) {
    return measure(l->code, l->length, l->bits == 64 ? LONG : FLAT, extra);
}

/* The copy counts a repeated instruction once: bytes a second say more. */
static double copy_rate(void) {
    struct rig r;
    rig_open(&r, soft_open, 8 << 20);
    rig_flat(&r, copy, sizeof copy);
    double start = seconds();
    rig_run(&r);
    double rate = 4096.0 * 0x100000 / (seconds() - start) / 1e9;
    rig_close(&r);
    return rate;
}

static void print_rate(const char *what, double mips) {
    printf("%-46s %6.0f MIPS\n", what, mips);
}

static void print_loop(const struct bench_loop *l) {
    char text[64];
    snprintf(text, sizeof text, "%s, %u bits", l->text, l->bits);
    print_rate(text, measure_loop(l, PLAIN));
}

static void profile(unsigned n, uint64_t instructions) {
    const struct bench_loop *l = &bench_loops[n];
    struct rig r;
    if (l >= bench_loops_end)
        return;
    prepare(&r, l->code, l->length, l->bits == 64 ? LONG : FLAT);
    r.cpu.limit = instructions;
    double start = seconds();
    rig_run(&r);
    double mips = (double)r.cpu.ticks / (seconds() - start) / 1e6;
    printf("%s, %u bits: %llu instructions, %.0f MIPS\n", l->text, l->bits,
           (unsigned long long)r.cpu.ticks, mips);
    rig_close(&r);
}

int main(int argc, char **argv) {
    if (argc > 2) {
        profile((unsigned)atoi(argv[1]), strtoull(argv[2], NULL, 0));
        return 0;
    }
    for (const struct bench_loop *l = bench_loops; l < bench_loops_end; l++)
        print_loop(l);
    print_rate("the first with a breakpoint set", measure_loop(bench_loops, BREAKPOINT));
    print_rate("the first with a watchpoint set", measure_loop(bench_loops, WATCHPOINT));
    printf("rep movsd %43.1f GB/s\n", copy_rate());
    print_rate("sieve with calls", measure(sieve, sizeof sieve, FLAT, PLAIN));
    print_rate("walk over 1024 pages", measure(pages, sizeof pages, PAGED, PLAIN));
    print_rate("data beside code", measure(beside, sizeof beside, FLAT, PLAIN));
    return 0;
}
