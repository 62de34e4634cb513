// segmented: real mode with a segment that does not begin at 0.
//
// A real-mode address is segment * 16 + offset (Intel SDM Vol. 3A §20.1.1):
//
//      CS = 0x1000, IP = 0x0004        0x1000 * 16 + 0x0004 = 0x10004
//
// The registers hold small offsets while the code lies at linear 0x10000. The
// symbols of this file have linear addresses, because a debugger looks them up
// in one flat address space; what the CPU needs is the distance from the start
// of the segment, written OFFSET(symbol) below. Jumps and calls within the
// segment are relative to IP and need no such care.

#include "abi.inc"

#define SEGMENT         0x1000
#define OFFSET(symbol)  (symbol - segment_start)

        .code16
        .text
FUNCTION _start
        ljmp    $SEGMENT, $OFFSET(segment_entry)        // CS = 0x1000, base 0x10000
END _start

        .section .segment, "awx", @progbits
segment_start:

FUNCTION segment_entry
        movw    %cs, %ax
        movw    %ax, %ds
        movw    %ax, %ss                // no interrupt comes between this and the next,
        movw    $0xfffe, %sp            // so SS and SP change together (§6.8.3)
        cld
        movw    $OFFSET(text), %si
        call    print
        EXIT    0
END segment_entry

// Prints the text at DS:SI up to its 0 byte. Changes AX, BX, DX and SI.
FUNCTION print
next_character:
        lodsb                           // AL = DS:[SI]: the segment's base counts here
        testb   %al, %al
        jz      printed
        movb    %al, %bl
        HYPERCALL HC_PUTCHAR
        jmp     next_character
printed:
        ret                             // IP from SS:[SP]
END print

        .type   text, @object
text:   .asciz  "segmented: CS, DS and SS are 0x1000, this text is at linear 0x10000 and above\n"
        .size   text, . - text
