// A CD, byte by byte, and the program that a PC boots from it: it finds a file in the CD's directory
// and prints it. A CD has blocks of 2048 bytes, and of these
//
//   16  the volume descriptor of ISO 9660: the CD's name, and where its root directory is
//   17  the boot record (El Torito): where the boot catalog is
//   18  the end of these descriptors
//   19  the boot catalog: what is loaded (4 sectors of 512 bytes, to 07C0:0000), as no other drive
//   20  the root directory
//   21  the path table, its numbers little-endian; 22 the same, big-endian
//   23  the program below, at 0000:7C00 when it runs; DL is E0h, the CD
//   24  HELLO.TXT
//
// All of it is here, so that no other tool is needed for it; guests.mk puts the parts one behind the other.
// ISO 9660 has numbers twice, little-endian and big-endian.

#include "disk.inc"

        .set    BLOCK, 2048
        .set    ROOT, 20
        .set    PROGRAM, 23
        .set    HELLO, 24
        .set    BLOCKS, 25

        .macro  both16 n
        .word   \n
        .byte   (\n) >> 8 & 255, (\n) & 255
        .endm
        .macro  both32 n
        .long   \n
        .byte   (\n) >> 24 & 255, (\n) >> 16 & 255, (\n) >> 8 & 255, (\n) & 255
        .endm
// The rest of a field of text is spaces.
        .macro  field text, length
.Lfrom\@:
        .ascii  "\text"
        .fill   \length - (. - .Lfrom\@), 1, ' '
        .endm
// An entry of a directory: how long it is, where the file is and how long, when it was recorded (126 is
// 2026), is it a directory itself, its name.
        .macro  entry block, length, flags, name:vararg
.Lentry\@:
        .byte   .Lend\@ - .Lentry\@, 0
        both32  \block
        both32  \length
        .byte   126, 1, 1, 0, 0, 0, 0, \flags, 0, 0
        both16  1
        .byte   .Lname\@ - . - 1
        \name
.Lname\@:
        .balign 2
.Lend\@:
        .endm

/* --- the disc, up to the program ------------------------------------------------------------- */

        .section .disc, "a"
disc:   .org    16 * BLOCK
        .ascii  "\1CD001\1\0"
        field   "MINIKVM", 32
        field   "A CD BYTE BY BYTE", 32
        .fill   8, 1, 0
        both32  BLOCKS
        .fill   32, 1, 0
        both16  1
        both16  1
        both16  BLOCK
        both32  10                      // bytes of the path table
        .long   21, 0
        .byte   0, 0, 0, 22, 0, 0, 0, 0
        entry   ROOT, BLOCK, 2, .byte 0
        field   "", 623
        .rept   4                       // no dates
        .fill   16, 1, '0'
        .byte   0
        .endr
        .byte   1

        .org    17 * BLOCK
        .ascii  "\0CD001\1EL TORITO SPECIFICATION"
        .org    17 * BLOCK + 0x47
        .long   19

        .org    18 * BLOCK
        .ascii  "\377CD001\1"

        .org    19 * BLOCK
        .word   1, 0                    // validation: 1, for a PC
        .fill   24, 1, 0
        .word   0x55aa, 0xaa55          // the checksum: all words make 0
        .byte   0x88, 0                 // bootable; as no other drive
        .word   0, 0, 4                 // segment (0: 07C0), 0, sectors
        .long   PROGRAM

        .org    ROOT * BLOCK
        entry   ROOT, BLOCK, 2, .byte 0         // this directory
        entry   ROOT, BLOCK, 2, .byte 1         // the one above
        entry   PROGRAM, BLOCK, 0, .ascii "BOOT.BIN;1"
        entry   HELLO, hello_length, 0, .ascii "HELLO.TXT;1"

        .org    21 * BLOCK
        .byte   1, 0
        .long   ROOT
        .word   1, 0
        .org    22 * BLOCK
        .byte   1, 0, 0, 0, 0, ROOT, 0, 1, 0, 0
        .org    PROGRAM * BLOCK

        .section .files, "a"
hello:  .ascii  "Hello from a file on a CD!\r\n"
        .set    hello_length, . - hello
        .org    BLOCK

/* --- the program ------------------------------------------------------------------------------- */

        .set    EXTENDED_READ, 0x42
        .set    BUFFER, 0x8000          // what is read goes here
        .set    VOLUME_NAME, BUFFER + 40
        .set    ROOT_ENTRY, BUFFER + 156
// In an entry:
        .set    ENTRY_BLOCK, 2
        .set    ENTRY_LENGTH, 10
        .set    ENTRY_NAME_LENGTH, 32
        .set    ENTRY_NAME, 33

        .code16
        .text
FUNCTION _start
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $_start, %sp
        cld
        cmpb    $0xe0, %dl              // a CD's number; those of disks are below
        jb      no_cd
        movb    %dl, drive

        movl    $16, %eax
        call    read_block
        movw    $volume, %si
        call    print
        movw    $VOLUME_NAME, %si
        movw    $17, %cx
        call    print_bytes
        movw    $newline, %si
        call    print

        movl    ROOT_ENTRY + ENTRY_BLOCK, %eax
        call    read_block
        call    find_file
        movl    ENTRY_LENGTH(%si), %ecx
        movl    ENTRY_BLOCK(%si), %eax
        call    read_block
        movw    $BUFFER, %si
        call    print_bytes
        cli
        hlt
END _start

// Block EAX of the CD to BUFFER.
FUNCTION read_block
        movl    %eax, packet_block
        movb    $EXTENDED_READ, %ah
        movb    drive, %dl
        movw    $packet, %si
        int     $DISK
        jc      failed
        ret
END read_block

// SI: the entry of HELLO.TXT in the directory at BUFFER.
FUNCTION find_file
        movw    $BUFFER, %si
1:      movzbw  (%si), %bx              // how long this one is
        testw   %bx, %bx
        jz      failed                  // it was the last
        pushw   %si
        leaw    ENTRY_NAME(%si), %si
        movw    $name, %di
        movw    $NAME_LENGTH, %cx
        repe cmpsb
        popw    %si
        je      found
        addw    %bx, %si
        jmp     1b
found:  ret
END find_file

no_cd:  movw    $from_no_cd, %si
        jmp     1f
failed: movw    $cannot_read, %si
1:      call    print
        cli
        hlt

// The text at SI, with a zero behind it.
FUNCTION print
        lodsb
        testb   %al, %al
        jz      1f
        call    print_byte
        jmp     print
1:      ret
END print

// CX bytes at SI.
FUNCTION print_bytes
        lodsb
        call    print_byte
        loop    print_bytes
        ret
END print_bytes

print_byte:
        movb    $TELETYPE, %ah
        movw    $7, %bx
        int     $VIDEO
        ret

drive:  .byte   0
volume: .asciz  "volume: "
newline:
        .asciz  "\r\n"
from_no_cd:
        .asciz  "this is a program for a CD: minikvm cd.iso\r\n"
cannot_read:
        .asciz  "the CD cannot be read\r\n"
name:   .ascii  "HELLO.TXT;1"
        .set    NAME_LENGTH, . - name
        .balign 4
// What int 13h/42 reads: one block, to 0000:8000, from the one with this number.
packet: .byte   16, 0
        .word   1, BUFFER, 0
packet_block:
        .long   0, 0
