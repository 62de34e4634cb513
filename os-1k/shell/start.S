// Where a user program begins: the kernel has set ESP to the top of its stack.

#include "asm.inc"

        .section .text.start, "ax", @progbits
        STEP    _start
        call    shell_main
        pushl   %eax                    // what it returns is the exit status
        call    exit
        DONE    _start
