// paging: 4 MiB pages, a kernel in the higher half, and a page fault on purpose.
//
//      linear                            physical (256 KiB of RAM)
//      0x00000000 - 0x003fffff  ------>  0x00000000    identity: the code that
//                                        ^     ^       turns paging on runs here
//      0x80000000 - 0x803fffff  ---------+     |       the higher half
//      0x40000000 - 0x403fffff  - - - - - - - -+       not present at first; the
//                                                      #PF handler maps it
//
// With CR4.PSE a page-directory entry with its PS bit set maps 4 MiB at once, and
// there are no page tables below it (§4.3):
//
//      linear address    31      22 21                          0
//                       +----------+-----------------------------+
//                       | index    | offset within 4 MiB         |
//                       +----------+-----------------------------+
//      directory entry   31      22          7            2   1   0
//                       +----------+---- ---+--+---- ---+---+---+---+
//                       | base     |        |PS|        |U/S|R/W| P |
//                       +----------+---- ---+--+---- ---+---+---+---+
//
// This code is linked in two parts (paging.ld): low code and data have the same
// linear and physical address, those of the .high sections lie at 0x80000000 +
// physical. A debugger finds the symbols of both. Protected mode itself is
// explained in pmode.S.

#include "abi.inc"

#define CODE            0x08
#define DATA            0x10
#define PAGE_4M         0x83            // PS, R/W, P
#define ENTRY(linear)   (((linear) >> 22) * 4)
#define HIGHER_HALF     0x80000000

// An address where nothing is mapped, until the handler maps physical 0 there;
// then it is the word at physical 0x3f000, near the end of the RAM.
#define UNMAPPED        0x4003f000
#define SAME_WORD       (HIGHER_HALF + 0x3f000)
#define STAMP           0x600dcafe

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
        ljmpl   $CODE, $protected_entry
END enter_protected

        .code32
        .cfi_sections .debug_frame
FUNCTION protected_entry
        .cfi_startproc
        .cfi_undefined %eip
        movw    $DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x1000, %esp
        SAY     in_protected_mode

        // Two entries, the same 4 MiB of physical memory. All other entries are
        // 0: not present.
        movl    $PAGE_4M, page_directory + ENTRY(0)
        movl    $PAGE_4M, page_directory + ENTRY(HIGHER_HALF)
        SAY     directory_built

        movl    %cr4, %eax
        orl     $CR4_PSE, %eax          // before PG: without it PS would be ignored and
        movl    %eax, %cr4              // the entry taken for the address of a page table
        movl    $page_directory, %eax
        movl    %eax, %cr3              // a physical address
        movl    %cr0, %eax
        orl     $CR0_PG, %eax
        .cfi_endproc
END protected_entry

FUNCTION enable_paging
        movl    %eax, %cr0              // the next instruction is fetched through the page
END enable_paging                       // directory: only the identity map lets it be found

FUNCTION paged
        SAY     paging_on
        movl    $higher_half, %eax      // a relative jump would do as well, but this one
        jmp     *%eax                   // shows what happens: EIP becomes 0x8000....
END paged

        .data
        .balign 8
        .type   gdt, @object
gdt:    .quad   0
        .word   0xffff, 0               // 0x08: code, flat, 32 bits
        .byte   0, 0x9a, 0xcf, 0
        .word   0xffff, 0               // 0x10: data, flat
        .byte   0, 0x92, 0xcf, 0
gdt_end:
        .size   gdt, . - gdt

        .type   gdt_pointer, @object
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt                     // a linear address; the identity map keeps it good
        .size   gdt_pointer, . - gdt_pointer

MESSAGE in_real_mode, "paging: real mode\n"
MESSAGE in_protected_mode, "paging: protected mode, no paging: linear = physical\n"
MESSAGE directory_built, \
        "paging: page directory built, 4 MiB pages: 0x00000000 and 0x80000000 map physical 0\n"
MESSAGE paging_on, "paging: on, eip still in the identity map\n"

        .bss
        .balign 4096
        .type   page_directory, @object
page_directory:
        .skip   4096                    // 1024 entries of 4 bytes
        .size   page_directory, . - page_directory

// ---- The higher half --------------------------------------------------------

        .section .high.text, "ax", @progbits
FUNCTION higher_half
        .cfi_startproc
        .cfi_undefined %eip
        movl    $stack_top, %esp
        SAY     in_higher_half

        // An interrupt gate is 8 bytes (§6.11), and the handler's address is cut
        // in two, so it is put together here and not by the linker:
        //
        //   byte  7..6        5         4    3..2       1..0
        //        +-----------+---------+----+----------+-----------+
        //        | off 31:16 | P DPL.. | 0  | selector | off 15:0  |
        //        +-----------+---------+----+----------+-----------+
        //                      0x8e: present, DPL 0, 32-bit interrupt gate
        movl    $page_fault_handler, %eax
        movw    %ax, idt + 14 * 8
        movw    $CODE, idt + 14 * 8 + 2
        movw    $0x8e00, idt + 14 * 8 + 4
        shrl    $16, %eax
        movw    %ax, idt + 14 * 8 + 6
        lidt    idt_pointer

        SAY     touching
        movl    $UNMAPPED, %eax
        call    print_hex
        HYPERCALL HC_NEWLINE
        // The second instruction here faults, is run again after the handler, and
        // succeeds. They share a line because a backtrace shows the line of the
        // byte before the return address: right after a call, one too early here.
        movl    $UNMAPPED, %edi; movl $STAMP, (%edi)

        SAY     wrote
        movl    SAME_WORD, %eax         // the same word through the higher half
        call    print_hex
        HYPERCALL HC_NEWLINE
        SAY     done
        EXIT    0
        .cfi_endproc
END higher_half

// #PF, vector 14. The CPU has put the address that failed in CR2 and pushed:
//
//      ESP + 12  EFLAGS
//      ESP +  8  CS
//      ESP +  4  EIP of the instruction that faulted, not of the next
//      ESP       error code (§4.7): bit 0 P    0 = the page was not present
//                                   bit 1 W/R  1 = it was a write
//                                   bit 2 U/S  1 = from ring 3
//
// The handler makes the page present and returns, and the CPU runs the same
// instruction again. Every system that gives out memory on first use does this.
FUNCTION page_fault_handler
        .cfi_startproc
        .cfi_def_cfa %esp, 16           // what ESP was before the fault
        .cfi_offset %eip, -12
        pushal
        .cfi_adjust_cfa_offset 32
        SAY     fault_address
        movl    %cr2, %eax
        call    print_hex
        SAY     fault_code
        movl    32(%esp), %eax          // above the eight registers
        call    print_hex
        HYPERCALL HC_NEWLINE

        movl    %cr2, %eax
        shrl    $22, %eax
        movl    $PAGE_4M, page_directory(, %eax, 4)
        SAY     page_mapped             // no invlpg: the TLB never holds what is not
        popal                           // present (§4.10.4.3)
        .cfi_adjust_cfa_offset -32
        addl    $4, %esp                // iret does not know of the error code
        .cfi_adjust_cfa_offset -4
        iret
        .cfi_endproc
END page_fault_handler

#include "print32.inc"

        .section .high.data, "aw", @progbits
        .type   idt_pointer, @object
idt_pointer:
        .word   idt_end - idt - 1
        .long   idt
        .size   idt_pointer, . - idt_pointer

MESSAGE in_higher_half, "paging: in the higher half, eip above 0x80000000\n"
MESSAGE touching, "paging: writing to an unmapped page on purpose, at "
MESSAGE fault_address, "paging: #PF: CR2 = "
MESSAGE fault_code, ", error code = "
MESSAGE page_mapped, "paging: handler has mapped the page, back to the same instruction\n"
MESSAGE wrote, "paging: the write went through; the same word in the higher half is "
MESSAGE done, "paging: done\n"

        .section .high.bss, "aw", @nobits
        .balign 8
        .type   idt, @object
idt:    .skip   15 * 8                  // vectors 0 to 14
idt_end:
        .size   idt, . - idt

        .balign 16
        .type   stack, @object
stack:  .skip   2048
stack_top:
        .size   stack, . - stack
