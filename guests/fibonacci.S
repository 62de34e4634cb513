// fibonacci: the first fifteen Fibonacci numbers.
//
// SI and DI hold two neighbours. `xadd` makes the next pair in one instruction:
// it exchanges its operands and then adds, so (a, b) becomes (b, a + b).

#include "abi.inc"

#define COUNT 15

        .code16
        .text
FUNCTION _start
        SAY     title
        movw    $0, %si
        movw    $1, %di
        movw    $COUNT, %cx
next_number:
        movw    %si, %bx
        HYPERCALL HC_PUTNUM
        xaddw   %si, %di                // DI = DI + SI, SI = the old DI
        decw    %cx
        jz      done
        movb    $',', %bl
        HYPERCALL HC_PUTCHAR
        movb    $' ', %bl
        HYPERCALL HC_PUTCHAR
        jmp     next_number
done:
        HYPERCALL HC_NEWLINE
        EXIT    0
END _start

        .data
MESSAGE title, "Fibonacci: "
