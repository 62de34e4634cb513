// video: INT 10h in the text modes: what is at B8000, in the data area and in the CRTC.
#include "check.h"
        movw    $0xb800, %ax
        movw    %ax, %fs
        movw    $0x0003, %ax
        int     $0x10
        expect_byte $0x30, %al, "10h/00: AL"
        expect  $0x0720, %fs:0, "10h/00: a clear screen"
        movb    $0x0f, %ah
        int     $0x10
        expect  $0x5003, %ax, "10h/0F"
        expect_byte $0, %bh, "10h/0F: page"

        bios    0x10, ah=0x02, bh=0, dx=0x0304 // A cursor, and what is written there
        bios    0x10, ax=0x0941, bx=0x001e, cx=3
        expect  $0x1e41, %fs:(3*80+4)*2, "10h/09"
        expect  $0x1e41, %fs:(3*80+6)*2, "10h/09: the third"
        expect  $0x0720, %fs:(3*80+7)*2, "10h/09: no fourth"
        movb    $0x03, %ah
        int     $0x10
        expect  $0x0304, %dx, "10h/03: the cursor has not moved"
        expect  $0x0607, %cx, "10h/03: its shape"
        movb    $0x08, %ah
        int     $0x10
        expect  $0x1e41, %ax, "10h/08"
        bios    0x10, ax=0x0a42, cx=1
        expect  $0x1e42, %fs:(3*80+4)*2, "10h/0A keeps the attribute"
        movw    $0x3d4, %dx
        movb    $0x0e, %al
        outb    %al, %dx
        incw    %dx
        inb     %dx, %al
        movb    %al, %ah
        decw    %dx
        movb    $0x0f, %al
        outb    %al, %dx
        incw    %dx
        inb     %dx, %al
        expect  $3*80+4, %ax, "10h/02: the CRTC's cursor"

        movw    $0x0e43, %ax            // teletype
        int     $0x10
        expect  $0x1e43, %fs:(3*80+4)*2, "10h/0E"
        movw    $0x0e0d, %ax
        int     $0x10
        movw    $0x0e0a, %ax
        int     $0x10
        movb    $3, %ah
        int     $0x10
        expect  $0x0400, %dx, "10h/0E: CR and LF"
        movw    $0x0e08, %ax
        int     $0x10
        movb    $3, %ah
        int     $0x10
        expect  $0x0400, %dx, "10h/0E: BS at the left edge"
        bios    0x10, ah=2, dx=0x184f // the last cell scrolls
        movw    $0x0e5a, %ax
        int     $0x10
        expect  $0x075a, %fs:(23*80+79)*2, "10h/0E: the screen scrolls"
        expect  $0x0720, %fs:(24*80)*2, "10h/0E: and the last line is clear"
        movb    $3, %ah
        int     $0x10
        expect  $0x1800, %dx, "10h/0E: the cursor after it"

        bios    0x10, ax=0x0600, bh=0x17, cx=0x0000, dx=0xffff // windows
        expect  $0x1720, %fs:0, "10h/06: cleared"
        expect  $0x1720, %fs:(24*80+79)*2, "10h/06: to the end"
        movw    $0x1758, %fs:(5*80+10)*2
        bios    0x10, ax=0x0601, bh=0x70, cx=0x040a, dx=0x080c
        expect  $0x1758, %fs:(4*80+10)*2, "10h/06: up by one"
        expect  $0x7020, %fs:(8*80+10)*2, "10h/06: the line that comes"
        expect  $0x1720, %fs:(8*80+13)*2, "10h/06: beside the window"
        movw    $0x0702, %ax
        int     $0x10
        expect  $0x1758, %fs:(6*80+10)*2, "10h/07: down by two"

        movw    $0x1301, %ax            // strings
        movw    $0x002f, %bx
        movw    $5, %cx
        movw    $0x0a00, %dx
        movw    $string, %bp
        int     $0x10
        expect  $0x2f48, %fs:(10*80)*2, "10h/1301"
        bios    0x10, ah=3, bh=0
        expect  $0x0a05, %dx, "10h/1301: the cursor"
        movw    $0x1302, %ax
        movw    $2, %cx
        movw    $0x0b00, %dx
        movw    $pairs, %bp
        int     $0x10
        expect  $0x1241, %fs:(11*80)*2, "10h/1302"
        expect  $0x3442, %fs:(11*80+1)*2, "10h/1302: the second"

        movw    $0x0501, %ax            // pages
        int     $0x10
        expect_byte $1, 0x462, "40:62: page"
        movw    $0x0e31, %ax
        int     $0x10
        expect_byte $0x31, %fs:0x1000, "10h/0E: on the page that is shown"
        movw    $0x0500, %ax
        int     $0x10
        bios    0x10, ax=0x1112, bl=0 // 50 lines
        expect_byte $49, 0x484, "10h/1112: 50 rows"
        expect_byte $8, 0x485, "10h/1112: of 8 lines"
        movw    $0x0001, %ax
        int     $0x10
        movb    $0x0f, %ah
        int     $0x10
        expect  $0x2801, %ax, "10h/0F: 40 columns"
        movw    $0x0083, %ax            // without clearing
        movw    $0x1234, %fs:0
        int     $0x10
        expect  $0x1234, %fs:0, "10h/0083"
        movw    $0x0003, %ax
        int     $0x10

        bios    0x10, ax=0x1130, bh=6
        expect  $16, %cx, "10h/1130: lines"
        expect_byte $24, %dl, "10h/1130: rows less one"
        movw    %es, %ax
        expect  $0xf000, %ax, "10h/1130: ES"
        xorw    %ax, %ax
        movw    %ax, %es
        movw    $0x1a00, %ax
        int     $0x10
        expect_byte $0x1a, %al, "10h/1A00"
        expect  $0x0008, %bx, "10h/1A00: a VGA in colour"
        bios    0x10, ah=0x12, bl=0x10
        expect  $0x0003, %bx, "10h/12, 10: colour, 256 KiB"
        bios    0x10, ax=0x1b00, bx=0, di=0x6000
        expect_byte $0x1b, %al, "10h/1B"
        expect_byte $3, 0x6004, "10h/1B: the mode"
        expect_byte $25, 0x6022, "10h/1B: rows"
        bios    0x10, ax=0x1007, bl=1
        expect_byte $1, %bh, "10h/1007"
        bios    0x10, ax=0x0b00, bx=0x0009 // the background is colour 0
        bios    0x10, ax=0x1007, bx=0
        expect_byte $0x11, %bh, "10h/0B00: the background"
        bios    0x10, ax=0x0b00, bx=0
        movw    $0x1007, %ax
        int     $0x10
        expect_byte $0, %bh, "10h/0B00: black again"
        bios    0x10, ax=0xb800, bx=0x5678 // an unknown function returns
        expect  $0xb800, %ax, "10h/B8"
        expect  $0x5678, %bx, "10h/B8: BX"

        movw    $0x0013, %ax            // a pixel of mode 13h
        int     $0x10
        bios    0x10, ax=0x0c2a, bx=0, cx=319, dx=199
        movb    $0x0d, %ah
        int     $0x10
        expect_byte $0x2a, %al, "10h/0D"
        movw    $0x0003, %ax
        int     $0x10
        expect  $0x7c00, %sp, "SP"
        jmp     end

string: .ascii  "Hello"
pairs:  .byte   'A', 0x12, 'B', 0x34
