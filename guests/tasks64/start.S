// tasks64: from a Multiboot 2 loader's 32-bit protected mode to 64-bit code (§9.8.5).
//
// The first 2 MiB are mapped to themselves by pages of 4 KiB, so that kernel.c can give each page
// its own rights. How long mode is entered is explained in long64.S; here NXE and SCE go on with
// LME, because the kernel uses bit 63 of page-table entries (no execution) and SYSCALL.

#define MAGIC           0xe85250d6
#define I386            0
#define LENGTH          (header_end - header)

#define CR0_MP          0x00000002      // #NM for FWAIT, too, when TS is set
#define CR0_NE          0x00000020      // x87 exceptions as #MF
#define CR0_PG          0x80000000
#define CR4_PAE         0x00000020
#define CR4_FXSR        0x00000200      // SSE may be used: the kernel saves its registers
#define CR4_XMMEXCPT    0x00000400      // and its exceptions come as #XM
#define MSR_EFER        0xc0000080
#define EFER_BITS       0x00000901      // NXE, LME, SCE
#define PRESENT         0x03            // R/W, P
#define ACCESSIBLE      0x07            // and for ring 3, where the page's own entry says so
#define CODE64          0x08

        .section .multiboot, "a"
        .balign 8
header:
        .long   MAGIC, I386, LENGTH, -(MAGIC + I386 + LENGTH)
        .short  0, 0                    // no more tags
        .long   8
header_end:

        .code32
        .text
        .globl  _start
        .type   _start, @function
_start:
        movl    $stack_end, %esp

        movl    $PRESENT, %eax          // page n is at n * 4096
        movl    $page_table, %edi
next_page:
        movl    %eax, (%edi)            // its upper half is 0 already: .bss
        addl    $4096, %eax
        addl    $8, %edi
        cmpl    $page_table + 4096, %edi
        jne     next_page
        movl    $page_table + ACCESSIBLE, page_directory
        movl    $page_directory + ACCESSIBLE, pdpt
        movl    $pdpt + ACCESSIBLE, pml4

        movl    %cr4, %eax
        orl     $CR4_PAE | CR4_FXSR | CR4_XMMEXCPT, %eax
        movl    %eax, %cr4
        movl    $pml4, %eax
        movl    %eax, %cr3
        movl    $MSR_EFER, %ecx
        rdmsr
        orl     $EFER_BITS, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $CR0_PG | CR0_NE | CR0_MP, %eax
        .size   _start, . - _start

        .globl  enable_long
        .type   enable_long, @function
enable_long:
        movl    %eax, %cr0
        lgdt    first_gdt_pointer
        ljmp    $CODE64, $long_entry
        .size   enable_long, . - enable_long

        .code64
        .globl  long_entry
        .type   long_entry, @function
long_entry:
        call    kernel_main             // it does not return
        .size   long_entry, . - long_entry

        .section .rodata
        .balign 8
first_gdt:
        .quad   0
        .quad   0x00209a0000000000      // code, L = 1: 64 bits
first_gdt_pointer:
        .word   first_gdt_pointer - first_gdt - 1
        .long   first_gdt

        .macro  TABLE name
        .balign 4096
        .globl  \name
        .type   \name, @object
\name:  .skip   4096
        .size   \name, . - \name
        .endm

        .bss
TABLE pml4
TABLE pdpt
TABLE page_directory
TABLE page_table
        .balign 16
stack:  .skip   4096
stack_end:
