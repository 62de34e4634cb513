// zeros: runs into zeros on purpose, where the first of them faults: it adds to memory
// behind the limit of DS. The handler of #GP ends the guest with 7.
        .code16
        .text
        .globl  _start
        .type _start, @function
_start: cli
        lgdtl   gdt_pointer
        lidtl   idt_pointer
        movl    %cr0, %eax
        orl     $1, %eax
        movl    %eax, %cr0
        ljmpl   $8, $protected
        .code32
protected:
        movl    $0x10, %eax
        movl    %eax, %ss
        movl    $0x8000, %esp
        movl    $0x18, %eax             // 4 KiB
        movl    %eax, %ds
        movl    $0x5000, %eax
        movl    $0x20000, %ecx
        jmp     *%ecx
handler:
        movl    $7, %ebx
        movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .size _start, . - _start
        .balign 8
gdt:    .quad   0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x0040920000000fff
gdt_pointer:
        .word   gdt_pointer - gdt - 1
        .long   gdt
idt:    .fill   13, 8, 0
        .word   handler, 8, 0x8e00, 0
idt_pointer:
        .word   idt_pointer - idt - 1
        .long   idt
