/* INT 10h in graphics modes: dots, characters, scrolling, and VBE with its banks, its linear
 * framebuffer and its palette; Bochs' registers; planes by hand. */
#include "check.h"

main:   movw    $modes, %si             // each of the VGA's modes
next_mode:
        lodsb
        cmpb    $0xff, %al
        je      planes
        movb    %al, mode
        xorb    %ah, %ah
        int     $0x10
        lodsb
        movb    %al, color              // one that the mode has
        lodsw
        movw    %ax, right              // its last column and line
        lodsw
        movw    %ax, bottom
        movb    color, %al              // a dot in the corner
        call    put_dot
        call    get_dot
        cmpb    color, %al
        je      1f
        call    say_mode
        fails   "0C, 0D"
1:      cmpb    $0x13, mode
        je      2f
        movb    $0x81, %al              // inverted in bit 0
        call    put_dot
        call    get_dot
        xorb    $1, %al
        cmpb    color, %al
        je      2f
        call    say_mode
        fails   "0C: inverted"
2:      movw    $0x0200, %ax            // an "R" at row 3, column 5, and what is there
        xorw    %bx, %bx
        movw    $0x0305, %dx
        int     $0x10
        movb    $'R', %al
        movb    $0x09, %ah
        movb    color, %bl
        movw    $1, %cx
        int     $0x10
        movb    $0x08, %ah
        int     $0x10
        cmpb    $'R', %al
        je      3f
        call    say_mode
        fails   "09, 08"
3:      movw    $0x0601, %ax            // a row up, and it is there
        movb    $0, %bh
        xorw    %cx, %cx
        movw    $0x184f, %dx
        int     $0x10
        bios    0x10, ah=0x02, dx=0x0205
        movb    $0x08, %ah
        int     $0x10
        cmpb    $'R', %al
        je      4f
        call    say_mode
        fails   "06"
4:      movb    $0x0e, %ah              // and printed
        movb    $'q', %al
        movb    color, %bl
        int     $0x10
        movb    $0x03, %ah
        int     $0x10
        cmpb    $0x06, %dl
        je      5f
        call    say_mode
        fails   "0E: the cursor"
5:      movb    $0x02, %ah
        movw    $0x0205, %dx
        int     $0x10
        movb    $0x08, %ah
        int     $0x10
        cmpb    $'q', %al
        je      next_mode
        call    say_mode
        fails   "0E"
        jmp     next_mode

/* Write mode 2 with a bit mask, latches, read mode 1: as programs for a VGA do it. */
planes: movw    $0x0012, %ax
        int     $0x10
        movw    $0xa000, %ax
        movw    %ax, %fs
        movw    $0x3ce, %dx
        movw    $0x0205, %ax
        outw    %ax, %dx
        movw    $0x8008, %ax
        outw    %ax, %dx
        movb    %fs:100, %al
        movb    $0x0c, %fs:100          // the leftmost dot is light red
        movw    $0xff08, %ax
        outw    %ax, %dx
        movw    $0x0805, %ax            // compare with it
        outw    %ax, %dx
        movw    $0x0c02, %ax
        outw    %ax, %dx
        movw    $0x0f07, %ax
        outw    %ax, %dx
        expect_byte $0x80, %fs:100, "read mode 1"
        movw    $0x0105, %ax            // latches, a line further
        outw    %ax, %dx
        movb    %fs:100, %al
        movw    $80, %cx
        movw    $160, %di
        movw    %fs, %ax
        movw    %ax, %es
        movb    %fs:100, %al
        rep     stosb
        movw    $0x0005, %ax
        outw    %ax, %dx
        movw    $0x0304, %ax
        outw    %ax, %dx
planes_written:
        expect_byte $0x80, %fs:239, "write mode 1: plane 3"
        movw    $0x0004, %ax
        outw    %ax, %dx
        expect_byte $0, %fs:239, "write mode 1: plane 0"
        xorw    %ax, %ax
        movw    %ax, %es

/* VBE: what there is. */
vbe:    movw    $0x6000, %di
        movl    $0x32454256, (%di)      // "VBE2"
        movw    $0x4f00, %ax
        int     $0x10
        expect  $0x004f, %ax, "4F00"
        expect  $0x4556, 0x6000, "4F00: VE"
        expect  $0x4153, 0x6002, "4F00: SA"
        expect  $0x0200, 0x6004, "4F00: version"
        expect  $256, 0x6012, "4F00: memory"
        movl    0x600e, %eax
        movw    %ax, %si                // the list of modes has 112h
1:      lodsw
        cmpw    $0xffff, %ax
        je      2f
        cmpw    $0x112, %ax
        jne     1b
2:      expect  $0x112, %ax, "4F00: 112h"
        bios    0x10, ax=0x4f01, cx=0x4112, di=0x6200
        expect  $0x004f, %ax, "4F01"
        expect  $640, 0x6212, "4F01: width"
        expect  $480, 0x6214, "4F01: height"
        expect_byte $24, 0x6219, "4F01: bits"
        expect  $1920, 0x6210, "4F01: pitch"
        expect  $0xe000, 0x622a, "4F01: framebuffer"
        bios    0x10, ax=0x4f01, cx=0x1ff
        expect  $0x014f, %ax, "4F01: no such mode"
        bios    0x10, ax=0x4f02, bx=0x1ff
        expect  $0x014f, %ax, "4F02: no such mode"

/* 101h by banks: dot 100 of line 300 is in bank 2. */
        bios    0x10, ax=0x4f02, bx=0x0101
        expect  $0x004f, %ax, "4F02"
        movw    $0x4f03, %ax
        int     $0x10
        expect  $0x0101, %bx, "4F03"
        movw    $0x4f05, %ax
        xorw    %bx, %bx
        movw    $2, %dx
        int     $0x10
        expect  $0x004f, %ax, "4F05"
        movw    $0x4f05, %ax
        movw    $0x0100, %bx
        xorw    %dx, %dx
        int     $0x10
        expect  $2, %dx, "4F05: get"
        expect_byte $0, %fs:(300*640+100-0x20000), "4F02 clears"
        movb    $77, %fs:(300*640+100-0x20000)
        bios    0x10, ax=0x0d00, cx=100, dx=300
        expect_byte $77, %al, "4F05: the dot"
        bios    0x10, ax=0x4f05, bx=0, dx=256
        expect  $0x014f, %ax, "4F05: beyond memory"

/* The linear framebuffer, through a segment without a limit; what was there stays. */
        bios    0x10, ax=0x4f02, bx=0xc101
        expect  $0x004f, %ax, "4F02: linear"
        call    flat
        movl    $0xe0000000, %edi
        expect_byte $77, %gs:300*640+100(%edi), "linear"
        movb    $78, %gs:300*640+100(%edi)
linear_written:
        bios    0x10, ax=0x0d00, cx=100, dx=300
        expect_byte $78, %al, "linear: the dot"

/* Longer lines, another start. */
        bios    0x10, ax=0x4f06, bx=0, cx=1000
        expect  $0x004f, %ax, "4F06"
        expect  $1000, %bx, "4F06: bytes"
        expect  $16777, %dx, "4F06: lines"
        bios    0x10, ax=0x4f07, bx=0, cx=8, dx=5
        expect  $0x004f, %ax, "4F07"
        movw    $0x4f07, %ax
        movw    $1, %bx
        xorw    %cx, %cx
        int     $0x10
        expect  $8, %cx, "4F07: get"
        expect  $5, %dx, "4F07: get DX"
        movb    $31, %gs:5*1000+8(%edi)
        movw    $0x0d00, %ax
        xorw    %cx, %cx
        xorw    %dx, %dx
        int     $0x10
        expect_byte $31, %al, "4F07: the first dot"

/* The monitor. */
        movw    $0x4f15, %ax
        movw    $1, %bx
        xorw    %cx, %cx
        xorw    %dx, %dx
        movw    $0x6500, %di
        int     $0x10
        expect  $0x004f, %ax, "4F15"
        xorb    %al, %al
        movw    $128, %cx
        movw    $0x6500, %si
3:      addb    (%si), %al
        incw    %si
        loop    3b
        testb   %al, %al
        jz      4f
        fails   "4F15: its sum"
4:      expect_byte $0x64, 0x6500+54, "4F15: the clock"

/* Colours of eight bits. */
        bios    0x10, ax=0x4f08, bx=0x0800
        expect_byte $8, %bh, "4F08"
        movl    $0x00fe8142, 0x6400
        movw    $0x4f09, %ax
        movw    $0, %bx
        movw    $1, %cx
        movw    $200, %dx
        movw    $0x6400, %di
        int     $0x10
        expect  $0x004f, %ax, "4F09"
        movl    $0, 0x6400
        bios    0x10, ax=0x4f09, bx=1
        expect  $0x8142, 0x6400, "4F09: get"
        expect_byte $0xfe, 0x6402, "4F09: red"

/* All of it into memory, text, and all of it back. */
        bios    0x10, ax=0x4f04, cx=0x0f, dl=0
        expect  $0x004f, %ax, "4F04"
        expect  $16, %bx, "4F04: blocks"
        bios    0x10, ax=0x4f04, bx=0xb000, dl=1
        expect  $0x004f, %ax, "4F04: save"
        movw    $0x0003, %ax
        int     $0x10
        bios    0x10, ax=0x4f04, bx=0xb000, cx=0x0f, dl=2
        expect  $0x004f, %ax, "4F04: restore"
        movw    $0x4f03, %ax
        int     $0x10
        expect  $0xc101, %bx, "4F04: the mode"
        bios    0x10, ax=0x4f07, bx=1
        expect  $5, %dx, "4F04: the start"
        movl    $0xe0000000, %edi
        expect_byte $78, %gs:300*640+100(%edi), "4F04: dots"
        bios    0x10, ax=0x1c00, cx=7
        expect_byte $0x1c, %al, "1C"
        expect  $16, %bx, "1C: blocks"

/* 32 bits a dot, characters and all. */
        bios    0x10, ax=0x4f02, bx=0x4144
        bios    0x10, ax=0x0e58, bx=0x0f
        movb    $0x02, %ah
        xorw    %dx, %dx
        movb    $0, %bh
        int     $0x10
        movb    $0x08, %ah
        int     $0x10
        expect_byte $'X', %al, "0E in VBE"

/* Bochs' registers. */
        movw    $0x1ce, %dx
        xorw    %ax, %ax
        outw    %ax, %dx
        incw    %dx
        inw     %dx, %ax
        expect  $0xb0c5, %ax, "the id"
        decw    %dx
        movw    $1, %ax
        outw    %ax, %dx
        incw    %dx
        inw     %dx, %ax
        expect  $1024, %ax, "the width"

        bios    0x10, ax=0x4f02, bx=0x0003 // and text again
        expect  $0x004f, %ax, "4F02: text"
        movw    $0xb800, %ax
        movw    %ax, %fs
        expect  $0x0720, %fs:0, "text"
        expect  $0x7c00, %sp, "SP"
        jmp     end

put_dot:
        movb    $0x0c, %ah
        xorw    %bx, %bx
        movw    right, %cx
        movw    bottom, %dx
        int     $0x10
        ret
get_dot:
        movb    $0x0d, %ah
        xorw    %bx, %bx
        movw    right, %cx
        movw    bottom, %dx
        int     $0x10
        ret

say_mode:
        pusha
        movb    mode, %al
        movb    %al, %ah
        shrb    $4, %al
        call    1f
        movb    %ah, %al
        call    1f
        popa
        ret
1:      andb    $15, %al
        addb    $'0', %al
        cmpb    $'9', %al
        jbe     2f
        addb    $7, %al
2:      outb    %al, $0xe9
        ret

/* GS without a limit. */
flat:   cli
        lgdtl   gdtr
        movl    %cr0, %eax
        incw    %ax
        movl    %eax, %cr0
        jmp     1f
1:      movw    $8, %bx
        movw    %bx, %gs
        decw    %ax
        movl    %eax, %cr0
        jmp     2f
2:      xorw    %bx, %bx
        movw    %bx, %gs
        sti
        ret

        .balign 8
gdt:    .quad   0, 0x00cf92000000ffff
gdtr:   .word   15
        .long   gdt

mode:   .byte   0
color:  .byte   0
right:  .word   0
bottom: .word   0
        .macro  graphics number, color, right, bottom
        .byte   \number, \color
        .word   \right, \bottom
        .endm
modes:  graphics 0x04, 3, 319, 199
        graphics 0x05, 2, 319, 199
        graphics 0x06, 1, 639, 199
        graphics 0x0d, 11, 319, 199
        graphics 0x0e, 6, 639, 199
        graphics 0x0f, 1, 639, 349
        graphics 0x10, 13, 639, 349
        graphics 0x11, 1, 639, 479
        graphics 0x12, 9, 639, 479
        graphics 0x13, 200, 319, 199
        .byte   0xff
