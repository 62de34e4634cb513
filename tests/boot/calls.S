// calls: a letter by INT 10h, a sector by INT 13h, a key by INT 16h, and the end. For sessions of gdb.
        .code16
        .text
        .globl  _start
_start: xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        .globl  letter
letter: movw    $0x0e41, %ax
        int     $0x10
        movw    $0x0201, %ax
        movw    $0x0002, %cx
        movb    $0, %dh
        movw    $0x7e00, %bx
        .globl  sector
sector: int     $0x13
        movb    $0, %ah
        .globl  key
key:    int     $0x16
        movb    %al, %bl
        movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .org    510
        .word   0xaa55
        .globl  second
second: .ascii  "MM"
        .org    1024
