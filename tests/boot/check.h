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

/* bios 0x10, ax=0x0e41, bx=7: the call with these in its registers, the others as they are. */
        .macro  set_register name, value
        .ifnb   \value
        mov     $\value, %\name
        .endif
        .endm
        .macro  bios number, ax, ah, al, bx, bh, bl, cx, ch, cl, dx, dh, dl, si, di
        set_register ax, "\ax"
        set_register ah, "\ah"
        set_register al, "\al"
        set_register bx, "\bx"
        set_register bh, "\bh"
        set_register bl, "\bl"
        set_register cx, "\cx"
        set_register ch, "\ch"
        set_register cl, "\cl"
        set_register dx, "\dx"
        set_register dh, "\dh"
        set_register dl, "\dl"
        set_register si, "\si"
        set_register di, "\di"
        int     $\number
        .endm

        .macro  fails text
        pushw   $.Ltext\@
        call    failed
        jmp     .Lover\@
.Ltext\@:
        .asciz  "\text"
.Lover\@:
        .endm
/* What a host that lets the guest stand for a moment may spoil is tried again, from the label on: it
 * fails when it does each time. */
        .macro  fails_again from, text
        incw    .Ltimes\@
        cmpw    $100, .Ltimes\@
        jb      \from
        fails   "\text"
        jmp     .Lon\@
.Ltimes\@:
        .word   0
.Lon\@:
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
