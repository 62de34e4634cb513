// fpu: asks whether there is an x87, as Intel's AP-485 does; with one, uses it, and SSE
// registers if CPUID has them. Exit status 1 without an x87, 2 with one.
        .code16
        .text
        .globl  _start
        .type _start, @function
_start: xorw    %ax, %ax
        movw    %ax, %ds
        fninit
        movw    $0x5a5a, status
        fnstsw  status
        movb    $1, %bl
        cmpb    $0, status
        jne     done
        movl    $1, %eax
        cpuid
        testl   $1 << 25, %edx          // SSE
        jz      used
        movl    %cr4, %eax
        orl     $0x200, %eax            // OSFXSR
        movl    %eax, %cr4
        .globl  unused
unused: movups  value, %xmm1
        .globl  used
used:   nop
        fld1
        .globl  loaded
loaded: movb    $2, %bl
        .globl  done
done:   movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .size _start, . - _start
        .balign 16
value:  .quad   0x0123456789abcdef, 0
status: .word   0
