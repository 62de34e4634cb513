// Where a user program begins: the kernel has set ESP to the top of its stack.

#include "abi.inc"

        .cfi_sections .debug_frame
        .section .text.start, "ax", @progbits
FUNCTION _start
        .cfi_startproc
        .cfi_undefined %eip
        call    shell_main
        pushl   %eax                    // what it returns is the exit status
        call    exit
        .cfi_endproc
END _start
