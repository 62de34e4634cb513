// disk-time: reads and writes sectors of two disks in an order that looks random, by polling and
// by interrupts, whole and in part. What it reads goes into `sum`, what it writes comes from
// there; a digit of it is printed now and then. It never ends.
#include "../../guests/abi.inc"

#define DATA    0x1f0
#define COUNT   0x1f2
#define STATUS  0x1f7
#define buffer  0x4000

        .code16
        .text
FUNCTION _start
        cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $0x7000, %sp
        movw    $interrupt, 0x2e*4
        movw    $0, 0x2e*4+2
        movw    $words, %si
        movw    $10, %cx
1:      lodsw                           // AL: the value, AH: the port
        movzbw  %ah, %dx
        outb    %al, %dx
        loop    1b
again:  call    random
        movw    %ax, %bx
        andw    $7, %bx
        shlw    $1, %bx
        call    *actions(%bx)
        jmp     again
END _start

FUNCTION random
        imull   $1103515245, seed, %eax
        addl    $12345, %eax
        movl    %eax, seed
        shrl    $12, %eax
        ret
END random

// Any sector of either disk; AL at the end is the command: 1F2h to 1F7h.
FUNCTION give                           // BL: the command
        movw    $COUNT, %dx
        movb    $1, %al
        outb    %al, %dx
        call    random
        movw    $COUNT + 1, %dx
        andb    $127, %al
        outb    %al, %dx
        incw    %dx
        movb    $0, %al
        outb    %al, %dx
        incw    %dx
        outb    %al, %dx
        incw    %dx
        call    random
        andb    $0x10, %al
        orb     $0xe0, %al
        outb    %al, %dx
        incw    %dx
        movb    %bl, %al
        outb    %al, %dx
        ret
END give

FUNCTION take
        movw    $buffer, %di
        movw    $256, %cx
        movw    $DATA, %dx
        rep insw
        movl    buffer, %eax
        addl    %eax, sum
        ret
END take

FUNCTION read
        movb    $0x20, %bl
        call    give
        movw    $STATUS, %dx
        inb     %dx, %al
        jmp     take
END read

FUNCTION read_by_interrupt
        movb    $0, arrived
        movb    $0x20, %bl
        call    give
1:      sti
        nop
        cli
        cmpb    $0, arrived
        je      1b
        jmp     take
END read_by_interrupt

// The rest of the sector is never taken.
FUNCTION read_in_part
        movb    $0x20, %bl
        call    give
        movw    $DATA, %dx
        inw     %dx, %ax
        addw    %ax, sum
        inl     %dx, %eax
        addl    %eax, sum
        ret
END read_in_part

FUNCTION write
        movb    $0x30, %bl
        call    give
        movl    sum, %eax
        movl    %eax, buffer
        movw    $buffer, %si
        movw    $256, %cx
        movw    $DATA, %dx
        rep outsw
        movw    $STATUS, %dx
        inb     %dx, %al
        ret
END write

FUNCTION flush
        movb    $0xe7, %bl
        jmp     give
END flush

FUNCTION reset
        movw    $0x3f6, %dx
        movb    $4, %al
        outb    %al, %dx
        movb    $0, %al
        outb    %al, %dx
        ret
END reset

FUNCTION print
        movw    sum, %bx
        andw    $7, %bx
        HYPERCALL HC_PUTNUM
        ret
END print

FUNCTION interrupt
        pushw   %ax
        pushw   %dx
        movw    $STATUS, %dx
        inb     %dx, %al
        movb    $1, arrived
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popw    %dx
        popw    %ax
        iret
END interrupt

// IRQ 14 is vector 0x2e; all others are masked, but IRQ 2.
words:   .byte 0x11, 0x20, 0x20, 0x21, 0x04, 0x21, 0x01, 0x21, 0xfb, 0x21
         .byte 0x11, 0xa0, 0x28, 0xa1, 0x02, 0xa1, 0x01, 0xa1, 0xbf, 0xa1
         .balign 4
actions: .word read, write, read_by_interrupt, write, read_in_part, flush, reset, print
seed:    .long 1
sum:     .long 0
arrived: .byte 0
