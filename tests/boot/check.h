/* What the guests of this folder share: a boot sector that loads the rest of its track (of a CD without
 * emulation all is loaded already), checks that print what failed by port 0xE9, and the end, whose status
 * is how many failed. */
        .code16
        .text
        .globl  _start
_start: xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        cmpb    $0xe0, %dl
        jae     main
        movw    $0x0210, %ax            // the 16 sectors behind this one, to 7E00
        movw    $0x0002, %cx
        movb    $0, %dh
        movw    $0x7e00, %bx
        int     $0x13
        jnc     main
        movb    $99, %bl
        jmp     end_with

failures:
        .word   0

/* The text at the address on the stack, and the end of the line. */
failed: pusha
        movw    %sp, %bp
        movw    18(%bp), %si
        incw    failures
1:      lodsb
        testb   %al, %al
        jz      2f
        outb    %al, $0xe9
        jmp     1b
2:      movb    $'\n', %al
        outb    %al, $0xe9
        popa
        ret     $2

end:    movb    failures, %bl
end_with:
        movb    $0, %al                 // EXIT with BL
        movw    $0x500, %dx
        outb    %al, %dx

        .macro  fails text
        pushw   $.Ltext\@
        call    failed
        jmp     .Lover\@
.Ltext\@:
        .asciz  "\text"
.Lover\@:
        .endm
/* All keep registers, and the carry and zero flags too where they are looked at first. */
        .macro  expect_carry text
        jc      .Lgood\@
        fails   "\text: no carry"
.Lgood\@:
        .endm
        .macro  expect_no_carry text
        jnc     .Lgood\@
        fails   "\text: carry"
.Lgood\@:
        .endm
        .macro  expect value, where, text
        cmpw    \value, \where
        je      .Lgood\@
        fails   "\text"
.Lgood\@:
        .endm
        .macro  expect_byte value, where, text
        cmpb    \value, \where
        je      .Lgood\@
        fails   "\text"
.Lgood\@:
        .endm

        .org    510
        .word   0xaa55
main:
