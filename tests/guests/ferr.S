// ferr: an x87 exception as PCs have it since the 287: CR0.NE is clear, so the processor's FERR#
// raises IRQ 13, and a write to port 0xf0 lets it go on. Exit status 3: the handler came once,
// at the instruction after the division, which was then done.
        .code16
        .text
        .globl  _start
        .type _start, @function
_start: xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x8000, %sp
        movw    $handler, 0x75 * 4
        movw    %ax, 0x75 * 4 + 2
        movb    $0x11, %al              // both PICs: vectors 08 and 70, cascaded
        outb    %al, $0x20
        outb    %al, $0xa0
        movb    $0x08, %al
        outb    %al, $0x21
        movb    $0x70, %al
        outb    %al, $0xa1
        movb    $0x04, %al
        outb    %al, $0x21
        movb    $0x02, %al
        outb    %al, $0xa1
        movb    $0x01, %al
        outb    %al, $0x21
        outb    %al, $0xa1
        movb    $0xfb, %al              // the cascade and IRQ 13 alone
        outb    %al, $0x21
        movb    $0xdf, %al
        outb    %al, $0xa1
        xorw    %bx, %bx
        fninit
        fldcw   control
        sti
        fld1
        fldz
        fdivrp                          // 1 / 0
        nop
        .globl  waits
waits:  fnop                            // raises it
        cmpb    $1, %bl
        jne     done
        fnstsw  %ax
        testb   $0x84, %al              // the handler has cleared it
        jnz     done
        movb    $3, %bl
done:   movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        hlt

handler:
        incb    %bl
        outb    %al, $0xf0
        fnclex
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        iretw
        .size _start, . - _start
control: .word  0x037b
