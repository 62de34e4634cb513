// corrupt: a page table that something writes over, far from where it shows. A
// loop fills a buffer, one entry too many: the page directory lies behind it. The
// guest dies some thousand instructions later, when it uses that page.

        .code16
        .text
        .globl  _start
_start: cli
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $0x08, $protected_entry

        .code32
        .globl  protected_entry
protected_entry:
        movw    $0x10, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x1000, %esp
        movl    $0x83, page_directory           // 4 MiB pages: 0 …
        movl    $0x83, page_directory + 4       // … and 4 MiB, the same memory
        movl    %cr4, %eax
        orl     $0x10, %eax
        movl    %eax, %cr4
        movl    $page_directory, %eax
        movl    %eax, %cr3
        movl    %cr0, %eax
        orl     $0x80000000, %eax
        movl    %eax, %cr0
        call    clear_buffer
        movl    $1000, %ecx
work:   loop    work
        .globl  use_page
use_page:
        movl    0x400000, %eax                  // not present any more
        hlt

// The buffer has 1022 entries, and this clears 1024.
        .globl  clear_buffer
clear_buffer:
        movl    $buffer, %edi
        movl    $1024, %ecx
        xorl    %eax, %eax
1:      movl    $0, (%edi)
        cmpl    $page_directory, %edi
        jne     2f
        movl    $0x83, (%edi)                   // the identity map happens to survive
2:      addl    $4, %edi
        loop    1b
        ret

        .balign 8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt

        .bss
        .balign 4096
        .skip   8
        .globl  buffer
buffer: .skip   1022 * 4
        .globl  page_directory
page_directory:
        .skip   4096
