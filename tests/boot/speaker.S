// speaker: port 61h and the timer's channel 2; then a tone, a beep of the BIOS's, and their end,
// each when a key comes.
#include "check.h"

        movb    $0x00, %al
        outb    %al, $0x61
        movb    $0xb6, %al              // channel 2, a square wave of 440 Hz
        outb    %al, $0x43
        movw    $2712, %ax
        outb    %al, $0x42
        movb    %ah, %al
        outb    %al, $0x42
        inb     $0x61, %al
        andb    $0x23, %al
        expect_byte $0x20, %al, "61h: the gate is closed, the output up"
        movb    $0x01, %al
        outb    %al, $0x61
        xorw    %bx, %bx
        xorw    %cx, %cx                // what has been seen of bits 4 and 5: each as 0 and as 1
1:      inb     $0x61, %al
        orb     %al, %bl
        notb    %al
        orb     %al, %bh
        loop    1b
        andw    $0x3030, %bx
        expect  $0x3030, %bx, "61h: refresh and output toggle"
        inb     $0x61, %al
        andb    $0x03, %al
        expect_byte $0x01, %al, "61h: the gate alone"

        movb    $0, %al
        outb    %al, $0x61
        movb    $0xb0, %al              // one shot, of 1 ms
        outb    %al, $0x43
        movw    $1193, %ax
        outb    %al, $0x42
        movb    %ah, %al
        outb    %al, $0x42
        movb    $1, %al
        outb    %al, $0x61
1:      inb     $0x61, %al
        testb   $0x20, %al
        jz      1b

        movw    $0x0e73, %ax            // 's': there is something to see
        int     $0x10
        movb    $0xb6, %al
        outb    %al, $0x43
        movw    $2712, %ax
        outb    %al, $0x42
        movb    %ah, %al
        outb    %al, $0x42
        movb    $3, %al
        outb    %al, $0x61
        inb     $0x61, %al
        andb    $0x03, %al
        expect_byte $0x03, %al, "61h: it sounds"
sounds: movb    $0, %ah
        int     $0x16
        movb    $0, %al
        outb    %al, $0x61
        movw    $0x0e07, %ax            // the BIOS's beep
        int     $0x10
        movw    $0x0e62, %ax            // 'b'
        int     $0x10
        movb    $0, %ah
        int     $0x16
        jmp     end
