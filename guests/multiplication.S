// multiplication: the tables from 2x1 to 9x9, one line per table.
//
// Two loops, one in the other. SI is the left factor and DI the right one: they
// are free, while AX, BX and DX are not, because the hypercalls need them.

#include "abi.inc"

        .code16
        .text
FUNCTION _start
        movw    $2, %si
next_table:
        movw    $1, %di
next_product:
        call    print_product
        incw    %di
        cmpw    $9, %di
        ja      end_of_table
        movb    $' ', %bl
        HYPERCALL HC_PUTCHAR
        jmp     next_product
end_of_table:
        HYPERCALL HC_NEWLINE
        incw    %si
        cmpw    $9, %si
        jbe     next_table
        EXIT    0
END _start

// Prints "SIxDI=product". Changes AX, BX and DX.
FUNCTION print_product
        movw    %si, %bx
        HYPERCALL HC_PUTNUM
        movb    $'x', %bl
        HYPERCALL HC_PUTCHAR
        movw    %di, %bx
        HYPERCALL HC_PUTNUM
        movb    $'=', %bl
        HYPERCALL HC_PUTCHAR
        movw    %si, %ax
        mulw    %di                     // DX:AX = AX * DI; DX, the upper half, is 0 here
        movw    %ax, %bx
        HYPERCALL HC_PUTNUM
        ret
END print_product
