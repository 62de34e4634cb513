// hello: prints a line, one hypercall per character.
//
// There is no BIOS and no operating system to ask. The guest writes a number
// to port 0x500; the CPU leaves the guest (a VM exit), the machine looks at the
// guest's registers, prints BL and lets the guest go on.

#include "abi.inc"

        .code16
        .text
FUNCTION _start
        cld                             // lodsb shall count SI upward
        movw    $greeting, %si
next_character:
        lodsb                           // AL = DS:[SI], SI = SI + 1
        testb   %al, %al
        jz      done
        movb    %al, %bl
        HYPERCALL HC_PUTCHAR
        jmp     next_character
done:
        EXIT    0
END _start

        .data
        .type   greeting, @object
greeting:
        .asciz  "Hello, KVM!\n"
        .size   greeting, . - greeting
