// broken_gdt: pmode with a bug. It dies on the far jump.
//
// The far jump faults. The CPU looks for the handler, finds none, faults again,
// and a fault while starting the double-fault handler is a triple fault: the CPU
// shuts down (§6.15, interrupt 8). On a real PC the screen would go dark and the
// machine start anew. Here a debugger stops with everything still in place.
//
// The lesson: stop at enter_protected, and ask the CPU what it holds. Where
// is the GDT, says GDTR? Where is it, says the symbol table? What lies in
// memory at each of the two? The answer is at the end of this file.

#include "abi.inc"

#define CODE            0x08
#define DATA            0x10

        .code16
        .text
FUNCTION _start
        cli
        SAY     about_to_enter
        lgdtl   gdt_pointer
        movl    %cr0, %eax
        orl     $CR0_PE, %eax
END _start

FUNCTION enter_protected
        movl    %eax, %cr0
        ljmpl   $CODE, $protected_entry
END enter_protected

        .code32
FUNCTION protected_entry
        movw    $DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $0x1000, %esp
        SAY     in_protected_mode
        EXIT    0
END protected_entry

// In .text, so that the table comes with the code in one piece.
        .balign 8
        .type   gdt, @object
gdt:    .quad   0
        .word   0xffff, 0               // 0x08: code
        .byte   0, 0x9a, 0xcf, 0
        .word   0xffff, 0               // 0x10: data
        .byte   0, 0x92, 0xcf, 0
gdt_end:
        .size   gdt, . - gdt

        .type   gdt_pointer, @object
gdt_pointer:
        .word   gdt_end - gdt - 1
        .long   gdt - _start
        .size   gdt_pointer, . - gdt_pointer

        .data
MESSAGE about_to_enter, "broken_gdt: real mode, about to enter protected mode\n"
MESSAGE in_protected_mode, "broken_gdt: protected mode (you have repaired it)\n"

// The answer. lgdt wants a linear address. `gdt - _start` is the distance from
// the start of the program, too small by the 0x1000 at which it was loaded. The
// line was right once, in a boot sector that added its segment's base to it; it
// was copied, the addition was not. GDTR then points into low memory, where
// the "descriptor" 0x08 is eight zero bytes: no code segment, hence #GP(8). The
// limit is right, so the size gives no hint. Repair: `.long gdt`.
