// at-once: sets CR0.PE and CR0.PG by one mov, after another that changes neither. Exit
// status 0 when paging is on behind it, 1 when it is not, 2 when the mov faults.
        .code16
        .text
        .globl  _start
        .type _start, @function
_start: cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7000, %sp
        movl    $0x83, 0x8000           // 4 MiB at 0
        movw    $refused, 13*4
        movw    %ax, 13*4+2
        movl    %cr0, %eax
        call    load
        movl    $0x10, %eax             // PSE
        movl    %eax, %cr4
        movl    $0x8000, %eax
        movl    %eax, %cr3
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orl     $0x80000001, %eax
        .globl  at_once
at_once:
        movl    %eax, %cr0
        ljmpl   $8, $paged
load:   movl    %eax, %cr0
        ret
refused:
        movb    $2, %bl
        movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .code32
        .globl  paged
paged:  movl    %cr0, %eax
        shrl    $31, %eax
        xorl    $1, %eax
        movb    %al, %bl
        movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .size _start, . - _start
        .balign 8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt
