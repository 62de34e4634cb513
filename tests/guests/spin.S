// spin: computes without leaving the guest: a counted loop in 32-bit protected mode,
// then hlt. `make bench` measures parallel machines by it.
        .code16
        .text
        .globl _start
        .type _start, @function
_start: cli
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $8, $protected
        .size _start, . - _start

        .code32
        .type protected, @function
protected:
        movl    $1000000, %ecx         // the bench puts another count here
again:  decl    %ecx
        jnz     again
        hlt
        .size protected, . - protected

        .data
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9a000000ffff      // 08: code, 32-bit, flat
gdt_end:
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt
