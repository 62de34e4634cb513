// screen: writes text to the screen's memory, sets the cursor by the CRT controller, and
// then shows its second page. Each part is a label to stop at.
        .code16
        .text
#include "../../guests/abi.inc"
FUNCTION _start
        movw    $0x5000, %sp
        movw    $0xb800, %ax
        movw    %ax, %es
        cld
        movw    $0, %di
        movw    $greeting, %si
        movb    $0x1e, %ah              // yellow on blue
        call    put
        movw    $(2 * 160 + 4), %di
        movw    $box, %si
        movb    $0x8c, %ah              // light red, blinks
        call    put
        movw    $(2 * 80 + 7), %bx
        call    cursor
        .globl  shown
shown:  movw    $(2 * 2000), %di
        movw    $page, %si
        movb    $0x07, %ah
        call    put
        movw    $0x3d4, %dx
        movw    $(2000 >> 8 << 8 | 0x0c), %ax   // index and value in one word
        outw    %ax, %dx
        movw    $((2000 & 0xff) << 8 | 0x0d), %ax
        outw    %ax, %dx
        .globl  turned
turned: movw    $0x200a, %ax            // the cursor goes
        outw    %ax, %dx
        .globl  bare
bare:   cli
        hlt
END _start

FUNCTION put                            // %si: text with a zero at its end; %ah: attribute
1:      lodsb
        testb   %al, %al
        jz      2f
        stosw
        jmp     1b
2:      ret
END put

FUNCTION cursor                         // %bx: the cell
        movw    $0x3d4, %dx
        movb    $0x0f, %al
        movb    %bl, %ah
        outw    %ax, %dx
        movb    $0x0e, %al
        movb    %bh, %ah
        outw    %ax, %dx
        ret
END cursor

greeting: .asciz "Hello, screen!"
box:    .ascii  "\311\315\315\315\273 x = \373\261"
        .byte   0
page:   .asciz  "the second page"
