// reset: boots again by each way that a PC has, and ends with how often it has begun.
        .code16
        .text
        .globl  _start
_start: xorw    %ax, %ax
        movw    %ax, %ds
        incw    0x600                   // memory stays
        movw    0x600, %bx
        cmpw    $1, %bx
        jne     1f
        movb    $0xfe, %al              // the keyboard controller
        outb    %al, $0x64
        hlt
1:      cmpw    $2, %bx
        jne     1f
        movb    $1, %al                 // port 92h
        outb    %al, $0x92
        hlt
1:      cmpw    $3, %bx
        jne     1f
        movw    $0xcf9, %dx             // reset control
        movb    $2, %al
        outb    %al, %dx
        movb    $6, %al
        outb    %al, %dx
        hlt
1:      cmpw    $4, %bx
        jne     1f
        movl    $0xdeadbeef, %esp       // the reset vector; the stack is anywhere
        ljmp    $0xffff, $0
1:      cmpw    $5, %bx
        jne     1f
        int     $0x19
1:      cmpw    $6, %bx
        jne     1f
        movb    $0x0a, %al              // from protected mode, to where 40:67 says
        movb    $0x8f, %ah
        xchgb   %al, %ah
        outb    %al, $0x70
        movb    %ah, %al
        outb    %al, $0x71
        movw    $resumed, 0x467
        movw    $0, 0x469
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        movb    $0xfe, %al
        outb    %al, $0x64
        hlt
resumed:
        incw    %cs:0x600
        movw    %cs:0x600, %bx
1:      movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .org    510
        .word   0xaa55
