// keys: waits in a hlt for each byte of the keyboard and prints it, up to the release
// of `q`. It never asks the 8042 anything: what was typed before it had interrupts must
// come by interrupt all the same.
        .code16
        .text
        .globl _start
        .type _start, @function
_start: cli
        movw    $0x5000, %sp
        movw    $key, 0x21*4            // IRQ 1, when IRQ 0 is vector 0x20
        movw    $0, 0x21*4+2
        movb    $0x11, %al              // ICW1: edges, two chips, ICW4 follows
        outb    %al, $0x20
        movb    $0x20, %al              // ICW2: the first vector
        outb    %al, $0x21
        movb    $0x04, %al              // ICW3: the other chip is on IRQ 2
        outb    %al, $0x21
        movb    $0x01, %al              // ICW4: an 8086
        outb    %al, $0x21
        movb    $0xfd, %al              // all masked but the keyboard
        outb    %al, $0x21
        sti
wait:   hlt
        jmp     wait
        .size _start, . - _start

        .type key, @function
key:    inb     $0x60, %al
        xorw    %bx, %bx
        movb    %al, %bl
        movb    $3, %al                 // PUTNUM
        movw    $0x500, %dx
        outb    %al, %dx
        movb    $4, %al                 // NEWLINE
        outb    %al, %dx
        cmpb    $0x90, %bl              // q is released
        jne     more
        movb    $0, %al                 // EXIT
        movb    $0, %bl
        outb    %al, %dx
more:   movb    $0x20, %al              // end of interrupt
        outb    %al, $0x20
        iret
        .size key, . - key
