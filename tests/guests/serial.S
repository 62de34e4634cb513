// serial: prints what the serial line brings, until its carrier goes: polled, then, once
// `i` has come, by interrupt.
        .code16
        .text
        .globl  _start
        .type _start, @function
_start: cli
        movw    $0x5000, %sp
        movw    $changed, 0x24*4        // IRQ 4, when IRQ 0 is vector 0x20
        movw    $0, 0x24*4+2
poll:   movw    $0x3fd, %dx
        inb     %dx, %al
        testb   $1, %al
        jnz     take
        incw    %dx                     // modem status
        inb     %dx, %al
        testb   $0x80, %al
        jnz     poll
        movb    $0, %bl                 // hung up, and the line had told that it changed
        testb   $8, %al
        jnz     end
        movb    $1, %bl
        jmp     end
take:   movw    $0x3f8, %dx
        inb     %dx, %al
        outb    %al, %dx
        cmpb    $'i', %al
        jne     poll
        movb    $0x11, %al              // ICW1: edges, two chips, ICW4 follows
        outb    %al, $0x20
        movb    $0x20, %al
        outb    %al, $0x21
        movb    $4, %al
        outb    %al, $0x21
        movb    $1, %al
        outb    %al, $0x21
        movb    $0xef, %al              // only IRQ 4
        outb    %al, $0x21
        movw    $0x3f9, %dx
        movb    $8, %al                 // modem status interrupts
        outb    %al, %dx
        sti
1:      hlt
        jmp     1b
changed:
        movw    $0x3fa, %dx
        inb     %dx, %al
        movb    $2, %bl
        testb   $0x0f, %al              // the reason: modem status
        jnz     end
        movb    $42, %bl
end:    movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .size _start, . - _start
