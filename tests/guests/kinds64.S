// kinds64: what a partial KVM gets wrong in long mode without a word, or cannot run: system calls,
// interrupts and ports in ring 3, software interrupts and the FPU in ring 0, CMPXCHG16B, a page
// of 1 GiB. Exit status 0, or the number of the check that failed. `in_ring3` and `behind_syscall`
// are for breakpoints.
#include "guests/abi.inc"

#define CODE32          0x08
#define DATA            0x10
#define CODE64          0x18
#define USER_DATA       0x23
#define USER_CODE       0x2b
#define TASK            0x30
#define LARGE           0x87            // PS, U/S, R/W, P
#define STACK           0x7000
#define USER_STACK      0x6000
#define GIGABYTE        0x40000000

        .code16
        .text
FUNCTION _start
        cli
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orl     $CR0_PE, %eax
        movl    %eax, %cr0
        ljmpl   $CODE32, $protected_entry
END _start

        .code32
FUNCTION protected_entry
        movw    $DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $pdpt + 7, pml4
        movl    $page_directory + 7, pdpt
        movl    $LARGE, page_directory
        movl    %cr4, %eax
        orl     $0x620, %eax            // PAE, OSFXSR, OSXMMEXCPT
        movl    %eax, %cr4
        movl    $pml4, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $0x101, %eax            // LME, SCE
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000022, %eax       // PG, NE, MP
        movl    %eax, %cr0
        ljmpl   $CODE64, $long_entry
END protected_entry

        .code64
        .macro  CHECK number
        movb    $\number, check
        .endm
        .macro  UNLESS condition        // else it failed
        j\condition 0f
        jmp     failed
0:
        .endm

FUNCTION long_entry
        movl    $STACK, %esp
        lidt    idt_pointer
        movw    $TASK, %ax
        ltr     %ax

        CHECK   1                       // the FPU in ring 0
        fld1
        fistpl  word
        cmpl    $1, word
        UNLESS  e
        cvtsi2sdl word, %xmm1
        addpd   %xmm1, %xmm1
        cvtsd2si %xmm1, %eax
        cmpl    $2, %eax
        UNLESS  e

        CHECK   2                       // INT n and INT3 in ring 0
        int     $0x30
        cmpl    $1, interrupts
        UNLESS  e
        cmpw    $CODE64, interrupted_cs
        UNLESS  e
        int3
        cmpl    $2, interrupts
        UNLESS  e

        CHECK   3
        movl    $pair, %esi
        xorl    %eax, %eax
        xorl    %edx, %edx
        movl    $5, %ebx
        movl    $6, %ecx
        cmpxchg16b (%rsi)
        UNLESS  z
        cmpl    $6, pair + 8
        UNLESS  e

        CHECK   4                       // a page of 1 GiB, if CPUID has them
        movl    $0x80000001, %eax
        cpuid
        btl     $26, %edx
        jnc     ring3
        movl    $LARGE, pdpt + 8
        movl    $GIGABYTE, %esi
        movl    $0x5a5a, word
        cmpl    $0x5a5a, word(%rsi)
        UNLESS  e

ring3:
        CHECK   5
        movl    $0xc0000081, %ecx       // STAR: SYSCALL's CS is 0x18
        xorl    %eax, %eax
        movl    $CODE64 | (USER_DATA - 8) << 16, %edx
        wrmsr
        incl    %ecx                    // LSTAR
        movl    $syscall_handler, %eax
        xorl    %edx, %edx
        wrmsr
        pushq   $USER_DATA
        pushq   $USER_STACK
        pushq   $0x3002                 // IOPL 3
        pushq   $USER_CODE
        pushq   $in_ring3
        iretq
END long_entry

FUNCTION in_ring3
        movl    $1, %edi
        syscall
END in_ring3

FUNCTION behind_syscall
        CHECK   6                       // INT n in ring 3
        int     $0x30
        cmpl    $3, interrupts
        UNLESS  e
        cmpw    $USER_CODE, interrupted_cs
        UNLESS  e
        CHECK   7                       // ports, as IOPL is 3
        outb    %al, $0x80
        movb    $0, check
        jmp     failed                  // which has not
END behind_syscall

// In the right ring, with the right registers?
FUNCTION syscall_handler
        movw    %cs, %ax
        testb   $3, %al
        UNLESS  z
        movw    %ss, %ax
        cmpw    $0x20, %ax
        UNLESS  e
        cmpq    $behind_syscall, %rcx
        UNLESS  e
        cmpq    $0x3002, %r11
        UNLESS  e
        sysretq
END syscall_handler

FUNCTION interrupt_handler
        incl    interrupts
        movl    8(%rsp), %eax
        movl    %eax, interrupted_cs
        iretq
END interrupt_handler

FUNCTION failed
        movb    check, %bl
        HYPERCALL HC_EXIT
END failed

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff      // 08
        .quad   0x00cf92000000ffff      // 10
        .quad   0x00209a0000000000      // 18
        .quad   0x00cff2000000ffff      // 20: SYSCALL's SS is 0x18 + 8, SYSRET's that | 3
        .quad   0x0020fa0000000000      // 28
        .word   0x67, tss               // 30
        .byte   0, 0x89, 0, 0
        .quad   0
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

        .macro  GATE handler, type
        .word   \handler, CODE64
        .byte   0, \type
        .word   0
        .quad   0
        .endm
        .balign 8
idt:    .rept   3
        GATE    failed, 0x8e
        .endr
        GATE    interrupt_handler, 0xee
        .rept   44
        GATE    failed, 0x8e
        .endr
        GATE    interrupt_handler, 0xee
idt_pointer:
        .word   idt_pointer - idt - 1
        .quad   idt

        .balign 8
tss:    .long   0
        .quad   STACK
        .fill   22, 4, 0
        .word   0, 104

        .balign 16
pair:   .quad   0, 0
word:   .long   0
interrupts:
        .long   0
interrupted_cs:
        .long   0
check:  .byte   0

        .bss
        .balign 4096
pml4:   .skip   4096
pdpt:   .skip   4096
page_directory:
        .skip   4096
