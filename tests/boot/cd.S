// cd: what a program finds that was booted from a CD, without emulation or as any drive. The CD is made
// from this by cd.py, which says at `info` what must be seen. With a floppy or a hard disk of the
// emulated kind in the machine (its sectors are full of 11h), that is the drive behind.
#include "check.h"
        jmp     begin
        .ascii  "CDINFO"
media:  .byte   0
block:  .long   0
blocks: .long   0
catalog:
        .long   0
drive:  .byte   0

begin:  movb    %dl, drive
        cmpw    $0x4c4c, 0x600          // by 13h/4C, at the end
        je      again
        movw    $0xffff, packet
        bios    0x13, ax=0x4b01, si=packet
        expect_no_carry "13h/4B01"
        expect_byte $0, %ah, "13h/4B01: AH"
        expect_byte $0x13, packet, "13h/4B01: size"
        movb    media, %al
        expect_byte packet + 1, %al, "13h/4B01: media type"
        movb    drive, %al
        expect_byte packet + 2, %al, "13h/4B01: drive"
        expect_byte $1, packet + 3, "13h/4B01: controller"
        movl    block, %eax
        cmpl    packet + 4, %eax
        je      1f
        fails   "13h/4B01: where the image is"
1:      expect  $0, packet + 8, "13h/4B01: the master"

        /* The CD itself, whatever is emulated. */
        bios    0x13, ah=0x41, bx=0x55aa, dl=0xe0
        expect_no_carry "13h/41"
        expect  $0xaa55, %bx, "13h/41: BX"
        expect  $7, %cx, "13h/41: CX"
        bios    0x13, ah=0x48, si=parameters
        expect_no_carry "13h/48"
        expect  $2048, parameters + 24, "13h/48: bytes of a block"
        movw    blocks, %ax
        expect  parameters + 16, %ax, "13h/48: blocks"
        bios    0x13, ah=0x42, si=dap
        expect_no_carry "13h/42"
        expect_byte $0, %ah, "13h/42: AH"
        expect  $2, dap + 2, "13h/42: how many"
        expect  $0x4301, 0x6000, "13h/42: the volume descriptor"
        expect  $0x4300, 0x6800, "13h/42: the boot record behind it"
        movb    $0x44, %ah
        int     $0x13
        expect_no_carry "13h/44"
        movb    $0x47, %ah
        int     $0x13
        expect_no_carry "13h/47"
        movw    $1, dap + 2
        movb    $0x43, %ah
        int     $0x13
        expect_carry "13h/43"
        expect_byte $3, %ah, "13h/43: AH"
        movl    blocks, %eax            // the last block, and the one behind
        decl    %eax
        movl    %eax, dap + 8
        movw    $1, dap + 2
        movb    $0x42, %ah
        int     $0x13
        expect_no_carry "13h/42 of the last block"
        incl    dap + 8
        movb    $0x42, %ah
        int     $0x13
        expect_carry "13h/42 behind the last block"
        bios    0x13, ax=0x0201, bx=0x6000, cx=1, dh=0
        expect_carry "13h/02 of a CD"
        movb    $0x08, %ah
        int     $0x13
        expect_carry "13h/08 of a CD"
        movb    $0x15, %ah
        int     $0x13
        expect_no_carry "13h/15 of a CD"
        expect_byte $1, %ah, "13h/15 of a CD: AH"
        bios    0x13, ah=0x41, bx=0x55aa, dl=0xe1
        expect_carry "13h/41 of a CD that is not there"

        movw    $command, %si           // the boot catalog
        movw    $0x4d00, %ax
        movb    drive, %dl
        int     $0x13
        expect_no_carry "13h/4D"
        expect_byte $1, 0x6000, "13h/4D: the catalog"
        expect  $0xaa55, 0x601e, "13h/4D: its key"

        cmpb    $0, media
        je      no_emulation

        /* --- the emulated drive --- */
        movb    $0x08, %ah
        movb    drive, %dl
        int     $0x13
        expect_no_carry "13h/08"
        movw    %cx, last_cx
        movb    %dh, last_dh
        movb    %dl, count
        xorw    %ax, %ax
        movw    %ax, %es
        movzbw  media, %bx
        cmpb    $4, %bl
        je      1f
        expect_byte $79, last_cx + 1, "13h/08: cylinders"
        movb    geometry(%bx), %al
        expect_byte last_cx, %al, "13h/08: sectors"
        jmp     2f
1:      expect_byte $17, last_cx, "13h/08: sectors"
        expect_byte $3, last_dh, "13h/08: heads"
2:      movw    last_cx, %cx
        movb    last_dh, %dh
        movb    drive, %dl
        bios    0x13, ax=0x0201, bx=0x6000
        expect_no_carry "13h/02 of the last sector"
        expect  $0x414c, 0x6000, "13h/02 of the last sector: the data"
        movb    packet + 0x10, %al
        expect_byte last_cx + 1, %al, "13h/4B01: cylinders"
        movb    packet + 0x11, %al
        expect_byte last_cx, %al, "13h/4B01: sectors"
        movb    packet + 0x12, %al
        expect_byte last_dh, %al, "13h/4B01: heads"
        movw    $0x0301, %ax
        int     $0x13
        expect_carry "13h/03"
        expect_byte $3, %ah, "13h/03: AH"
        movb    $0x15, %ah
        int     $0x13
        expect_no_carry "13h/15"
        movw    $0x0201, %ax            // the boot sector, again
        movw    $1, %cx
        movb    $0, %dh
        movb    drive, %dl
        int     $0x13
        expect  $0xaa55, 0x61fe, "13h/02 of the boot sector"

        /* --- the drive behind, if there is one; and then in its own place --- */
        cmpb    $2, count
        jne     1f
        incb    %dl
        call    read_other
        movb    $0, count
1:      movw    $packet, %si
        movb    drive, %dl
        movw    $0x4b00, %ax
        int     $0x13
        expect_no_carry "13h/4B00"
        movb    media, %al
        expect_byte packet + 1, %al, "13h/4B00: the packet"
        cmpb    $0, count
        jne     no_emulation
        call    read_other

no_emulation:
        cmpb    $0, media
        je      ask_emulation

        /* --- the tray --- */
tray:
        bios    0x13, ax=0x4b01, dl=0xe0, si=packet
        expect_no_carry "13h/4B01 without emulation"
        expect_byte $0, packet + 1, "13h/4B01 without emulation: media type"
        movw    $0x4500, %ax
        int     $0x13
        expect_no_carry "13h/4500"
        expect_byte $1, %al, "13h/4500: locked"
        movw    $0x4600, %ax
        int     $0x13
        expect_carry "13h/46 of a locked drive"
        expect_byte $0xb1, %ah, "13h/46 of a locked drive: AH"
        movw    $0x4501, %ax
        int     $0x13
        expect_no_carry "13h/4501"
        movw    $0x4600, %ax
        int     $0x13
        expect_no_carry "13h/46"
        movl    $16, dap + 8
        movw    $1, dap + 2
        bios    0x13, ah=0x42, si=dap
        expect_carry "13h/42 of an open drive"
        expect_byte $0x31, %ah, "13h/42 of an open drive: AH"
        jmp     end

/* --- emulation that a program asks for: the same image as a floppy --- */
ask_emulation:
        // a packet that is too short
        movw    $packet, %si
        movb    $2, packet + 1
        movb    $0x12, packet
        movw    $0x4a00, %ax
        int     $0x13
        expect_carry "13h/4A with a short packet"
        movb    $0x13, packet
        movb    $0, packet + 3          // there is a hard disk, or nothing
        movw    $0x4a00, %ax
        int     $0x13
        expect_carry "13h/4A of no CD"
        movb    $1, packet + 3
        movb    $5, packet + 1
        movw    $0x4a00, %ax
        int     $0x13
        expect_carry "13h/4A of an unknown medium"
        movb    $2, packet + 1
        movw    $0x4a00, %ax
        int     $0x13
        expect_no_carry "13h/4A"
        bios    0x13, ah=8, dl=0
        expect_no_carry "13h/08 of what was asked for"
        expect  $0x4f12, %cx, "13h/08 of what was asked for: CX"
        xorw    %ax, %ax
        movw    %ax, %es
        bios    0x13, ax=0x4b00, dl=0x7f, si=packet // all emulation
        expect_no_carry "13h/4B00 of all"
        movb    $2, packet + 1
        movw    $0, packet + 0xc
        movw    $1, packet + 0xe
        movw    $0x4c4c, 0x600
        cmpw    $0, failures
        jne     end
        movw    $0x4c00, %ax
        int     $0x13
        fails   "13h/4C"
        jmp     end
again:  movw    $0, 0x600
        expect_byte $0, drive, "13h/4C: DL"
        bios    0x13, ax=0x4b00, dl=0, si=packet
        expect_no_carry "13h/4B00 behind 13h/4C"
        jmp     tray

/* The first sector of drive DL, which has 11h in each byte. */
read_other:
        bios    0x13, ax=0x0201, bx=0x6000, cx=1, dh=0
        expect_no_carry "13h/02 of the drive behind"
        expect  $0x1111, 0x6000, "13h/02 of the drive behind: the data"
        ret

geometry:
        .byte   0, 15, 18, 36
last_cx:
        .word   0
last_dh:
        .byte   0
count:  .byte   0
        .balign 4
dap:    .byte   16, 0
        .word   2, 0x6000, 0
        .quad   16
command:
        .byte   8, 1
        .word   0x6000, 0, 0
parameters:
        .word   30
        .fill   28, 1, 0
packet: .fill   32, 1, 0
