// counter: 0 to 9 through the serial port, as a real machine would print it.
//
// COM1 is a 16550 UART at port 0x3f8. A byte written there is sent; before the
// next one, the line status register (base + 5) must say that there is room:
//
//      bit 7   6    5    4   3   2   1   0
//         ERR TEMT THRE  BI  FE  PE  OE  DR
//                   |
//                   transmit holding register empty: the next byte may go in
//
// A UART fresh from power-on would also need its speed set (divisor latch,
// ports 0x3f8 and 0x3f9 while bit 7 of 0x3fb is set). Here there is no wire.

#include "abi.inc"

#define COM1            0x3f8
#define LINE_STATUS     (COM1 + 5)
#define THRE            0x20

        .code16
        .text
FUNCTION _start
        movb    $'0', %bl
next_number:
        call    send
        incb    %bl
        cmpb    $'9', %bl
        jbe     next_number
        movb    $'\n', %bl
        call    send
        EXIT    0
END _start

// Sends BL. Changes AL and DX.
FUNCTION send
        movw    $LINE_STATUS, %dx
wait_for_room:
        inb     %dx, %al
        testb   $THRE, %al
        jz      wait_for_room
        movb    %bl, %al
        movw    $COM1, %dx
        outb    %al, %dx
        ret
END send
