// pci: configuration space by ports CF8 and CFC, and what the host bridge's registers do to memory
// from C0000 to FFFFF.
#include "check.h"

#define HOST    0x80000000
#define ISA     0x80000800
#define IDE     0x80000900
#define VGA     0x80001000

// EAX: the double word of a function.
        .macro  config where
        movl    $\where, %eax
        call    address
        inl     %dx, %eax
        .endm
        .macro  pam register, value
        movl    $(HOST | (\register & 0xfc)), %eax
        call    address
        addw    $(\register & 3), %dx
        movb    $\value, %al
        outb    %al, %dx
        .endm
        .macro  expect_long value, text
        cmpl    $\value, %eax
        je      .Lgood\@
        fails   "\text"
.Lgood\@:
        .endm

        config  HOST
        expect_long 0x12378086, "host bridge"
        config  ISA
        expect_long 0x70008086, "ISA bridge"
        config  IDE
        expect_long 0x70108086, "IDE"
        config  VGA
        expect_long 0x11111234, "VGA"
        config  (ISA + 0x0c)
        testl   $0x800000, %eax
        jnz     1f
        fails   "the ISA bridge has one function"
1:      config  (VGA + 0x08)
        shrl    $8, %eax
        expect_long 0x030000, "class of the VGA"

        // where nothing is: another function, device and bus
        config  (VGA + 0x100)
        expect_long 0xffffffff, "a function that is not there"
        config  0x8000f800
        expect_long 0xffffffff, "a device that is not there"
        config  0x80010000
        expect_long 0xffffffff, "a bus that is not there"
        config  0x00000000
        expect_long 0xffffffff, "without the enable bit"

        // by words and bytes, and the address again
        movl    $(IDE | 0x08), %eax
        call    address
        movw    $0xcf8, %dx
        inl     %dx, %eax
        expect_long (IDE | 0x08), "the address is not read back"
        movw    $0xcfe, %dx
        inw     %dx, %ax
        expect  $0x0101, %ax, "class by a word"
        movw    $0xcff, %dx
        inb     %dx, %al
        expect_byte $0x01, %al, "class by a byte"
        movw    $0xcf9, %dx             // another device's
        inb     %dx, %al
        expect_byte $0, %al, "reset control"

        // what can be written, and what cannot
        movl    $(IDE | 0x3c), %eax
        call    address
        movl    $0xffffff0e, %eax
        outl    %eax, %dx
        inl     %dx, %eax
        expect_long 0x0000000e, "interrupt line"
        movl    $IDE, %eax
        call    address
        movl    $0, %eax
        outl    %eax, %dx
        inl     %dx, %eax
        expect_long 0x70108086, "the vendor was written"
        movl    $(IDE | 0x20), %eax     // a base address that it has not
        call    address
        movl    $0xffffffff, %eax
        outl    %eax, %dx
        inl     %dx, %eax
        expect_long 0, "size of a base address"

        // the shadow at D0000
        movw    $0xd000, %ax
        movw    %ax, %fs
        movb    $0xa1, %fs:0
        expect_byte $0xa1, %fs:0, "RAM"
        pam     0x5c, 0x01
        movb    $0xb2, %fs:0
        expect_byte $0xa1, %fs:0, "write-protected"
        pam     0x5c, 0x02
        movb    $0xc3, %fs:0
        movw    $0xd5c4, %fs:0x3ffe     // its last bytes
        expect_byte $0xff, %fs:0, "reads are from RAM, and should not be"
        pam     0x5c, 0x00
        movb    $0xe6, %fs:0
        expect_byte $0xff, %fs:0, "neither"
        pam     0x5c, 0x33
        expect_byte $0xc3, %fs:0, "writes did not go to RAM"
        expect  $0xd5c4, %fs:0x3ffe, "nor those at the end"
        pam     0x5c, 0x31
        movb    $0xf7, %fs:0
        movb    $0xf7, %fs:0x4000
        expect_byte $0xc3, %fs:0, "the first half alone is protected"
        expect_byte $0xf7, %fs:0x4000, "the second is not"
        pam     0x5c, 0x33

        // the BIOS at F0000: copied onto itself, changed, and its code run from there
        movw    $0xf000, %ax
        movw    %ax, %fs
        pam     0x59, 0x20
        pushw   %ds
        movw    %fs, %ax
        movw    %ax, %ds
        movw    %ax, %es
        xorw    %si, %si
        xorw    %di, %di
        movw    $0x4000, %cx
        cld
        rep movsl
        popw    %ds
        int     $0x11
        movw    %ax, equipment
        pam     0x59, 0x30
        int     $0x11
        cmpw    %ax, equipment
        je      1f
        fails   "the copy is another BIOS"
1:      movw    $0x77b0, %fs:0x88       // of vector 11h: mov $0x77,%al
        int     $0x11
        expect_byte $0x77, %al, "the copy is not run"
        pam     0x59, 0x00
        int     $0x11
        cmpw    %ax, equipment
        je      1f
        fails   "the ROM is not run"
1:      pam     0x59, 0x10
        movb    $0x78, %fs:0x89
        int     $0x11
        expect_byte $0x77, %al, "the copy is not run, or was written"
        jmp     end

address:
        movw    $0xcf8, %dx
        outl    %eax, %dx
        movw    $0xcfc, %dx
        ret

equipment:
        .word   0
