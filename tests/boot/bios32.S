// bios32: the PCI BIOS of protected mode, found by the BIOS32 service directory. SeaBIOS is asked the
// same (seabios.sh).
#include "check.h"

        .macro  expect_long value, where, text
        cmpl    $\value, \where
        je      .Lgood\@
        fails   "\text"
.Lgood\@:
        .endm
        .macro  pci32 function          // registers, and carry in FS:results, come back
        movw    $\function, %ax
        call    ask
        .endm

        movw    $0xf000, %ax
        movw    %ax, %fs
        xorl    %edi, %edi
1:      cmpl    $0x5f32335f, %fs:(%di)  // "_32_"
        je      2f
        addw    $16, %di
        jnz     1b
        fails   "no directory"
        jmp     end
2:      movw    $16, %cx
        movw    %di, %si
        movb    $0, %al
3:      addb    %fs:(%si), %al
        incw    %si
        loop    3b
        expect_byte $0, %al, "its sum"
        movl    %fs:4(%di), %eax
        movl    %eax, entry

        movl    $0x49435024, %eax       // "$PCI"
        movl    $0, %ebx
        call    ask
        expect_byte $0, %al, "$PCI"
        addl    %edx, %ebx
        pushl   %ebx
        movl    $0x54534e49, %eax       // "INST"
        movl    $0, %ebx
        call    ask
        expect_byte $0x80, %al, "a service that is not there"
        popl    entry

        pci32   0xb101
        expect_byte $0, %ah, "B101"
        expect_long 0x20494350, %edx, "B101: EDX"
        expect  $0x0210, %bx, "B101: version"
        expect_byte $0, carry, "B101: carry"
        movl    $0x7010, %ecx
        movl    $0x8086, %edx
        movl    $0, %esi
        pci32   0xb102
        expect_byte $0, carry, "B102"
        expect  $0x0009, %bx, "B102: where"
        movl    $1, %esi
        pci32   0xb102
        expect_byte $1, carry, "B102: a second one"
        expect_byte $0x86, %ah, "B102: AH"
        movl    $0x030000, %ecx
        movl    $0, %esi
        pci32   0xb103
        expect_byte $0, carry, "B103"
        expect  $0x0010, %bx, "B103: where"

        movl    $0x0009, %ebx
        movl    $0x0b, %edi
        pci32   0xb108
        expect_byte $0x01, %cl, "B108"
        movl    $0x02, %edi
        pci32   0xb109
        expect  $0x7010, %cx, "B109"
        movl    $0x00, %edi
        pci32   0xb10a
        expect_long 0x70108086, %ecx, "B10A"
        movl    $0x3c, %edi
        movl    $0x0b, %ecx
        pci32   0xb10b
        movl    $0, %ecx
        pci32   0xb108
        expect_byte $0x0b, %cl, "B10B"
        movl    $0x42, %edi
        movl    $0x8003, %ecx
        pci32   0xb10c
        movl    $0, %ecx
        pci32   0xb109
        expect  $0x8003, %cx, "B10C"
        movl    $0x40, %edi
        movl    $0x80018002, %ecx
        pci32   0xb10d
        movl    $0, %ecx
        pci32   0xb10a
        expect_long 0x80018002, %ecx, "B10D"
        expect_byte $0, carry, "B10A: carry"
        pci32   0xb1ff
        expect_byte $1, carry, "B1FF: carry"
        jmp     end

// A far call of `entry` in 32-bit protected mode, with these registers; they come back.
ask:    cli
        lgdt    table
        pushl   %eax
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        popl    %eax
        ljmp    $8, $1f
        .code32
1:      pushl   %eax
        movw    $16, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movzwl  %sp, %esp
        popl    %eax
        lcall   *entry
        setc    carry
        pushl   %eax
        movw    $32, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        popl    %eax
        ljmp    $24, $2f
        .code16
2:      pushl   %eax
        movl    %cr0, %eax
        andb    $0xfe, %al
        movl    %eax, %cr0
        ljmp    $0, $3f
3:      xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        popl    %eax
        sti
        ret

entry:  .long   0
        .word   8
carry:  .byte   0
        .balign 8
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      // 8: code, flat
        .quad   0x00cf93000000ffff      // 16: data, flat
        .quad   0x00009b000000ffff      // 24: code of 16 bits
        .quad   0x000093000000ffff      // 32: data
table:  .word   5 * 8 - 1
        .long   gdt
