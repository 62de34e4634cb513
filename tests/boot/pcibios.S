// pcibios: INT 1Ah/B1, as every BIOS answers it; SeaBIOS is asked the same (seabios.sh).
#include "check.h"

        .macro  expect_long value, where, text
        cmpl    $\value, \where
        je      .Lgood\@
        fails   "\text"
.Lgood\@:
        .endm

        movw    %sp, stack
        movl    $0, %edx
        movw    $0xb101, %ax
        int     $0x1a
        expect_no_carry "B101"
        expect_byte $0, %ah, "B101: AH"
        expect_long 0x20494350, %edx, "B101: EDX"
        expect  $0x0210, %bx, "B101: version"
        expect_byte $0, %cl, "B101: buses"
        testb   $1, %al
        jnz     1f
        fails   "B101: mechanism 1"
1:
        // find: the IDE function, one that is not there, and what is no vendor
        bios    0x1a, ax=0xb102, cx=0x7010, dx=0x8086, si=0
        expect_no_carry "B102: IDE"
        expect  $0x0009, %bx, "B102: where"
        bios    0x1a, ax=0xb102, si=1 // there is no second one
        expect_carry "B102: a second one"
        expect_byte $0x86, %ah, "B102: AH"

        movw    $0xb103, %ax            // the VGA, by its class
        movl    $0x030000, %ecx
        movw    $0, %si
        int     $0x1a
        expect_no_carry "B103: VGA"
        expect  $0x0010, %bx, "B103: where"
        movw    $0xb103, %ax
        movl    $0x0c0320, %ecx
        int     $0x1a
        expect_carry "B103: USB"
        expect_byte $0x86, %ah, "B103: AH"

        // registers
        bios    0x1a, ax=0xb108, bx=0x0009, di=0x000b
        expect_no_carry "B108"
        expect_byte $0x01, %cl, "B108: base class"
        bios    0x1a, ax=0xb109, di=0x0002
        expect_no_carry "B109"
        expect  $0x7010, %cx, "B109: device"
        bios    0x1a, ax=0xb10a, di=0x0000
        expect_no_carry "B10A"
        expect_long 0x70108086, %ecx, "B10A"
        bios    0x1a, ax=0xb10b, cl=0x0e, di=0x003c
        expect_no_carry "B10B"
        bios    0x1a, ax=0xb108, cl=0
        expect_byte $0x0e, %cl, "B10B: what was written"
        bios    0x1a, ax=0xb10c, cx=0x4008, di=0x000c
        expect_no_carry "B10C"
        movl    $0, %ecx
        movw    $0xb10a, %ax
        int     $0x1a
        expect  $0x4008, %cx, "B10C: what was written"
        movw    $0x0040, %di
        movl    $0x80018002, %ecx
        movw    $0xb10d, %ax
        int     $0x1a
        expect_no_carry "B10D"
        movl    $0, %ecx
        movw    $0xb10a, %ax
        int     $0x1a
        expect_long 0x80018002, %ecx, "B10D: what was written"

        movw    $0xb1ff, %ax            // no such function
        int     $0x1a
        expect_carry "B1FF"
        cmpw    stack, %sp
        je      end
        fails   "SP"
        jmp     end

stack:  .word   0
