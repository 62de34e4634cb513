// bootsector: what a PC runs first. The BIOS loads one sector of the disk to 0000:7C00, sees the
// bytes 55 AA at its end, and jumps to it in real mode, with the drive's number in DL. All that
// a program can call then is the BIOS: int 10h is the screen.

#include "abi.inc"

#define VIDEO           0x10            // the BIOS's service for the screen
#define TELETYPE        0x0e            // AH: print AL, and move the cursor on
#define SIGNATURE       0xaa55

        .code16
        .text
FUNCTION _start
        xorw    %ax, %ax                // what the segments are, each BIOS decides for itself
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $_start, %sp            // the stack grows down from here
        cld
        movw    $hello, %si
        call    print
        cli                             // with interrupts off, this hlt is the end
        hlt
END _start

// The text at SI, with a zero behind it.
FUNCTION print
        movb    $TELETYPE, %ah
        movw    $0x0007, %bx            // page 0; grey, where the mode is graphics
next_character:
        lodsb
        testb   %al, %al
        jz      printed
        int     $VIDEO
        jmp     next_character
printed:
        ret
END print

hello:  .asciz  "Hello from a boot sector!\r\n"

        .org    510
        .short  SIGNATURE
