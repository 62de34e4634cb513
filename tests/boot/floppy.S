// floppy: what a driver of its own does: DMA channel 2, the controller at 3F0h, IRQ 6; beside
// it INT 13h, which sees the same diskette.
#include "check.h"

#define buffer  0x5000
#define DOR     0x3f2
#define STATUS  0x3f4
#define FIFO    0x3f5
#define RATE    0x3f7

        cli
        movw    $irq6, 0x0e * 4
        movw    $0, 0x0e * 4 + 2
        sti
        movb    $0x10, %al              // CMOS: a drive of 1.44M
        outb    %al, $0x70
        inb     $0x71, %al
        expect_byte $0x40, %al, "CMOS 10h"

        movw    $DOR, %dx               // reset: an interrupt, and four drives are told of
        movb    $0, %al
        outb    %al, %dx
        movb    $0x1c, %al              // motor A, DMA, drive A
        outb    %al, %dx
        call    wait_irq
        movw    $4, %cx
1:      movb    $8, %al
        call    give
        call    take
        movb    %al, %bl
        call    take
        loop    1b
        expect_byte $0xc3, %bl, "SENSE INTERRUPT after a reset"
        movw    $RATE, %dx
        movb    $0, %al
        outb    %al, %dx
        movw    $specify, %si
        movw    $3, %cx
        call    give_all
        movw    $DOR, %dx               // the change line is up until a step
        movw    $recalibrate, %si
        movw    $2, %cx
        call    give_all
        call    wait_irq
        call    sense
        expect  $0x0020, %ax, "RECALIBRATE"
        movw    $RATE, %dx
        inb     %dx, %al
        testb   $0x80, %al
        jz      1f
        fails   "the change line"
1:      movw    $seek, %si              // cylinder 3
        movw    $3, %cx
        call    give_all
        call    wait_irq
        call    sense
        expect  $0x0320, %ax, "SEEK"

        movw    $0x1122, 0x6000         // the BIOS writes cylinder 3, head 1, sectors 17 and 18
        movw    $0x3344, 0x6200
        bios    0x13, ax=0x0302, bx=0x6000, cx=0x0311, dx=0x0100
        expect_no_carry "13h/03"
        movb    $0x46, %al              // the controller reads them
        movw    $1024, %cx
        call    dma
        movb    $0xe6, command
        movw    $command, %si
        movw    $9, %cx
        call    give_all
        call    wait_irq
        call    results
        expect_byte $4, result, "READ DATA: ST0"
        expect  $0, result + 1, "READ DATA: ST1, ST2"
        expect  $0x0004, result + 3, "READ DATA: C, H"
        expect_byte $1, result + 5, "READ DATA: R"
        expect  $0x1122, buffer, "READ DATA: the first sector"
        expect  $0x3344, buffer + 512, "READ DATA: the second one"
        inb     $8, %al
        testb   $4, %al
        jnz     1f
        fails   "the terminal count of DMA channel 2"
1:      movw    $0x5566, buffer         // and the other way round
        movb    $0x4a, %al
        movw    $1024, %cx
        call    dma
        movb    $0xc5, command
        movw    $command, %si
        movw    $9, %cx
        call    give_all
        call    wait_irq
        call    results
        expect_byte $4, result, "WRITE DATA: ST0"
        bios    0x13, ax=0x0201, bx=0x6000, cx=0x0311, dx=0x0100
        expect  $0x5566, 0x6000, "WRITE DATA: what the BIOS reads"

        movb    $0x02, %al              // no such cylinder without a seek
        xchgb   %al, command + 2
        movb    $0x46, command
        movb    $0x46, %al
        movw    $512, %cx
        call    dma
        movw    $command, %si
        movw    $9, %cx
        call    give_all
        call    wait_irq
        call    results
        expect_byte $0x44, result, "READ DATA of another cylinder: ST0"
        expect  $0x1004, result + 1, "READ DATA of another cylinder: ST1, ST2"

        movw    $pio, %si               // byte by byte: EOT ends it
        movw    $3, %cx
        call    give_all
        movb    $0x03, command + 2
        movb    $0x11, command + 6
        movw    $command, %si
        movw    $9, %cx
        call    give_all
        movw    $buffer, %di
        movw    $512, %cx
1:      call    take
        stosb
        loop    1b
        call    results
        expect_byte $0x44, result, "READ DATA without DMA: ST0"
        expect_byte $0x80, result + 1, "READ DATA without DMA: ST1"
        expect  $0x5566, buffer, "READ DATA without DMA: the data"
        movb    $0x18, %al
        call    give
        call    take
        expect_byte $0x80, %al, "an unknown command"
        jmp     end

irq6:   pusha
        incb    %cs:interrupts
        movb    $0x20, %al
        outb    %al, $0x20
        popa
        iret

wait_irq:
        cli
        cmpb    $0, interrupts
        jne     1f
        sti
        hlt
        jmp     wait_irq
1:      movb    $0, interrupts
        sti
        ret

// DMA channel 2: AL is the mode, CX how many bytes, to and from the buffer.
dma:    pushw   %ax
        movb    $6, %al
        outb    %al, $0x0a
        outb    %al, $0x0c
        movb    $buffer & 0xff, %al
        outb    %al, $4
        movb    $buffer >> 8, %al
        outb    %al, $4
        movb    $0, %al
        outb    %al, $0x81
        decw    %cx
        outb    %al, $0x0c
        movb    %cl, %al
        outb    %al, $5
        movb    %ch, %al
        outb    %al, $5
        popw    %ax
        outb    %al, $0x0b
        movb    $2, %al
        outb    %al, $0x0a
        ret

give_all:
        lodsb
        call    give
        loop    give_all
        ret
give:   pushw   %dx
        movb    %al, %ah
        movw    $STATUS, %dx
1:      inb     %dx, %al
        andb    $0xc0, %al
        cmpb    $0x80, %al
        jne     1b
        incw    %dx
        movb    %ah, %al
        outb    %al, %dx
        popw    %dx
        ret
take:   pushw   %dx
        movw    $STATUS, %dx
1:      inb     %dx, %al
        andb    $0xc0, %al
        cmpb    $0xc0, %al
        jne     1b
        incw    %dx
        inb     %dx, %al
        popw    %dx
        ret
sense:  movb    $8, %al
        call    give
        call    take
        movb    %al, %bl
        call    take
        movb    %al, %ah
        movb    %bl, %al
        ret
results:
        movw    $result, %di
        movw    $7, %cx
1:      call    take
        stosb
        loop    1b
        ret

interrupts:
        .byte   0
specify:
        .byte   0x03, 0xdf, 0x02
pio:    .byte   0x03, 0xdf, 0x03
recalibrate:
        .byte   0x07, 0x00
seek:   .byte   0x0f, 0x00, 3
command:
        .byte   0x46, 0x04, 3, 1, 17, 2, 18, 0x1b, 0xff
        .balign 2
result: .fill   8, 1, 0
