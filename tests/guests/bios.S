// bios: calls a BIOS that is not there.
        .code16
        .text
        .globl  _start
        .type _start, @function
_start: movb    $0x0e, %ah
        movb    $'A', %al
        .globl  calls
calls:  int     $0x10
1:      jmp     1b
        .size _start, . - _start
