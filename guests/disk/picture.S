// A picture in mode 13h: rings that move outward, drawn anew again and again; a boot sector. Esc
// ends it.
//
// 320 by 200 dots are 64000 bytes from A0000 on, row by row; each is a colour of the DAC, which
// has 256, six bits each of red, green and blue.

#include "disk.inc"

        .set    MODE_13H, 0x0013
        .set    MODE_3, 0x0003
        .set    KEYBOARD, 0x16          // of the BIOS, as VIDEO
        .set    DAC_WRITE, 0x3c8        // the colour that is set next; red, green and blue go to:
        .set    DAC_DATA, 0x3c9
        .set    WIDTH, 320
        .set    HEIGHT, 200
        .set    ESC, 0x1b

        .code16
        .text
FUNCTION _start
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $_start, %sp
        cld
        movw    $MODE_13H, %ax
set_mode:
        int     $VIDEO
END _start

// Colour n: it grows brighter from 0 to 63, from 64 to 127 ...
FUNCTION set_colors
        movw    $DAC_WRITE, %dx
        xorb    %al, %al
        outb    %al, %dx
        movw    $DAC_DATA, %dx
        xorw    %cx, %cx
next_color:
        movb    %cl, %al
        andb    $63, %al
        outb    %al, %dx                // red
        outb    %al, %dx                // green
        movb    $40, %al
        outb    %al, %dx                // blue
        incb    %cl
        jnz     next_color
END set_colors

// From the upper left to the lower right. A dot's colour is the square of its distance from the
// middle, by 64, less the number of the frame.
FUNCTION draw
        movw    $0xa000, %ax
        movw    %ax, %es
        xorw    %di, %di
        movw    $-HEIGHT / 2, %bx       // BX: below the middle
next_row:
        movw    %bx, %ax
        imulw   %ax
        movw    %ax, %bp
        movw    $-WIDTH / 2, %cx        // CX: right of the middle
next_dot:
        movw    %cx, %ax
        imulw   %ax
        addw    %bp, %ax
        shrw    $6, %ax
        subb    frame, %al
        stosb
        incw    %cx
        cmpw    $WIDTH / 2, %cx
        jl      next_dot
        incw    %bx
        cmpw    $HEIGHT / 2, %bx
        jl      next_row
END draw

FUNCTION frame_done
        incb    frame
        movb    $1, %ah                 // is there a key?
        int     $KEYBOARD
        jz      draw
        xorw    %ax, %ax
        int     $KEYBOARD
        cmpb    $ESC, %al
        jne     draw
        movw    $MODE_3, %ax
        int     $VIDEO
        cli
        hlt
END frame_done

frame:  .byte   0

        .org    510
        .word   0xaa55
