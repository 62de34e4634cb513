// waits: INT 10h prints, INT 15h/86 waits as long as CX:DX says, from `length` on. For whoever interrupts it.
        .code16
        .text
        .globl  _start
_start: xorw    %ax, %ax
        movw    %ax, %ds
        movw    $0x0e41, %ax
        .globl  print
print:  int     $0x10
        movw    length, %cx
        xorw    %dx, %dx
        movb    $0x86, %ah
        .globl  wait
wait:   int     $0x15
        movb    $7, %bl
        movb    $0, %al
        movw    $0x500, %dx
        outb    %al, %dx
        .org    508
length: .word   1                       // times 65,536 microseconds
        .org    510
        .word   0xaa55
