// more: INT 13h/05 and 18, 14h/02.
#include "check.h"

        movw    $0x1801, %ax            // 13h/18: 80 tracks of 18
        bios    0x13, ah=0x18, cx=0x4f12, dl=0
        expect_no_carry "13h/18"
        movw    %es, %ax
        expect  $0xf000, %ax, "13h/18: ES"
        expect  $0xefc7, %di, "13h/18: DI"
        bios    0x13, ah=0x18, cx=0x270f // 40 of 15
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
        bios    0x13, ax=0x0512, bx=table, cx=0x2801, dx=0x0100 // 13h/05: there
        expect_no_carry "13h/05"
        bios    0x13, ax=0x0201, bx=0x6000, cx=0x2812, dx=0x0100
        expect  $0xf6f6, 0x6000, "13h/05: what is there"
        bios    0x13, ax=0x0201, cx=0x2801, dx=0x0000
        expect  $0x0000, 0x6000, "13h/05: the other side"

        movb    $1, 0x47c               // 14h/02: a second at most
        bios    0x14, ax=0x0200, dx=0
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
        bios    0x14, ax=0x0200, dx=0
        expect  $0x007a, %ax, "14h/02: what was typed"

        jmp     end

table:  .fill   18 * 4, 1, 0
