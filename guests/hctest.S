// hctest: every hypercall once, each with what it should do.
//
// GETCHAR is the one in two steps: the `out` asks, and the machine waits for a
// key; the `in` that follows fetches it. 0xff says that no more input will come.

#include "abi.inc"

#define END_OF_INPUT 0xff

        .code16
        .text
FUNCTION _start
        SAY     puts_text               // PUTS: one exit for the whole line

        SAY     putchar_name
        movb    $'A', %bl
        HYPERCALL HC_PUTCHAR
        HYPERCALL HC_NEWLINE

        SAY     putnum_name
        movw    $65535, %bx             // the largest number that BX can hold
        HYPERCALL HC_PUTNUM
        HYPERCALL HC_NEWLINE

        SAY     getchar_name
        HYPERCALL HC_GETCHAR
        inb     %dx, %al                // DX is still HC_PORT
        call    print_input
        HYPERCALL HC_NEWLINE

        SAY     exit_name
        EXIT    0
END _start

// Prints the input in AL: the character itself if it can be seen, and its code.
FUNCTION print_input
        cmpb    $END_OF_INPUT, %al
        je      nothing_came
        movzbw  %al, %si                // AL and BL are needed for the hypercalls
        cmpb    $' ', %al
        jb      print_code
        cmpb    $'~', %al
        ja      print_code
        movb    %al, %bl
        HYPERCALL HC_PUTCHAR
        movb    $' ', %bl
        HYPERCALL HC_PUTCHAR
print_code:
        SAY     code_name
        movw    %si, %bx
        HYPERCALL HC_PUTNUM
        ret
nothing_came:
        SAY     end_name
        ret
END print_input

        .data
MESSAGE puts_text, "PUTS: a whole line in one exit\n"
MESSAGE putchar_name, "PUTCHAR: "
MESSAGE putnum_name, "PUTNUM: "
MESSAGE getchar_name, "GETCHAR: "
MESSAGE code_name, "code "
MESSAGE end_name, "end of input"
MESSAGE exit_name, "EXIT: status 0\n"
