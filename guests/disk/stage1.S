// The first stage of a boot loader: 512 bytes that read the second one. A sector is small, so all
// it knows is where that lies: STAGE2_SECTORS sectors behind this one, to be put at STAGE2.
//
//   0000:7C00  this, loaded by the BIOS; the stack grows down from here
//   0000:8000  the second stage, which begins with DL as the BIOS left it here

#include "disk.inc"

        .code16
        .text
FUNCTION _start
        cli                             // until there is a stack that is ours; and the BIOS can do without
        ljmpw   $0, $here               // some BIOSes jump to 07C0:0000, which is the same place
here:   xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $_start, %sp
        movb    %dl, drive
        movw    $reading, %si
        call    print
        call    ask_geometry
        movw    $1, %si                 // the sector's number on the disk, from 0
        movw    $STAGE2, %bx
END _start

FUNCTION load
        call    read_sector
        addw    $512, %bx
        incw    %si
        cmpw    $STAGE2_SECTORS, %si
        jbe     load
        movb    drive, %dl
        ljmpw   $0, $STAGE2
END load

// How many sectors a track has, and how many heads a cylinder: read_sector counts by them.
FUNCTION ask_geometry
        movb    $DISK_PARAMETERS, %ah
        movb    drive, %dl
        xorw    %di, %di                // ES:DI = 0: a trap in old BIOSes
        int     $DISK
        jc      failed
        andw    $0x3f, %cx              // bits 0 to 5; above them are those of the cylinder
        movw    %cx, sectors
        movzbw  %dh, %ax
        incw    %ax                     // DH is the last head
        movw    %ax, heads
        xorw    %ax, %ax
        movw    %ax, %es                // for a floppy it pointed to its parameters
        ret
END ask_geometry

// Sector SI of the disk to ES:BX. The BIOS wants it as cylinder, head and sector.
FUNCTION read_sector
        movw    %si, %ax
        xorw    %dx, %dx
        divw    sectors                 // AX: the track; DX: the sector on it, from 0
        movw    %dx, %cx
        incw    %cx                     // from 1
        xorw    %dx, %dx
        divw    heads                   // AX: the cylinder; DX: the head
        movb    %dl, %dh
        movb    %al, %ch
        movb    drive, %dl
        movw    $(DISK_READ << 8 | 1), %ax
        int     $DISK
        jc      failed
        ret
END read_sector

failed:
        movw    $cannot_read, %si
        call    print
        cli
        hlt

// The text at SI, with a zero behind it.
FUNCTION print
        movb    $TELETYPE, %ah
        movw    $0x0007, %bx
next_character:
        lodsb
        testb   %al, %al
        jz      printed
        int     $VIDEO
        jmp     next_character
printed:
        ret
END print

reading:        .asciz  "stage 1: reading stage 2\r\n"
cannot_read:    .asciz  "stage 1: the disk cannot be read\r\n"
drive:          .byte   0
        .balign 2
sectors:        .short  0
heads:          .short  0

        .org    510
        .short  SIGNATURE
