// more: INT 13h/05 and 18, 14h/02.
#include "check.h"

        movw    $0x1801, %ax            // 13h/18: 80 tracks of 18
        movw    $0x4f12, %cx
        movb    $0, %dl
        movb    $0x18, %ah
        int     $0x13
        expect_no_carry "13h/18"
        movw    %es, %ax
        expect  $0xf000, %ax, "13h/18: ES"
        expect  $0xefc7, %di, "13h/18: DI"
        movw    $0x270f, %cx            // 40 of 15
        movb    $0x18, %ah
        int     $0x13
        expect_carry "13h/18, of another kind"
        expect_byte $0x0c, %ah, "13h/18: AH"
        xorw    %ax, %ax
        movw    %ax, %es
        movw    $table, %di             // the IDs of cylinder 40, head 1
        movw    $0x0128, %ax
        movw    $0x0201, %dx
1:      stosw
        xchgw   %ax, %dx
        stosw
        xchgw   %ax, %dx
        incb    %dl
        cmpb    $18, %dl
        jbe     1b
        movw    $0x0512, %ax            // 13h/05: there
        movw    $0x2801, %cx
        movw    $0x0100, %dx
        movw    $table, %bx
        int     $0x13
        expect_no_carry "13h/05"
        movw    $0x0201, %ax
        movw    $0x2812, %cx
        movw    $0x0100, %dx
        movw    $0x6000, %bx
        int     $0x13
        expect  $0xf6f6, 0x6000, "13h/05: what is there"
        movw    $0x0201, %ax
        movw    $0x2801, %cx
        movw    $0x0000, %dx
        int     $0x13
        expect  $0x0000, 0x6000, "13h/05: the other side"

        movb    $1, 0x47c               // 14h/02: a second at most
        movw    $0x0200, %ax
        movw    $0, %dx
        int     $0x14
        testb   $0x80, %ah
        jnz     1f
        fails   "14h/02: nothing has come, and it is not timed out"
1:      cli                             // what comes is for the serial line
        movb    $0xad, %al
        outb    %al, $0x64
        sti
        movb    $0, 0x47c
        movb    $'1', %al
        outb    %al, $0xe9
        movw    $0x0200, %ax
        movw    $0, %dx
        int     $0x14
        expect  $0x007a, %ax, "14h/02: what was typed"

        jmp     end

table:  .fill   18 * 4, 1, 0
