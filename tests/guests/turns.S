// turns: counts for ever. Of several of them one can see who has run.
        .code16
        .text
        .globl _start
        .type _start, @function
_start: xorw    %ax, %ax
        movw    %ax, %ds
again:  incl    turns
        jmp     again
        .size _start, . - _start

        .data
        .balign 4
        .globl turns
        .type turns, @object
turns:  .long   0
        .size turns, . - turns
