// left: prints "printed" by port 0xE9, and puts the same and another line on its screen.
        .code16
        .text
#include "../../guests/abi.inc"
FUNCTION _start
        movw    $0xb800, %ax
        movw    %ax, %es
        cld
        xorw    %di, %di
        movw    $text, %si
        movb    $0x07, %ah
1:      lodsb
        testb   %al, %al
        jz      2f
        outb    %al, $0xe9
        stosw
        jmp     1b
2:      testw   $1, more
        jz      3f
        movw    $(24 * 160), %di
        movw    $0x07e1, %es:(%di)      // a sharp s
        movw    $0x0721, %es:2(%di)
3:      cli
        hlt
END _start

text:   .asciz  "printed"
        .globl  more
more:   .word   1
