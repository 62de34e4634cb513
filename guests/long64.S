// long64: real mode, protected mode, long mode: three sizes of code in one file.
//
// Long mode is entered from protected mode only, as §9.8.5 (Initializing IA-32e Mode) says:
//
//      protected mode, paging off
//      CR4.PAE = 1             page-table entries have 64 bits
//      CR3 = the PML4          four levels of tables
//      EFER.LME = 1            long mode enabled, not yet active
//      CR0.PG = 1              now it is active (EFER.LMA): still 32-bit code,
//                              in the compatibility mode of long mode
//      far jump                to a code segment whose L bit is set: 64-bit code
//
// A linear address, and the tables that it goes through (§4.5). The tables here
// have one entry each; a page-directory entry with PS set maps 2 MiB:
//
//       63      48 47   39 38   30 29   21 20                 0
//      +----------+-------+-------+-------+--------------------+
//      | sign     | PML4  | PDPT  | PD    | offset in 2 MiB    |
//      +----------+-------+-------+-------+--------------------+
//
// The ELF file says i386 though there is 64-bit code in it: a file says what the
// CPU is at the entry. Protected mode itself is explained in pmode.S.

#include "abi.inc"

#define CODE32          0x08
#define DATA            0x10
#define CODE64          0x18
#define PRESENT         0x03            // R/W, P: in entries that point to a table
#define PAGE_2M         0x83            // PS, R/W, P

        .code16
        .text
FUNCTION _start
        cli
        SAY     in_real_mode
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orl     $CR0_PE, %eax
END _start

FUNCTION enter_protected
        movl    %eax, %cr0
        ljmpl   $CODE32, $protected_entry
END enter_protected

        .code32
FUNCTION protected_entry
        movw    $DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x1000, %esp
        SAY     in_protected_mode

        // The upper half of each entry is 0 already: the tables are in .bss.
        movl    $pdpt + PRESENT, pml4
        movl    $page_directory + PRESENT, pdpt
        movl    $PAGE_2M, page_directory

        movl    %cr4, %eax
        orl     $CR4_PAE, %eax
        movl    %eax, %cr4
        movl    $pml4, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr                           // EDX:EAX
        orl     $EFER_LME, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $CR0_PG, %eax
END protected_entry

FUNCTION enable_long
        movl    %eax, %cr0
        ljmpl   $CODE64, $long_entry
END enable_long

        .code64
FUNCTION long_entry
        movl    $0x1000, %esp           // writing ESP clears the upper half of RSP
        SAY     in_long_mode
        SAY     big_number
        movl    $1, %eax
        shlq    $40, %rax               // does not fit in 32 bits
        call    print_hex64
        HYPERCALL HC_NEWLINE
        SAY     done
        EXIT    0
END long_entry

// Prints RAX as sixteen hexadecimal digits after "0x". Changes RBX, RCX, RDX,
// RSI and AL.
FUNCTION print_hex64
        movq    %rax, %rsi
        movb    $'0', %bl
        HYPERCALL HC_PUTCHAR
        movb    $'x', %bl
        HYPERCALL HC_PUTCHAR
        movl    $16, %ecx
next_digit:
        rolq    $4, %rsi                // the highest digit first
        movl    %esi, %ebx
        andl    $0xf, %ebx
        cmpb    $10, %bl
        jb      decimal_digit
        addb    $'a' - '0' - 10, %bl
decimal_digit:
        addb    $'0', %bl
        HYPERCALL HC_PUTCHAR
        loop    next_digit
        ret
END print_hex64

        .data
        .balign 8
        .type   gdt, @object
gdt:    .quad   0
        .word   0xffff, 0               // 0x08: code, D = 1: 32 bits
        .byte   0, 0x9a, 0xcf, 0
        .word   0xffff, 0               // 0x10: data
        .byte   0, 0x92, 0xcf, 0
        .word   0, 0                    // 0x18: code, L = 1 and D = 0: 64 bits; base and limit
        .byte   0, 0x9a, 0x20, 0        //       are not looked at
gdt_end:
        .size   gdt, . - gdt

        .type   gdt_pointer, @object
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt
        .size   gdt_pointer, . - gdt_pointer

MESSAGE in_real_mode, "long64: real mode, 16-bit code\n"
MESSAGE in_protected_mode, "long64: protected mode, 32-bit code\n"
MESSAGE in_long_mode, "long64: long mode, 64-bit code\n"
MESSAGE big_number, "long64: 1 << 40 = "
MESSAGE done, "long64: done\n"

        .macro  TABLE name
        .balign 4096
        .type   \name, @object
\name:  .skip   4096
        .size   \name, . - \name
        .endm

        .bss
TABLE pml4
TABLE pdpt
TABLE page_directory
