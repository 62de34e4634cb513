// typed: all colours and characters on the screen, then the scancode of each key, in hex,
// with the cursor behind it. q ends it; c hides the cursor, b makes it a block, and p prints
// a line by port 0xE9.
        .code16
        .text
#include "../../guests/abi.inc"
FUNCTION _start
        movw    $0x5000, %sp
        movw    $0xb800, %ax
        movw    %ax, %es
        cld
        xorw    %di, %di
        movw    $title, %si
        movb    $0x1f, %ah
        call    put
        movw    $(1 * 160), %di         // 16 colours as text, 8 as background
        movw    $0x0061, %ax
1:      stosw
        addw    $0x0101, %ax
        testb   $0x0f, %ah
        jnz     1b
        movw    $(2 * 160), %di
        movw    $0x0041, %ax
2:      stosw
        addw    $0x1001, %ax
        cmpb    $0x49, %al
        jne     2b
        movw    $0x8f42, %ax            // blinks
        stosw
        movw    $(4 * 160), %di         // all characters, 64 a row
        movw    $0x0700, %ax
3:      stosw
        incb    %al
        jz      4f
        testb   $0x3f, %al
        jnz     3b
        addw    $32, %di
        jmp     3b
4:      movw    $(10 * 160), %di
        call    cursor
next:   inb     $0x64, %al
        testb   $1, %al
        jz      next
        inb     $0x60, %al
        call    hex
        call    cursor
        cmpb    $0x90, %al              // q is released
        je      end
        movw    $0x3d4, %dx
        cmpb    $0xae, %al              // c
        jne     5f
        movw    $0x200a, %ax
        outw    %ax, %dx
5:      cmpb    $0x99, %al              // p
        jne     6f
        movb    $'p', %al
        outb    %al, $0xe9
        movb    $'\n', %al
        outb    %al, $0xe9
        jmp     next
6:      cmpb    $0xb0, %al              // b
        jne     next
        movw    $0x000a, %ax
        outw    %ax, %dx
        jmp     next
end:    movb    $5, %bl
        HYPERCALL HC_EXIT
END _start

FUNCTION put                            // %si: text with a zero at its end; %ah: attribute
1:      lodsb
        testb   %al, %al
        jz      2f
        stosw
        jmp     1b
2:      ret
END put

FUNCTION hex                            // %al in two digits and a space
        pushw   %ax
        movb    %al, %cl
        shrb    $4, %al
        call    digit
        movb    %cl, %al
        andb    $0x0f, %al
        call    digit
        movw    $0x0720, %ax
        stosw
        popw    %ax
        ret
digit:  cmpb    $10, %al
        jb      1f
        addb    $('a' - '0' - 10), %al
1:      addb    $'0', %al
        movb    $0x07, %ah
        stosw
        ret
END hex

FUNCTION cursor                         // to where %di is
        pushw   %ax
        movw    %di, %bx
        shrw    $1, %bx
        movw    $0x3d4, %dx
        movb    $0x0f, %al
        movb    %bl, %ah
        outw    %ax, %dx
        movb    $0x0e, %al
        movb    %bh, %ah
        outw    %ax, %dx
        popw    %ax
        ret
END cursor

title:  .asciz  "typed: press keys"
