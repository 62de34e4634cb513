// protected: INT 15h/89, from which there is no way back.
#include "check.h"

        bios    0x15, ah=0x89, bx=0x5030, si=gdt // 15h/89: PIC vectors 50h and 30h
        jc      1f                      // DS, ES, SS and CS are selectors now
        movw    %cs, %ax
        cmpw    $0x30, %ax
        jne     1f
        movw    %ds, %ax
        cmpw    $0x18, %ax
        jne     1f
        movw    %ss, %ax
        cmpw    $0x28, %ax
        jne     1f
        smsw    %ax
        testb   $1, %al
        jz      1f
        inb     $0x21, %al              // all is masked
        cmpb    $0xff, %al
        jne     1f
        movb    $0xfe, %al
        outb    %al, $0x21
        sti
2:      hlt
        cmpb    $0, ticked
        je      2b
        jmp     end
1:      fails   "15h/89"
        jmp     end

tick:   movb    $1, ticked
        movb    $0x20, %al
        outb    %al, $0x20
        iret
ticked: .byte   0

        .balign 8
gdt:    .quad   0
        .word   0x3f, gdt, 0x9300, 0    // itself
        .word   0x287, idt, 0x9300, 0   // the IDT
        .word   0xffff, 0, 0x9300, 0
        .word   0xffff, 0, 0x9300, 0
        .word   0xffff, 0, 0x9300, 0
        .word   0xffff, 0, 0x9b00, 0
        .quad   0
idt:    .fill   0x50 * 8, 1, 0
        .word   tick, 0x30, 0x8600, 0
