// steps: every instruction that a single step gets wrong on some processor, one
// after the other, each with a label. Used by the gdb sessions.
        .code16
        .text
        .globl _start
        .type _start, @function
_start: cli
        movw    $0x5000, %sp
        movw    $handler21, 0x21*4      // the vector of int 0x21
        movw    $0, 0x21*4+2
        movw    $handler3, 3*4
        movw    $0, 3*4+2
        movw    $handler6, 6*4
        movw    $0, 6*4+2
        movw    $handler4, 4*4
        movw    $0, 4*4+2
        xorw    %ax, %ax
at_int: int     $0x21
after_int:
        nop
at_int3:
        int3
after_int3:
        nop
at_into:
        movb    $0x7f, %al
        addb    $1, %al                 // OF = 1
        into
after_into:
        nop
at_ud:  ud2
after_ud:
        movw    $source, %si
        movw    $target, %di
        movw    $8, %cx
        cld
at_rep: rep movsb
after_rep:
        pushf
after_pushf:
        popw    %bx                     // TF must not be in it
        pushw   %bx
at_popf:
        popf
after_popf:
        movw    %ss, %ax
at_movss:
        movw    %ax, %ss
after_movss:
        pushw   %ss
at_popss:
        popw    %ss
after_popss:
        pushf
        popw    %bp                     // nor in it
at_sti: sti
after_sti:
        cli
        movw    $0x3f8, %dx
        movb    $'!', %al
at_out: outb    %al, %dx
after_out:
        movw    $0x3fd, %dx
at_in:  inb     %dx, %al
after_in:
        incw    counter
        incw    counter
at_call:
        call    routine
after_call:
        nop
at_hlt: hlt
after_hlt:
        movb    $0, %al
        movb    $7, %bl
        movw    $0x500, %dx
        outb    %al, %dx
        .size _start, . - _start

        .type routine, @function
routine:
        movw    $0x1234, counter
        ret
        .size routine, . - routine

        .type handler21, @function
handler21:
        incb    %ah
        iret
        .size handler21, . - handler21
        .type handler3, @function
handler3:
        incb    %ah
        iret
        .size handler3, . - handler3
        .type handler4, @function
handler4:
        incb    %ah
        iret
        .size handler4, . - handler4
        .type handler6, @function
handler6:                               // pushed: ip, cs, flags
        pushw   %bp
        movw    %sp, %bp
        addw    $2, 2(%bp)              // behind the ud2
        popw    %bp
        iret
        .size handler6, . - handler6

        .data
source: .ascii  "abcdefgh"
        .globl target
        .type target, @object
target: .skip   8
        .size target, 8
        .globl counter
        .type counter, @object
counter:
        .word   0
        .size counter, 2
