/* Loops that bench_soft and scripts/bench-cpus measure. Each does its body ECX times; its data
 * begin at BENCH_DATA and are zeros but for what it writes itself.
 *
 *   LOOP(name, bits, instructions of an iteration, what is printed)
 */
#ifndef DONE
#define DONE hlt
#endif
#define BENCH_DATA 0x30000

/* 8 KiB of numbers a little above 1.5. */
#define FILL                                                                                       \
        mov     %ecx, %ebx;                                                                        \
        mov     $BENCH_DATA, %edi;                                                                 \
        mov     $0x3ff80000, %eax;                                                                 \
        mov     $2048, %ecx;                                                                       \
        rep stosl;                                                                                 \
        mov     %ebx, %ecx

        .macro  describe name, bits, instructions, text
        .pushsection .rodata.bench_texts, "a"
9:      .asciz  "\text"
        .popsection
        .pushsection .data.rel.ro.bench_loops, "aw"
        .quad   9b, \name, \name\()_end - \name
        .long   \bits, \instructions
        .popsection
        .endm
#ifdef BENCH_BOOT /* it needs the code alone */
#define DESCRIBE(...)
#else
#define DESCRIBE(name, bits, instructions, text) describe name, bits, instructions, text
#endif
#define LOOP(name, bits, instructions, text) BEGIN(name, bits, instructions, text)
#define BEGIN(name, bits, instructions, text)                                                      \
        .balign 128; /* within a page */                                                           \
        DESCRIBE(name, bits, instructions, text);                                                  \
        .code##bits;                                                                               \
        name:
#define END(name) FINISH(name)
#define FINISH(name) DONE; name##_end:

#ifndef BENCH_BOOT
        .globl  bench_loops, bench_loops_end
        .section .data.rel.ro.bench_loops, "aw"
        .balign 8
bench_loops:
        .section .rodata.bench_code, "a"
#endif

LOOP(adds, 32, 9, "adds, stores, branches")
1:      add     %ecx, %eax
        mov     %eax, BENCH_DATA
        add     $3, %ebx
        mov     %ebx, BENCH_DATA + 4
        cmp     %eax, %ebx
        je      2f
        inc     %edx
2:      dec     %ecx
        jnz     1b
END(adds)

LOOP(adds64, 64, 9, "the same in 64-bit code")
1:      add     %rcx, %rax
        mov     %rax, BENCH_DATA
        add     $3, %rbx
        mov     %rbx, BENCH_DATA + 8
        cmp     %rax, %rbx
        je      2f
        inc     %rdx
2:      dec     %rcx
        jnz     1b
END(adds64)

LOOP(x87_sum, 32, 6, "x87: a sum of products, each stored")
        FILL
        fldz
1:      fldl    BENCH_DATA
        fmull   BENCH_DATA + 8
        faddp
        fstl    BENCH_DATA + 16
        dec     %ecx
        jnz     1b
END(x87_sum)

LOOP(sse2_packed, 32, 7, "SSE2: the same by two, and integers")
        FILL
1:      movapd  BENCH_DATA, %xmm1
        mulpd   BENCH_DATA + 16, %xmm1
        addpd   %xmm1, %xmm0
        movsd   %xmm0, BENCH_DATA + 32
        paddd   %xmm1, %xmm2
        dec     %ecx
        jnz     1b
END(sse2_packed)

/* The rest is the same in 32-bit and in 64-bit code but for what addresses are made of. */
#define BITS    32
#define NAME(n) n##32
#define R(n)    %e##n
#define IN      "32-bit code"
#include "bench_fp.inc"
#undef BITS
#undef NAME
#undef R
#undef IN
#define BITS    64
#define NAME(n) n##64
#define R(n)    %r##n
#define IN      "64-bit code"
#include "bench_fp.inc"

#ifndef BENCH_BOOT
        .section .data.rel.ro.bench_loops, "aw"
bench_loops_end:
#endif
        .section .note.GNU-stack, "", @progbits
