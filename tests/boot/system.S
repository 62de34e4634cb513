// system: INT 11h, 12h, 15h, 1Ah, 14h, 17h, and what POST leaves in memory.
#include "check.h"
        movw    $0x40, %ax
        movw    %ax, %fs
        expect  $0x03f8, %fs:0x00, "40:0: COM1"
        expect  $639, %fs:0x13, "40:13: memory"
        expect  $0x9fc0, %fs:0x0e, "40:0e: EBDA"
        expect  $0x1e, %fs:0x80, "40:80: keyboard buffer"
        expect_byte $3, %fs:0x49, "40:49: mode"
        expect_byte $24, %fs:0x84, "40:84: rows"
        movw    $0xf000, %ax
        movw    %ax, %gs
        expect_byte $0xfc, %gs:0xfffe, "F000:FFFE: model"
        expect_byte $0xea, %gs:0xfff0, "F000:FFF0: a far jump"
        expect_byte $0xcf, %gs:0xff53, "F000:FF53: IRET"
        int     $0x11
        expect  $0x225, %ax, "int 11h: a diskette, 80 columns, a mouse, a serial line"
        int     $0x12
        expect  $639, %ax, "int 12h"

        movw    $0x2401, %ax
        int     $0x15
        expect_no_carry "15h/2401"
        expect_byte $0, %ah, "15h/2401: AH"
        movw    $0x2402, %ax
        int     $0x15
        expect_byte $1, %al, "15h/2402: A20 is open"
        movw    $0x2400, %ax
        int     $0x15
        movw    $0x2402, %ax
        int     $0x15
        expect_byte $0, %al, "15h/2400: A20 is closed"
        movw    $0x2401, %ax
        int     $0x15
        movb    $0x88, %ah
        clc
        int     $0x15
        expect_no_carry "15h/88"
        expect  $15360, %ax, "15h/88: KiB above 1 MiB"
        movw    $0xe801, %ax
        int     $0x15
        expect_no_carry "15h/E801"
        expect  $15360, %ax, "15h/E801: AX"
        expect  $15360, %cx, "15h/E801: CX"
        expect  $0, %dx, "15h/E801: DX"

        xorl    %ebx, %ebx              // E820: entries until EBX is 0; the usable ones add up
        xorl    %ebp, %ebp
        xorw    %si, %si
map:    movl    $0xe820, %eax
        movl    $24, %ecx
        movl    $0x534d4150, %edx
        movw    $0x6000, %di
        int     $0x15
        expect_no_carry "15h/E820"
        cmpl    $0x534d4150, %eax
        je      1f
        fails   "15h/E820: EAX is not SMAP"
1:      incw    %si
        cmpl    $1, 0x6010
        jne     2f
        addl    0x6008, %ebp
2:      testl   %ebx, %ebx
        jnz     map
        cmpl    $0xffffff - 0x603ff, %ebp // 16 MiB less what is from EBDA to 1 MiB
        je      3f
        cmpl    $0x1000000 - 0x60400, %ebp
        je      3f
        fails   "15h/E820: usable memory"
3:      movl    $0xe820, %eax
        movl    $0, %edx
        int     $0x15
        expect_carry "15h/E820 without SMAP"

        movw    $0xc000, %ax
        int     $0x15
        expect_no_carry "15h/C0"
        expect  $8, %es:(%bx), "15h/C0: length"
        expect_byte $0xfc, %es:2(%bx), "15h/C0: model"
        movb    $0xc1, %ah
        int     $0x15
        movw    %es, %ax
        expect  $0x9fc0, %ax, "15h/C1: EBDA"
        xorw    %ax, %ax
        movw    %ax, %es
        movw    $0x5300, %ax
        xorw    %bx, %bx
        int     $0x15
        expect_no_carry "15h/5300"
        expect  $0x0102, %ax, "15h/5300: version"
        expect  $0x504d, %bx, "15h/5300: PM"
        movw    $0x5304, %ax
        int     $0x15
        expect_carry "15h/5304, not connected"
        expect_byte $3, %ah, "15h/5304: AH"
        movw    $0x5301, %ax
        int     $0x15
        expect_no_carry "15h/5301"
        movw    $0x5301, %ax
        int     $0x15
        expect_carry "15h/5301, again"
        expect_byte $2, %ah, "15h/5301: AH"
        movw    $0x530e, %ax
        int     $0x15
        expect  $0x0102, %ax, "15h/530e: version"
        bios    0x15, ax=0x5307, bx=1, cx=4
        expect_carry "15h/5307, no such state"
        expect_byte $0x0a, %ah, "15h/5307: AH"
        movw    $0x1234, %ax
        int     $0x15
        expect_carry "15h/1234"
        expect_byte $0x86, %ah, "15h/1234: AH"
        expect_byte $0x34, %al, "15h/1234: AL"

        movw    $0x5a5a, 0x6800         // 87: a word to 1 MiB and back
        bios    0x15, ah=0x87, cx=1, si=there
        expect_no_carry "15h/87 there"
        movw    $0, 0x6800
        bios    0x15, ah=0x87, cx=1, si=back
        expect_no_carry "15h/87 back"
        expect  $0x5a5a, 0x6800, "15h/87: the word"

ticks:  movb    $0, %ah                 // they go on, by themselves and while one waits
        int     $0x1a
        movw    %dx, %si
        bios    0x15, ah=0x86, cx=2, dx=0 // 131 ms
        expect_no_carry "15h/86"
        movb    $0, %ah
        int     $0x1a
        subw    %si, %dx
        cmpw    $2, %dx
        jae     4f
        fails_again ticks, "1ah/00: ticks after 15h/86"
4:      movw    $0x0012, %cx
        bios    0x1a, ah=1, dx=0x3456
        movb    $0, %ah
        int     $0x1a
        expect  $0x12, %cx, "1ah/01: high word"
        movb    $2, %ah
        int     $0x1a
        expect_no_carry "1ah/02"
        movb    $4, %ah
        int     $0x1a
        expect_byte $0x20, %ch, "1ah/04: century"

        bios    0x14, ah=0, al=0xe3, dx=0
        testb   $0x20, %ah
        jnz     5f
        fails   "14h/00: the line's buffer is not empty"
5:      movb    $2, %ah
        movw    $0, %dx
        int     $0x17
        expect_byte $0x29, %ah, "17h/02: no printer"
        pushf                           // a far call of a vector's old handler
        movb    $2, %ah
        lcall   *0x17 * 4
        expect_byte $0x29, %ah, "17h by a far call"
        cmpw    $0x7c00, %sp
        je      6f
        fails   "SP"
6:      jmp     end

        .balign 8
there:  .fill   16, 1, 0
        .word   0xffff, 0x6800, 0x9300, 0
        .word   0xffff, 0x0000, 0x9310, 0
        .fill   16, 1, 0
back:   .fill   16, 1, 0
        .word   0xffff, 0x0000, 0x9310, 0
        .word   0xffff, 0x6800, 0x9300, 0
        .fill   16, 1, 0
