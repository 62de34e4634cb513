// A mouse pointer on the text screen: a boot sector that needs the BIOS only for keys. The mouse
// sends a packet of three bytes for each movement, an interrupt each; the left button draws, Esc
// ends it.
//
//   bit     7    6    5    4    3    2    1    0
//   1st    overflow   sign      1   middle right left    button is down
//          Y    X    Y    X
//   2nd    X: how far to the right       3rd    Y: how far up; both have their sign above

#include "disk.inc"
#include "mouse.inc"

        .code16
        .text
FUNCTION _start
        cli
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $_start, %sp
        movw    $SCREEN, %ax
        movw    %ax, %es
        cld
        movw    $mouse_handler, MOUSE_VECTOR * 4
        movw    $0, MOUSE_VECTOR * 4 + 2
        inb     $PIC2_MASK, %al
        andb    $~(1 << (MOUSE_IRQ - 8)), %al
        outb    %al, $PIC2_MASK
END _start

FUNCTION enable_mouse
        movb    $ENABLE_PORT, %al
        outb    %al, $CONTROLLER
        movb    $TO_MOUSE, %al          // the next byte is for the mouse
        outb    %al, $CONTROLLER
        movb    $REPORT, %al
        outb    %al, $DATA
not_yet:
        inb     $CONTROLLER, %al
        testb   $FULL, %al
        jz      not_yet
        inb     $DATA, %al              // FA: it acknowledges
        movb    $READ_CONFIG, %al       // from here on its bytes interrupt
        outb    %al, $CONTROLLER
        inb     $DATA, %al
        movb    %al, %ah
        orb     $CONFIG_MOUSE_IRQ, %ah
        movb    $WRITE_CONFIG, %al
        outb    %al, $CONTROLLER
        movb    %ah, %al
        outb    %al, $DATA
END enable_mouse

FUNCTION wait_for_mouse
        call    show
        sti
        hlt                             // until an interrupt, of the mouse or of the keyboard
        movb    $KEY_WAITS, %ah
        int     $KEYBOARD
        cli
        jz      wait_for_mouse
        movb    $READ_KEY, %ah
        int     $KEYBOARD
        incw    keys
        cmpb    $ESC, %al
        jne     wait_for_mouse
        movw    $0x5307, %ax
        movw    $1, %bx
        movw    $3, %cx
        int     $SYSTEM                 // APM: all devices off
END wait_for_mouse

// IRQ 12: one byte of a packet. The second PIC is ended before the first.
FUNCTION mouse_handler
        pushaw
        inb     $DATA, %al
        movw    received, %bx
        movb    %al, packet(%bx)
        incw    %bx
        cmpw    $3, %bx
        jb      packet_goes_on
        call    take_packet
        xorw    %bx, %bx
packet_goes_on:
        movw    %bx, received
        movb    $EOI, %al
        outb    %al, $PIC2
        outb    %al, $PIC1
        popaw
        iret
END mouse_handler

FUNCTION take_packet
        movb    packet, %dl
        movzbw  %dl, %ax
        andw    $7, %ax
        movw    %ax, buttons
        movzbw  packet + 1, %ax
        testb   $X_SIGN, %dl
        jz      right
        decb    %ah
right:  addw    x, %ax
        movw    $COLUMNS * 8 - 1, %cx
        call    keep_inside
        movw    %ax, x
        movzbw  packet + 2, %ax
        testb   $Y_SIGN, %dl
        jz      up
        decb    %ah
up:     negw    %ax                     // down is positive on a screen
        addw    y, %ax
        movw    $ROWS * 16 - 1, %cx
        call    keep_inside
        movw    %ax, y
        ret
END take_packet

// AX: at least 0, at most CX.
FUNCTION keep_inside
        cmpw    %cx, %ax
        jle     not_above
        movw    %cx, %ax
not_above:
        testw   %ax, %ax
        jns     not_below
        xorw    %ax, %ax
not_below:
        ret
END keep_inside

// The pointer is a cell in other colours.
FUNCTION show
        movw    pointer, %di
        xorb    $INVERTED, %es:1(%di)
        movw    y, %ax
        shrw    $4, %ax
        imulw   $COLUMNS, %ax, %ax
        movw    x, %di
        shrw    $3, %di
        addw    %ax, %di
        shlw    $1, %di
        movw    %di, pointer
        testb   $1, buttons
        jz      only_shown
        movw    $BLOCK, %es:(%di)
only_shown:
        xorb    $INVERTED, %es:1(%di)
        movw    $(ROWS - 1) * COLUMNS * 2, %di
        movw    $texts, %si
        movw    $x, %bx
next_number:
        call    print
        movw    (%bx), %ax
        call    print_number
        incw    %bx
        incw    %bx
        cmpw    $keys, %bx
        jbe     next_number
END show
        // the text behind them ends the line

FUNCTION print
        movb    $GREY, %ah
next_character:
        lodsb
        testb   %al, %al
        jz      printed
        stosw
        jmp     next_character
printed:
        ret
END print

FUNCTION print_number
        xorw    %dx, %dx
        movw    $10, %cx
        divw    %cx
        pushw   %dx
        testw   %ax, %ax
        jz      last_digit
        call    print_number
last_digit:
        popw    %ax
        addw    $GREY << 8 | '0', %ax
        stosw
        ret
END print_number

texts:  .asciz  "x="
        .asciz  " y="
        .asciz  " buttons="
        .asciz  " keys="
        .asciz  "   "

        .balign 2
x:              .short  COLUMNS * 8 / 2
y:              .short  ROWS * 16 / 2
buttons:        .short  0
keys:           .short  0
pointer:        .short  0
received:       .short  0
packet:         .byte   0, 0, 0

        .org    510
        .short  SIGNATURE
