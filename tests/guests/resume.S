// resume: places to be sent to (jump, `set $pc`, a call), a jump to itself, and an int3.
        .code16
        .text
        .globl _start, there, self, trap, after, last
_start: sti
        movb    $1, %al
        movb    $2, %al
        hlt
there:  movb    $3, %bl
        movb    $4, %bl
        nop
last:   nop
self:   jmp     self
trap:   int3
after:  movb    $5, %bl
        movb    $6, %bl
        jmp     last
