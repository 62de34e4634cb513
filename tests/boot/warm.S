// warm: Ctrl-Alt-Del boots again; a reset with CMOS 0Fh = 05h ends the interrupt that is in service,
// and goes on where 40:67 says.
#include "check.h"

        movw    $0x40, %ax
        movw    %ax, %fs
        incw    0x600                   // memory stays
        cmpw    $1, 0x600
        jne     second
        movb    $'1', %al               // Ctrl-Alt-Del is typed
        outb    %al, $0xe9
1:      movb    $0, %ah
        int     $0x16
        jmp     1b

second: expect  $2, 0x600, "how often it has booted"
        expect  $0x1234, %fs:0x72, "40:72: a warm start"
        cli
        movw    $tick, 0x08 * 4
        movw    $0, 0x08 * 4 + 2
        sti
1:      hlt                             // until the tick resets
        jmp     1b

tick:   movw    $0x050f, %ax
        outb    %al, $0x70
        movb    %ah, %al
        outb    %al, $0x71
        movw    $resumed, %cs:0x467
        movw    $0, %cs:0x469
        movb    $0xfe, %al
        outb    %al, $0x64
        hlt

resumed:
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $0x7c00, %sp
        movb    $0x0b, %al              // OCW3: what is in service
        outb    %al, $0x20
        inb     $0x20, %al
        expect_byte $0, %al, "CMOS 0Fh = 05: the interrupt is ended"
        movb    $0x0f, %al
        outb    %al, $0x70
        inb     $0x71, %al
        expect_byte $0, %al, "CMOS 0Fh is cleared"
        jmp     end
