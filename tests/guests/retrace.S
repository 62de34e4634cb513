// retrace: waits for the vertical retrace three times, as programs do before they write to the
// screen, and ends with status 0.
        .code16
        .text
#include "../../guests/abi.inc"
FUNCTION _start
        movw    $3, %cx
        movw    $0x3da, %dx
1:      inb     %dx, %al
        testb   $8, %al
        jz      1b
2:      inb     %dx, %al
        testb   $8, %al
        jnz     2b
        loop    1b
        movb    $0, %bl
        HYPERCALL HC_EXIT
END _start
