// 1K OS, from the first instruction in real mode to kernel_main in C. Read it
// from top to bottom, or walk through it with a debugger: every step has a label
// to break at.
//
//   _start                real mode, 16 bits
//   a20_done              all address lines work
//   enter_protected       CR0.PE = 1
//   protected_entry       the first 32-bit instruction
//   build_page_directory  4 MiB pages: identity, and the higher half
//   enable_paging         CR0.PG = 1
//   higher_half           EIP is above 0x80000000 from here on
//   drop_identity_map     the way back is gone
//   kernel_main           main.c
//
// Section numbers are those of the Intel SDM, Vol. 3A, before the edition of
// 2023, which moved the chapters from 4 on up by one.

#include "asm.inc"

#define COM1            0x3f8
#define SYSTEM_PORT     0x92
#define A20_ENABLE      2
#define FAST_RESET      1

#define CR0_CACHES_OFF  0x60000000      // CD and NW, set by a reset (§11.5.1)
#define PAGE_4M         0x83            // PS, R/W, P; U/S is 0: ring 0 only
#define ENTRY(linear)   (((linear) >> 22) * 4)
#define ENTRIES         (MAPPED_MEMORY >> 22)

// LOG prints a line of the boot log on the serial port. It is no function: so it
// needs no stack, and `next` of a debugger goes over it in every mode.
        .macro  LOG message             // changes AL, ECX, DX, ESI
        movl    $\message, %esi
        movl    $\message\()_length, %ecx
1:      movw    $COM1 + 5, %dx          // line status; bit 5: ready for a byte
2:      inb     %dx, %al
        testb   $0x20, %al
        jz      2b
        lodsb                           // AL = *SI++
        movw    $COM1, %dx
        outb    %al, %dx
        loop    1b                      // CX or ECX, as the mode says
        .endm

        .section .boot.text, "ax", @progbits

// ---- Real mode ----------------------------------------------------------------
//
// The CPU starts as an 8086: 16-bit registers, linear address = segment * 16 +
// offset, no protection. All segment registers are 0 and the stack lies below
// this code.
        .code16
        STEP    _start
        cli                             // there is no handler for an interrupt yet
        cld
        LOG     in_real_mode

        // An 8086 had 20 address lines, and programs relied on 0x100000 being 0
        // again. So PCs can keep line 20 low. With it low every odd megabyte
        // would be a mirror of the even one below, and the kernel lies at 1 MiB.
        inb     $SYSTEM_PORT, %al
        orb     $A20_ENABLE, %al
        andb    $~FAST_RESET, %al       // the same port resets the machine
        outb    %al, $SYSTEM_PORT
        DONE    _start

        STEP    a20_done
        LOG     a20_is_on

        // In protected mode a segment register holds an index into this table
        // (§3.4.2), and the CPU reads the descriptor there when the register is
        // loaded. lgdt itself changes nothing yet.
        lgdtl   gdt_pointer
        LOG     gdt_is_loaded
        movl    %cr0, %eax              // PE is bit 0
        orl     $CR0_PE, %eax
        DONE    a20_done

// The switch (§9.9.1). After it CS still has what real mode left in its hidden
// part: base 0, 64 KiB, 16 bits. So the CPU goes on with 16-bit code, until the
// far jump loads CS with a descriptor. It must come next.
        STEP    enter_protected
        movl    %eax, %cr0
        ljmpl   $KERNEL_CODE, $protected_entry
        DONE    enter_protected

// ---- Protected mode, no paging --------------------------------------------------
        .code32
        STEP    protected_entry
        movw    $KERNEL_DATA, %ax       // the other segment registers as well:
        movw    %ax, %ds                // base 0, 4 GiB, so that from now on
        movw    %ax, %es                // offset = linear address
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    $_start, %esp           // the same stack as before, 32 bits of it
        LOG     in_protected_mode

        call    build_page_directory
        LOG     directory_is_built

        movl    %cr4, %eax
        orl     $CR4_PSE, %eax          // else bit 7 of an entry is ignored and its
        movl    %eax, %cr4              // address taken for that of a page table
        movl    $page_directory, %eax
        movl    %eax, %cr3              // physical, as always in CR3
        movl    %cr0, %eax
        andl    $~CR0_CACHES_OFF, %eax
        orl     $CR0_PG, %eax
        DONE    protected_entry

// From here on every address goes through the page directory, that of the next
// instruction too. EIP is still about 0x1000, and only the identity map makes
// that the same place as before (§9.9.1).
        STEP    enable_paging
        movl    %eax, %cr0
        LOG     paging_is_on
        movl    $higher_half, %eax      // by register: the address as it was linked,
        jmp     *%eax                   // no matter where EIP is now
        DONE    enable_paging

// The memory, as linear addresses, and where in the 16 MiB of RAM they lead.
//
//   linear                                        physical
//   0x80000000 +----------------------------+     0x00000000
//              | boot code, page_directory  |
//   0x80100000 +----------------------------+     0x00100000
//              | the kernel (kernel.ld)     |
//   kernel_end +----------------------------+
//              | free memory (memory.c)     |
//   0x81000000 +----------------------------+     0x01000000
//
//   The same for all processes; ring 0 only. Below it, not the same for all:
//
//   0x00000000 - 0x00ffffff  the identity map    0x00000000 - 0x00ffffff
//                            until drop_identity_map, then nothing:
//                            a null pointer is a page fault
//   0x00c00000 - 0x00c07fff  kernel stacks       any free pages  (process.c)
//   0x01000000               user program        any free pages
//   0x013fc000 - 0x013fffff  user stack          any free pages
//
// Pages are of two sizes. Those of the kernel are 4 MiB, one entry of the page
// directory each (§4.3); stacks and user memory are 4 KiB, by page tables that
// paging.c makes. An entry of the page directory for a 4 MiB page:
//
//       31          22 21      8   7   6..3   2    1   0
//      +--------------+---------+----+------+-----+---+---+
//      | physical     |    0    | PS |      | U/S |R/W| P |
//      +--------------+---------+----+------+-----+---+---+
        ROUTINE build_page_directory
        movl    $page_directory, %edi
        movl    $PAGE_4M, %eax
        movl    $ENTRIES, %ecx
1:      movl    %eax, (%edi)                    // identity
        movl    %eax, ENTRY(KERNEL_BASE)(%edi)  // and the higher half
        addl    $0x400000, %eax
        addl    $4, %edi
        loop    1b
        ret
        DONE    build_page_directory

        .section .boot.data, "aw", @progbits
// A segment descriptor, cut up as the 80286 and the 80386 left it (§3.4.5):
//
//   byte  7        6            5          4..2     1..0
//        +--------+------------+----------+--------+----------+
//        | base   | G D limit  | P DPL S  | base   | limit    |
//        | 31:24  |     19:16  | type     | 23:0   | 15:0     |
//        +--------+------------+----------+--------+----------+
//                  0xcf: units  0x9a: present, ring 0, code, readable
//                  of 4 KiB,    0x92: present, ring 0, data, writable
//                  32 bits      0xfa, 0xf2: the same for ring 3
        .globl  gdt
        .balign 8
        .type   gdt, @object
gdt:    .quad   0                       // a selector of 0 means "no segment"
        .word   0xffff, 0
        .byte   0, 0x9a, 0xcf, 0        // KERNEL_CODE
        .word   0xffff, 0
        .byte   0, 0x92, 0xcf, 0        // KERNEL_DATA
        .word   0xffff, 0
        .byte   0, 0xfa, 0xcf, 0        // USER_CODE
        .word   0xffff, 0
        .byte   0, 0xf2, 0xcf, 0        // USER_DATA
        .quad   0                       // TASK: filled in by task_init (process.c)
gdt_end:
        .size   gdt, . - gdt

        .type   gdt_pointer, @object
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt                     // a linear address
        .size   gdt_pointer, . - gdt_pointer

MESSAGE in_real_mode,       "=== 1K OS x86 ===\nreal mode: 16 bits, 64 KiB segments\n"
MESSAGE a20_is_on,          "A20: on, all of the memory can be reached\n"
MESSAGE gdt_is_loaded,      "GDT: loaded\n"
MESSAGE in_protected_mode,  "protected mode: on, CS is a 32-bit segment\n"
MESSAGE directory_is_built, "page directory: built, identity map and higher half\n"
MESSAGE paging_is_on,       "paging: on, EIP still in the identity map\n"

        .section .boot.bss, "aw", @nobits
        .globl  page_directory
        .balign PAGE
        .type   page_directory, @object
page_directory:
        .skip   PAGE                    // 1024 entries of 4 bytes, for 4 MiB each
        .size   page_directory, . - page_directory

// ---- The higher half --------------------------------------------------------------
//
// A kernel up here leaves the lower half to the user programs: each can have the
// addresses that it likes, and the kernel is there in all address spaces.
        .text
        STEP    higher_half
        movl    $boot_stack_top, %esp
        lgdt    gdt_pointer_high        // the CPU keeps a linear address; that of
                                        // the identity map is about to go
        DONE    higher_half

        STEP    drop_identity_map
        xorl    %eax, %eax
        movl    $page_directory + KERNEL_BASE, %edi
        movl    $ENTRIES, %ecx
        rep     stosl
        movl    %cr3, %eax
        movl    %eax, %cr3              // the TLB forgets what it knew (§4.10.4.1)
        call    kernel_main             // does not return
        DONE    drop_identity_map

        .section .rodata
        .type   gdt_pointer_high, @object
gdt_pointer_high:
        .word   gdt_end - gdt - 1
        .long   gdt + KERNEL_BASE
        .size   gdt_pointer_high, . - gdt_pointer_high

        .bss
        .balign 16
        .type   boot_stack, @object
boot_stack:                             // later that of the idle process
        .skip   KERNEL_STACK
boot_stack_top:
        .size   boot_stack, . - boot_stack
