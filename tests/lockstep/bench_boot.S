/* A disk that runs one loop of bench_loops.S on whatever PC it is put into, and switches that
 * off: scripts/bench-cpus. -DBENCH=NAME -DBENCH_BITS=32|64 -DCOUNT=N. */
#define BENCH_BOOT
#define TABLES 0x20000
        .code16
        .text
        .globl  _start
_start: cli
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %es
        mov     %ax, %ss
        mov     $0x7c00, %sp
        mov     $0x0208, %ax            /* the next eight sectors */
        mov     $0x0002, %cx
        xor     %dh, %dh                /* of the disk that we came from */
        mov     $0x7e00, %bx
        int     $0x13
        cli
        mov     $0x92, %dx              /* A20 */
        inb     %dx, %al
        or      $2, %al
        and     $0xfe, %al
        outb    %al, %dx
        lgdtl   gdt_pointer
        mov     %cr0, %eax
        and     $~4, %eax               /* not EM */
        or      $0x23, %eax             /* PE, MP, NE */
        mov     %eax, %cr0
        ljmpl   $8, $protected

        .code32
protected:
        mov     $16, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     $0x600, %eax            /* OSFXSR, OSXMMEXCPT */
        mov     %eax, %cr4
        fninit
#if BENCH_BITS == 64
        mov     $TABLES, %edi
        xor     %eax, %eax
        mov     $3072, %ecx
        rep stosl
        movl    $TABLES + 0x1003, TABLES
        movl    $TABLES + 0x2003, TABLES + 0x1000
        movl    $0x83, TABLES + 0x2000  /* 2 MiB */
        mov     $TABLES, %eax
        mov     %eax, %cr3
        mov     $0x620, %eax            /* and PAE */
        mov     %eax, %cr4
        mov     $0xc0000080, %ecx       /* EFER.LME */
        mov     $0x100, %eax
        xor     %edx, %edx
        wrmsr
        mov     %cr0, %eax
        or      $0x80000000, %eax
        mov     %eax, %cr0
        ljmp    $24, $1f
        .code64
1:
#endif
        mov     $COUNT, %ecx
        jmp     BENCH

/* Valid in both modes. */
finish: mov     $0x10, %al              /* minikvm, and QEMU with isa-debug-exit */
        out     %al, $0xf4
        mov     $off, %esi              /* Bochs */
        mov     $0x8900, %dx
        mov     $off_end - off, %ecx
1:      outsb
        dec     %ecx
        jnz     1b
        hlt

off:    .ascii  "Shutdown"
off_end:
        .balign 8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt
        .org    510
        .word   0xaa55

#define DONE jmp finish
#include "bench_loops.S"
        .org    512 * 9
