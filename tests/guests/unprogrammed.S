// unprogrammed: interrupts on, every vector set, the PIC as it was found. No interrupt
// may come, whatever is typed. With --irqchip=on the chips are there from the start.
        .code16
        .text
        .globl  _start
        .type _start, @function
_start: xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    $256, %cx
        xorw    %di, %di
        cld
1:      movw    $handler, %ax
        stosw
        xorw    %ax, %ax
        stosw
        loop    1b
        sti
        movl    $200000, %ecx
2:      decl    %ecx
        jnz     2b
        movb    $0, %bl
        jmp     end
handler:
        movb    $1, %bl
end:    movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .size _start, . - _start
