// atapi: a CD by its drive's ports, the second channel's master: by polling, and by interrupts (IRQ 15).
// The CD has a file system (its block 16 is a volume descriptor), and is not what this is booted from.
#include "check.h"
        .set    PORT, 0x170
        .set    CONTROL, 0x376
        .macro  outp port, value
        movw    $\port, %dx
        movb    \value, %al
        outb    %al, %dx
        .endm
        .macro  inp port
        movw    $\port, %dx
        inb     %dx, %al
        .endm

        outp    CONTROL, $6             // SRST, without interrupts
        outp    CONTROL, $2
1:      inp     CONTROL                 // busy
        testb   $0x80, %al
        jnz     1b
        outp    PORT + 6, $0xa0
        inp     PORT + 4
        expect_byte $0x14, %al, "signature, low"
        inp     PORT + 5
        expect_byte $0xeb, %al, "signature, high"
        outp    PORT + 7, $0xa1
        call    wait
        movw    $256, %cx
        movw    $0x6000, %di
        movw    $PORT, %dx
        rep insw
        expect  $0x85c0, 0x6000, "IDENTIFY PACKET DEVICE"
        inp     PORT + 7
        expect_byte $0x50, %al, "Status behind it"

        movw    $capacity, %si          // by polling
        call    packet
        call    wait
        movw    $4, %cx
        movw    $0x6000, %di
        movw    $PORT, %dx
        rep insw
        expect  $0x0008, 0x6006, "READ CAPACITY: bytes of a block"
        inp     PORT + 7
        expect_byte $0x50, %al, "Status behind it"
        inp     PORT + 2
        expect_byte $3, %al, "Interrupt Reason at the end"

        cli                             // by interrupts
        movw    $handler, 0x77 * 4
        movw    $0, 0x77 * 4 + 2
        inb     $0xa1, %al
        andb    $0x7f, %al
        outb    %al, $0xa1
        outp    CONTROL, $0
        movw    $0x6000, next
        movw    $read, %si
        call    packet
1:      sti                             // two blocks, and the end
        hlt
        cli
        cmpb    $3, count
        jb      1b
        expect_byte $3, count, "interrupts"
        expect  $0x4301, 0x6000, "the volume descriptor"
        expect  $0x7000, next, "bytes that came"
        expect_byte $0x50, status, "Status at the end"
        movw    $beyond, %si
        call    packet
1:      sti
        hlt
        cli
        cmpb    $4, count
        jb      1b
        expect_byte $0x41, status, "Status of a block that is not there"
        inp     PORT + 1
        expect_byte $0x50, %al, "Error: illegal request"
        jmp     end

/* The packet at SI, once the drive takes it. */
packet: outp    PORT + 1, $0
        outp    PORT + 4, $0
        outp    PORT + 5, $8            // 2048 bytes of a DRQ
        outp    PORT + 7, $0xa0
        call    wait
        movw    $6, %cx
        movw    $PORT, %dx
        rep outsw
        ret

/* Until DRQ, by the alternate status. */
wait:   inp     CONTROL
        testb   $8, %al
        jz      wait
        ret

/* Data go to `next`; each interrupt is counted. */
handler:
        pushaw
        inp     PORT + 7
        movb    %al, status
        testb   $8, %al
        jz      1f
        inp     PORT + 5
        movb    %al, %ch
        inp     PORT + 4
        movb    %al, %cl
        shrw    $1, %cx
        movw    next, %di
        movw    $PORT, %dx
        rep insw
        movw    %di, next
1:      incb    count
        movb    $0x20, %al
        outb    %al, $0xa0
        outb    %al, $0x20
        popaw
        iret

capacity:
        .byte   0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
read:   .byte   0x28, 0, 0, 0, 0, 16, 0, 0, 2, 0, 0, 0
beyond: .byte   0x28, 0, 0x7f, 0, 0, 16, 0, 0, 2, 0, 0, 0
next:   .word   0
count:  .byte   0
status: .byte   0
