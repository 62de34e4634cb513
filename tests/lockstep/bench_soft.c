/* How fast the built-in CPU is: millions of guest instructions a second on eight
 * loops, best of three, and what a breakpoint or watchpoint that is never hit costs. */
#include <time.h>

#include "rig.h"
#include "vmm/engines/soft/soft.h"

/* add, store, branch */
static const uint8_t simple[] = {
    0xB9, 0x00, 0x00, 0x00, 0x08,                   /* mov ecx, 0x8000000 */
    0x01, 0xC8,                                     /* 1: add eax, ecx */
    0xA3, 0x00, 0x00, 0x03, 0x00,                   /* mov [0x30000], eax */
    0x83, 0xC3, 0x03,                               /* add ebx, 3 */
    0x89, 0x1D, 0x04, 0x00, 0x03, 0x00,             /* mov [0x30004], ebx */
    0x39, 0xC3,                                     /* cmp ebx, eax */
    0x74, 0x01,                                     /* je 2 */
    0x42,                                           /* inc edx */
    0x49,                                           /* 2: dec ecx */
    0x75, 0xE8,                                     /* jnz 1 */
    0xF4,
};

/* the same in 64-bit code */
static const uint8_t simple64[] = {
    0xB9, 0x00, 0x00, 0x00, 0x08,                   /* mov ecx, 0x8000000 */
    0x48, 0x01, 0xC8,                               /* 1: add rax, rcx */
    0x48, 0x89, 0x04, 0x25, 0x00, 0x00, 0x03, 0x00, /* mov [0x30000], rax */
    0x48, 0x83, 0xC3, 0x03,                         /* add rbx, 3 */
    0x48, 0x89, 0x1C, 0x25, 0x08, 0x00, 0x03, 0x00, /* mov [0x30008], rbx */
    0x48, 0x39, 0xC3,                               /* cmp rbx, rax */
    0x74, 0x03,                                     /* je 2 */
    0x48, 0xFF, 0xC2,                               /* inc rdx */
    0x48, 0xFF, 0xC9,                               /* 2: dec rcx */
    0x75, 0xDC,                                     /* jnz 1 */
    0xF4,
};

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

/* a sum of products, each stored */
static const uint8_t x87_loop[] = {
    0xB9, 0x00, 0x00, 0x00, 0x08,                   /* mov ecx, 0x8000000 */
    0xD9, 0xEE,                                     /* fldz */
    0xDD, 0x05, 0x00, 0x00, 0x03, 0x00,             /* 1: fld qword [0x30000] */
    0xDC, 0x0D, 0x08, 0x00, 0x03, 0x00,             /* fmul qword [0x30008] */
    0xDE, 0xC1,                                     /* faddp */
    0xDD, 0x15, 0x10, 0x00, 0x03, 0x00,             /* fst qword [0x30010] */
    0x49, 0x75, 0xE9,                               /* dec ecx; jnz 1 */
    0xF4,
};

static const uint8_t sse2_loop[] = {
    0xB9, 0x00, 0x00, 0x00, 0x08,                   /* mov ecx, 0x8000000 */
    0x66, 0x0F, 0x28, 0x0D, 0x00, 0x00, 0x03, 0x00, /* 1: movapd xmm1, [0x30000] */
    0x66, 0x0F, 0x59, 0x0D, 0x10, 0x00, 0x03, 0x00, /* mulpd xmm1, [0x30010] */
    0x66, 0x0F, 0x58, 0xC1,                         /* addpd xmm0, xmm1 */
    0xF2, 0x0F, 0x11, 0x05, 0x20, 0x00, 0x03, 0x00, /* movsd [0x30020], xmm0 */
    0x66, 0x0F, 0xFE, 0xD1,                         /* paddd xmm2, xmm1 */
    0x49, 0x75, 0xDD,                               /* dec ecx; jnz 1 */
    0xF4,
};

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

enum extra { PLAIN, BREAKPOINT, WATCHPOINT };

enum mode { FLAT, PAGED, LONG };

static double measure(const uint8_t *code, size_t length, enum mode mode, enum extra extra) {
    double best = 0;
    for (int n = 0; n < 3; n++) {
        struct rig r;
        rig_open(&r, soft_open, 8 << 20);
        if (mode == LONG)
            rig_long(&r, code, length);
        else
            rig_flat(&r, code, length);
        rig_get(&r)->sregs.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
        rig_set(&r);
        if (mode == PAGED)
            rig_paging(&r, 7);
        if (extra == BREAKPOINT)
            breakpoints_add(&r.breakpoints, BP_SOFT, CODE_AT + length + 16, 1);
        if (extra == WATCHPOINT)
            breakpoints_add(&r.breakpoints, BP_WRITE, 0x38000, 4);
        r.cpu.limit = 100000000;
        double start = seconds();
        rig_run(&r);
        double mips = (double)r.cpu.ticks / (seconds() - start) / 1e6;
        best = mips > best ? mips : best;
        rig_close(&r);
    }
    return best;
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

int main(void) {
    double plain = measure(simple, sizeof simple, FLAT, PLAIN);
    printf("adds, stores, branches   %6.0f MIPS\n", plain);
    printf("  with a breakpoint set  %6.0f MIPS\n",
           measure(simple, sizeof simple, FLAT, BREAKPOINT));
    printf("  with a watchpoint set  %6.0f MIPS\n",
           measure(simple, sizeof simple, FLAT, WATCHPOINT));
    printf("  in 64-bit code         %6.0f MIPS\n", measure(simple64, sizeof simple64, LONG, PLAIN));
    printf("rep movsd                %6.1f GB/s, %.0f million doublewords a second\n", copy_rate(),
           copy_rate() * 250);
    printf("sieve with calls         %6.0f MIPS\n", measure(sieve, sizeof sieve, FLAT, PLAIN));
    printf("walk over 1024 pages     %6.0f MIPS\n", measure(pages, sizeof pages, PAGED, PLAIN));
    printf("data beside code         %6.0f MIPS\n", measure(beside, sizeof beside, FLAT, PLAIN));
    printf("x87: load, multiply, add %6.0f MIPS\n",
           measure(x87_loop, sizeof x87_loop, FLAT, PLAIN));
    printf("SSE2: the same, and more %6.0f MIPS\n",
           measure(sse2_loop, sizeof sse2_loop, FLAT, PLAIN));
    return 0;
}
