// disk: INT 13h on the 1.44M diskette that this is on, and on a hard disk of 33 sectors.
#include "check.h"
        bios    0x13, ah=0, dl=0
        expect_no_carry "13h/00"
        bios    0x13, ah=0, dl=1
        expect_carry "13h/00 of a drive that is not there"
        bios    0x13, ah=8, dl=0
        expect_no_carry "13h/08"
        expect  $0x4f12, %cx, "13h/08: 80 cylinders, 18 sectors"
        expect  $0x0101, %dx, "13h/08: 2 heads, 1 drive"
        expect  $4, %bx, "13h/08: 1.44M"
        movw    %es, %ax
        expect  $0xf000, %ax, "13h/08: ES"
        expect  $0xefc7, %di, "13h/08: DI"
        xorw    %ax, %ax
        movw    %ax, %es
        bios    0x13, ah=0x15, dl=0
        expect_byte $1, %ah, "13h/15 of a diskette"

        bios    0x13, ax=0x0201, bx=0x6000, cx=0x0001, dx=0 // the first sector, again
        expect_no_carry "13h/02"
        expect  $1, %ax, "13h/02: AX"
        expect  $1, %cx, "13h/02: CX"
        expect  $0, %dx, "13h/02: DX"
        expect  $0xaa55, 0x61fe, "13h/02: the data"
        bios    0x13, ax=0x0201, cx=0x0013 // sector 19
        expect_carry "13h/02 of sector 19"
        expect_byte $4, %ah, "13h/02 of sector 19: AH"
        expect_byte $0, %al, "13h/02 of sector 19: AL"
        expect_byte $4, 0x441, "40:41"
        movb    $1, %ah
        int     $0x13
        expect_carry "13h/01"
        expect_byte $4, %ah, "13h/01: AH"
        bios    0x13, ax=0x0202, bx=0xfe00, cx=0x0001, dx=0 // 64 KiB of memory end within it
        expect_carry "13h/02 across 64 KiB"
        expect_byte $9, %ah, "13h/02 across 64 KiB: AH"
        movw    $0x0200, %ax
        int     $0x13
        expect_carry "13h/02 of 0 sectors"

        movw    $0x55aa, 0x6000         // written, read back, verified
        bios    0x13, ax=0x0301, bx=0x6000, cx=0x4f12, dx=0x0100 // the last one
        expect_no_carry "13h/03"
        movw    $0, 0x6000
        movw    $0x0201, %ax
        int     $0x13
        expect_no_carry "13h/02 of what was written"
        expect  $0x55aa, 0x6000, "13h/03: the data"
        movw    $0x0401, %ax
        int     $0x13
        expect_no_carry "13h/04"
        movw    $0x0202, %ax
        int     $0x13
        expect_carry "13h/02 beyond the end"

        bios    0x13, ah=0x41, bx=0x55aa, dl=0
        expect_carry "13h/41 of a diskette"
        bios    0x13, ah=0x41, bx=0x55aa, dl=0x80
        expect_no_carry "13h/41"
        expect  $0xaa55, %bx, "13h/41: BX"
        expect_byte $0x30, %ah, "13h/41: version"
        expect  $7, %cx, "13h/41: CX"
        bios    0x13, ah=0x42, dl=0x80, si=packet
        expect_no_carry "13h/42"
        expect_byte $0, %ah, "13h/42: AH"
        expect  $2, packet + 2, "13h/42: how many"
        expect  $0x1111, 0x6000, "13h/42: the first"
        expect  $0x1111, 0x6200, "13h/42: the second"
        movw    $32, packet + 8
        movb    $0x42, %ah
        int     $0x13
        expect_carry "13h/42 beyond the end"
        bios    0x13, ah=0x48, si=parameters
        expect_no_carry "13h/48"
        expect  $33, parameters + 16, "13h/48: sectors"
        expect  $512, parameters + 24, "13h/48: bytes of one"
        bios    0x13, ah=0x15, dl=0x80
        expect_byte $3, %ah, "13h/15 of a hard disk"
        bios    0x13, ax=0x4b01, dl=0x80
        expect_carry "13h/4B"
        movb    $0x77, %ah
        int     $0x13
        expect_carry "13h/77"
        expect_byte $1, %ah, "13h/77: AH"
        expect_byte $1, 0x475, "40:75: hard disks"
        jmp     end

        .balign 4
packet: .byte   16, 0
        .word   2, 0x6000, 0
        .quad   3
parameters:
        .word   30
        .fill   28, 1, 0
