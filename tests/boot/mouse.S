// mouse: INT 15h/C2 with a handler, and then IRQ 12 and the ports; typed are a move, a click,
// a key and the wheel.
#include "check.h"

        movw    $0xc207, %ax            // nobody is there yet
        xorw    %bx, %bx
        int     $0x15
        bios    0x15, ax=0xc200, bh=1
        expect_carry "15h/C200 without a handler"
        expect_byte $5, %ah, "15h/C200 without a handler: AH"
        bios    0x15, ax=0xc205, bh=3
        expect_no_carry "15h/C205"
        expect  $0x00aa, %bx, "15h/C205: BX"
        movw    $0xc204, %ax
        int     $0x15
        expect_no_carry "15h/C204"
        expect_byte $0, %bh, "15h/C204: a mouse"
        bios    0x15, ax=0xc202, bh=2
        expect_no_carry "15h/C202"
        bios    0x15, ax=0xc203, bh=4
        expect_carry "15h/C203, no such resolution"
        expect_byte $2, %ah, "15h/C203: AH"
        bios    0x15, ax=0xc203, bh=3
        expect_no_carry "15h/C203"
        bios    0x15, ax=0xc206, bh=0
        expect_no_carry "15h/C206"
        expect_byte $0, %bl, "15h/C206: status"
        expect_byte $3, %cl, "15h/C206: resolution"
        expect_byte $40, %dl, "15h/C206: rate"
        movw    $0xc2aa, %ax
        int     $0x15
        expect_carry "15h/C2AA"
        expect_byte $1, %ah, "15h/C2AA: AH"
        bios    0x15, ax=0xc207, bx=handler
        expect_no_carry "15h/C207"
        bios    0x15, ax=0xc200, bh=1
        expect_no_carry "15h/C200"

        movb    $'1', %al
        outb    %al, $0xe9
1:      hlt                             // until the button is up again
        cmpw    $2, changes
        jb      1b
        expect  $24, right, "15h/C2: to the right"
        expect  $-32, up, "15h/C2: down"
        expect  $0, fourth, "15h/C2: the fourth word"
        movb    $0, %ah                 // the key behind it is a key
        int     $0x16
        expect_byte $'k', %al, "the key behind the click"
        movb    $1, %ah
        int     $0x16
        jz      1f
        fails   "the mouse has typed a key"

1:      movw    $0xc200, %ax            // by the ports: a wheel
        movb    $0, %bh
        int     $0x15
        expect_no_carry "15h/C200, off"
        cli
        movw    $irq12, 0x74 * 4
        movw    $0, 0x74 * 4 + 2
        movb    $0xa8, %al
        outb    %al, $0x64
        movb    $0x60, %al
        outb    %al, $0x64
        movb    $0x47, %al
        outb    %al, $0x60
        movw    $knock, %si
1:      lodsb
        call    send
        cmpw    $knock_end, %si
        jb      1b
        expect_byte $3, %al, "F2: a mouse with a wheel"
        movb    $0xf4, %al
        call    send
        movb    $'2', %al
        outb    %al, $0xe9
1:      cli
        cmpw    $4, bytes
        jae     1f
        sti
        hlt
        jmp     1b
1:
        expect  $0x0008, packet, "a packet of four bytes"
        expect  $0x0100, packet + 2, "the wheel"
        cmpw    $0x7c00, %sp
        je      end
        fails   "SP"
        jmp     end

// Status, X, Y and the fourth word are on the stack below the far return.
handler:
        pushw   %bp
        movw    %sp, %bp
        pushw   %ax
        pushw   %ds
        xorw    %ax, %ax
        movw    %ax, %ds
        movb    12(%bp), %al            // status
        movb    %al, %ah
        xorb    buttons, %ah
        movb    %al, buttons
        testb   $7, %ah
        jz      1f
        incw    changes
1:      movw    10(%bp), %ax
        testb   $0x10, 12(%bp)
        jz      1f
        movb    $0xff, %ah
1:      addw    %ax, right
        movw    8(%bp), %ax
        testb   $0x20, 12(%bp)
        jz      1f
        movb    $0xff, %ah
1:      addw    %ax, up
        movw    6(%bp), %ax
        orw     %ax, fourth
        movw    $0x1234, %dx            // the BIOS keeps registers
        movw    %dx, %es
        popw    %ds
        popw    %ax
        popw    %bp
        lret

// The request may be an old one, of an answer that send has read: then a byte that comes only now is
// left for the next.
irq12:  pushw   %ax
        pushw   %bx
        inb     $0x64, %al
        andb    $0x21, %al
        cmpb    $0x21, %al
        jne     1f
        inb     $0x60, %al
        movw    bytes, %bx
        andw    $3, %bx
        movb    %al, packet(%bx)
        incw    bytes
1:      movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popw    %bx
        popw    %ax
        iret

// AL to the mouse; AL: what it answers last.
send:   movb    %al, %ah
        movb    $0xd4, %al
        outb    %al, $0x64
        movb    %ah, %al
        outb    %al, $0x60
1:      inb     $0x60, %al
        movb    %al, %ah
        inb     $0x64, %al
        testb   $0x21, %al
        jnz     1b
        movb    %ah, %al
        ret

        .balign 2
changes:
        .word   0
right:  .word   0
up:     .word   0
fourth: .word   0
bytes:  .word   0
packet: .word   0, 0
buttons:
        .byte   8
knock:  .byte   0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf2
knock_end:
