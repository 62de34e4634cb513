// keys: INT 09h and 16h with what is typed: a, Shift-B, Ctrl-C, Enter, x; then hooks: INT 9, 8, 1Ch,
// 10h and 15h/4F of its own, which chain.
#include "check.h"
        movb    $0, %ah
        int     $0x16
        expect  $0x1e61, %ax, "16h/00: a"
        movb    $0x10, %ah
        int     $0x16
        expect  $0x3042, %ax, "16h/10: B"
        movb    $0, %ah
        int     $0x16
        expect  $0x2e03, %ax, "16h/00: Ctrl-C"
1:      movb    $1, %ah                 // until it is there; it stays
        int     $0x16
        jz      1b
        expect  $0x1c0d, %ax, "16h/01: Enter"
        movb    $0x11, %ah
        int     $0x16
        expect  $0x1c0d, %ax, "16h/11: Enter"
        movb    $0, %ah
        int     $0x16
        expect  $0x1c0d, %ax, "16h/00: Enter"
        movb    $2, %ah
        int     $0x16
        testb   $0x0f, %al
        jz      2f
        fails   "16h/02: no shift key is down"
2:      movb    $5, %ah                 // a key by a program
        movw    $0x3b00, %cx
        int     $0x16
        expect_byte $0, %al, "16h/05"
        movb    $0, %ah
        int     $0x16
        expect  $0x3b00, %ax, "16h/00: F1"
        movw    $15, %si                // the buffer holds 15
3:      movb    $5, %ah
        movw    $0x1234, %cx
        int     $0x16
        expect_byte $0, %al, "16h/05: there is room"
        decw    %si
        jnz     3b
        movb    $5, %ah
        int     $0x16
        expect_byte $1, %al, "16h/05: full"
        movw    $15, %si
4:      movb    $0x10, %ah
        int     $0x16
        expect  $0x1234, %ax, "16h/10: in order"
        decw    %si
        jnz     4b

        cli                             // hooks, each with the old one behind it
        movw    $hook9, %ax
        xchgw   %ax, 9 * 4
        movw    %ax, old9
        xorw    %ax, %ax
        xchgw   %ax, 9 * 4 + 2
        movw    %ax, old9 + 2
        movw    $hook15, %ax
        xchgw   %ax, 0x15 * 4
        movw    %ax, old15
        xorw    %ax, %ax
        xchgw   %ax, 0x15 * 4 + 2
        movw    %ax, old15 + 2
        movw    $hook1c, 0x1c * 4
        movw    $0, 0x1c * 4 + 2
        movw    $hook8, %ax
        xchgw   %ax, 8 * 4
        movw    %ax, old8
        xorw    %ax, %ax
        xchgw   %ax, 8 * 4 + 2
        movw    %ax, old8 + 2
        sti
        movb    $0, %ah
        int     $0x16
        expect  $0x2d78, %ax, "16h/00: x, by hooks"
        cmpw    $0, count9
        jne     5f
        fails   "INT 9 is not called"
5:      cmpw    $0, count15
        jne     6f
        fails   "INT 15h/4F is not called"
6:      hlt
        cmpw    $2, count8
        jb      6b
        cmpw    $2, count1c
        jae     7f
        fails   "INT 1Ch is not called"
7:      expect  $0x7c00, %sp, "SP"
        jmp     end

hook9:  incw    count9
        ljmp    *old9
hook15: cmpb    $0x4f, %ah
        jne     1f
        incw    count15
1:      ljmp    *old15
hook8:  pushf                           // called, not jumped to
        lcall   *old8
        incw    count8
        iret
hook1c: incw    count1c
        movw    $0xdead, %ax            // the BIOS keeps AX
        iret

old9:   .long   0
old15:  .long   0
old8:   .long   0
count9: .word   0
count15: .word  0
count8: .word   0
count1c: .word  0
