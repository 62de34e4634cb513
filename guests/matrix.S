// matrix: C = A * B for matrices of 8 by 8 words, and what to know about `mul`.
//
//      A =   1  2 ..  8        B =  64 63 .. 57
//            9 10 .. 16             56 55 .. 49
//               ..                     ..
//           57 58 .. 64              8  7 ..  1
//
// `mul` with a 16-bit operand gives 32 bits, and the upper half goes to DX: a
// port number or a sum kept in DX is gone after it. A guest that adds up in DX
// prints 0. Here the sum is in BP, and DX is loaded anew for every hypercall.

#include "abi.inc"

#define N       8
#define ROW     (2 * N)                 // bytes
#define MATRIX  (ROW * N)

        .code16
        .text
FUNCTION _start
        cld
        call    fill
        call    multiply

        SAY     first_name
        movw    matrix_c, %bx
        HYPERCALL HC_PUTNUM
        SAY     last_name
        movw    matrix_c + MATRIX - 2, %bx
        HYPERCALL HC_PUTNUM
        SAY     checksum_name
        call    checksum
        movw    %ax, %bx
        HYPERCALL HC_PUTNUM
        HYPERCALL HC_NEWLINE
        EXIT    0
END _start

// A counts from 1 up to 64, B from 64 down to 1.
FUNCTION fill
        movw    $1, %ax
        movw    $matrix_a, %di
fill_a: stosw                           // ES:[DI] = AX, DI = DI + 2
        incw    %ax
        cmpw    $N * N, %ax
        jbe     fill_a
        movw    $N * N, %ax
        movw    $matrix_b, %di
fill_b: stosw
        decw    %ax
        jnz     fill_b
        ret
END fill

// SI goes down the rows of A, DI along the columns of B, BX through all of C.
FUNCTION multiply
        movw    $matrix_c, %bx
        movw    $matrix_a, %si
next_row:
        movw    $matrix_b, %di
next_column:
        call    dot_product
        movw    %ax, (%bx)
        addw    $2, %bx
        addw    $2, %di
        cmpw    $matrix_b + ROW, %di
        jb      next_column
        addw    $ROW, %si
        cmpw    $matrix_a + MATRIX, %si
        jb      next_row
        ret
END multiply

// AX = the row of A at SI times the column of B at DI. Changes BP, CX and DX.
FUNCTION dot_product
        pushw   %si
        pushw   %di
        xorw    %bp, %bp
        movw    $N, %cx
next_term:
        movw    (%si), %ax
        mulw    (%di)                   // DX:AX = AX * word at DI: DX is overwritten
        addw    %ax, %bp
        addw    $2, %si                 // one to the right
        addw    $ROW, %di               // one down
        loop    next_term
        movw    %bp, %ax
        popw    %di
        popw    %si
        ret
END dot_product

// AX = a checksum of C in which the order matters: for each element,
// sum = sum * 31 + element, modulo 65536. Changes CX, DX, SI and DI.
FUNCTION checksum
        xorw    %ax, %ax
        movw    $31, %di
        movw    $matrix_c, %si
        movw    $N * N, %cx
next_element:
        mulw    %di                     // AX = the lower half: that is the modulo
        addw    (%si), %ax
        addw    $2, %si
        loop    next_element
        ret
END checksum

        .data
MESSAGE first_name, "C[0][0]="
MESSAGE last_name, "\nC[7][7]="
MESSAGE checksum_name, "\nchecksum="

        .macro  SPACE name
        .balign 2
        .type   \name, @object
\name:  .skip   MATRIX
        .size   \name, . - \name
        .endm

        .bss
SPACE matrix_a
SPACE matrix_b
SPACE matrix_c
